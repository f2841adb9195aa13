"""Writes to the register."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from clusters.dates import FIRST_DAY, FIRST_YEAR, LAST_DAY, LAST_YEAR
from clusters.models import Cluster
from clusters.models.history import origin
from labels.models import Label, LabelKind, LabelQuerySet, Level, LevelRule
from labels.validity import Days, EndsBeforeItStarts, validity

# What `Label.apply_validity` sets; the days that a reader sees come first.
DERIVED = (
    *Days._fields,
    "start_is_computed",
    "end_is_computed",
    "days_are_exact",
    "minimum_score",
    "rule_id",
)
MOST_TOLD = 5


class LabelEndsBeforeItStarts(ValueError):
    """The days of a label that rules would make contradict each other."""

    def __init__(self, label: Label, error: EndsBeforeItStarts) -> None:
        super().__init__(f"{label.public_id} ({label}): {error}")
        self.label, self.starts_on, self.ends_on = label, error.starts_on, error.ends_on

    def in_words(self) -> ValidationError:
        message = _("Label %(label)s would end (%(end)s) before it starts (%(start)s).")
        days = {"label": self.label.public_id, "start": self.starts_on, "end": self.ends_on}
        return ValidationError(message, params=days)


def hold(clusters: "Iterable[int] | QuerySet[Any, Any]") -> None:
    """Lock clusters to the end of the transaction: one step at a time in the life of their labels.

    Always in the same order, so that no two wait for each other.
    """
    rows = Cluster.objects.filter(pk__in=clusters).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


@transaction.atomic
def save_label(label: Label) -> Label:
    """Derive the effective days, check the whole row, and save it; what follows it, too.

    Where its days changed, its renewals and the label that took its place are derived anew.
    Raises ValidationError that names the field.
    """
    # What it counts from may have been saved since this row was read.
    for name in ("renews", "transferred_from"):
        if getattr(label, f"{name}_id") is not None:
            setattr(label, name, Label.objects.get(pk=getattr(label, f"{name}_id")))
    label.clean_fields()
    moved = moved_with(label)
    rest(moved)
    label.full_clean()
    refuse_far_days(label)
    label.save()
    for follower in moved:
        follower.full_clean()
        refuse_far_days(follower)
        if hasattr(label, "_history_user"):
            follower._history_user = label._history_user
        follower.save()
    return label


def latest_end_by_rule(label: Label) -> date | None:
    """The last day that the rules give it at most; None where its start is not known."""
    if label.transferred_from is not None:
        return label.transferred_from.ends_on
    rules = [rule.as_rule() for rule in LevelRule.objects.filter(level=label.level_id)]
    days = validity(
        start=label.start,
        printed_end=None,
        rules=rules,
        is_renewal=label.kind == LabelKind.RENEWAL,
        previous_end=label.renews.possible_ends if label.renews else None,
        extended_until=None,
    )
    return days.end.latest if days else None


def refuse_far_days(label: Label) -> None:
    # What is counted from a day that may be written may lie beyond.
    days = [day for day in label.effective_days if day is not None]
    for day in days:
        if not FIRST_DAY <= day <= LAST_DAY:
            message = _(
                "Label %(label)s would be valid or renewable on %(day)s, outside the years"
                " %(first)d to %(last)d."
            )
            said = {"label": label.public_id, "day": day, "first": FIRST_YEAR, "last": LAST_YEAR}
            raise ValidationError(message, code="year", params=said)


def moved_with(label: Label) -> list[Label]:
    # What counts from a label and is derived otherwise now, not saved; the nearest first.
    if label._state.adding:
        return []
    try:
        label.derive_days()
    except EndsBeforeItStarts:
        return []  # `full_clean` says so in words
    known = {label.pk: label}
    moved: list[Label] = []
    nearest = [label]
    while nearest:
        found = list(followers_of(nearest).exclude(pk__in=known))
        nearest = [follower for follower in found if is_moved(follower, known)]
        known |= {follower.pk: follower for follower in nearest}
        moved += nearest
    return moved


def is_moved(follower: Label, known: dict[int, Label]) -> bool:
    # Derive a label anew from the one that it counts from; whether that makes a difference.
    before = derived(follower)
    given = link(follower, known)
    is_renewal = follower.renews is given
    if given.level_id != follower.level_id or (
        is_renewal and given.cluster_id != follower.cluster_id
    ):
        message = _(
            "Label %(label)s counts from this one: the level stays, and the cluster of a renewal."
        )
        raise ValidationError(message, params={"label": follower.public_id})
    try:
        follower.derive_days()
    except EndsBeforeItStarts as error:
        raise LabelEndsBeforeItStarts(follower, error).in_words() from error
    return derived(follower) != before


def derived(label: Label) -> tuple[Any, ...]:
    return tuple(getattr(label, name) for name in DERIVED)


def link(label: Label, known: dict[int, Label]) -> Label:
    # Let a label count from the row in memory; returns that.
    if label.renews_id in known:
        label.renews = known[label.renews_id]
    if label.transferred_from_id in known:
        label.transferred_from = known[label.transferred_from_id]
    return label.transferred_from or label.renews or label


def followers_of(labels: Iterable[Label]) -> LabelQuerySet:
    # What renews labels, and what took their place; a revoked one keeps its days.
    keys = [label.pk for label in labels]
    found = Label.objects.filter(Q(renews__in=keys) | Q(transferred_from__in=keys))
    return found.filter(revoked_on=None).select_related("level", "renews", "transferred_from")


def clusters_behind(label: Label) -> set[int]:
    # The clusters of whose labels one may change when this label does.
    clusters: set[int] = set()
    known: set[int] = set()
    nearest = [label]
    while nearest:
        clusters |= {row.cluster_id for row in nearest}
        known |= {row.pk for row in nearest}
        nearest = list(followers_of(nearest).exclude(pk__in=known))
    return clusters


def rest(labels: Iterable[Label]) -> None:
    """Take rows that are saved anew out of the comparison of who is in force, until they are.

    The database holds "decided here" to exact days, so that rests as well.
    """
    keys = [label.pk for label in labels]
    if keys:
        rows = Label.objects.filter(pk__in=keys, revoked_on=None)
        rows.update(days_are_exact=False, decided_here=False)


# Rules


def derivations(
    level: Level, rules: Iterable[LevelRule]
) -> Iterator[tuple[Label, tuple[Any, ...]]]:
    """Each of the level's labels as these rules make it, not saved, and `DERIVED` as stored.

    Raises LabelEndsBeforeItStarts.
    """
    by_rule = {rule.as_rule(): rule for rule in rules}
    known: dict[int, Label] = {}
    # Oldest first: a renewal counts from the end, as just derived, of what it renews.
    labels = level.labels.select_related("cluster", "transferred_from")
    for label in labels.order_by("starts_on", "pk"):
        before = derived(label)
        known[label.pk] = label
        if label.revoked_on is None:  # else it does not change any more
            label.level = level
            link(label, known)
            try:
                label.apply_validity(by_rule)
            except EndsBeforeItStarts as error:
                raise LabelEndsBeforeItStarts(label, error) from error
        yield label, before


def refuse_rules(level: Level, rules: Iterable[LevelRule]) -> None:
    """Raises ValidationError, in words, where a label of the level cannot be as the rules say."""
    refuse_labels([label for label, _before in derivations_in_words(level, rules)])


def derivations_in_words(
    level: Level, rules: Iterable[LevelRule]
) -> Iterator[tuple[Label, tuple[Any, ...]]]:
    try:
        yield from derivations(level, rules)
    except LabelEndsBeforeItStarts as error:
        raise error.in_words() from error


def refuse_labels(labels: list[Label]) -> None:
    errors = [*errors_of_each(labels), *errors_of_pairs(labels)]
    if errors:
        raise ValidationError(errors[:MOST_TOLD])


def errors_of_each(labels: Iterable[Label]) -> Iterator[ValidationError]:
    for label in labels:
        if label.revoked_on is not None:
            continue
        try:
            refuse_far_days(label)
        except ValidationError as error:
            yield error
        said = {
            "label": label.public_id,
            "score": label.score,
            "minimum": label.minimum_score,
            "day": label.transferred_on,
        }
        if label.score is not None and (label.minimum_score or 0) > label.score:
            message = _("Label %(label)s has a score of %(score)s, under a minimum of %(minimum)s.")
            yield ValidationError(message, params=said)
        if label.transferred_on and label.ends_on and label.transferred_on > label.ends_on:
            message = _("Label %(label)s was transferred on %(day)s and would have ended before.")
            yield ValidationError(message, params=said)


def errors_of_pairs(labels: Iterable[Label]) -> Iterator[ValidationError]:
    # What the database would refuse: two of a cluster in force on one day, both known to it.
    in_force: dict[int, list[tuple[date, date, int, Label]]] = defaultdict(list)
    for label in labels:
        if label.is_published and label.days_are_exact:
            assert label.starts_on is not None
            span = (label.starts_on, last_day_in_force(label), label.pk, label)
            if span[0] <= span[1]:
                in_force[label.cluster_id].append(span)
    for spans in in_force.values():
        for (_first, last, _key, one), (first, _last, _other_key, other) in pairwise(sorted(spans)):
            if first <= last:
                message = _(
                    "%(cluster)s would have two labels of this level in force on %(day)s: "
                    "%(label)s and %(other)s."
                )
                said = {"label": one.public_id, "other": other.public_id}
                yield ValidationError(message, params=said | {"cluster": one.cluster, "day": first})


def last_day_in_force(label: Label) -> date:
    """Wants a dated label. A revocation and a transfer take effect on their own day."""
    assert label.ends_on is not None
    ended = [day for day in (label.revoked_on, label.transferred_on) if day]
    return min([label.ends_on, *(day - timedelta(days=1) for day in ended)])


@transaction.atomic
def apply_rules(level: Level) -> list[Label]:
    """Derive the labels of a level again after a rule changed; returns those with other days.

    Raises ValidationError, in words, where one cannot be as the rules say.
    """
    hold(level.labels.values("cluster"))
    found = list(derivations_in_words(level, level.rules.all()))
    refuse_labels([label for label, _before in found])
    changed = [(label, before) for label, before in found if derived(label) != before]
    rest(label for label, _before in changed)
    write_derived([label for label, _before in changed])
    return [label for label, before in changed if label.effective_days != days_in(before)]


def write_derived(labels: list[Label]) -> None:
    # With their versions. Many of thousands of labels get the same days, so they go together.
    names = (*DERIVED, "decided_here")
    together: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for label in labels:
        together[tuple(getattr(label, name) for name in names)].append(label.pk)
    for values, keys in together.items():
        Label.objects.filter(pk__in=keys).update(**dict(zip(names, values, strict=True)))
    versions: Any = Label.history
    versions.bulk_history_create(
        labels, batch_size=500, update=True, default_change_reason=origin()
    )


def days_in(derived: tuple[Any, ...]) -> Days:
    return Days(*derived[: len(Days._fields)])
