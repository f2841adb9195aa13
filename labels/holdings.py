"""The directory of clusters with the labels that they hold, by level and state on any day."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby, zip_longest
from typing import NamedTuple

from django.http import QueryDict

from clusters.directory import PER_PAGE, Directory
from clusters.index import FIRST_DAY, LAST_DAY, Keeper, Requirement, Spell
from clusters.search import read_place, read_query
from labels.models import STATE_NAMES, Label, LabelQuerySet, Level, RequiredLevel, Suspension
from labels.validity import Interval, State, state_on


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


def spells(clusters: set[int] | None) -> Iterator[Spell]:
    """Of each published label: its states, its award, and each time that it is valid."""
    labels, suspended = Label.objects.published(), Suspension.objects.order_by()
    if clusters is not None:
        labels = labels.of_clusters(clusters)
        suspended = suspended.filter(label__cluster__in=clusters)
    suspensions: dict[int, list[Interval]] = defaultdict(list)
    for label, starts_on, ends_on in suspended.values_list("label", "starts_on", "ends_on"):
        suspensions[label].append(Interval(starts_on, ends_on))
    for _of, rows in groupby(days_of(labels), key=lambda row: (row.cluster, row.level)):
        together = list(rows)
        dated = [row for row in together if row.starts_on is not None]
        for row, later in zip_longest(dated, dated[1:]):
            taken_over_on = later.starts_on if later else None
            yield from spells_of(row, suspensions.get(row.pk, ()), taken_over_on)
        for row in together:
            if row.starts_on is None:
                yield from spells_of(row, suspensions.get(row.pk, ()), None)


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
) -> Iterator[Spell]:
    """The state can change on a few days only: between two of them it is that of the first."""
    changes = [row.starts_on, row.revoked_on, row.transferred_on, taken_over_on]
    changes += [
        last + timedelta(days=1)
        for last in (row.ends_on, row.renewable_until)
        if last and last < date.max
    ]
    for suspension in suspensions:
        changes += [suspension.starts_on, suspension.ends_on]
    days = sorted({date.min, *(day for day in changes if day)})
    states = [
        state_on(
            day,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            renewable_until=row.renewable_until,
            revoked_on=row.revoked_on,
            transferred_on=row.transferred_on,
            suspensions=suspensions,
            taken_over_on=taken_over_on,
        )
        for day in days
    ]
    first = 0
    for place, state in enumerate(states):
        if place + 1 == len(states) or states[place + 1] != state:
            begun = days[first].toordinal()
            last = days[place + 1].toordinal() - 1 if place + 1 < len(days) else LAST_DAY
            yield Spell("label", row.cluster, (row.level, state.value), begun, last)
            if state == State.VALID:
                yield Spell("end", row.cluster, "", begun, last)
            first = place + 1
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


KEEPER = Keeper(spells=spells, levels=level_options, requirements=requirements)


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
        per_page=per_page,
    )
