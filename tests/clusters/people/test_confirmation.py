"""The link in the mail, the page behind it, and the button in admin."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.core.signing import Signer
from django.test import Client
from django.utils import timezone

from clusters.models import (
    Account,
    Cluster,
    ConfirmationRequest,
    Event,
    EventKind,
    Organisation,
    Role,
    TeamMember,
    TeamRole,
)
from clusters.people.confirmation import confirm_profiles
from tests.admin_forms import errors, form_data
from tests.factories import (
    make_account,
    make_cluster,
    make_management,
    make_organisation,
    make_team_member,
)
from tests.mails import sent_mails

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.get_default_timezone())
TODAY = NOON.date()
LONG_AGO = date(2026, 5, 1)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def make_asked(*clusters: Cluster, **fields: Any) -> Organisation:
    """An organisation whose owner has the mail of today, manager of these clusters."""
    organisation = make_organisation(**({"confirmed_on": LONG_AGO} | fields))
    if not organisation.role_address:
        make_team_member(organisation=organisation)
    for cluster in clusters:
        make_management(organisation=organisation, cluster=cluster)
    call_command("send_confirmations", stdout=StringIO())
    return organisation


def link() -> str:
    """The path of the link in the last mail."""
    lines = sent_mails()[-1].body.splitlines()
    return next(line for line in lines if "/confirm/" in line).removeprefix("http://testserver")


def day_of(row: Organisation | Cluster) -> date | None:
    row.refresh_from_db()
    return row.confirmed_on


def test_confirm_page_shows_the_facts_and_writes_nothing(client: Client) -> None:
    cluster = make_cluster(name="bioPmed", town="Colleretto Giacosa")
    organisation = make_asked(cluster, name="Science Park")

    response = client.get(link())

    assert response.status_code == 200
    assert all(
        text in response.text
        for text in ("Science Park", "bioPmed", "Colleretto Giacosa", "All of this is right")
    )
    assert (day_of(organisation), day_of(cluster)) == (LONG_AGO, None)
    assert ConfirmationRequest.objects.get().confirmed_at is None
    assert "no-store" in response["Cache-Control"]


def test_confirm_page_sets_no_cookie(client: Client) -> None:
    make_asked()

    seen = client.get(link())
    confirmed = client.post(link())

    assert (seen.cookies, confirmed.cookies) == ({}, {})


def test_confirm_page_does_not_show_what_is_unpublished(client: Client) -> None:
    hidden = make_cluster(name="Hidden", is_published=False)
    make_asked(hidden)

    response = client.get(link())
    client.post(link())

    assert "Hidden" not in response.text
    assert day_of(hidden) is None


def test_confirm_page_takes_the_same_queries_for_more_clusters(
    count_queries: Callable[[str], int],
) -> None:
    make_asked(make_cluster())
    one = count_queries(link())
    make_asked(*(make_cluster() for _number in range(3)))

    assert count_queries(link()) == one


def test_confirming_stamps_the_organisation_and_the_clusters_that_it_manages(
    client: Client,
) -> None:
    managed, other, ended = make_cluster(), make_cluster(), make_cluster()
    organisation = make_organisation(confirmed_on=LONG_AGO)
    make_management(organisation=organisation, cluster=ended, ended_on="2026-11-21")
    make_team_member(organisation=organisation)
    make_management(organisation=organisation, cluster=managed)
    call_command("send_confirmations", stdout=StringIO())

    response = Client(enforce_csrf_checks=True).post(link())

    assert (response.status_code, response["Location"]) == (302, link())
    assert (day_of(organisation), day_of(managed)) == (TODAY, TODAY)
    assert (day_of(other), day_of(ended)) == (None, None)
    assert ConfirmationRequest.objects.get().confirmed_at == NOON
    assert "Confirmed on" in client.get(link()).text
    assert "All of this is right" not in client.get(link()).text


def test_confirming_writes_history_from_a_page(client: Client) -> None:
    cluster = make_cluster()
    organisation = make_asked(cluster)

    client.post(link())

    for row in (organisation, cluster):
        version = row.history.first()
        assert (version.confirmed_on, version.history_change_reason) == (TODAY, "page")
        assert row.history.count() == 2


def test_confirming_is_logged_once(client: Client) -> None:
    organisation = make_asked(make_cluster(name="bioPmed"), name="Science Park")

    client.post(link())
    client.post(link())

    event = Event.objects.get(kind=EventKind.PROFILE_CONFIRMED)
    assert (event.happened_at, event.account) == (NOON, None)
    assert event.detail.startswith(f"Science Park ({organisation.public_id}), bioPmed (")


def test_confirming_twice_changes_nothing(client: Client) -> None:
    organisation = make_asked()
    client.post(link())
    with time_machine.travel(NOON + timedelta(days=3)):
        client.post(link())

    assert day_of(organisation) == TODAY
    assert organisation.history.count() == 2


def test_link_to_somebody_elses_request_is_not_made_by_hand(client: Client) -> None:
    make_asked()
    forged = Signer(salt="another").sign_object({"request": 1, "bond": ""})

    assert client.post(f"/en/confirm/{forged}/").status_code == 404
    assert client.get("/en/confirm/x/").status_code == 404
    assert client.get(link()[:-2] + "/").status_code == 404


@pytest.mark.parametrize(
    ("later", "status"),
    [
        pytest.param(timedelta(days=60), 200, id="last day"),
        pytest.param(timedelta(days=61), 410, id="a day more"),
    ],
)
def test_link_ends_after_60_days(client: Client, later: timedelta, status: int) -> None:
    make_asked()

    with time_machine.travel(NOON + later):
        response = client.get(link())

    assert response.status_code == status


def member(organisation: Organisation, **fields: Any) -> TeamMember:
    return make_team_member(organisation=organisation, **fields)


def owner_leaves(organisation: Organisation) -> None:
    TeamMember.objects.get().delete()


def owner_is_disabled(organisation: Organisation) -> None:
    Account.objects.update(is_active=False)


def owner_becomes_editor(organisation: Organisation) -> None:
    TeamMember.objects.update(role=TeamRole.EDITOR)


def management_ends(organisation: Organisation) -> None:
    organisation.managements.update(ended_on="2026-11-21")


def another_cluster_comes(organisation: Organisation) -> None:
    make_management(organisation=organisation)


def organisation_is_hidden(organisation: Organisation) -> None:
    Organisation.objects.update(is_published=False)


@pytest.mark.parametrize(
    "change",
    [
        owner_leaves,
        owner_is_disabled,
        owner_becomes_editor,
        member,
        management_ends,
        another_cluster_comes,
        organisation_is_hidden,
    ],
)
def test_link_ends_when_the_team_or_the_management_changed(client: Client, change: Any) -> None:
    organisation = make_asked(make_cluster())
    change(organisation)

    response = client.post(link())

    assert response.status_code == 410
    assert "This link has ended" in response.text
    assert day_of(organisation) == LONG_AGO


def test_link_lasts_while_an_editor_joins(client: Client) -> None:
    organisation = make_asked()
    member(organisation, role=TeamRole.EDITOR)

    assert client.get(link()).status_code == 200


def test_link_of_a_management_that_ends_today_ends_tomorrow(client: Client) -> None:
    cluster = make_cluster()
    organisation = make_organisation(confirmed_on=LONG_AGO)
    make_team_member(organisation=organisation)
    make_management(organisation=organisation, cluster=cluster, ended_on="2026-11-22")
    call_command("send_confirmations", stdout=StringIO())

    today = client.get(link()).status_code
    with time_machine.travel(NOON + timedelta(days=1)):
        tomorrow = client.post(link()).status_code

    assert (today, tomorrow) == (200, 410)
    assert day_of(cluster) is None


def test_link_to_a_role_address_ends_with_the_address(client: Client) -> None:
    make_asked(role_address="info@example.org", country="FR")
    before = client.get(link())
    Organisation.objects.update(role_address="office@example.org")

    assert "Write to the secretariat" in before.text
    assert client.get(link()).status_code == 410


def test_confirm_page_leads_an_owner_to_admin(client: Client) -> None:
    organisation = make_asked()

    assert f"/admin/clusters/organisation/{organisation.pk}/change/" in client.get(link()).text


def test_confirm_page_is_not_for_search_engines(client: Client) -> None:
    make_asked()

    text = client.get(link()).text

    assert '<meta name="robots" content="noindex, nofollow">' in text
    assert "canonical" not in text


# In admin

ACTION = "confirm"


def change_page(row: Organisation | Cluster) -> str:
    return f"/admin/clusters/{row._meta.model_name}/{row.pk}/change/"


def list_page(row: Organisation | Cluster) -> str:
    return f"/admin/clusters/{row._meta.model_name}/"


@pytest.fixture
def member_client(client: Client) -> Client:
    client.force_login(make_account(email="team@example.org"))
    return client


def make_own(**fields: Any) -> tuple[Organisation, Cluster]:
    """An organisation of the signed-in team, and a cluster that it manages."""
    account = Account.objects.get(email="team@example.org")
    organisation = make_organisation()
    make_team_member(organisation=organisation, account=account, role=TeamRole.EDITOR)
    cluster = make_management(organisation=organisation, **fields).cluster
    return organisation, cluster


@pytest.mark.ignore_template_errors
@pytest.mark.parametrize("which", [0, 1])
def test_team_confirms_by_the_button(member_client: Client, which: int) -> None:
    rows = make_own()
    data = form_data(member_client, change_page(rows[which]))

    response = member_client.post(change_page(rows[which]), data | {"_confirm": "x"})

    assert errors(response) == []
    assert [day_of(row) for row in rows] == [TODAY if n == which else None for n in (0, 1)]
    version = rows[which].history.first()
    assert (version.history_user.email, version.history_change_reason) == (
        "team@example.org",
        "admin",
    )
    assert Event.objects.get(kind=EventKind.PROFILE_CONFIRMED).account is not None


@pytest.mark.ignore_template_errors
def test_button_saves_what_was_typed_before_it_confirms(member_client: Client) -> None:
    _organisation, cluster = make_own()
    data = form_data(member_client, change_page(cluster)) | {"town": "Ivrea", "_confirm": "x"}

    member_client.post(change_page(cluster), data)

    assert (day_of(cluster), cluster.town) == (TODAY, "Ivrea")


@pytest.mark.ignore_template_errors
@pytest.mark.parametrize("which", [0, 1])
def test_saving_does_not_confirm(member_client: Client, which: int) -> None:
    rows = make_own()
    data = form_data(member_client, change_page(rows[which])) | {"confirmed_on": "2026-11-22"}

    member_client.post(change_page(rows[which]), data)

    assert day_of(rows[which]) is None
    assert rows[which].history.count() == 1


@pytest.mark.ignore_template_errors
def test_team_confirms_by_the_action_only_what_is_its_own(member_client: Client) -> None:
    _organisation, cluster = make_own()
    other = make_cluster()
    data = {"action": ACTION, "_selected_action": [cluster.pk, other.pk]}

    member_client.post(list_page(cluster), data)

    assert (day_of(cluster), day_of(other)) == (TODAY, None)


@pytest.mark.ignore_template_errors
def test_team_does_not_confirm_after_its_management(member_client: Client) -> None:
    _organisation, cluster = make_own(ended_on="2026-11-21")

    response = member_client.post(
        list_page(cluster), {"action": ACTION, "_selected_action": [cluster.pk]}
    )

    assert response.status_code in (200, 302)
    assert day_of(cluster) is None


@pytest.mark.ignore_template_errors
def test_secretariat_is_offered_no_confirmation(client: Client) -> None:
    cluster = make_cluster()
    client.force_login(make_account(Role.EDITOR))

    page = client.get(change_page(cluster))
    data = form_data(client, change_page(cluster)) | {"_confirm": "x"}
    response = client.post(change_page(cluster), data)

    assert 'name="_confirm"' not in page.text
    assert response.status_code == 403
    assert day_of(cluster) is None


@pytest.mark.ignore_template_errors
def test_team_is_offered_the_button(member_client: Client) -> None:
    _organisation, cluster = make_own()

    assert 'name="_confirm"' in member_client.get(change_page(cluster)).text


def test_confirm_skips_rows_that_carry_the_day() -> None:
    fresh, stale = make_cluster(confirmed_on=TODAY), make_cluster(name="Stale")

    number = confirm_profiles([fresh, stale], day=TODAY, now=NOON)

    assert number == 1
    assert fresh.history.count() == 1
    assert Event.objects.get().detail == f"Stale ({stale.public_id})"


# The public pages


@pytest.mark.parametrize(
    ("confirmed_on", "words"),
    [
        pytest.param(None, "never confirmed", id="never"),
        pytest.param(date(2025, 11, 21), "more than 12 months ago", id="stale"),
        pytest.param(date(2025, 11, 22), "by the team</span>", id="12 months to the day"),
    ],
)
def test_public_pages_say_when_the_team_confirmed(
    client: Client, confirmed_on: date | None, words: str
) -> None:
    rows: list[Cluster | Organisation] = [
        make_cluster(confirmed_on=confirmed_on),
        make_organisation(confirmed_on=confirmed_on),
    ]

    for row in rows:
        text = client.get(row.get_absolute_url()).text
        assert words in text
        assert (f'<time datetime="{confirmed_on}">' in text) is (confirmed_on is not None)
