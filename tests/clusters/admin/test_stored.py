"""What a form of the admin offers and only shows follows what is stored, not what was sent."""

import re
from typing import Any

import pytest
import time_machine
from django import forms
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from clusters.models import ReportState, Role
from tests.admin_forms import errors, form_data, page_context
from tests.factories import make_account, make_report
from tests.test_mass_assignment import MORNING, World, build

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

NAMES = re.compile(r'<(?:input|select|textarea)[^>]* name="([^"]+)"')
SHOWN = re.compile(r'<div class="readonly">(.*?)</div>', re.DOTALL)
CHOSEN = (forms.BooleanField, forms.ChoiceField)
NOT_OF_THE_ROW = {"_versions"}
ADMINS = [model._meta.label_lower for model in admin.site._registry]


@pytest.fixture(scope="module")
def world(module_rows: None) -> World:
    with time_machine.travel(MORNING):
        return build()


def change(row: Any) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


def offered_and_shown(page: str) -> tuple[set[str], list[str]]:
    return {*NAMES.findall(page)} - NOT_OF_THE_ROW, SHOWN.findall(page)


def choices_typed(client: Client, address: str) -> list[dict[str, Any]]:
    """For each choice, once, everything that can be chosen in the form chosen so."""
    context, _versions = page_context(client, address)
    filled = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        filled += inline.formset.initial_forms
    values: dict[str, list[Any]] = {}
    for form in filled:
        for bound in form:
            field = bound.field
            if isinstance(field, forms.ModelChoiceField) or not isinstance(field, CHOSEN):
                continue
            given: Any = field.choices if isinstance(field, forms.ChoiceField) else ()
            choices = [key for key, _name in given] or ["on", None]
            values[bound.html_name] = choices
    most = min(6, max(map(len, values.values()), default=1))
    return [
        {name: choices[number % len(choices)] for name, choices in values.items()}
        for number in range(most)
    ]


@pytest.mark.parametrize("label", ADMINS)
def test_form_with_an_error_offers_what_it_offered_before(world: World, label: str) -> None:
    client = Client()
    client.force_login(make_account(is_superuser=True))
    row: Any = world.rows.get(label)
    page = client.get(change(row)) if row is not None else None
    if page is None or not page.context["has_change_permission"]:
        return
    before = offered_and_shown(page.content.decode())
    data = form_data(client, change(row))
    del data["_versions"]  # so that nothing of it is saved

    for chosen in choices_typed(client, change(row)):
        sent = {name: value for name, value in (data | chosen).items() if value is not None}
        response = client.post(change(row), sent)

        assert errors(response), (label, chosen)
        assert offered_and_shown(response.content.decode()) == before, chosen
        assert type(row)._base_manager.get(pk=row.pk) == row


@pytest.mark.parametrize("label", ADMINS)
def test_form_in_which_nothing_was_changed_says_so(world: World, label: str) -> None:
    client = Client()
    client.force_login(make_account(is_superuser=True))
    row: Any = world.rows.get(label)
    if row is None or not client.get(change(row)).context["has_change_permission"]:
        return
    versions = row.history.count() if hasattr(row, "history") else 0

    response = client.post(change(row), form_data(client, change(row)))

    if response.status_code == 200:
        return  # a claim, say, is decided or not
    told = [str(message) for message in client.get(response["Location"]).context["messages"]]
    assert told == ["Nothing was changed, so there was nothing to save."]
    assert (row.history.count() if hasattr(row, "history") else 0) == versions


def test_report_that_was_closed_with_an_error_can_still_be_closed(client: Client) -> None:
    client.force_login(make_account(Role.EDITOR))
    report = make_report()
    data = form_data(client, change(report)) | {"state": ReportState.CORRECTED}

    refused = client.post(change(report), data)

    assert errors(refused) == ["Say in the answer what was done, or why nothing was."]
    assert {"state", "answer"} <= {*NAMES.findall(refused.content.decode())}
    assert errors(client.post(change(report), data | {"answer": "Done."})) == []
    report.refresh_from_db()
    assert report.state == ReportState.CORRECTED


@pytest.mark.parametrize("label", ADMINS)
def test_key_that_is_none_is_told_at_its_field(world: World, label: str) -> None:
    client = Client()
    client.force_login(make_account(is_superuser=True))
    row: Any = world.rows.get(label)
    if row is None or not client.get(change(row)).context["has_change_permission"]:
        return
    context, _versions = page_context(client, change(row))
    filled = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        filled += inline.formset.initial_forms
    relations = [
        field.html_name
        for form in filled
        for field in form
        if isinstance(field.field, forms.ModelChoiceField) and not field.is_hidden
    ]
    if not relations:
        return
    data = form_data(client, change(row))

    response = client.post(change(row), data | dict.fromkeys(relations, "1 x"))

    assert errors(response)
