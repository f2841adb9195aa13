"""The directory of clusters with the labels that they hold, by level and state on any day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

from django.db.models import QuerySet
from django.http import QueryDict

from clusters.directory.index import FIRST_DAY, LAST_DAY, IndexCache, Requirement, Spell
from clusters.directory.query import read_cursor, read_directory_query
from clusters.directory.results import PER_PAGE, Directory
from labels.models import STATE_NAMES, Label, LabelQuerySet, Level, RequiredLevel, Suspension
from labels.validity import (
    Days,
    Interval,
    LabelDays,
    LabelSpell,
    State,
    headline_spells,
    naming_order,
    spells,
)


def facet_spells(clusters: set[int] | None) -> Iterator[Spell]:
    """Of each published label: its states, its award, and each time that it is valid.

    Of each level that a cluster holds: the states of the label to name first.
    """
    labels, suspended = Label.objects.published(), Suspension.objects.order_by()
    if clusters is not None:
        labels = labels.of_clusters(clusters)
        suspended = suspended.filter(label__cluster__in=clusters)
    for held in holdings(labels, suspensions_by_label(suspended)):
        for holding in held:
            yield from spells_of_label(holding)
        named_first = headline_spells([(holding.starts_on, holding.life) for holding in held])
        for state, first, last in named_first:
            value = (held[0].level, state.value)
            yield Spell("headline", held[0].cluster, value, first.toordinal(), last.toordinal())


def suspensions_by_label(suspended: QuerySet[Suspension]) -> dict[int, list[Interval]]:
    found: dict[int, list[Interval]] = defaultdict(list)
    for label, starts_on, ends_on in suspended.values_list("label", "starts_on", "ends_on"):
        found[label].append(Interval(starts_on, ends_on))
    return found


class Holding(NamedTuple):
    """A label that a cluster holds, as a list of spells."""

    cluster: int
    level: str
    starts_on: date | None
    life: list[LabelSpell]


def holdings(
    labels: LabelQuerySet, suspensions: Mapping[int, Sequence[Interval]]
) -> Iterator[list[Holding]]:
    # The labels of each cluster and level together; `suspensions` by the key of the label.
    columns = ("pk", *Days._fields, "revoked_on", "transferred_on")
    # In the order in which they take one another over.
    in_order = labels.order_by("cluster", "level", "starts_on", "ends_on", "pk")
    found = in_order.values_list("cluster", "level", *columns).iterator()
    for (cluster, level), rows in groupby(found, key=itemgetter(0, 1)):
        by_label = {pk: LabelDays(*days) for _cluster, _level, pk, *days in rows}
        # One without days neither takes over nor is taken over; engines sort it differently.
        dated = [pk for pk, days in by_label.items() if days.starts_on]
        next_starts = {pk: by_label[later].starts_on for pk, later in pairwise(dated)}
        for pk, days in by_label.items():
            by_label[pk] = replace(
                days, suspensions=suspensions.get(pk, ()), taken_over_on=next_starts.get(pk)
            )
        yield [Holding(cluster, level, days.starts_on, spells(days)) for days in by_label.values()]


def spells_of_label(label: Holding) -> Iterator[Spell]:
    for state, first, last in label.life:
        begun, ended = first.toordinal(), last.toordinal()
        yield Spell("label", label.cluster, (label.level, state.value), begun, ended)
        if state == State.VALID:
            yield Spell("end", label.cluster, "", begun, ended)
    if label.starts_on is not None:
        yield Spell("award", label.cluster, "", label.starts_on.toordinal(), LAST_DAY)


def requirements() -> list[Requirement]:
    # Of published programmes, each with the levels that meet it.
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
    # All levels, the highest first.
    return list(Level.objects.order_by("-rank"))


INDEX = IndexCache(spells=facet_spells, levels=level_options, requirements=requirements)


def first_named(held: Iterable[tuple[Level, str]]) -> tuple[Level, str] | None:
    # The level and state to name first, of one label of each level.
    return min(
        held, key=lambda label: naming_order(label[0].rank, State(label[1]), None), default=None
    )


def directory(data: QueryDict, path: str, today: date, *, per_page: int = PER_PAGE) -> Directory:
    """What the address asks of the clusters; one statement for what changed, one for words."""
    index = INDEX.current()
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
        query=read_directory_query(data, known),
        cursor=read_cursor(data),
        path=path,
        today=today,
        states={state.value: name for state, name in STATE_NAMES.items()},
        # What is not valid yet was never held.
        once_held=[state.value for state in State if state != State.NOT_YET],
        first_named=first_named,
        per_page=per_page,
    )
