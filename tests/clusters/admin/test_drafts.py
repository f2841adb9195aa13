"""Drafts of forms of admin: stored, offered on return, shown as typed, ended by a save."""

import json
import re
from http import HTTPStatus
from typing import Any

import pytest
import time_machine
from django import forms
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from clusters.models import Account, Cluster, ClusterText, FormDraft, Role
from clusters.models.drafts import MAX_CHARACTERS, MAX_OPENINGS
from labels.models import Level
from tests.admin_forms import errors, form_data
from tests.factories import make_account, make_cluster
from tests.test_forms import admin_forms, admin_request
from tests.test_mass_assignment import MORNING, World, build

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

DRAFTS = "/admin/drafts/"
ADD = "/admin/clusters/cluster/add/"
ADMINS = [model._meta.label_lower for model in admin.site._registry]


@pytest.fixture(scope="module")
def world(module_rows: None) -> World:
    with time_machine.travel(MORNING):
        return build()


@pytest.fixture
def account() -> Account:
    return make_account(Role.EDITOR)


@pytest.fixture
def desk(client: Client, account: Account) -> Client:
    client.force_login(account)
    return client


def change(row: Any) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


def pairs(data: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, str(value))
        for name, values in data.items()
        for value in (values if isinstance(values, list) else [values])
    ]


FIRST, SECOND = "a" * 12, "b" * 12


def store(client: Client, address: str, data: dict[str, Any], opening: str = FIRST) -> Any:
    sent = {"address": address, "opening": opening, "data": json.dumps(pairs(data))}
    return client.post(DRAFTS, sent)


def restore(client: Client, address: str, opening: str = FIRST) -> Any:
    return client.post(address, {"_restore_draft": "Restore it", "_opening": opening})


def shown(response: Any) -> dict[str, Any]:
    """Name and value of every field that the page shows, as a browser would send them."""
    filled = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        filled += [inline.formset.management_form, *inline.formset.forms]
    return {
        field.html_name: field.value()
        for form in filled
        for field in form
        if not isinstance(field.field, forms.FileField)
    }


def text_fields(response: Any) -> list[str]:
    filled = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        filled += inline.formset.forms
    return [
        field.html_name
        for form in filled
        for field in form
        if isinstance(field.field, forms.CharField) and not field.is_hidden
    ]


def test_draft_is_offered_to_its_account_and_nobody_else(desk: Client, account: Account) -> None:
    cluster = make_cluster()
    data = form_data(desk, change(cluster)) | {"town": "Ivrea"}
    told = store(desk, change(cluster), data).json()["told"]
    assert re.fullmatch(r"Draft stored at \d\d:\d\d\.", told)
    FormDraft.objects.update(saved_at="2026-11-05T13:05:00Z")

    page = desk.get(change(cluster)).content.decode()

    assert "It is of 5 November 2026, 14:05." in page
    assert "Ivrea" not in page
    assert FormDraft.objects.get().account == account
    other = Client()
    other.force_login(make_account(Role.EDITOR))
    assert "data-offered-draft" not in other.get(change(cluster)).content.decode()
    assert restore(other, change(cluster)).headers["Location"] == change(cluster)
    assert "data-offered-draft" not in desk.get(ADD).content.decode()


def test_draft_with_new_rows_is_shown_as_it_was_typed_and_nothing_is_saved(desk: Client) -> None:
    cluster = make_cluster(name="bioPmed", town="Torino")
    ClusterText.objects.create(cluster=cluster, language="en", description="One.")
    data = form_data(desk, change(cluster)) | {
        "name": "",
        "founded_on": "20",
        "texts-0-description": "Two.",
        "names-TOTAL_FORMS": "1",
        "names-0-name": "Former",
        "latitude": "north",
    }
    store(desk, change(cluster), data)

    page = restore(desk, change(cluster))

    assert (page.status_code, errors(page)) == (200, [])
    values = shown(page)
    for name in ("name", "founded_on", "texts-0-description", "names-0-name", "latitude"):
        assert values[name] == data[name], name
    body = page.content.decode()
    assert "data-typed" in body
    assert "data-offered-draft" not in body
    cluster.refresh_from_db()
    assert (cluster.name, cluster.town) == ("bioPmed", "Torino")
    assert FormDraft.objects.exists()  # until it is saved


def test_saved_form_ends_its_draft_and_a_refused_one_does_not(desk: Client) -> None:
    cluster, other = make_cluster(), make_cluster()
    for row in (cluster, other):
        store(desk, change(row), form_data(desk, change(row)) | {"town": "Ivrea"})
    data = form_data(desk, change(cluster))

    assert errors(desk.post(change(cluster), data | {"name": ""}))
    assert FormDraft.objects.count() == 2
    assert errors(desk.post(change(cluster), data | {"town": "Ivrea"})) == []

    assert FormDraft.objects.get().address == change(other)


def test_added_row_ends_the_draft_of_its_form(desk: Client) -> None:
    store(desk, ADD, {"name": "Half"})
    data = form_data(desk, ADD) | {"name": "Whole", "slug": "whole", "country": "IT"}

    assert errors(desk.post(ADD, data)) == []

    assert Cluster.objects.filter(slug="whole").exists()
    assert not FormDraft.objects.exists()


def test_rules_that_are_only_looked_at_keep_their_draft(client: Client) -> None:
    client.force_login(make_account(Role.LEAD))
    address = change(Level.objects.get(pk="gold"))
    data = form_data(client, address) | {"rank": "9", "reason": "Why."}
    store(client, address, data)

    page = client.post(address, data)

    assert "seen" in page.context
    assert FormDraft.objects.exists()
    client.post(address, data | {"seen": page.context["seen"]})
    assert not FormDraft.objects.exists()


def test_draft_is_discarded(desk: Client) -> None:
    store(desk, ADD, {"name": "Half"})

    assert desk.post(DRAFTS, {"address": ADD, "opening": FIRST}).headers["Location"] == ADD

    assert not FormDraft.objects.exists()


def test_what_is_typed_beside_a_draft_that_waits_is_stored_beside_it(desk: Client) -> None:
    store(desk, ADD, {"name": "Old"})
    store(desk, ADD, {"name": "New"}, SECOND)

    page = desk.get(ADD)
    assert [draft.opening for draft, _moment in page.context["drafts"]] == [SECOND, FIRST]
    assert page.context["opening"] not in (FIRST, SECOND)
    back = restore(desk, ADD, FIRST)
    assert (shown(back)["name"], back.context["opening"]) == ("Old", FIRST)
    assert shown(restore(desk, ADD, SECOND))["name"] == "New"

    data = form_data(desk, ADD) | {"name": "New", "slug": "new", "country": "IT"}
    assert desk.post(ADD, data | {"name": "", "_opening": SECOND}).context["opening"] == SECOND
    assert errors(desk.post(ADD, data | {"_opening": SECOND})) == []
    assert FormDraft.objects.get().opening == FIRST


def test_of_more_openings_than_anybody_has_the_oldest_go(desk: Client) -> None:
    for number in range(MAX_OPENINGS + 2):
        store(desk, ADD, {"name": "A"}, f"{number:012}")

    kept = FormDraft.objects.order_by("opening").values_list("opening", flat=True)
    assert [*kept] == [f"{number:012}" for number in range(2, MAX_OPENINGS + 2)]


@pytest.mark.parametrize("opening", ["", "a", "a" * 13, "<" * 12, "a" * 11 + "\n"])
def test_opening_that_no_page_has_is_refused(desk: Client, opening: str) -> None:
    assert store(desk, ADD, {"name": "A"}, opening).status_code == HTTPStatus.BAD_REQUEST
    assert not FormDraft.objects.exists()


def test_draft_that_is_gone_leads_to_the_form(desk: Client) -> None:
    assert restore(desk, ADD).headers["Location"] == ADD


def test_restored_draft_does_not_write_over_what_a_colleague_saved(desk: Client) -> None:
    cluster = make_cluster(town="Torino", website="https://example.org/")
    store(desk, change(cluster), form_data(desk, change(cluster)) | {"town": "Ivrea"})
    other = Client()
    other.force_login(make_account(Role.EDITOR))
    data = form_data(other, change(cluster)) | {"town": "Biella"}
    assert errors(other.post(change(cluster), data)) == []

    page = restore(desk, change(cluster))
    sent = shown(page) | {"_versions": page.context["request"].screen_versions}
    refused = desk.post(change(cluster), {k: v for k, v in sent.items() if v is not None})

    assert errors(refused)[-1] == "Town: now “Biella”, yours “Ivrea”."


def test_draft_holds_no_token_no_file_and_no_button(desk: Client) -> None:
    store(
        desk,
        ADD,
        {
            "csrfmiddlewaretoken": "x",
            "_save": "x",
            "_kept_logo": "x",
            "_versions": "1",
            "name": "N",
        },
    )

    assert json.loads(FormDraft.objects.get().data) == [["_versions", "1"], ["name", "N"]]


def test_no_form_of_admin_asks_for_a_secret() -> None:
    for name, form in admin_forms(admin_request()):
        for field in form.base_fields.values():
            assert not isinstance(field.widget, forms.PasswordInput), name


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ("[", 400),
        ("5", 400),
        ("null", 400),
        ('{"a": 1}', 400),
        ('[["a"]]', 400),
        ('[["a", 1]]', 400),
        ('[["a", ["b"]]]', 400),
        ('["ab"]', 200),
        ('[["a", "\\ud800"]]', 400),
        ("[" * 100_000, 400),
        (json.dumps([["a", "b" * MAX_CHARACTERS]]), 413),
        (json.dumps([["a", "b" * (MAX_CHARACTERS - 20)]]), 200),
        ('[["a", "\\u0000"]]', 200),
    ],
)
def test_what_is_no_draft_is_refused(desk: Client, data: str, status: int) -> None:
    response = desk.post(DRAFTS, {"address": ADD, "opening": FIRST, "data": data})

    assert response.status_code == status
    assert FormDraft.objects.exists() is (status == HTTPStatus.OK)
    assert restore(desk, ADD).status_code in (200, 302)


@pytest.mark.parametrize("address", ["", "/", "//example.org/", "/en/", "/admin/r/1/2/", DRAFTS])
def test_page_that_is_no_form_of_admin_has_no_draft(desk: Client, address: str) -> None:
    assert store(desk, address, {"a": "b"}).status_code == HTTPStatus.NOT_FOUND


def test_form_that_cannot_be_saved_offers_and_stores_no_draft(client: Client) -> None:
    client.force_login(make_account(Role.AUDITOR))
    cluster = make_cluster()

    assert store(client, change(cluster), {"town": "x"}).status_code == HTTPStatus.FORBIDDEN
    assert "data-draft" not in client.get(change(cluster)).content.decode()


@pytest.mark.parametrize("label", ADMINS)
def test_every_form_comes_back_from_its_draft(world: World, label: str) -> None:
    client = Client()
    client.force_login(make_account(is_superuser=True))
    row: Any = world.rows.get(label)
    model_admin: Any = admin.site._registry[type(row)] if row is not None else None
    if row is None or not client.get(change(row)).context.get("keeps_draft"):
        return
    data = form_data(client, change(row))
    texts = {name: f"{data[name]} x" for name in text_fields(client.get(change(row)))}
    typed = data | texts
    versions = [model_admin.model.history.count()]
    assert store(client, change(row), typed).status_code == HTTPStatus.OK

    page = restore(client, change(row))

    assert (page.status_code, errors(page)) == (200, [])
    values = shown(page)
    assert {name: values[name] for name in texts} == texts
    assert [model_admin.model.history.count()] == versions
