"""What rules would change in the register, before anybody decides on them: nothing is written."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from labels.life.days import days_in, derivations_in_words, refuse_labels
from labels.models import Label, Level, LevelRule, Suspension
from labels.validity import Days, Interval, LabelDays, State, state_on


@dataclass(frozen=True, slots=True)
class Previewed:
    """A label with its days as they are and as they would be."""

    pk: int
    public_id: str
    cluster_id: int
    cluster: str
    is_published: bool
    revoked_on: date | None
    transferred_on: date | None
    before: Days
    after: Days


@dataclass(frozen=True, slots=True)
class StateChange:
    label: Previewed
    state_before: State
    state_after: State


@dataclass(frozen=True)
class Preview:
    changes: list[StateChange]
    number_of_labels: int


def preview_rule(rule: LevelRule, day: date) -> Preview:
    """As if the rule, which is not saved, were one of its level. Three queries."""
    return preview_rules(rule.level, [*rule.level.rules.all(), rule], day)


def preview_rules(level: Level, rules: Iterable[LevelRule], day: date) -> Preview:
    """As if the level had these rules, which need not be saved; states are those of the day.

    Raises ValidationError where the register would refuse the rules. Two queries.
    """
    derived = list(derivations_in_words(level, rules))
    refuse_labels([label for label, _before in derived])
    labels = [previewed(label, days_in(before)) for label, before in derived]
    return Preview(changes(labels, suspensions_of(level), day), len(labels))


def previewed(label: Label, before: Days) -> Previewed:
    return Previewed(
        pk=label.pk,
        public_id=label.public_id,
        cluster_id=label.cluster_id,
        cluster=label.cluster.name,
        is_published=label.is_published,
        revoked_on=label.revoked_on,
        transferred_on=label.transferred_on,
        before=before,
        after=label.effective_days,
    )


def suspensions_of(level: Level) -> dict[int, list[Interval]]:
    found: dict[int, list[Interval]] = defaultdict(list)
    for suspension in Suspension.objects.filter(label__level=level).order_by():
        interval = Interval(suspension.starts_on, suspension.ends_on)
        found[suspension.label_id].append(interval)
    return found


def changes(
    labels: Sequence[Previewed], suspensions: dict[int, list[Interval]], day: date
) -> list[StateChange]:
    # Labels with other days or another state, which also follows from the days of another.
    taken_before = taken_over(labels, lambda label: label.before)
    taken_after = taken_over(labels, lambda label: label.after)

    def state(label: Previewed, days: Days, taken: dict[int, date]) -> State:
        gone = label.revoked_on, label.transferred_on
        held_up = suspensions.get(label.pk, ()), taken.get(label.pk)
        return state_on(day, LabelDays(*days, *gone, *held_up))

    found = (
        StateChange(
            label, state(label, label.before, taken_before), state(label, label.after, taken_after)
        )
        for label in labels
    )
    return [
        change
        for change in found
        if change.label.before != change.label.after or change.state_before != change.state_after
    ]


def taken_over(
    labels: Iterable[Previewed], days_of: Callable[[Previewed], Days]
) -> dict[int, date]:
    """By key, the first day of the next published label; the twin of `models.later_labels`."""
    places = {}
    by_cluster: dict[int, list[tuple[date, date, int]]] = defaultdict(list)
    for label in labels:
        days = days_of(label)
        if days.starts_on is not None and days.ends_on is not None:
            place = (days.starts_on, days.ends_on, label.pk)
            places[label.cluster_id, label.pk] = place
            if label.is_published:
                by_cluster[label.cluster_id].append(place)
    for in_order in by_cluster.values():
        in_order.sort()
    found = {}
    for (cluster, pk), place in places.items():
        later = by_cluster[cluster][bisect_right(by_cluster[cluster], place) :]
        if later:
            found[pk] = later[0][0]
    return found
