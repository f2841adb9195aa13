"""The filter of a list, kept under a name by whoever uses it."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from clusters.models import Account, Role, SavedFilter, saved_filters
from tests.factories import make_account, make_cluster

pytestmark = pytest.mark.django_db

KEEP = reverse("admin:keep_filter")
LIST = reverse("admin:clusters_cluster_changelist")


@pytest.fixture
def account() -> Account:
    return make_account(Role.EDITOR)


@pytest.fixture
def client(account: Account) -> Client:
    client = Client()
    client.force_login(account)
    return client


def keep(client: Client, **fields: Any) -> Any:
    sent = {"model": "clusters.cluster", "query": "country=IT", "name": "Italy"} | fields
    return client.post(KEEP, sent, follow=True)


def told(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_filter_is_kept_and_offered_on_its_list(client: Client, account: Account) -> None:
    make_cluster(country="IT")
    page = client.get(f"{LIST}?country=IT&p=0")
    assert "Keep this filter" in page.content.decode()

    response = keep(client, query=page.context["query_to_keep"], name="  Italy  today ")

    assert response.redirect_chain == [(f"{LIST}?country=IT", 302)]
    assert "“Italy today” is kept" in told(response)
    row = SavedFilter.objects.get()
    assert (row.account, row.query) == (account, "country=IT")
    whole = client.get(LIST).content.decode()
    assert re.search(r'<a href="\?country=IT"\s*>Italy today</a>', whole)
    assert "Keep this filter" not in whole
    assert "Keep this filter" not in client.get(f"{LIST}?country=IT").content.decode()
    assert (
        "Italy today"
        not in client.get(reverse("admin:clusters_organisation_changelist")).content.decode()
    )


def test_nobody_else_sees_or_removes_it(client: Client) -> None:
    keep(client)
    other = Client()
    other.force_login(make_account(Role.LEAD))
    key = SavedFilter.objects.get().pk

    assert "saved-filter" not in other.get(LIST).content.decode()
    keep(other, remove=key)
    assert SavedFilter.objects.exists()
    keep(client, remove=key)
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "This field cannot be blank."),
        ({"name": "x" * 61}, "at most 60"),
        ({"name": "a\u202eb"}, ""),
        ({"query": ""}, "This field cannot be blank."),
        ({"query": "q=" + "x" * 3_000}, "at most 2000"),
        ({"remove": "9" * 400}, ""),
        ({"remove": "1 or 1=1"}, ""),
    ],
)
def test_bad_filter_is_refused_in_words(client: Client, fields: dict[str, str], words: str) -> None:
    response = keep(client, **fields)

    assert response.status_code == 200
    assert words in told(response)
    assert not SavedFilter.objects.exists()


def test_markup_stays_text(client: Client) -> None:
    script = "<script>alert(1)</script>"
    keep(client, name=script, query=f'q="{script}')

    page = client.get(LIST).content.decode()

    assert script not in page
    assert escape(script) in page
    assert SavedFilter.objects.get().query == "q=%22%3Cscript%3Ealert%281%29%3C%2Fscript%3E"


def test_name_is_one_s_own_once_for_a_list(client: Client) -> None:
    keep(client)

    assert "choose another one" in told(keep(client, query="country=FR"))
    keep(client, model="clusters.organisation")
    assert SavedFilter.objects.count() == 2


def test_there_is_room_for_so_many(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_filters, "MAX_FILTERS", 1)
    keep(client)

    assert "remove one first" in told(keep(client, name="Another"))
    assert SavedFilter.objects.count() == 1


def test_what_is_no_list_keeps_nothing(client: Client) -> None:
    for model in ("", "clusters.nothing", "clusters.formdraft"):
        assert client.post(KEEP, {"model": model, "query": "a=1", "name": "A"}).status_code == 404
    assert client.get(KEEP).status_code == 405


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_every_list_offers_it(model: Any) -> None:
    client = Client()
    client.force_login(make_account(is_superuser=True))
    options = model._meta
    path = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")

    assert client.get(path, {"q": "a"}).context["query_to_keep"] == "q=a"
