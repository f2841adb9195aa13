"""Every page and every format about labels says the same as the list, on the same day."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import urlencode

import feedparser
import pytest
import time_machine
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from openpyxl import load_workbook
from pytest_django import DjangoDbBlocker

from clusters.directory.rows import cards
from clusters.formats.facts import header_of, rows_of
from clusters.formats.files import titles_of
from clusters.formats.writers import value_as_text, without_formula
from clusters.models import Account, Cluster, ClusterName, Organisation
from labels.formats.records import FACTS
from labels.life import steps as life
from labels.models import IssuingBody, Label
from labels.register.holdings import directory, level_options
from labels.register.queries import counts, headline, labels_of
from labels.validity import State
from tests.factories import (
    approve,
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_organisation,
    make_participation,
    make_programme,
    make_suspension,
    make_undated_label,
    portfolio,
    update_label,
)

pytestmark = pytest.mark.django_db

LIST = "/en/labels/"
TODAY = date(2018, 3, 1)
NOON = f"{TODAY}T12:00Z"


@pytest.fixture(scope="module", autouse=True)
def register(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Filled once for this module; each test takes back what it changes."""
    with django_db_blocker.unblock(), transaction.atomic():
        with time_machine.travel(NOON, tick=False):
            fill_the_register()
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


def body(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response) if response.streaming else bytes(response.content)


def get(client: Client, suffix: str, query: str = "") -> bytes:
    return body(client.get(f"/labels.{suffix}?{query}"))


def read_csv(client: Client, query: str = "") -> list[dict[str, str]]:
    text = get(client, "csv", query).decode()
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def read_json(client: Client, query: str = "") -> Any:
    return json.loads(get(client, "json", query))


def read_xlsx(client: Client, query: str = "") -> list[dict[str, Any]]:
    sheet = load_workbook(BytesIO(get(client, "xlsx", query)))["labels"]
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def read_list(client: Client, query: str = "") -> tuple[list[Label], Any]:
    """Every page of it, and what the first one shows."""
    first = client.get(f"{LIST}?{query}").context
    found = [*first["page_obj"].object_list]
    for page in list(first["page_obj"].paginator.page_range)[1:]:
        found += client.get(f"{LIST}?{query}&page={page}").context["page_obj"].object_list
    return found, first


def fill_the_register() -> None:
    """Labels in every state, with gaps and renewals, and some that nobody may see."""
    alpha = make_cluster(name="Alpha", portfolio=portfolio())
    beta = make_cluster(name="Beta, Größe", country="NO")
    gamma = make_cluster(name="=Gamma", country="FR", portfolio=portfolio())
    ClusterName.objects.create(cluster=gamma, name="Former")
    gold = make_label(cluster=alpha, assessed_on="2013-07", source="example.org; a list")
    make_label(cluster=alpha, kind="renewal", renews=gold, assessed_on="2015-06")
    make_label(cluster=alpha, level="silver", assessed_on="2016-03-01")
    make_label(cluster=beta, assessed_on="2014-03")
    make_label(cluster=beta, level="bronze", valid_until="2018-03-01", certificate_number="-B/1")
    make_label(cluster=beta, level="silver", assessed_on="2019")
    make_undated_label(cluster=beta, level="bronze")
    revoked = make_label(cluster=gamma, assessed_on="2016-05")
    update_label(revoked, revoked_on=date(2017, 9, 8), revocation_reason="Asked for.")
    suspended = make_label(
        cluster=gamma, level="silver", assessed_on="2016-09", managing_organisation=
        make_organisation(name="@Park"), awarded_by=IssuingBody.objects.get(code="esca"),
    )  # fmt: skip
    make_suspension(
        suspended, starts_on=date(2017, 5, 1), ends_on=date(2018, 3, 2), reason="Under review."
    )
    make_label(cluster=gamma, score=87.25, assessed_on="2017-11")
    make_label(cluster=gamma, level="bronze", awarded_on="2016")
    make_label(is_published=False)
    make_label(cluster=make_cluster(is_published=False))
    live_on()


def live_on() -> None:
    """Labels with a life: renewed, extended, suspended, reinstated, transferred, revoked."""
    by = make_account()
    delta = make_cluster(name="Delta", country="DE")
    epsilon = make_cluster(name="Epsilon", country="DE", portfolio=portfolio())
    participate(delta, epsilon)
    bronze = make_label(cluster=delta, level="bronze", assessed_on="2014-02-10")
    make_label(cluster=delta, level="bronze", kind="renewal", renews=bronze, assessed_on="2015-12")
    moved = make_label(cluster=delta, assessed_on="2016-04-04")
    in_effect(
        life.transfer_label(moved, on=date(2017, 6, 1), cluster=epsilon, **step(by, "2017-06-01"))
    )
    extended = make_label(cluster=delta, level="silver", assessed_on="2015-05-20",
                          managing_organisation=make_organisation())  # fmt: skip
    in_effect(life.extend(extended, until=date(2017, 10, 31), **step(by, "2017-05-02")))
    zeta = make_cluster(name="Zeta", country="NO")
    paused = make_label(cluster=zeta, assessed_on="2016-08-01")
    in_effect(life.suspend(paused, on=date(2017, 2, 1), **step(by, "2017-02-01")))
    in_effect(life.reinstate(paused, on=date(2017, 5, 1), **step(by, "2017-05-01")))
    hidden = make_cluster(name="Eta", is_published=False)
    lost = make_label(cluster=zeta, level="silver", assessed_on="2016-08-02")
    in_effect(
        life.transfer_label(lost, on=date(2017, 9, 8), cluster=hidden, **step(by, "2017-09-08"))
    )
    gone = make_label(cluster=epsilon, level="bronze", assessed_on="2016-02-29")
    decision = life.revoke(gone, on=date(2017, 12, 1), **step(by, "2017-11-01"))
    approve(decision, by=make_account(), now=noon("2017-11-20"))


def step(by: Account, day: str) -> dict[str, Any]:
    return {"reason": "So it was decided.", "by": by, "now": noon(day)}


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)


def participate(*clusters: Cluster) -> None:
    programme = make_programme(slug="growth")
    for cluster in clusters:
        make_participation(programme=programme, cluster=cluster)


DAYS = [
    "2013-06-30", "2013-07-01", "2015-07-31", "2015-08-01", "2016-07-31", "2016-08-01",
    "2017-04-30", "2017-05-01", "2017-07-31", "2017-08-01", "2017-09-07", "2017-09-08",
    "2017-05-31", "2017-06-01", "2017-10-31", "2017-11-01", "2017-11-30", "2017-12-01",
    "2018-02-28", "2018-03-01", "2018-03-02", "2018-07-31", "2018-08-01", "2019-03-31",
    "1900-01-01", "2100-12-31",
]  # fmt: skip
QUERIES = [
    "",
    "level=gold",
    "level=gold&level=silver&state=valid",
    "state=valid",
    "state=renewable&state=expired",
    "state=revoked&on=2017-09-08",
    "state=transferred",
    "state=transferred&country=DE&on=2017-06-01",
    "state=suspended",
    "state=undated",
    "state=uncertain",
    "state=uncertain&on=2016-07-31",
    "state=not_yet",
    "country=no",
    "portfolio=health-and-medical-science&state=valid",
    "q=alph",
    "q=former&on=2017-05-01",
    "q=nobody",
    "colour=red",
    *(f"on={day}" for day in DAYS[::3]),
    *(f"state=valid&level=gold&on={day}" for day in DAYS[1::6]),
]


# In a spreadsheet words stand in these columns in the place of codes.
WORDS = {"State", "Valid that day", "Level", "Country", "Portfolio", "First or renewal"}


def told_to_programs(row: dict[str, Any]) -> dict[str, Any]:
    return {
        title: str(value.date()) if isinstance(value, datetime) else value
        for title, value in row.items()
        if title not in WORDS
    }


def assert_all_say_the_same(client: Client, query: str) -> None:
    """What the list shows, row by row, is what every other answer says of the same address."""
    listed, context = read_list(client, query)
    day = context["as_of"].day
    rows = [(label.public_id, str(label.state)) for label in listed]

    as_json = read_json(client, query)
    assert as_json["on"] == str(day)
    assert [(label["id"], label["state"]) for label in as_json["labels"]] == rows

    expected = list(rows_of(FACTS, as_json["labels"]))
    assert [list(row.values()) for row in read_csv(client, query)] == [
        [without_formula(value_as_text(value)) for value in row] for row in expected
    ]
    sheet = [told_to_programs(row) for row in read_xlsx(client, query)]
    assert sheet == [
        told_to_programs(dict(zip(titles_of(header_of(FACTS)), row, strict=True)))
        for row in expected
    ]

    # The numbers beside the list, those of the whole register, and the holders in the directory.
    state_facet = next(facet for facet in context["facets"] if facet.name == "state")
    chosen = set(context["query"].state)
    numbers = {option.value: option.count for option in state_facet.options}
    for state in chosen or {state.value for state in State}:
        assert numbers.get(state, 0) == sum(row[1] == state for row in rows)
    if not context["chips"]:
        assert {
            (count.level.code, state): number
            for count in counts(day, level_options())
            for state, number in count.states.items()
            if number
        } == tally(
            (label.level_id, state) for label, (_id, state) in zip(listed, rows, strict=True)
        )
    if context["query"].state == ("valid",) and not context["query"].words:
        holding = directory(QueryDict(query), "/", TODAY).keys()
        assert {label.cluster_id for label in listed} == set(holding)

    assert calendar_days(client, query) == expected_days(listed)
    assert feed_ids(client, query) == expected_happenings(listed, min(day, TODAY))


def tally(keys: Any) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for key in keys:
        found[key] = found.get(key, 0) + 1
    return found


def calendar_days(client: Client, query: str) -> dict[str, date]:
    calendar = Calendar.from_ical(get(client, "ics", query))
    return {
        str(event["UID"]).removesuffix("@testserver"): event.decoded("DTSTART")
        for event in calendar.walk("VEVENT")
    }


def later(label: Label) -> list[Label]:
    """Published labels of the same level and cluster that began after it."""
    return [
        other
        for other in Label.objects.published().of_clusters([label.cluster_id])
        if other.level_id == label.level_id
        and other.starts_on
        and label.starts_on
        and (other.starts_on, other.ends_on) > (label.starts_on, label.ends_on)
    ]


def expected_days(listed: list[Label]) -> dict[str, date]:
    found = {}
    for label in listed:
        gone_on = label.revoked_on or date.max
        if label.transferred_on:
            continue
        if label.ends_on and gone_on > label.ends_on:
            found[f"{label.public_id}-end"] = label.ends_on
        if label.renewable_until and gone_on > label.renewable_until and not later(label):
            found[f"{label.public_id}-deadline"] = label.renewable_until
    return found


def feed_ids(client: Client, query: str) -> set[str]:
    feed = feedparser.parse(get(client, "atom", query))
    assert not feed.bozo
    return {entry.id.removeprefix("tag:testserver,2026:label/") for entry in feed.entries}


def expected_happenings(listed: list[Label], until: date) -> set[str]:
    found = set()
    for label in listed:
        gone_on = label.revoked_on or label.transferred_on or date.max
        if label.starts_on and label.starts_on <= until and label.starts_on < gone_on:
            found.add(f"{label.public_id}/start")
        if gone_on <= until:
            how = "revocation" if label.revoked_on else "transfer"
            found.add(f"{label.public_id}/{how}")
        if label.ends_on:
            after = label.ends_on + timedelta(days=1)
            is_followed = any(other.starts_on <= after for other in later(label) if other.starts_on)
            if after <= until and after < gone_on and not is_followed:
                found.add(f"{label.public_id}/end")
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_every_format_says_what_the_list_says(client: Client, query: str) -> None:
    assert_all_say_the_same(client, query)


def test_the_register_of_these_tests_has_every_state(client: Client) -> None:
    assert {row["state"] for row in read_csv(client)} == {state.value for state in State}


boundaries = st.sampled_from(DAYS)
drawn_queries = st.fixed_dictionaries(
    {},
    optional={
        "level": st.lists(st.sampled_from(["gold", "silver", "bronze"]), max_size=2),
        "state": st.lists(st.sampled_from([state.value for state in State]), max_size=3),
        "country": st.lists(st.sampled_from(["IT", "no", "FR", "DE"]), max_size=2),
        "portfolio": st.lists(st.just("health-and-medical-science"), max_size=1),
        "q": st.sampled_from(["a", "alpha", "größe", "former", "=", "zz"]),
        "on": boundaries | st.dates(date(2012, 1, 1), date(2021, 1, 1)).map(str),
    },
)


def test_every_format_says_what_the_list_says_whatever_is_asked(client: Client) -> None:
    @settings(max_examples=8)
    @given(drawn_queries)
    def ask(query: dict[str, Any]) -> None:
        assert_all_say_the_same(client, urlencode(query, doseq=True))

    ask()


# Every page about labels says of each one what the list says


def assert_all_pages_say_the_same(client: Client, day: date) -> None:
    on = f"on={day}"
    states = {label.public_id: str(label.state) for label in read_list(client, on)[0]}

    questions = {"q": list(states), "on": str(day)}
    asked = client.post("/api/v1/verify", questions, content_type="application/json").json()
    assert {
        answer["asked"]: (answer["verdict"], answer["labels"][0]["state"])
        for answer in asked["answers"]
    } == {number: (verdict_of(state), state) for number, state in states.items()}
    for number, state in states.items():
        twin = client.get(f"/labels/{number}.json?{on}").json()
        assert twin["state"] == state
        told = {"valid": "yes", "uncertain": "cannot_be_told"}.get(verdict_of(state), "no")
        assert twin["valid"] == told
        page = client.get(f"/en/labels/{number}/?{on}")
        assert str(page.context["label"].state) == state
        assert f'<div class="verdict is-{state}">' in page.content.decode()

    named: dict[str, str] = {}
    for cluster in Cluster.objects.published():
        context = client.get(f"{cluster.get_absolute_url()}?{on}").context
        named |= {label.public_id: str(label.state) for label in context["labels"]}
    assert named == states
    for organisation in Organisation.objects.published():
        context = client.get(f"{organisation.get_absolute_url()}?{on}").context
        assert context["labels"]
        for label in context["labels"]:
            assert str(label.state) == states[label.public_id]

    holders = {
        cluster.pk
        for cluster in Cluster.objects.published()
        if any(label.state == "valid" for label in labels_of([cluster], day)[cluster.pk])
    }
    levels = "&".join(f"level={level.code}" for level in level_options())
    found = directory(QueryDict(f"{levels}&{on}"), "/", TODAY)
    assert set(found.keys()) == holders
    everyone = directory(QueryDict(on), "/", TODAY)
    for card in cards(everyone, [*everyone.keys()]):
        label = headline(labels_of([card.cluster], day)[card.cluster.pk])
        shown = (label.level, str(label.state)) if label else (None, "")
        assert (card.level, card.state) == shown
    programme = client.get(f"/en/programmes/growth/?{on}").context
    for participation, label in programme["participations"]:
        own = labels_of([participation.cluster], day)[participation.cluster_id]
        assert label == headline(own)
        assert label is None or str(label.state) == states[label.public_id]


def verdict_of(state: str) -> str:
    if state in ("valid", "transferred"):
        return state
    return "uncertain" if state in ("uncertain", "undated") else "not_valid"


@pytest.mark.parametrize("day", ["2017-12-01"])
def test_every_page_says_what_the_list_says(client: Client, day: str) -> None:
    assert_all_pages_say_the_same(client, date.fromisoformat(day))


def test_every_page_says_what_the_list_says_on_any_day(client: Client) -> None:
    @settings(max_examples=2)
    @given(boundaries.map(date.fromisoformat) | st.dates(date(2012, 1, 1), date(2021, 1, 1)))
    def ask(day: date) -> None:
        assert_all_pages_say_the_same(client, day)

    ask()


def test_home_counts_what_the_list_of_today_shows(client: Client) -> None:
    listed, _context = read_list(client)

    figures = client.get("/en/").context["figures"]

    states = [str(label.state) for label in listed]
    assert (figures.labels, figures.renewable) == (len(listed), states.count("renewable"))
    holders = {
        told: {
            label.cluster_id
            for label, state in zip(listed, states, strict=True)
            if (label.level_id, state) == ("gold", told)
        }
        for told in ("valid", "uncertain")
    }
    assert figures.valid_gold_holders == len(holders["valid"])
    assert figures.possible_gold_holders == len(holders["uncertain"] - holders["valid"])


def test_json_row_is_the_twin_of_the_label(client: Client) -> None:
    """Read in two ways: of many labels as plain rows, of one as a model."""
    hidden = make_organisation(is_published=False)
    make_label(cluster=make_cluster(country=""), managing_organisation=hidden)

    for label in read_json(client, "on=2017-09-08")["labels"]:
        alone = client.get(f"/labels/{label['id']}.json?on=2017-09-08")
        told = json.loads(alone.content)
        assert {"state_in_words", "caveat"} == told.keys() - label.keys()
        assert {name: told[name] for name in label} == label
