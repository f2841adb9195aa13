"""The read API as a client meets it: lists, records, errors, what each answer carries."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from clusters.http.limits import Quota
from clusters.models import (
    ClusterName,
    ClusterText,
    Lineage,
    MembershipCount,
    OrganisationName,
    Portfolio,
    Region,
    Shareholding,
)
from config.api import requests as api
from config.api.description import openapi_description
from labels.models import RequiredLevel, Statement
from tests.factories import (
    MOMENT,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_correction,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    make_topic,
)

pytestmark = pytest.mark.django_db

ROOT = "/api/v1"
RECORDS = ("clusters", "organisations", "programmes", "labels", "announcements")
LISTS = (*RECORDS, "portfolios", "regions", "levels", "statements")


def ask(client: Client, path: str, **parameters: Any) -> dict[str, Any]:
    response = client.get(f"{ROOT}/{path}", parameters)
    assert response.status_code == 200, response.content
    data: dict[str, Any] = response.json()
    return data


def ids(answer: dict[str, Any]) -> list[str]:
    return [row["id"] for row in answer["results"]]


def make_everything() -> dict[str, str]:
    """One public record of each kind, tied to the others; their ids by list."""
    region, portfolio = Region.objects.get(code="IT-21"), Portfolio.objects.all()[0]
    organisation = make_organisation(
        region=region, role_address="info@example.org", is_address_shown=True, town="Torino"
    )
    owner = make_organisation()
    Shareholding.objects.create(organisation=organisation, shareholder=owner)
    OrganisationName.objects.create(organisation=organisation, name="Former")
    cluster = make_cluster(
        region=region, portfolio=portfolio, founded_on="2009-05", latitude="45.4", longitude="7.8"
    )
    ClusterText.objects.create(cluster=cluster, language="it", tagline="Salute", description="Uno")
    ClusterName.objects.create(cluster=cluster, name="Before")
    MembershipCount.objects.create(cluster=cluster, counted_on="2020", count=88)
    Lineage.objects.create(cluster=cluster, other=make_cluster(), kind="merged_into")
    make_management(cluster=cluster, organisation=organisation)
    programme = make_programme(owner=owner, region=region)
    make_participation(programme=programme, cluster=cluster)
    RequiredLevel.objects.create(programme=programme, level_id="silver")
    label = make_label(cluster=cluster, managing_organisation=organisation)
    announcement = make_announcement(
        clusters=[cluster], organisations=[organisation], labels=[label], programmes=[programme]
    )
    make_announcement_text(announcement, language="it")
    statement = Statement.objects.create(
        definition_en="with Gold", definition_it="con il Gold", as_of_on="2015", count=57,
        source=f"source {Statement.objects.count()}",
    )  # fmt: skip
    announcement.statements.add(statement)
    return {
        "clusters": cluster.public_id,
        "organisations": organisation.public_id,
        "programmes": programme.public_id,
        "labels": label.public_id,
        "announcements": announcement.public_id,
    }


# Lists


@pytest.mark.parametrize("name", LISTS)
def test_list_pages_through_every_row_once(client: Client, name: str) -> None:
    for _ in range(3):
        make_everything()
    whole = ask(client, name, limit=100)
    found: list[str] = []
    url = f"{ROOT}/{name}?limit={1 if whole['count'] < 20 else 20}"

    while url and len(found) < 1000:
        answer = client.get(url).json()
        found += ids(answer)
        url = (answer["next"] or "").removeprefix("http://testserver")

    assert len(found) == len(set(found)) == answer["count"] == whole["count"]
    assert found[:100] == ids(whole)


@pytest.mark.parametrize("name", LISTS)
def test_list_takes_the_same_queries_for_one_and_three_rows(client: Client, name: str) -> None:
    def number() -> int:
        ask(client, name)
        with CaptureQueriesContext(connection) as queries:
            ask(client, name)
        return len(queries)

    make_everything()
    one = number()
    make_everything()
    make_everything()

    assert number() == one <= 13


@pytest.mark.parametrize("name", RECORDS)
def test_list_of_nothing_is_empty(client: Client, name: str) -> None:
    found = ask(client, name)

    assert (found["count"], found["next"], found["results"]) == (0, None, [])


@pytest.mark.parametrize("name", RECORDS)
def test_record_says_at_least_what_its_list_says(client: Client, name: str) -> None:
    made = make_everything()
    row = next(row for row in ask(client, name)["results"] if row["id"] == made[name])

    record = ask(client, f"{name}/{made[name]}")

    assert {field: record[field] for field in row} == row


def test_clusters_take_what_the_directory_takes(client: Client) -> None:
    found = make_cluster(name="Beta", country="FR")
    make_label(cluster=found, assessed_on=f"{timezone.localdate() - timedelta(days=90)}")
    make_label(cluster=make_cluster(name="Alpha", country="IT"), level="bronze")
    make_cluster(name="Gamma", country="FR")

    answer = ask(client, "clusters", country=["FR", "IT"], level="gold")

    assert (answer["count"], ids(answer)) == (1, [found.public_id])


def test_facets_count_what_the_list_has(client: Client) -> None:
    for country in ("IT", "FR", "FR"):
        make_cluster(country=country)

    answer = ask(client, "clusters/facets", country="IT")

    assert answer["count"] == 1
    assert {
        "name": "country",
        "values": [
            {
                "value": "FR",
                "name": {"en": "France", "it": "Francia"},
                "count": 2,
                "is_selected": False,
            },
            {
                "value": "IT",
                "name": {"en": "Italy", "it": "Italia"},
                "count": 1,
                "is_selected": True,
            },
        ],
    } in answer["facets"]


def test_labels_are_told_for_a_day(client: Client) -> None:
    label = make_label(assessed_on="2015-07")

    today = ask(client, f"labels/{label.public_id}")
    then = ask(client, "labels", on="2015-09-08", state="valid", cluster=label.cluster.public_id)

    assert today["state"] == "expired"
    assert [(row["id"], row["on"]) for row in then["results"]] == [(label.public_id, "2015-09-08")]


def test_label_is_its_own_twin(client: Client) -> None:
    label = make_label(score="84.5")

    assert (
        ask(client, f"labels/{label.public_id}")
        == client.get(f"/labels/{label.public_id}.json").json()
    )


def test_announcements_are_narrowed(client: Client) -> None:
    made = make_everything()
    make_announcement()

    narrowed = [
        ask(client, "announcements", cluster=made["clusters"]),
        ask(client, "announcements", organisation=made["organisations"]),
    ]

    assert [ids(answer) for answer in narrowed] == [[made["announcements"]]] * 2


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({"kind": "event"}, {"kind": "call"}),
        ({"topic": "labels"}, {"topic": "people"}),
        ({"country": "IT"}, {"country": "FR"}),
        ({"language": "en"}, {"language": "it"}),
        ({"year": MOMENT.year}, {"year": MOMENT.year + 1}),
        ({"month": f"{MOMENT:%Y-%m}"}, {"month": "2001-01"}),
        ({"q": "wonderful"}, {"q": "dreadful"}),
        ({"topic": ["labels", "people"]}, {"topic": "labels", "kind": "call"}),
    ],
)
def test_announcements_are_narrowed_as_the_list(
    client: Client, right: dict[str, Any], wrong: dict[str, Any]
) -> None:
    make_topic(slug="people")
    announcement = make_announcement(
        title="A wonderful day",
        kind="event",
        begins_at=MOMENT,
        clusters=[make_cluster(country="IT")],
        topics=[make_topic(slug="labels")],
    )

    assert ids(ask(client, "announcements", **right)) == [announcement.public_id]
    assert ask(client, "announcements", **wrong)["count"] == 0


def test_announcement_says_what_it_is_of(client: Client) -> None:
    event = make_announcement(
        kind="event", begins_at=MOMENT, place="Torino", topics=[make_topic(slug="labels")]
    )
    make_correction(event, text_en="At ten.")
    make_announcement(kind="call", deadline_at=MOMENT)

    call, told = ask(client, "announcements")["results"]

    assert (call["kind"], call["event"]) == ("call", None)
    assert call["deadline_at"] == told["event"]["begins_at"] == "2015-09-08T14:38:00+02:00"
    assert (told["event"]["place"], told["event"]["ends_at"]) == ("Torino", None)
    assert [topic["id"] for topic in told["topics"]] == ["labels"]
    assert [one["text"]["en"] for one in told["corrections"]] == ["At ten."]


def test_archived_announcement_keeps_its_record_and_leaves_the_list(client: Client) -> None:
    moment = timezone.now()
    archived = make_announcement(state="archived", archived_at=moment)
    withdrawn = make_announcement(
        state="withdrawn", withdrawn_at=moment, withdrawal_reason="Wrong."
    )

    assert ask(client, "announcements")["count"] == 0
    for row, status in ((archived, 200), (withdrawn, 404)):
        assert client.get(f"{ROOT}/announcements/{row.public_id}").status_code == status


def test_regions_of_a_country(client: Client) -> None:
    countries = {row["country"] for row in ask(client, "regions", country="IT")["results"]}

    assert countries == {"IT"}


def test_next_keeps_the_question_and_leaves_the_rest(client: Client) -> None:
    for _ in range(2):
        make_cluster(country="FR")

    answer = ask(client, "clusters", country=["FR", "IT"], limit=1, nonsense="x")

    assert answer["next"] == (
        f"http://testserver/api/v1/clusters?limit=1&country=FR&country=IT&after={ids(answer)[0]}"
    )


# What is not public


def test_nothing_hidden_is_told(client: Client) -> None:
    cluster = make_cluster(contact_address="cluster@example.org")
    hidden = make_organisation(name="Hidden", role_address="hidden@example.org", is_published=False)
    shown = make_organisation(role_address="shown@example.org")
    make_management(cluster=cluster, organisation=hidden)
    Shareholding.objects.create(organisation=shown, shareholder=hidden)
    programme = make_programme(owner=hidden)
    secret = make_cluster(name="Secret", is_published=False)
    make_participation(programme=programme, cluster=secret)
    Lineage.objects.create(cluster=secret, other=cluster, kind="merged_into")
    label = make_label(cluster=cluster, managing_organisation=hidden)
    lost = make_label(cluster=secret)
    announcement = make_announcement(
        clusters=[cluster, secret], organisations=[hidden], labels=[label, lost]
    )
    paths = [*LISTS, "clusters/facets", f"clusters/{cluster.public_id}"]
    paths += [f"organisations/{shown.public_id}", f"programmes/{programme.public_id}"]
    paths += [f"labels/{label.public_id}", f"announcements/{announcement.public_id}"]

    told = "".join(json.dumps(ask(client, path)) for path in paths)

    words = ["Hidden", "Secret", "example.org/", "@example.org", secret.public_id, lost.public_id]
    assert [word for word in words if word in told.replace("www.example.org/", "")] == []


@pytest.mark.parametrize("name", ["clusters", "organisations"])
def test_hidden_record_is_nowhere(client: Client, name: str) -> None:
    make: Callable[..., Any] = {"clusters": make_cluster, "organisations": make_organisation}[name]
    hidden = make(is_published=False)

    answers = [
        (client.get(f"{ROOT}/{name}/{key}"), client.get(f"{ROOT}/{name}", {"after": key}))
        for key in (hidden.public_id, "ZZZZZZZZ")
    ]

    assert [[one.status_code for one in pair] for pair in answers] == [[404, 422]] * 2
    assert [one.content for one in answers[0]] == [one.content for one in answers[1]]


# Errors


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("clusters?country=QQ", "country"),
        ("clusters?country=IT&country=QQ", "country"),
        ("clusters?level=platinum", "level"),
        ("clusters?near=Atlantis", "near"),
        ("clusters?on=2015-02-30", "on"),
        ("clusters?on=1441670400", "on"),
        ("clusters?on=20150908", "on"),
        ("clusters?founded_from=old", "founded_from"),
        ("clusters?meets=perhaps", "meets"),
        ("clusters?after=nobody", "after"),
        ("clusters?limit=0", "limit"),
        ("clusters?limit=101", "limit"),
        ("clusters/facets?sort=size", "sort"),
        ("labels?portfolio=nothing", "portfolio"),
        ("labels?cluster=nobody", "cluster"),
        ("labels?state=fine", "state"),
        ("labels/ABCDEFGH?on=0001-01-01", "on"),
        ("regions?after=nowhere", "after"),
        ("statements?after=x", "after"),
        pytest.param(f"statements?after={'9' * 5000}", "after", id="longer than any number"),
        ("regions?country=QQ", "country"),
        ("organisations?after=", "after"),
        ("clusters?country=", "country"),
        ("clusters?near=", "near"),
        ("announcements?year=99999", "year"),
        ("announcements?month=2015-13", "month"),
        ("announcements?topic=nothing", "topic"),
        ("announcements?kind=rumour", "kind"),
        ("announcements?cluster=nobody", "cluster"),
        ("announcements?organisation=nobody", "organisation"),
    ],
)
def test_wrong_value_is_refused_by_name(client: Client, path: str, parameter: str) -> None:
    response = client.get(f"{ROOT}/{path}")
    data = response.json()

    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    assert [error["parameter"] for error in data["errors"]] == [parameter]
    assert data["detail"].startswith(f"{parameter}: ")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/", 404),
        ("GET", "/api/v1", 404),
        ("GET", "/api/v1/", 404),
        ("GET", "/api/v2/clusters", 404),
        ("GET", "/api/v1/nothing/", 404),
        ("GET", "/api/v1/clusters/biopmed", 404),
        ("GET", "/api/v1/labels/%E2%82%AC", 404),
        ("OPTIONS", "/api/v1/nothing", 404),
        ("POST", "/api/v1/clusters", 405),
        ("DELETE", "/api/v1/openapi.json", 405),
        ("PUT", "/api/v1/docs", 405),
        ("GET", "/api/v1/clusters?q=%00", 400),
        ("GET", "/api/v1/clusters?q=%FF", 400),
        ("GET", "/api/%07", 400),
    ],
)
def test_error_is_a_problem(client: Client, method: str, path: str, status: int) -> None:
    response = client.generic(method, path)
    data = response.json()

    assert (response.status_code, data["status"]) == (status, status)
    assert set(data) == {"type", "title", "status", "detail"}
    assert (
        response["Content-Type"],
        response["Access-Control-Allow-Origin"],
        response["Cache-Control"],
    ) == ("application/problem+json", "*", "no-store")


def test_405_tells_what_is_allowed(client: Client) -> None:
    assert client.patch("/api/v1/clusters")["Allow"] == "GET, HEAD, OPTIONS"


def test_mistake_of_ours_is_a_problem(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False
    monkeypatch.setattr(api, "conditional", None)

    response = client.get(f"{ROOT}/levels")

    assert (response.status_code, response["Content-Type"]) == (500, "application/problem+json")


@pytest.fixture
def few(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two questions a minute, in a minute that does not end meanwhile."""
    settings.API_REQUESTS_A_MINUTE = 2
    monkeypatch.setattr(api, "monotonic", lambda: 600.5)
    api.QUOTA.taken.clear()
    yield
    api.QUOTA.taken.clear()


@pytest.mark.usefixtures("few")
def test_third_question_of_two_has_to_wait(client: Client) -> None:
    statuses = [client.get(f"{ROOT}/levels").status_code for _ in range(2)]
    refused = client.get(f"{ROOT}/levels")
    elsewhere = client.get(f"{ROOT}/levels", REMOTE_ADDR="192.0.2.7")

    assert [*statuses, refused.status_code, elsewhere.status_code] == [200, 200, 429, 200]
    assert (refused["Retry-After"], refused["Content-Type"]) == ("59", "application/problem+json")


# What each answer carries


def test_answer_may_be_read_from_everywhere_and_kept_a_while(client: Client) -> None:
    response = client.get(f"{ROOT}/levels", headers={"origin": "https://example.org"})

    assert (
        response["Access-Control-Allow-Origin"],
        response["Cross-Origin-Resource-Policy"],
        response["Content-Type"],
    ) == ("*", "cross-origin", "application/json; charset=utf-8")
    assert response["Cache-Control"].startswith("public, max-age=")
    assert (response.cookies, response.get("Vary"), response.get("Content-Language")) == (
        {},
        "Accept-Encoding",
        None,
    )


def test_answer_is_not_sent_twice(client: Client) -> None:
    make_everything()
    first = client.get(f"{ROOT}/clusters")

    again = client.get(f"{ROOT}/clusters", headers={"if-none-match": first["ETag"]})
    make_cluster()
    changed = client.get(f"{ROOT}/clusters", headers={"if-none-match": first["ETag"]})

    assert (again.status_code, again.content, again["Access-Control-Allow-Origin"]) == (
        304, b"", "*",
    )  # fmt: skip
    assert changed.status_code == 200


def test_head_answers_like_get(client: Client) -> None:
    got, head = client.get(f"{ROOT}/levels"), client.head(f"{ROOT}/levels")

    assert (head.status_code, head["ETag"], head.content) == (200, got["ETag"], b"")


def test_browser_may_ask_before_it_asks(client: Client) -> None:
    response = client.options(f"{ROOT}/clusters", headers={"origin": "https://example.org"})

    assert (response.status_code, response["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")
    assert response["Access-Control-Allow-Headers"] == "If-None-Match"


def test_reader_who_is_signed_in_is_nobody_here(client: Client) -> None:
    client.cookies["sessionid"] = "somebody"

    with CaptureQueriesContext(connection) as queries:
        client.get(f"{ROOT}/levels")

    assert [query["sql"] for query in queries if "session" in query["sql"]] == []


def test_answer_is_english_whatever_the_reader_speaks(client: Client) -> None:
    made = make_everything()
    headers = {"accept-language": "it"}

    record = client.get(f"{ROOT}/clusters/{made['clusters']}", headers=headers).json()

    assert record["url"].startswith("http://testserver/en/clusters/")
    assert record["tagline"] == {"en": None, "it": "Salute"}


def test_docs_tell_every_address(client: Client) -> None:
    response = client.get(f"{ROOT}/docs", headers={"accept-language": "it"})
    text = response.content.decode()

    addresses = [
        f"{method.upper()} {path}"
        for path, methods in openapi_description()["paths"].items()
        for method in methods
    ]
    assert [address for address in addresses if address not in text] == []
    assert ("<script" in text, response["Content-Language"]) == (False, "en")


# The quota


def test_quota_begins_anew_with_each_window() -> None:
    quota = Quota(seconds=60)

    waits = [quota.wait("a", most=1, now=now) for now in (0.0, 59.5, 60.0, 61.0)]

    assert waits == [0, 1, 0, 59]


def test_quota_of_one_is_not_anothers() -> None:
    quota = Quota(seconds=60)

    assert [quota.wait(key, most=1, now=1.0) for key in ("a", "b", "a")] == [0, 0, 59]
