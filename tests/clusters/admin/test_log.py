"""The log of events as leads and auditors read it."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clusters.models import Account, Event, EventKind, Role
from clusters.people.log import record
from tests.factories import make_account, make_team_member

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

LIST = "/admin/clusters/event/"


def make_event(kind: EventKind = EventKind.SIGNED_IN, **fields: Any) -> Event:
    return record(kind, now=timezone.now(), **fields)


def enter(client: Client, *roles: Role) -> Account:
    account = make_account(*roles)
    client.force_login(account)
    return account


def shown(response: Any) -> list[int]:
    return [event.pk for event in response.context["cl"].result_list]


@pytest.mark.parametrize("role", [Role.LEAD, Role.AUDITOR])
def test_log_is_read_with_addresses_while_they_exist(client: Client, role: Role) -> None:
    enter(client, role)
    make_event(
        account=make_account(email="who@example.org"),
        network_address="192.0.2.7",
        typed_address="typed@example.org",
    )

    content = client.get(LIST).content.decode()

    for text in ("who@example.org", "192.0.2.7", "typed@example.org"):
        assert text in content


@pytest.mark.parametrize("kind", [EventKind.EXPORTED, EventKind.ERASED])
def test_auditor_reads_exports_and_erasures(client: Client, kind: EventKind) -> None:
    enter(client, Role.AUDITOR)
    event = make_event(kind)
    make_event(EventKind.SIGNED_OUT)

    assert shown(client.get(LIST, {"kind__exact": kind.value})) == [event.pk]


@pytest.mark.parametrize("role", [Role.EDITOR, Role.EXPERT, Role.POLICY_MAKER, None])
def test_log_is_not_there_for_others(client: Client, role: Role | None) -> None:
    account = enter(client, *([role] if role else []))
    if role is None:
        make_team_member(account=account)
    event = make_event()

    assert client.get(LIST).status_code == 404
    assert client.get(f"{LIST}{event.pk}/change/").status_code == 404


@pytest.mark.parametrize("field", ["account", "about"])
def test_log_is_searched_by_account(client: Client, field: str) -> None:
    enter(client, Role.LEAD)
    fields: dict[str, Any] = {field: make_account(email="wanted@example.org")}
    event = make_event(**fields)
    make_event(account=make_account())

    assert shown(client.get(LIST, {"q": "wanted"})) == [event.pk]


@pytest.mark.parametrize("is_superuser", [False, True])
@pytest.mark.parametrize("page", ["add/", "{}/change/", "{}/delete/"])
def test_nobody_writes_the_log(client: Client, page: str, is_superuser: bool) -> None:
    account = enter(client, Role.LEAD)
    Account.objects.filter(pk=account.pk).update(is_superuser=is_superuser)
    event = make_event(detail="as it was")

    response = client.post(LIST + page.format(event.pk), {"detail": "other", "post": "yes"})

    assert response.status_code == 403
    assert Event.objects.get(pk=event.pk).detail == "as it was"


def test_line_is_read_by_itself(client: Client) -> None:
    enter(client, Role.AUDITOR)
    event = make_event(detail="as it was", network_address="192.0.2.7")

    content = client.get(f"{LIST}{event.pk}/change/").content.decode()

    assert "as it was" in content
    assert "192.0.2.7" in content
    assert 'name="_save"' not in content


def download(client: Client, *events: Event) -> Any:
    keys = [event.pk for event in events]
    return client.post(LIST, {"action": "download", "_selected_action": keys})


def test_lead_downloads_lines_and_the_log_tells(client: Client) -> None:
    lead = enter(client, Role.LEAD)
    event = make_event(account=lead, detail="=1+1", network_address="192.0.2.7")

    response = download(client, event)

    assert response["Content-Disposition"] == 'attachment; filename="events.csv"'
    assert "no-store" in response["Cache-Control"]
    head, line = csv.reader(StringIO(response.content.decode("utf-8-sig")))
    assert head[0] == "when"
    assert line[1:] == ["signed-in", lead.email, "", "'=1+1", "192.0.2.7", ""]
    told = Event.objects.get(kind=EventKind.EXPORTED)
    assert (told.account, told.detail) == (lead, "lines of the event log: 1")


def test_auditor_reads_and_does_not_download(client: Client) -> None:
    enter(client, Role.AUDITOR)
    event = make_event()

    response = download(client, event)

    assert response["Content-Type"].startswith("text/html")
    assert not Event.objects.filter(kind=EventKind.EXPORTED).exists()


def test_list_asks_the_same_for_one_and_three_lines(
    client: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    enter(client, Role.LEAD)
    make_event(account=make_account(), about=make_account(), network_address="192.0.2.7")
    client.get(LIST)
    with django_assert_max_num_queries(20) as one:
        client.get(LIST)

    for _number in range(2):
        make_event(account=make_account(), about=make_account(), network_address="192.0.2.7")

    with django_assert_num_queries(len(one)):
        client.get(LIST)


def test_addresses_of_events_have_no_page_of_their_own() -> None:
    assert reverse("admin:clusters_event_changelist") == LIST
    names = {model.__name__ for model in admin.site._registry}
    assert "EventAddress" not in names
