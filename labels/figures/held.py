"""How long clusters have held a level by a day, as far as the days of their labels tell."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from labels.models import LabelQuerySet, Suspension
from labels.register.holdings import Holding, holdings, suspensions_by_label
from labels.validity import LabelSpell, State, state_in

DAYS_OF_A_YEAR = 365.25
# The most years of each class, which no usual length of a label is; the last has no end.
LONGEST = 999
CLASSES = (3, 6, 9, LONGEST)
MAY_BE = (State.VALID, State.UNCERTAIN)


class TimeHeld(NamedTuple):
    """Of a cluster and level: the days on which it was valid for certain, and those more on which
    it may have been; whether it is on the last of them."""

    level: str
    certain: int
    possible: int
    holds: bool


def times_held(labels: LabelQuerySet, day: date) -> Iterator[TimeHeld]:
    """Up to the day, for each cluster and level that had one by then. Two statements."""
    suspended = suspensions_by_label(Suspension.objects.order_by())
    for held in holdings(labels.started_by(day), suspended):
        certain = number_of_days(days_in_states(held, {State.VALID}, day))
        possible = number_of_days(days_in_states(held, set(MAY_BE), day))
        holds = any(state_in(label.life, day) == State.VALID for label in held)
        yield TimeHeld(held[0].level, certain, possible, holds)


def days_in_states(
    held: Iterable[Holding], states: Collection[State], day: date
) -> list[LabelSpell]:
    return [
        spell._replace(last=min(spell.last, day))
        for label in held
        for spell in label.life
        if spell.state in states and spell.first <= day
    ]


def number_of_days(spells: Sequence[LabelSpell]) -> int:
    # Days that several labels share count once.
    number, after = 0, date.min
    for _state, first, last in sorted(spells, key=lambda spell: spell.first):
        first = max(first, after)
        if first <= last:
            number += (last - first).days + 1
            after = last + timedelta(days=1)
    return number


def class_of(time: TimeHeld) -> int | None:
    # By its most years; None where the days leave more than one.
    first, last = (class_of_days(days) for days in (time.certain, time.possible))
    return first if first == last else None


def class_of_days(days: int) -> int:
    return next(years for years in CLASSES if days <= years * DAYS_OF_A_YEAR)
