"""Random questions to the directory, each compared with a naive search of the same rows."""

import csv
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from math import acos, cos, inf, radians, sin
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import settings
from django.http import QueryDict
from django.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clusters.completeness import is_stale
from clusters.directory.results import Directory
from clusters.models import Cluster
from clusters.names import normal_name
from labels.models import Level, RequiredLevel
from labels.register.holdings import directory
from labels.validity import State
from tests.factories import (
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    portfolio,
    region,
)

TODAY = date(2026, 11, 22)
DAYS = (TODAY, date(2015, 9, 8), date(2019, 1, 1))
PATH = "/en/clusters/"
NAMES = ("Pôle Énergie", "bioPmed", "Ötztal Holz", "Energy Park", "Marine Norte", "park one")
TOWNS = (("Torino", 45.07, 7.69), ("Ivrea", 45.47, 7.88), ("Oslo", 59.91, 10.75), ("", None, None))
TAGLINES = ("Energy for health", "Wood in the park", "")
ONCE_HELD = {state.value for state in State} - {"not_yet"}
WORDS = ("", "energ", "park", "bio", "otztal", "torino", "health", "park one", "nothing")
REGIONS = {"IT": "IT-21", "NO": "NO-03", "DE": None}
CODES = ("ict", "biotechnology", "health-and-medical-science")


@dataclass
class Known:
    """What a reader of all rows knows of a published cluster on a day."""

    cluster: Cluster
    held: list[tuple[str, str]]
    newest: date | None
    ending: date | None
    managers: set[str]
    programmes: set[str]
    members: int | None
    names: set[str]
    about: set[str]
    texts: set[str]
    meets: set[str] = field(default_factory=set)


@pytest.fixture
def world(db: None) -> None:
    """Clusters of many mixtures; some hidden, some with hidden managers or programmes."""
    draw = random.Random(5)  # noqa: S311
    organisations = [
        make_organisation(kind=kind, is_published=is_published)
        for kind in ("foundation", "company")
        for is_published in (True, True, False)
    ]
    programmes = [make_programme(), make_programme(), make_programme(is_published=False)]
    for programme, level in zip(programmes, ("silver", "gold", "bronze"), strict=True):
        RequiredLevel.objects.create(programme=programme, level=Level.objects.get(code=level))
    for number in range(36):
        country = draw.choice(list(REGIONS))
        code = REGIONS[country]
        town, north, east = draw.choice(TOWNS)
        cluster = make_cluster(
            name=f"{draw.choice(NAMES)} {number % 5}",
            country=country,
            region=region(code) if code and draw.random() < 0.6 else None,
            portfolio=portfolio(draw.choice(CODES)) if draw.random() < 0.8 else None,
            town=town,
            latitude=north,
            longitude=east,
            founded_on=draw.choice([None, "1999", "2005-03", "2010-01-02"]),
            state=draw.choice(["active", "active", "provisional", "merged"]),
            confirmed_on=draw.choice([None, date(2026, 3, 1), date(2015, 1, 1)]),
            is_published=draw.random() < 0.9,
        )
        cluster.texts.create(language="en", tagline=draw.choice(TAGLINES))
        for level in draw.sample(["gold", "silver", "bronze"], draw.randrange(4)):
            make_label(
                cluster=cluster,
                level=level,
                assessed_on=f"{draw.choice([2013, 2015, 2018, 2025])}-0{draw.randrange(1, 9)}",
                is_published=draw.random() < 0.9,
            )
        for organisation in draw.sample(organisations, 2):
            end = draw.choice([None, "2016"])
            make_management(
                cluster=cluster,
                organisation=organisation,
                role="joint",
                started_on="2014",
                ended_on=end,
            )
        for programme in draw.sample(programmes, draw.randrange(3)):
            make_participation(cluster=cluster, programme=programme, started_on="2015-01")
        for year in (2014, 2020):
            if draw.random() < 0.5:
                cluster.membership_counts.create(
                    counted_on=str(year), kind="total", count=draw.randrange(1, 200)
                )


class Reader:
    """All that there is to know, by day; no dataclass, as hypothesis would print it whole."""

    def __init__(self, known: dict[date, list[Known]]) -> None:
        self.known = known


@pytest.fixture
def reader(world: None) -> Reader:
    ranks = dict(Level.objects.values_list("code", "rank"))
    public = list(Cluster.objects.published())
    return Reader({day: [known_of(row, day, ranks) for row in public] for day in DAYS})


def known_of(cluster: Cluster, day: date, ranks: dict[str, int]) -> Known:
    labels = list(cluster.labels.filter(is_published=True).with_succession())
    states = [(label.level_id, label.state_on(day).value) for label in labels]
    valid = [label for label in labels if label.state_on(day) == State.VALID]
    managements = [
        row
        for row in cluster.managements.select_related("organisation")
        if row.organisation.is_published
    ]
    managers = {row.organisation.kind for row in managements if row.is_on(day)}
    programmes = {
        row.programme
        for row in cluster.participations.select_related("programme")
        if row.programme.is_published and (not row.started_on or row.started_on.first_day <= day)
    }
    counts = list(cluster.membership_counts.order_by("counted_on"))
    place = [cluster.town, *(row.organisation.name for row in managements)]
    if cluster.region:
        place += [cluster.region.name, cluster.region.other_names]
    if cluster.portfolio:
        place += [cluster.portfolio.name_en, cluster.portfolio.name_it]
    names = tokens(cluster.name) | {normal_name(cluster.name).replace(" ", "")}
    about = names | tokens(*place)
    starts = [label.starts_on for label in labels if label.starts_on]
    known = Known(
        cluster=cluster,
        held=states,
        newest=max((start for start in starts if start <= day), default=None),
        ending=min((label.ends_on for label in valid if label.ends_on), default=None),
        managers=managers,
        programmes={programme.slug for programme in programmes},
        members=counts[-1].count if counts else None,
        names=names,
        about=about,
        texts=about | tokens(*(text.tagline for text in cluster.texts.all())),
    )
    best = max((ranks[label.level_id] for label in valid), default=0)
    for programme in programmes:
        required = programme.required_levels.get()
        if best >= required.level.rank:
            known.meets.add(programme.slug)
    return known


def tokens(*texts: str) -> set[str]:
    return set("".join(c if c.isalnum() else " " for c in normal_name(" ".join(texts))).split())


def tier(known: Known, words: str) -> int | None:
    asked = normal_name(words).split()
    for number, found in enumerate((known.names, known.about, known.texts)):
        if all(any(token.startswith(word) for token in found) for word in asked):
            return number
    return None


def kilometres(north: Any, east: Any, other: Any, further: Any) -> float:
    north, east, other, further = (radians(float(x)) for x in (north, east, other, further))
    cosine = sin(north) * sin(other) + cos(north) * cos(other) * cos(further - east)
    return 6371.0088 * acos(max(-1, min(1, cosine)))


def kilometres_from(near: tuple[Any, Any], cluster: Cluster) -> float:
    # To a metre, as two formulas differ further behind the comma.
    if cluster.latitude is None:
        return inf
    return round(kilometres(near[0], near[1], cluster.latitude, cluster.longitude), 3)


Asked = dict[str, Any]


def fits(known: Known, asked: Asked, day: date, *, but: str = "") -> bool:
    """Whether a cluster meets everything that is asked; `but` names what is not looked at."""
    cluster = known.cluster

    levels = asked.get("level") or [] if but != "label" else []
    states = asked.get("state") or [] if but != "label" else []
    ever = asked.get("held") if but != "label" else ""
    if levels or states or ever:
        wanted = states or (ONCE_HELD if ever else ["valid"])
        if not any((not levels or lv in levels) and s in wanted for lv, s in known.held):
            return False
    if but != "words" and asked.get("q") and tier(known, asked["q"]) is None:
        return False
    for name in ("country", "region", "portfolio", "manager", "programme"):
        chosen = asked.get(name) or []
        if name != but and chosen and not values_of(known, name) & set(chosen):
            return False
    if asked.get("meets") and not known.meets & set(asked.get("programme") or known.meets):
        return False
    year = cluster.founded_on.year if cluster.founded_on else None
    for number, name in ((year, "founded"), (known.members, "members")):
        low, high = asked.get(f"{name}_from"), asked.get(f"{name}_to")
        if (low, high) != (None, None) and (
            number is None or number < (low or 0) or number > (high or 10**6)
        ):
            return False
    if asked.get("near"):
        _town, north, east = next(row for row in TOWNS if row[0] == asked["near"])
        if cluster.latitude is None:
            return False
        away = kilometres(north, east, cluster.latitude, cluster.longitude)
        if away > asked.get("within", 100):
            return False
    if asked.get("confirmed") and (
        is_stale(cluster.confirmed_on, day) or cluster.confirmed_on > day  # type: ignore[operator]
    ):
        return False
    return not (asked.get("provisional") == "no" and cluster.state == "provisional")


def in_order(rows: list[Known], asked: Asked) -> list[str]:
    """Sorted as asked; by name, then key, where nothing else decides."""
    usual = "distance" if asked.get("near") else "relevance" if asked.get("q") else "name"
    sort = asked.get("sort") or usual
    if sort == "relevance" and not asked.get("q"):
        sort = usual
    near = next(((row[1], row[2]) for row in TOWNS if row[0] == asked.get("near")), (0, 0))
    last = date.max

    def key(known: Known) -> tuple[Any, ...]:
        name = (normal_name(known.cluster.name), known.cluster.pk)
        confirmed = known.cluster.confirmed_on
        first = {
            "name": 0,
            "distance": kilometres_from(near, known.cluster) if sort == "distance" else 0,
            "relevance": (tier(known, asked["q"]) or 0) if asked.get("q") else 0,
            "newest": -(known.newest or date.min).toordinal(),
            "ending": (known.ending or last).toordinal(),
            "members": -(known.members if known.members is not None else -1),
            "confirmed": -(confirmed.toordinal() if confirmed else -1),
        }[sort]
        return (first, *name)

    return [known.cluster.public_id for known in sorted(rows, key=key)]


def some(values: Any, most: int = 2) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=most, unique=True)


questions = st.fixed_dictionaries(
    {},
    optional={
        "q": st.sampled_from(WORDS),
        "level": some(["gold", "silver", "bronze"]),
        "state": some(["valid", "expired", "renewable", "not_yet"]),
        "held": st.just("ever"),
        "country": some(["IT", "NO", "DE"]),
        "region": some(["IT-21", "NO-03"]),
        "portfolio": some(CODES),
        "programme": st.integers(0, 1).map(lambda number: [number]),
        "meets": st.just("yes"),
        "manager": some(["foundation", "company"]),
        "founded_from": st.sampled_from([1999, 2005, 2006]),
        "founded_to": st.sampled_from([2005, 2010]),
        "members_from": st.sampled_from([0, 50]),
        "members_to": st.sampled_from([100, 150]),
        "near": st.sampled_from(["Torino", "Oslo"]),
        "within": st.sampled_from([10, 60, 3000]),
        "confirmed": st.just("yes"),
        "provisional": st.just("no"),
        "sort": st.sampled_from(["name", "newest", "ending", "members", "confirmed", "relevance"]),
        "on": st.sampled_from(DAYS),
    },
)


def facet_counts(answer: Directory) -> dict[str, dict[str, int]]:
    """The counts that are not zero; those of the profile aside."""
    return {
        facet.name: counts
        for facet in answer.facets()
        if facet.name != "profile"
        and (counts := {option.value: option.count for option in facet.options if option.count})
    }


def naive_counts(known: list[Known], asked: Asked, day: date) -> dict[str, dict[str, int]]:
    """For each value of a filter, how many fit what the other filters ask, and have it."""
    found: dict[str, Counter[str]] = {
        name: Counter() for name in ("country", "portfolio", "programme", "manager")
    }
    if asked.get("country") or asked.get("region"):
        found["region"] = Counter()
    for name, counts in found.items():
        unknown = {"not_recorded"} if name in ("region", "portfolio", "manager") else set()
        for row in known:
            if fits(row, asked, day, but=name):
                counts.update(values_of(row, name) or unknown)
    levels, states, ever = Counter[str](), Counter[str](), Counter[str]()
    usual = ONCE_HELD if asked.get("held") else ["valid"]
    for row in known:
        if fits(row, asked, day, but="label"):
            wanted = asked.get("state") or usual
            levels.update({level for level, state in row.held if state in wanted})
            levels.update(set() if row.held else {"not_recorded"})
            of = asked.get("level") or ["gold", "silver", "bronze"]
            states.update({state for level, state in row.held if level in of})
            if any(level in of and state in ONCE_HELD for level, state in row.held):
                ever["ever"] += not asked.get("state")
    found |= {"level": levels, "state": states, "held": +ever}
    if "region" in found and asked.get("country"):
        # Told are the regions of the countries chosen, and those that are chosen themselves.
        chosen = asked.get("region") or []
        found["region"] = Counter(
            {
                code: number
                for code, number in found["region"].items()
                if code[:2] in asked["country"] or code in [*chosen, "not_recorded"]
            }
        )
    # That a value is not known is nothing to choose alone.
    return {
        name: dict(counts)
        for name, counts in found.items()
        if counts and (asked.get(name) or set(counts) != {"not_recorded"})
    }


def values_of(row: Known, name: str) -> set[str]:
    cluster = row.cluster
    return {
        "country": {cluster.country.code},
        "region": {cluster.region.code} if cluster.region else set(),
        "portfolio": {cluster.portfolio.code} if cluster.portfolio else set(),
        "programme": row.programmes,
        "manager": row.managers,
    }[name]


@hypothesis_settings(max_examples=60)
@given(asked=questions)
def test_everything_that_answers_agrees_with_a_naive_search(reader: Reader, asked: Asked) -> None:
    known = reader.known
    programmes = sorted({slug for row in known[TODAY] for slug in row.programmes})
    asked = {**asked, "programme": [programmes[number] for number in asked.get("programme", [])]}
    day: date = asked.get("on", TODAY)
    query = urlencode({name: value for name, value in asked.items() if value != ""}, doseq=True)
    rows = [row for row in known[day] if fits(row, asked, day)]
    expected = in_order(rows, asked)

    answer = directory(QueryDict(query), PATH, TODAY)

    by_key = {row.cluster.pk: row.cluster for row in known[day]}
    found: list[Any] = [by_key[key] for key in answer.keys()]  # noqa: SIM118
    assert [cluster.public_id for cluster in found] == expected, asked
    assert answer.total == len(expected)
    assert answer.problems == []
    assert facet_counts(answer) == naive_counts(known[day], asked, day), asked
    places = Counter(
        (float(row.latitude), float(row.longitude), row.country.code)
        for row in found
        if row.latitude is not None
    )
    points = {(row.latitude, row.longitude, row.country): row.count for row in answer.points()}
    assert points == places


def every_page_of(client: Client, path: str) -> list[str]:
    """Public ids in the order of the API, page after page."""
    found: list[str] = []
    while path:
        answer = client.get(path).json()
        found += [row["id"] for row in answer["results"]]
        assert answer["count"] >= len(found)
        path = (answer["next"] or "").removeprefix(settings.SITE_URL)
    return found


@hypothesis_settings(max_examples=8)
@given(asked=questions)
def test_every_format_has_the_clusters_of_the_list(
    reader: Reader, client: Client, asked: Asked
) -> None:
    asked = {name: value for name, value in asked.items() if name != "programme"}
    query = urlencode({name: value for name, value in asked.items() if value != ""}, doseq=True)
    with time_machine.travel(f"{TODAY}T12:00+01:00", tick=False):
        answer = directory(QueryDict(query), PATH, TODAY)
        expected = [answer.index.public_id(slot) for slot in answer.slots()]
        table = b"".join(client.get(f"/clusters.csv?{query}")).decode()
        document = json.loads(b"".join(client.get(f"/clusters.json?{query}")))
        pages = every_page_of(client, f"/api/v1/clusters?{query}&limit=7")

    assert [row["id"] for row in csv.DictReader(StringIO(table))] == expected
    assert [row["id"] for row in document["clusters"]] == expected
    assert document["count"] == len(expected)
    assert pages == expected
