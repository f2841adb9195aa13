"""The directory of clusters with the labels that they hold, by level and state on any day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby, zip_longest
from typing import NamedTuple

from django.http import QueryDict

from clusters.directory.index import FIRST_DAY, LAST_DAY, Keeper, Requirement, Spell
from clusters.directory.query import read_place, read_query
from clusters.directory.results import PER_PAGE, Directory
from labels.models import STATE_NAMES, Label, LabelQuerySet, Level, RequiredLevel, Suspension
from labels.validity import (
    Interval,
    LabelSpell,
    State,
    headline_spells,
    naming_order,
    spells,
)


class Days(NamedTuple):
    """What decides on the state of a published label."""

    pk: int
    cluster: int
    level: str
    starts_on: date | None
    ends_on: date | None
    renewable_until: date | None
    revoked_on: date | None
    transferred_on: date | None


def facet_spells(clusters: set[int] | None) -> Iterator[Spell]:
    """Of each published label: its states, its award, and each time that it is valid.

    Of each level that a cluster holds: the states of the label to name first.
    """
    labels, suspended = Label.objects.published(), Suspension.objects.order_by()
    if clusters is not None:
        labels = labels.of_clusters(clusters)
        suspended = suspended.filter(label__cluster__in=clusters)
    suspensions: dict[int, list[Interval]] = defaultdict(list)
    for label, starts_on, ends_on in suspended.values_list("label", "starts_on", "ends_on"):
        suspensions[label].append(Interval(starts_on, ends_on))
    for (cluster, level), rows in groupby(
        days_of(labels), key=lambda row: (row.cluster, row.level)
    ):
        held = [
            (row, spells_of(row, suspensions.get(row.pk, ()), taken_over_on))
            for row, taken_over_on in with_succession(list(rows))
        ]
        for row, life in held:
            yield from spells_of_label(row, life)
        for state, first, last in headline_spells([(row.starts_on, life) for row, life in held]):
            value = (level, state.value)
            yield Spell("headline", cluster, value, first.toordinal(), last.toordinal())


def with_succession(rows: Sequence[Days]) -> Iterator[tuple[Days, date | None]]:
    """The labels of a cluster and level in their order, each with the start of the next one."""
    dated = [row for row in rows if row.starts_on is not None]
    for row, later in zip_longest(dated, dated[1:]):
        yield row, later.starts_on if later else None
    for row in rows:
        if row.starts_on is None:
            yield row, None


def days_of(labels: LabelQuerySet) -> Iterator[Days]:
    """Those of a cluster and level together, in the order in which they take one another over."""
    rows = labels.order_by("cluster", "level", "starts_on", "ends_on", "pk").values_list(
        "pk",
        "cluster",
        "level",
        "starts_on",
        "ends_on",
        "renewable_until",
        "revoked_on",
        "transferred_on",
    )
    return (Days(*row) for row in rows.iterator())


def spells_of(
    row: Days, suspensions: Sequence[Interval], taken_over_on: date | None
) -> list[LabelSpell]:
    return spells(
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        renewable_until=row.renewable_until,
        revoked_on=row.revoked_on,
        transferred_on=row.transferred_on,
        suspensions=suspensions,
        taken_over_on=taken_over_on,
    )


def spells_of_label(row: Days, life: Sequence[LabelSpell]) -> Iterator[Spell]:
    for state, first, last in life:
        begun, ended = first.toordinal(), last.toordinal()
        yield Spell("label", row.cluster, (row.level, state.value), begun, ended)
        if state == State.VALID:
            yield Spell("end", row.cluster, "", begun, ended)
    if row.starts_on is not None:
        yield Spell("award", row.cluster, "", row.starts_on.toordinal(), LAST_DAY)


def requirements() -> list[Requirement]:
    """Of published programmes, each with the levels that meet it."""
    levels = list(Level.objects.all())
    rows = RequiredLevel.objects.of_published().select_related("programme", "level")
    return [
        Requirement(
            programme=row.programme.slug,
            levels=frozenset(level.code for level in levels if level.rank >= row.level.rank),
            first=row.required_from.toordinal() if row.required_from else FIRST_DAY,
            last=row.required_until.toordinal() if row.required_until else LAST_DAY,
        )
        for row in rows
    ]


def level_options() -> list[Level]:
    """All levels, the highest first."""
    return list(Level.objects.order_by("-rank"))


KEEPER = Keeper(spells=facet_spells, levels=level_options, requirements=requirements)


def first_named(held: Iterable[tuple[Level, str]]) -> tuple[Level, str] | None:
    """The level and state to name first, of one label of each level."""
    return min(
        held, key=lambda label: naming_order(label[0].rank, State(label[1]), None), default=None
    )


def directory(data: QueryDict, path: str, today: date, *, per_page: int = PER_PAGE) -> Directory:
    """What the address asks of the clusters; one statement for what changed, one for words."""
    index = KEEPER.current()
    reference = index.reference
    known = {
        "level": {level.code for level in reference.levels},
        "state": {state.value for state in State},
        "region": reference.regions.keys(),
        "portfolio": {portfolio.code for portfolio in reference.portfolios},
        "programme": reference.programmes.keys(),
    }
    return Directory(
        index=index,
        query=read_query(data, known),
        place=read_place(data),
        path=path,
        today=today,
        states={state.value: name for state, name in STATE_NAMES.items()},
        first_named=first_named,
        per_page=per_page,
    )
