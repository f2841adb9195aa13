"""Every stored field is classified, and the documentation says the same."""

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from clusters.models import Account
from config.privacy import fields as privacy
from config.privacy.erasing import KEYS

TABLES = apps.get_models(include_auto_created=True)
DOCUMENT = Path(settings.BASE_DIR) / "docs" / "privacy-data.md"


def label_of(model: type[models.Model]) -> str:
    return model._meta.label_lower


@pytest.mark.parametrize("model", TABLES, ids=label_of)
def test_every_field_is_classified(model: type[models.Model]) -> None:
    stored = {field.name for field in model._meta.concrete_fields}
    rules = privacy.rules_of(label_of(model))
    version_only = set(privacy.VERSION) if ".historical" in label_of(model) else set()

    assert sorted(stored - set(rules)) == []
    if not version_only:
        assert sorted(set(rules) - stored) == []


def test_no_table_is_classified_that_there_is_not() -> None:
    assert sorted(set(privacy.FIELDS) - {label_of(model) for model in TABLES}) == []


def test_no_field_is_classified_twice() -> None:
    for table in privacy.FIELDS.values():
        names = " ".join(table.values()).split()
        assert sorted(set(names)) == sorted(names)


def test_unclassified_field_is_noticed() -> None:
    assert "nickname" not in privacy.rules_of("clusters.account")
    assert privacy.rules_of("clusters.nosuchtable") == {}


@pytest.mark.parametrize("model", TABLES, ids=label_of)
def test_address_is_never_public(model: type[models.Model]) -> None:
    rules = privacy.rules_of(label_of(model))
    addresses = [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.EmailField | models.GenericIPAddressField)
    ]

    public = [name for name in addresses if rules[name].sensitivity is privacy.FACT.sensitivity]
    assert public == []


@pytest.mark.parametrize("model", TABLES, ids=label_of)
def test_relation_to_an_account_is_personal(model: type[models.Model]) -> None:
    rules = privacy.rules_of(label_of(model))
    relations = [f.name for f in model._meta.concrete_fields if f.related_model is Account]

    assert [n for n in relations if rules[n].sensitivity is not privacy.ACCOUNT.sensitivity] == []


def test_what_django_would_delete_with_an_account_is_deleted_by_erasing() -> None:
    """But for the admin's own log, whose lines lead to the nameless account."""
    falling = {
        relation.related_model._meta.label_lower
        for relation in Account._meta.related_objects
        if relation.on_delete is models.CASCADE and not relation.many_to_many
    }

    with_auto_created = {label for label in falling if label.startswith("clusters.account_")}
    assert falling - with_auto_created == {*privacy.FALLING_WITH_AN_ACCOUNT, "admin.logentry"}


def test_document_says_what_the_table_says() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert text.partition("## Every field\n\n")[2] == privacy.as_markdown()


@pytest.mark.parametrize("key", KEYS)
def test_document_explains_the_keys_of_the_download(key: str) -> None:
    assert f"| `{key}` | {KEYS[key]} |" in DOCUMENT.read_text(encoding="utf-8")
