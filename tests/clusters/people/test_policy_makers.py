"""What a policy maker sees and takes home: the clusters of the mandated programmes, today."""

import csv
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.models import Account, Cluster, Event, EventKind, Programme, Role
from clusters.people import policy
from labels.models import Label
from tests.factories import (
    make_account,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_policy_maker,
    make_programme,
    make_team_member,
    region,
)

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.get_default_timezone())
TODAY = NOON.date()
CLUSTERS = "/admin/clusters/cluster/"
PROGRAMMES = "/admin/clusters/programme/"


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def programme() -> Programme:
    return make_programme(name_en="Cluster policy")


@pytest.fixture
def policy_maker(client: Client, programme: Programme) -> Account:
    account = make_policy_maker(programme)
    client.force_login(account)
    return account


def taking_part(
    programme: Programme, *, dates: dict[str, str] | None = None, **fields: Any
) -> Cluster:
    cluster = make_cluster(**fields)
    make_participation(programme=programme, cluster=cluster, **(dates or {}))
    return cluster


def download(client: Client, address: str, action: str, *rows: Any) -> list[list[str]]:
    response = client.post(
        address, {"action": action, "_selected_action": [row.pk for row in rows]}
    )
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(StringIO(response.content.decode("utf-8-sig"), newline=""), strict=True))


@pytest.mark.parametrize(
    ("dates", "is_seen"),
    [
        pytest.param({}, True, id="no dates"),
        pytest.param({"started_on": "2026-11-22"}, True, id="first day"),
        pytest.param({"started_on": "2026-11-23"}, False, id="tomorrow"),
        pytest.param({"ended_on": "2026-11-22"}, True, id="last day"),
        pytest.param({"ended_on": "2026-11-21"}, False, id="ended yesterday"),
        pytest.param({"ended_on": "2026-11"}, True, id="this month"),
        pytest.param({"ended_on": "2025"}, False, id="last year"),
    ],
)
def test_policy_maker_sees_a_cluster_while_it_takes_part(
    policy_maker: Account, programme: Programme, dates: dict[str, str], is_seen: bool
) -> None:
    cluster = taking_part(programme, dates=dates)
    make_label(cluster=cluster)

    clusters = policy.allowed_rows(policy_maker, policy.VIEW, Cluster.objects.all(), TODAY)
    labels = policy.allowed_rows(policy_maker, policy.VIEW, Label.objects.all(), TODAY)

    assert clusters.exists() is is_seen
    assert labels.exists() is is_seen


def test_policy_maker_loses_a_cluster_on_the_day_after(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    cluster = taking_part(programme, dates={"ended_on": "2026-11-22"})
    address = f"{CLUSTERS}{cluster.pk}/change/"

    today = client.get(address).status_code
    with time_machine.travel(NOON + timedelta(days=1)):
        client.force_login(policy_maker)
        tomorrow = client.get(address).status_code

    assert (today, tomorrow) == (200, 404)


def test_list_shows_labels_and_completeness(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    cluster = taking_part(programme, name="bioPmed", region=region())
    make_label(cluster=cluster, valid_until="2027-07-31")
    make_label(cluster=cluster, level="bronze", valid_until="2030-07-31")
    taking_part(make_programme(), name="Stranger")

    text = client.get(CLUSTERS).text

    assert "bioPmed" in text
    assert "Gold, valid" in text
    assert "7 % (1 of 14)" in text
    assert "Stranger" not in text


def test_cluster_screen_says_what_is_missing(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    cluster = taking_part(programme, town="Colleretto Giacosa")

    text = client.get(f"{CLUSTERS}{cluster.pk}/change/").text

    assert "tagline in English, tagline in Italian, description in English" in text
    assert ", town" not in text


@pytest.mark.parametrize(("band", "is_there"), [("low", True), ("middle", False), ("x", True)])
def test_list_is_narrowed_by_completeness(
    client: Client, policy_maker: Account, programme: Programme, band: str, is_there: bool
) -> None:
    taking_part(programme, name="bioPmed")

    response = client.get(CLUSTERS, {"completeness": band})

    assert ("bioPmed" in response.text) is is_there


def queries(client: Client, address: str) -> int:
    client.get(address)  # the first request of a session writes it
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_list_takes_the_same_queries_for_more_rows(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    make_label(cluster=taking_part(programme))
    one = queries(client, CLUSTERS)
    for _number in range(2):
        make_label(cluster=taking_part(programme))

    assert queries(client, CLUSTERS) == one


def test_teams_and_the_secretariat_see_completeness(client: Client) -> None:
    management = make_management()
    member = make_team_member(organisation=management.organisation)

    for account in (member.account, make_account(Role.EDITOR)):
        client.force_login(account)
        assert "7 % (1 of 14)" in client.get(CLUSTERS).text


def test_public_page_does_not_tell_completeness(client: Client) -> None:
    cluster = make_cluster()

    assert "of 14" not in client.get(cluster.get_absolute_url()).text


def test_download_tells_programme_managers_label_and_what_is_missing(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    cluster = taking_part(
        programme, name="bioPmed", region=region(), confirmed_on=date(2026, 11, 1)
    )
    make_management(cluster=cluster, organisation=make_organisation(name="Science Park"))
    make_label(cluster=cluster, assessed_on="2025-08", valid_until="2027-07-31")

    header, row = download(client, CLUSTERS, "download_clusters", cluster)

    told = dict(zip(header, row, strict=True))
    assert told.pop("missing").startswith("tagline in English; tagline in Italian; ")
    assert told == {
        "programme": "Cluster policy",
        "cluster": "bioPmed",
        "public id": cluster.public_id,
        "country": "Italy",
        "region": "Piemonte",
        "managers today": "Science Park",
        "highest label today": "Gold",
        "state": "valid",
        "valid from": "August 2025",
        "valid until": "2027-07-31",
        "completeness (%)": "21",
    }


def test_download_names_only_followed_programmes(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    cluster = taking_part(programme)
    make_participation(cluster=cluster, programme=make_programme(name_en="Another"))

    _header, *rows = download(client, CLUSTERS, "download_clusters", cluster)

    assert [row[0] for row in rows] == ["Cluster policy"]


def test_download_leaves_out_what_one_may_not_see(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    cluster, stranger = taking_part(programme), make_cluster()

    _header, *rows = download(client, CLUSTERS, "download_clusters", cluster, stranger)

    assert [row[1] for row in rows] == [cluster.name]


def test_download_of_a_programme_holds_its_published_clusters_of_today(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    cluster = taking_part(programme)
    taking_part(programme, dates={"ended_on": "2026-11-21"})
    taking_part(programme, is_published=False)

    _header, *rows = download(client, PROGRAMMES, "download_programmes", programme)

    assert [row[1] for row in rows] == [cluster.name]


def test_programme_screen_offers_the_download(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    assert 'value="download_programmes"' in client.get(f"{PROGRAMMES}{programme.pk}/change/").text


def test_download_is_inert_in_a_spreadsheet(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    cluster = taking_part(programme, name="=HYPERLINK(1)")

    _header, row = download(client, CLUSTERS, "download_clusters", cluster)

    assert row[1] == "'=HYPERLINK(1)"


def test_download_is_logged(client: Client, policy_maker: Account, programme: Programme) -> None:
    download(client, CLUSTERS, "download_clusters", taking_part(programme))

    event = Event.objects.get(kind=EventKind.EXPORTED)
    assert (event.account, event.happened_at) == (policy_maker, NOON)
    assert event.detail == "clusters and their programmes, 1 rows"


def test_download_takes_the_same_queries_for_more_rows(
    client: Client, policy_maker: Account, programme: Programme
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            download(client, PROGRAMMES, "download_programmes", programme)
        return len(captured)

    make_label(cluster=make_management(cluster=taking_part(programme)).cluster)
    count()  # the first request of a session writes it
    one = count()
    for _number in range(2):
        make_label(cluster=make_management(cluster=taking_part(programme)).cluster)

    assert count() == one


def test_team_has_no_download(client: Client) -> None:
    management = make_management()
    client.force_login(make_team_member(organisation=management.organisation).account)

    response = client.post(
        CLUSTERS, {"action": "download_clusters", "_selected_action": [management.cluster.pk]}
    )

    assert "csv" not in response["Content-Type"]
    assert not Event.objects.filter(kind=EventKind.EXPORTED).exists()


def test_secretariat_downloads_a_cluster_in_no_programme(client: Client) -> None:
    client.force_login(make_account(Role.EDITOR))
    cluster = make_cluster()

    _header, row = download(client, CLUSTERS, "download_clusters", cluster)

    assert row[:2] == ["", cluster.name]
