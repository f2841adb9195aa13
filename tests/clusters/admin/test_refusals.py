"""What is refused while it is saved is told on the page, with all that was typed."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.test import Client, RequestFactory

from clusters.admin.refusals import SAME_MOMENT
from clusters.models import Account, Invitation, Organisation
from tests.admin_forms import errors, form_data
from tests.config.test_admin import MAKERS as MADE
from tests.config.test_admin import OURS, label_of, url
from tests.factories import make_organisation

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

# Pages of actions with something to type: tests/news/admin/test_steps.py.
TYPED_INTO = {"withdraw_several"}
MAKERS = {model: MADE.get(model, lambda: None) for model in OURS}


def refuse(monkeypatch: pytest.MonkeyPatch, model: Any, error: Exception) -> None:
    def save_model(*_arguments: Any) -> None:
        raise error

    monkeypatch.setattr(type(admin.site._registry[model]), "save_model", save_model)


def asked_by_superuser() -> Any:
    request = RequestFactory().get("/")
    request.user = Account.objects.get(is_superuser=True)
    return request


def may_be_changed(row: models.Model) -> bool:
    return admin.site._registry[type(row)].has_change_permission(asked_by_superuser(), row)


@pytest.mark.parametrize("model", MAKERS, ids=label_of)
def test_form_that_is_refused_comes_back_with_what_was_typed(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client, model: type[models.Model]
) -> None:
    MAKERS[model]()
    row = model._default_manager.latest("pk")
    address = url(model, "change", row.pk)
    if not may_be_changed(row):
        pytest.skip("nobody changes it by a form")
    typed = form_data(admin_client, address)
    refuse(monkeypatch, model, ValidationError("Not today."))

    response = admin_client.post(address, typed)

    assert "Not today." in errors(response)
    form = response.context["adminform"].form
    assert form.is_bound
    assert {*form.data} == {name for name, value in typed.items() if value != []}


def test_new_row_that_is_refused_is_told_at_its_field(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    error = ValidationError({"email": "Not today.", "token_digest": "Never."})
    refuse(monkeypatch, Invitation, error)
    address = url(Invitation, "add")
    typed = form_data(admin_client, address) | {
        "email": "new@example.org",
        "organisation": make_organisation().pk,
        "team_role": "owner",
    }

    form = admin_client.post(address, typed).context["adminform"].form

    assert form.errors == {"email": ["Not today."], "__all__": ["Never."]}
    assert form["email"].value() == "new@example.org"


def test_race_is_told_on_the_form(monkeypatch: pytest.MonkeyPatch, admin_client: Client) -> None:
    row = make_organisation()
    refuse(monkeypatch, Organisation, IntegrityError("UNIQUE constraint failed"))
    address = url(Organisation, "change", row.pk)

    response = admin_client.post(address, form_data(admin_client, address) | {"town": "Ivrea"})

    assert errors(response) == [str(SAME_MOMENT)]
    assert response.context["adminform"].form["town"].value() == "Ivrea"


def test_actions_with_something_to_type_are_known(admin_client: Client) -> None:
    """None may lose it where the action is refused."""
    found = set()
    for model, make in MAKERS.items():
        make()
        keys = [*model._default_manager.values_list("pk", flat=True)]
        for name in admin.site._registry[model].get_actions(asked_by_superuser()):
            sent = {"action": name, ACTION_CHECKBOX_NAME: keys}
            response = admin_client.post(url(model, "changelist"), sent)
            form = (response.context or {}).get("form")
            if form is not None and form.visible_fields():
                found.add(name)

    assert found == TYPED_INTO
