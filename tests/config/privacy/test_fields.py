"""Every stored field is in the table of docs/privacy-data.md, which says what it is to a person."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from clusters.models import Account
from config.privacy import retention
from config.privacy.erasing import belongings

TABLES = apps.get_models(include_auto_created=True)
DOCUMENT = (Path(settings.BASE_DIR) / "docs" / "privacy-data.md").read_text(encoding="utf-8")
# Columns that a version has beside those of its row: the page says so above the table.
OF_A_VERSION = {
    "history",
    "history_change_reason",
    "history_date",
    "history_id",
    "history_type",
    "history_user",
    "m2m_history_id",
}
SENSITIVITIES = ("public", "role-restricted", "personal", "secret")


class Line(NamedTuple):
    table: str
    fields: list[str]
    sensitivity: str
    kept: str
    on_erasing: str


def lines() -> list[Line]:
    rows = DOCUMENT.partition("## Every field\n\n")[2].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [
        Line(table.strip("`"), re.findall(r"`(\w+)`", fields), *others)
        for table, fields, *others in cells
    ]


LINES = lines()


def label_of(model: type[models.Model]) -> str:
    """Of the row, where the model keeps versions of rows."""
    return model._meta.label_lower.replace(".historical", ".", 1)


def sensitivities_of(model: type[models.Model]) -> dict[str, str]:
    return {
        field: line.sensitivity
        for line in LINES
        if line.table == label_of(model)
        for field in line.fields
    }


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model._meta.label_lower)
def test_every_field_is_classified(model: type[models.Model]) -> None:
    stored = {field.name for field in model._meta.concrete_fields}
    classified = set(sensitivities_of(model))

    if ".historical" in model._meta.label_lower:
        assert sorted(stored - classified - OF_A_VERSION) == []
    else:
        assert sorted(stored) == sorted(classified)


def test_table_has_no_line_too_many() -> None:
    assert {line.table for line in LINES} <= {label_of(model) for model in TABLES}
    classified = Counter((line.table, field) for line in LINES for field in line.fields)
    assert [field for field, number in classified.items() if number > 1] == []
    assert {line.sensitivity for line in LINES} == set(SENSITIVITIES)


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model._meta.label_lower)
def test_address_and_account_are_personal(model: type[models.Model]) -> None:
    found = sensitivities_of(model)

    for field in model._meta.concrete_fields:
        if field.name in found and isinstance(field, models.EmailField):
            assert found[field.name] in {"personal", "secret"}, field.name
        if field.name in found and isinstance(field, models.GenericIPAddressField):
            assert found[field.name] == "personal", field.name
        if field.name in found and field.related_model is Account:
            assert found[field.name] == "personal", field.name


@pytest.mark.parametrize(
    ("table", "field", "days"),
    [
        ("clusters.account", "email", retention.FORMER_ADDRESS_DAYS),
        ("clusters.organisation", "role_address", retention.FORMER_ADDRESS_DAYS),
        ("clusters.cluster", "contact_address", retention.FORMER_ADDRESS_DAYS),
        ("clusters.invitation", "email", retention.INVITATION_DAYS),
        ("clusters.claim", "role_address", retention.CLAIM_DAYS),
        ("clusters.problemreport", "reply_address", retention.REPLY_ADDRESS_DAYS),
        ("clusters.event", "detail", retention.EVENT_DAYS),
        ("clusters.event", "account", retention.EVENT_DAYS),
        ("clusters.eventaddress", "network_address", retention.NETWORK_ADDRESS_DAYS),
        ("clusters.change", "key", retention.CHANGE_DAYS),
        ("clusters.mail", "to", retention.MAIL_DAYS),
        ("clusters.formdraft", "data", retention.DRAFT_DAYS),
        ("labels.delivery", "written_at", retention.DELIVERY_DAYS),
        ("labels.delivery", "account", retention.DELIVERY_DAYS),
        ("admin.logentry", "object_repr", retention.ADMIN_LOG_DAYS),
        ("admin.logentry", "user", retention.ADMIN_LOG_DAYS),
    ],
)
def test_document_says_how_many_days(table: str, field: str, days: int) -> None:
    [line] = [line for line in LINES if line.table == table and field in line.fields]

    assert re.findall(r"(\d+) days", line.kept) == [str(days)]


def test_rows_that_fall_with_an_account() -> None:
    """A new one is the account's own, or its relation protects the account."""
    assert sorted((label_of(model), field) for model, field in belongings()) == [
        ("account.emailaddress", "user"),
        ("clusters.formdraft", "account"),
        ("clusters.mandate", "account"),
        ("clusters.savedfilter", "account"),
        ("clusters.teammember", "account"),
        ("labels.expert", "account"),
        ("mfa.authenticator", "user"),
    ]
