"""What happened to a label and what lies ahead, step by step in words, as known on a day.

Only decisions that were made are told, with their reasons; nobody is named.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clusters.dates import PartialDate
from clusters.http.links import Link
from clusters.models import Cluster
from labels.models import Decision, DecisionKind, Label
from labels.validity import IN_FORCE, Interval, State, state_on
from labels.words import in_words

# What a correction is told of: the facts that the page of a label shows.
SHOWN = (
    "certificate_number",
    "cluster",
    "managing_organisation",
    "level",
    "kind",
    "renews",
    "assessed_on",
    "awarded_on",
    "announced_on",
    "valid_until",
    "awarded_by",
    "score",
    "source",
)


class StepKind(StrEnum):
    """In the order of one day."""

    ASSESSED = "assessed"
    AWARDED = "awarded"
    ANNOUNCED = "announced"
    BEGUN = "begun"
    CORRECTED = "corrected"
    MANAGED = "managed"
    EXTENDED = "extended"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    RENEWED = "renewed"
    TRANSFERRED = "transferred"
    REVOKED = "revoked"
    ANNULLED = "annulled"
    ENDED = "ended"
    CLOSED = "closed"


ORDER = {kind: number for number, kind in enumerate(StepKind)}
# Told before their day: they follow from what is printed on the label and from its rule.
FORESEEN = frozenset(
    {
        StepKind.ASSESSED,
        StepKind.AWARDED,
        StepKind.ANNOUNCED,
        StepKind.BEGUN,
        StepKind.ENDED,
        StepKind.CLOSED,
    }
)
# These days still belong to what they end.
LAST_DAYS = frozenset({StepKind.ENDED, StepKind.CLOSED})


@dataclass(frozen=True)
class ChronicleStep:
    """`when` is as precise as it is known; `known_on` is the day from which it is told.

    On `annulled_on` what was done is taken back, and told as that.
    """

    kind: StepKind
    day: date
    when: PartialDate | date
    text: str
    reason: str = ""
    link: Link | None = None
    known_on: date | None = None
    annulled_on: date | None = None
    is_to_come: bool = False


def steps_of(label: Label, renewals: Iterable[Label], day: date) -> list[ChronicleStep]:
    """The earliest first; what nobody knew on the day is left out, what was ahead says so.

    Wants a row of `for_pages()` and its published renewals. One query, and one more where the
    label was corrected.
    """
    decisions = list(
        Decision.objects.made().of_label(label).with_holders().latest_first().reverse()
    )
    undone_by = {one.undoes_id: one for one in decisions if one.undoes_id is not None}
    standing = [one for one in decisions if one.pk not in undone_by]
    every = [
        *printed_steps(label),
        *beginning(label, standing),
        *suspension_steps(label, standing),
        *renewal_steps(renewals),
        *gone_steps(label, standing),
        *decided_steps(label, decisions, undone_by),
    ]
    known = [step for step in every if is_known_on(step, day)]
    known += last_days(label, known, day)
    told = [as_known_on(step, day) for step in known]
    return sorted(told, key=lambda step: (step.day, ORDER[step.kind]))


def is_known_on(step: ChronicleStep, day: date) -> bool:
    if step.annulled_on is not None and step.annulled_on <= day:
        return False
    known_on = step.day if step.known_on is None else min(step.day, step.known_on)
    return step.kind in FORESEEN or known_on <= day


def as_known_on(step: ChronicleStep, day: date) -> ChronicleStep:
    is_to_come = step.day > day or (step.kind in LAST_DAYS and step.day == day)
    return ChronicleStep(**vars(step) | {"is_to_come": is_to_come})


def printed_steps(label: Label) -> Iterator[ChronicleStep]:
    printed = (
        (StepKind.ASSESSED, label.assessed_on, _("Assessed")),
        (StepKind.AWARDED, label.awarded_on, _("Awarded")),
        (StepKind.ANNOUNCED, label.announced_on, _("Announced")),
    )
    for kind, when, text in printed:
        if when is not None:
            yield ChronicleStep(kind, when.first_day, when, text)


def beginning(label: Label, decisions: Sequence[Decision]) -> Iterator[ChronicleStep]:
    """None where the label was revoked on its first day."""
    day = label.starts_on
    if day is None or label.state_on(day) not in IN_FORCE:
        return
    if label.transferred_from_id is not None:
        holder = label.moved_from_holder
        words = _("Taken over from %(cluster)s") if holder else _("Taken over by transfer")
        link = link_to(label.moved_from)
        yield ChronicleStep(StepKind.BEGUN, day, day, words % {"cluster": holder}, link=link)
        return
    when = day if label.start is None or label.start_is_computed else label.start
    reason = reason_of(decisions, {DecisionKind.AWARD, DecisionKind.RENEWAL})
    yield ChronicleStep(StepKind.BEGUN, day, when, _("Valid from then on"), reason)


def last_days(label: Label, known: Sequence[ChronicleStep], day: date) -> Iterator[ChronicleStep]:
    # The end and the last day to renew, as far as nothing that was known comes before them.
    ends_on, renewable_until = label.ends_on, label.renewable_until
    if ends_on is None or renewable_until is None:
        return
    if state_foreseen(label, ends_on, known, day) in IN_FORCE:
        is_printed = label.valid_until is not None and label.extended_until is None
        when = label.valid_until if is_printed else ends_on
        yield ChronicleStep(StepKind.ENDED, ends_on, when, _("End of the validity"))
    if state_foreseen(label, renewable_until, known, day) == State.RENEWABLE:
        yield ChronicleStep(
            StepKind.CLOSED, renewable_until, renewable_until, _("Last day to renew it")
        )


def state_foreseen(label: Label, on: date, known: Sequence[ChronicleStep], day: date) -> State:
    # The state on a day as far as it was known on another one.
    days = {kind: sorted(step.day for step in known if step.kind == kind) for kind in StepKind}
    first = {kind: found[0] for kind, found in days.items() if found}
    ends = days[StepKind.REINSTATED]
    taken_over_on = label.taken_over_on
    if taken_over_on and taken_over_on > day and taken_over_on not in days[StepKind.RENEWED]:
        taken_over_on = None
    as_known = replace(
        label.days(),
        revoked_on=first.get(StepKind.REVOKED),
        transferred_on=first.get(StepKind.TRANSFERRED),
        suspensions=[
            Interval(begin, next((end for end in ends if end > begin), None))
            for begin in days[StepKind.SUSPENDED]
        ],
        taken_over_on=taken_over_on,
    )
    return state_on(on, as_known)


def suspension_steps(label: Label, decisions: Sequence[Decision]) -> Iterator[ChronicleStep]:
    for suspension in label.suspensions.all():
        begins, ends = suspension.starts_on, suspension.ends_on
        known_on = known_since(decisions, DecisionKind.SUSPENSION, begins)
        yield ChronicleStep(
            StepKind.SUSPENDED, begins, begins, _("Suspended"), suspension.reason, known_on=known_on
        )
        if ends is not None:
            yield ChronicleStep(
                StepKind.REINSTATED,
                ends,
                ends,
                _("Reinstated"),
                reason_of(decisions, {DecisionKind.REINSTATEMENT}, ends),
                known_on=known_since(decisions, DecisionKind.REINSTATEMENT, ends),
            )


def renewal_steps(renewals: Iterable[Label]) -> Iterator[ChronicleStep]:
    for renewal in renewals:
        if renewal.starts_on is not None:
            assessed_on = renewal.start.first_day if renewal.start else None
            yield ChronicleStep(
                StepKind.RENEWED,
                renewal.starts_on,
                renewal.starts_on,
                _("Renewed by the next label"),
                link=link_to(renewal.public_id),
                known_on=assessed_on,
            )


def gone_steps(label: Label, decisions: Sequence[Decision]) -> Iterator[ChronicleStep]:
    if label.revoked_on is not None:
        yield ChronicleStep(
            StepKind.REVOKED,
            label.revoked_on,
            label.revoked_on,
            _("Revoked"),
            label.revocation_reason,
            known_on=known_since(decisions, DecisionKind.REVOCATION, label.revoked_on),
        )
    if label.transferred_on is not None:
        moved = last_transfer(label, decisions)
        holder = label.moved_to_holder
        words = _("Transferred to %(cluster)s") if holder else _("Transferred to another holder")
        yield ChronicleStep(
            StepKind.TRANSFERRED,
            label.transferred_on,
            label.transferred_on,
            words % {"cluster": holder},
            moved.reason if moved else "",
            link_to(label.moved_to),
            decided_on(moved) if moved else None,
        )


def decided_steps(
    label: Label, decisions: Sequence[Decision], undone_by: Mapping[int, Decision]
) -> Iterator[ChronicleStep]:
    # What no fact of the label tells: extensions, other managers, corrections, what was annulled.
    corrections = [one for one in decisions if one.kind == DecisionKind.CORRECTION]
    facts = corrected_facts(label, corrections)
    undone: dict[int | None, Decision] = {one.pk: one for one in decisions if one.pk in undone_by}
    for decision in decisions:
        corrected = ", ".join(facts.get(decision.pk, ()))
        until = decided_on(undone_by[decision.pk]) if decision.pk in undone else None
        if decision.kind == DecisionKind.EXTENSION:
            words = _("Extended to %(day)s") % {"day": in_words(decision.ends_on)}
            yield step_of(StepKind.EXTENDED, decision, words, until)
        elif decision.kind == DecisionKind.TRANSFER and decision.cluster_after_id is None:
            yield step_of(StepKind.MANAGED, decision, words_of_managers(decision), until)
        elif corrected:
            words = _("Corrected: %(facts)s") % {"facts": corrected}
            yield step_of(StepKind.CORRECTED, decision, words, until)
        elif decision.undoes_id in undone:
            annulled = undone[decision.undoes_id]
            corrected = ", ".join(facts.get(annulled.pk, ()))
            if annulled.kind != DecisionKind.CORRECTION or corrected:
                words = _("Annulled: %(what)s") % {"what": words_of_annulled(annulled, corrected)}
                yield step_of(StepKind.ANNULLED, decision, words)


def step_of(
    kind: StepKind, decision: Decision, words: str, annulled_on: date | None = None
) -> ChronicleStep:
    day = decision.takes_effect_on
    return ChronicleStep(
        kind,
        day,
        day,
        words,
        decision.reason,
        known_on=decided_on(decision),
        annulled_on=annulled_on,
    )


def words_of_annulled(decision: Decision, corrected: str) -> str:
    if decision.kind == DecisionKind.EXTENSION:
        return _("extension to %(day)s") % {"day": in_words(decision.ends_on)}
    if decision.kind == DecisionKind.SUSPENSION:
        return _("suspension from %(day)s") % {"day": in_words(decision.takes_effect_on)}
    if decision.kind == DecisionKind.CORRECTION:
        return _("correction of %(facts)s") % {"facts": corrected}
    holder = decision.cluster_after or decision.organisation_after
    if holder is not None and holder.is_published:
        return _("transfer to %(holder)s") % {"holder": holder.name}
    return _("transfer to another holder")


def words_of_managers(decision: Decision) -> str:
    organisations = (decision.organisation_before, decision.organisation_after)
    before, after = (one.name if one and one.is_published else None for one in organisations)
    if before and after:
        words = _("Passed from the management of %(before)s to that of %(after)s")
    elif after:
        words = _("Passed to the management of %(after)s")
    else:
        words = _("Passed to another managing organisation")
    return words % {"before": before, "after": after}


def corrected_facts(label: Label, corrections: Sequence[Decision]) -> dict[int, list[str]]:
    """The names of the public facts that each correction changed, by its key.

    Without an entry where it changed none, or what nobody had seen yet. One query, none without
    corrections.
    """
    if not corrections:
        return {}
    was_listed = Cluster.history.filter(
        id=OuterRef("cluster_id"), is_published=True, history_date__lte=OuterRef("history_date")
    )
    versions = list(
        Label.history.filter(id=label.pk)
        .annotate(holder_was_public=Exists(was_listed))
        .order_by("history_date", "history_id")
    )
    found = {}
    for correction in corrections:
        at = next((n for n, one in enumerate(versions) if is_of(one, correction)), 0)
        was_public = any(one.is_published for one in versions[:at])
        was_public = was_public and versions[at].holder_was_public
        names = changed_facts(versions[at - 1], versions[at]) if was_public else []
        if names:
            found[correction.pk] = names
    return found


def is_of(version: Any, correction: Decision) -> bool:
    # Whether the correction wrote this version; it keeps the reason.
    is_later: bool = version.history_date >= correction.decided_at
    return is_later and version.history_change_reason == correction.reason


def changed_facts(before: object, after: object) -> list[str]:
    fields: list[Any] = [Label._meta.get_field(name) for name in SHOWN]
    return [
        str(field.verbose_name)
        for field in fields
        if getattr(before, field.attname) != getattr(after, field.attname)
    ]


def last_transfer(label: Label, decisions: Sequence[Decision]) -> Decision | None:
    # The decision that moved a label to another cluster: the last, for nothing follows it.
    if label.transferred_on is None:
        return None
    transfers = [one for one in decisions if one.kind == DecisionKind.TRANSFER]
    return max(transfers, key=lambda one: one.pk, default=None)


def reason_of(
    decisions: Sequence[Decision], kinds: set[DecisionKind], day: date | None = None
) -> str:
    for decision in decisions:
        if decision.kind in kinds and day in (None, decision.takes_effect_on):
            return decision.reason
    return ""


def known_since(decisions: Sequence[Decision], kind: DecisionKind, day: date) -> date | None:
    """The day on which this was decided to hold from a day, None where no decision tells."""
    found = (one for one in decisions if one.kind == kind and one.takes_effect_on == day)
    return next((decided_on(decision) for decision in found), None)


def decided_on(decision: Decision) -> date:
    assert decision.decided_at is not None
    return timezone.localdate(decision.decided_at)


def link_to(public_id: str | None) -> Link | None:
    if public_id is None:
        return None
    address = reverse("labels:detail", args=[public_id])
    return Link(_("label %(number)s") % {"number": public_id}, address)
