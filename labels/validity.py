"""From when until when a label is valid, and its state on a day.

Pure: no ORM, no clock, no settings. The SQL twin of `state_on` is `LabelQuerySet.with_state`;
a test proves them equal on every boundary day.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from clusters.dates import PartialDate, add_months, last_day_of_month


class State(StrEnum):
    NOT_YET = "not_yet"
    VALID = "valid"
    UNCERTAIN = "uncertain"
    RENEWABLE = "renewable"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    TRANSFERRED = "transferred"
    UNDATED = "undated"


# One of which it cannot be told whether it is valid, and those that may become so.
MAY_BE_VALID = (State.UNCERTAIN, State.RENEWABLE, State.SUSPENDED, State.NOT_YET)
# From the earliest possible first day to the latest possible last one.
IN_FORCE = (State.VALID, State.UNCERTAIN, State.SUSPENDED)
GONE = (State.REVOKED, State.TRANSFERRED)
# Which of two labels of a level that began on the same day says more about today: one that ran out
# more than one that has a successor elsewhere, and that more than one that should not have been.
FROM_THE_SAME_DAY = (
    State.VALID,
    *MAY_BE_VALID,
    State.EXPIRED,
    State.TRANSFERRED,
    State.REVOKED,
    State.UNDATED,
)


class EndsBeforeItStarts(ValueError):
    """The days that contradict each other, for a message in the reader's language."""

    def __init__(self, starts_on: date, ends_on: date) -> None:
        super().__init__(f"the end ({ends_on}) lies before the start ({starts_on})")
        self.starts_on, self.ends_on = starts_on, ends_on


@dataclass(frozen=True)
class Rule:
    """The months that a level's labels last, from the day the rule took effect."""

    effective_from: date
    first_months: int
    renewal_months: int
    ends_at_month_end: bool
    renewal_window_months: int


class PossibleDays(NamedTuple):
    """The earliest and the latest day that a day, not known better, can be."""

    earliest: date
    latest: date


@dataclass(frozen=True)
class Validity:
    """The first day and the last, each as the days that it can be, and how long to renew it."""

    start: PossibleDays
    end: PossibleDays
    renewable_until: date
    start_is_computed: bool
    end_is_computed: bool
    # Both are one day, and neither is reckoned backwards from the end.
    is_exact: bool
    rule: Rule


@dataclass(frozen=True)
class Interval:
    """Days from `starts_on` to the day before `ends_on`; without an end, for ever."""

    starts_on: date
    ends_on: date | None = None

    def __contains__(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


class Days(NamedTuple):
    """The derived days of a label; each None where none is known.

    It may be valid from `starts_on` to `ends_on`, and is so for certain from `certain_from` to
    `certain_until`: on no day where that lies before.
    """

    starts_on: date | None
    certain_from: date | None
    certain_until: date | None
    ends_on: date | None
    renewable_until: date | None


@dataclass(frozen=True)
class LabelDays:
    """What decides on the state of a label on any day.

    The first five are its `Days`. `taken_over_on` is the first day of a later label of the same
    level and cluster.
    """

    starts_on: date | None
    certain_from: date | None
    certain_until: date | None
    ends_on: date | None
    renewable_until: date | None
    revoked_on: date | None = None
    transferred_on: date | None = None
    suspensions: Sequence[Interval] = ()
    taken_over_on: date | None = None


class LabelSpell(NamedTuple):
    """Days, first and last included, on which a label is in one state."""

    state: State
    first: date
    last: date


def rule_on(day: date, rules: Sequence[Rule]) -> Rule:
    """The rule in force; the earliest one stands for the days before it.

    `rules` are those of one level, at least one.
    """
    in_order = sorted(rules, key=lambda rule: rule.effective_from)
    return next((rule for rule in reversed(in_order) if rule.effective_from <= day), in_order[0])


def validity(
    *,
    start: PartialDate | None,
    printed_end: PartialDate | None,
    rules: Sequence[Rule],
    is_renewal: bool = False,
    previous_end: PossibleDays | None = None,
    extended_until: date | None = None,
) -> Validity | None:
    """The days of validity, or None where neither start nor end is known.

    A printed day is any of its month or year where no more is printed. A renewal with a
    `previous_end` is seamless: it starts the day after, and its end counts from there. A missing
    end follows the rule in force at the start, from the earliest and from the latest start; a
    missing start lies the rule's months before the end, likewise. An extension goes before
    every other end. Raises EndsBeforeItStarts where even the latest end lies before the start.
    """
    if previous_end is not None:
        first = derived_days(previous_end, lambda day: day + timedelta(days=1))
    elif start is not None:
        first = possible_days(start)
    elif printed_end is not None:
        first = derived_days(
            possible_days(printed_end), lambda day: computed_start(day, rules, is_renewal), rules
        )
    else:
        return None
    if extended_until is not None:
        last = PossibleDays(extended_until, extended_until)
    elif printed_end is not None:
        last = possible_days(printed_end)
    elif previous_end is not None:
        last = derived_days(first, lambda day: seamless_end(day, rule_on(day, rules)), rules)
    else:
        last = derived_days(
            first, lambda day: computed_end(day, rule_on(day, rules), is_renewal), rules
        )
    if last.latest < first.earliest:
        raise EndsBeforeItStarts(first.earliest, last.latest)
    is_known = first.earliest == first.latest and last.earliest == last.latest
    is_backwards = previous_end is None and start is None
    return Validity(
        start=first,
        end=last,
        renewable_until=add_months(last.latest, rule_on(last.latest, rules).renewal_window_months),
        start_is_computed=previous_end is not None or start is None,
        end_is_computed=printed_end is None and extended_until is None,
        is_exact=is_known and not is_backwards,
        rule=rule_on(first.earliest, rules),
    )


def possible_days(printed: PartialDate) -> PossibleDays:
    return PossibleDays(printed.first_day, printed.last_day)


def derived_days(
    days: PossibleDays, derive: Callable[[date], date], rules: Sequence[Rule] = ()
) -> PossibleDays:
    # A later day leads to a later one, except where a shorter rule takes effect between the two.
    turns = [rule.effective_from for rule in rules if days.earliest < rule.effective_from]
    turns = [day for day in turns if day <= days.latest]
    found = [derive(day) for day in (*days, *turns, *(day - timedelta(days=1) for day in turns))]
    return PossibleDays(min(found), max(found))


def computed_end(first: date, rule: Rule, is_renewal: bool) -> date:
    return end_after(first, rule.renewal_months if is_renewal else rule.first_months, rule)


def seamless_end(first: date, rule: Rule) -> date:
    # A renewal without a gap counts from the end before it.
    return end_after(first - timedelta(days=1), rule.renewal_months, rule)


def end_after(day: date, months: int, rule: Rule) -> date:
    end = add_months(day, months)
    return last_day_of_month(end) if rule.ends_at_month_end else end


def computed_start(end: date, rules: Sequence[Rule], is_renewal: bool) -> date:
    # The day after the same day, the rule's months before the end.
    rule = rule_on(end, rules)
    months = rule.renewal_months if is_renewal else rule.first_months
    return add_months(end, -months) + timedelta(days=1)


def state_on(day: date, label: LabelDays) -> State:
    # Every branch in the order in which it decides.
    if label.revoked_on is not None and label.revoked_on <= day:
        # A revocation holds from its own day, whatever the dates say.
        return State.REVOKED
    if label.transferred_on is not None and label.transferred_on <= day:
        # From that day on another label, of the new holder, is in force in its place.
        return State.TRANSFERRED
    if (
        label.starts_on is None
        or label.certain_from is None
        or label.certain_until is None
        or label.ends_on is None
        or label.renewable_until is None
    ):
        # Never counted as valid.
        return State.UNDATED
    if day < label.starts_on:
        return State.NOT_YET
    is_suspended = any(day in suspension for suspension in label.suspensions)
    if day <= label.ends_on:
        # The last day counts to its last second.
        if is_suspended:
            return State.SUSPENDED
        is_certain = label.certain_from <= day <= label.certain_until
        return State.VALID if is_certain else State.UNCERTAIN
    is_taken_over = label.taken_over_on is not None and label.taken_over_on <= day
    if day <= label.renewable_until and not is_suspended and not is_taken_over:
        return State.RENEWABLE
    return State.EXPIRED


def spells(label: LabelDays) -> list[LabelSpell]:
    """The states of a label in turn, from the first day there is to the last.

    Whatever tells an end (page, picture, feed, calendar, notice, requirement) reads it from these.
    """
    # The state can change on these days only: between two of them it is that of the first.
    changes = [label.starts_on, label.certain_from, label.taken_over_on]
    changes += [label.revoked_on, label.transferred_on]
    changes += [
        last + timedelta(days=1)
        for last in (label.certain_until, label.ends_on, label.renewable_until)
        if last is not None and last < date.max
    ]
    for suspension in label.suspensions:
        changes += [suspension.starts_on, suspension.ends_on]
    days = {date.min, *(day for day in changes if day is not None)}
    return spells_from({day: state_on(day, label) for day in days})


def spells_from(states: Mapping[date, State]) -> list[LabelSpell]:
    # Spells of states that each last to the day before the next one; `date.min` has one.
    firsts = [
        (next(days)[0], state)
        for state, days in groupby(sorted(states.items()), key=lambda item: item[1])
    ]
    lasts = [first - timedelta(days=1) for first, _state in firsts[1:]]
    return [
        LabelSpell(state, first, last)
        for (first, state), last in zip(firsts, [*lasts, date.max], strict=True)
    ]


def naming_order(rank: int, state: State, starts_on: date | None) -> tuple[int, ...]:
    """Sorts the labels of a cluster by what they say about a day: the first is named first.

    `rank` is that of the level, `state` that of the day.
    """
    # One that is valid, else one that may be or may become so without a first award; the highest.
    group = 0 if state == State.VALID else 1 if state in MAY_BE_VALID else 2
    # One in its renewal window says more about the day than the next one, which has not begun. Of
    # those that have begun the latest: a Gold that expired after another was revoked is expired,
    # and one that was revoked after another expired is revoked. Unknown days come last.
    started = (starts_on or date.min).toordinal()
    order = FROM_THE_SAME_DAY.index(state)
    return group, -rank, state == State.NOT_YET, -started, order


def headline_spells(labels: Sequence[tuple[date | None, Sequence[LabelSpell]]]) -> list[LabelSpell]:
    # Of labels of one level, by start and spells: the states of the one named first.
    if len(labels) == 1:
        return list(labels[0][1])
    days = {spell.first for _start, life in labels for spell in life}
    return spells_from({day: headline_state(labels, day) for day in days})


def headline_state(labels: Sequence[tuple[date | None, Sequence[LabelSpell]]], day: date) -> State:
    in_force = [(state_in(life, day), start) for start, life in labels]
    state, _start = min(in_force, key=lambda label: naming_order(0, *label))
    return state


def state_in(life: Sequence[LabelSpell], day: date) -> State:
    return spell_on(life, day).state


def spell_on(life: Sequence[LabelSpell], day: date) -> LabelSpell:
    return next(spell for spell in life if day <= spell.last)
