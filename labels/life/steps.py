"""The steps in the life of a label: each atomic, dated, attributed, with its reason.

A step locks the cluster, reads the label again, refuses in words what the register does not allow
(ValidationError), and leaves a `Decision`. Of two people who take the same step at the same
moment one wins; the other is told. Awards, renewals and revocations are proposed by one person
and approved by another (`REQUIRE_TWO_PERSONS`): until then nothing of them is public.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from clusters.models import Account, Cluster, Organisation
from clusters.models.history import came_from
from labels.life.days import clusters_behind, hold, save_label
from labels.models import Decision, DecisionKind, DecisionState, Label, LabelKind, Suspension
from labels.validity import State

CHANGED_MEANWHILE = _(
    "Somebody changed this label in the meantime. Look at it again before you save."
)

RENEWED = _("This label has been renewed already.")
SUSPENDED = _("The label is suspended: reinstate it before it is transferred.")
SUSPENDED_LATER = _("The label was suspended later than that before.")

TAKEN_OVER = ("cluster", "level", "managing_organisation", "awarded_by")
GOES_ALONG = (
    *TAKEN_OVER,
    "extended_until",
    "certificate_number",
    "kind",
    "assessed_on",
    "awarded_on",
    "announced_on",
    "valid_until",
    "score",
    "benchmarked_on",
    "areas_of_improvement",
    "source",
    "decided_here",
)
# Set by steps of their own, so that a correction leaves them as they are stored.
NOT_CORRECTED = (
    "public_id",
    "status_index",
    "decided_here",
    "extended_until",
    "transferred_on",
    "transferred_from",
)


# Awards and renewals


@transaction.atomic
def award(
    label: Label, *, reason: str, by: Account, now: datetime, is_recorded: bool = False
) -> Decision:
    """Propose a new label, saved here and not public until somebody else approves.

    `is_recorded`: not decided here but told by a source, so what that does not say stays empty.
    """
    if label.cluster_id is not None:
        hold([label.cluster_id])
    if label.pk and was_public(label):
        raise ValidationError(_("This label is in the register already."))
    label.decided_here = not is_recorded
    if not is_recorded:
        refuse_renewal_of_nothing(label)
    if label.renews_id is not None:
        label.renews = Label.objects.get(pk=label.renews_id)
        if not is_recorded:
            refuse_late_renewal(label, label.renews, timezone.localdate(now))
    if is_recorded and not label.source.strip():
        raise ValidationError({"source": _("Name the source of what you record.")})
    # What approving would refuse is refused now.
    label.is_published = True
    try:
        label.full_clean()
    finally:
        label.is_published = False
    kind = DecisionKind.RENEWAL if label.kind == LabelKind.RENEWAL else DecisionKind.AWARD
    save(label, reason=reason, by=by)
    takes_effect_on = label.starts_on or timezone.localdate(now)
    refuse_first(waiting_refusals(Situation(label, takes_effect_on)))
    return propose(label, kind, on=takes_effect_on, reason=reason, by=by, now=now)


@transaction.atomic
def renew(earlier: Label, label: Label, *, reason: str, by: Account, now: datetime) -> Decision:
    """Propose the renewal of a label: seamless, from the day after its end, by the rule then.

    `label` brings the day of the assessment and what else is new. That day may lie on the last
    day of the renewal window and not after it; then only a first award is left. A renewal that is
    proposed after the window closed is an `award` that renews.
    """
    stored = locked(earlier)
    refuse_first(renewal_refusals(Situation(stored, timezone.localdate(now))))
    label.renews, label.kind = stored, LabelKind.RENEWAL
    for name in TAKEN_OVER:
        if getattr(label, f"{name}_id") is None:
            setattr(label, name, getattr(stored, name))
    return award(label, reason=reason, by=by, now=now)


def refuse_renewal_of_nothing(label: Label) -> None:
    if label.kind == LabelKind.RENEWAL and label.renews_id is None:
        raise ValidationError({"renews": _("Say which label it renews.")})


def refuse_late_renewal(label: Label, earlier: Label, day: date) -> None:
    refuse_first(refusals_of_any_renewal(Situation(earlier, day)))
    assert earlier.renewable_until is not None
    assert earlier.starts_on is not None
    if label.assessed_on is None or label.assessed_on.precision != "day":
        raise ValidationError(
            {"assessed_on": _("Give the day of the assessment, not only its month.")}
        )
    assessed_on = label.assessed_on.first_day
    if assessed_on > earlier.renewable_until:
        raise ValidationError(
            {
                "assessed_on": ValidationError(
                    _(
                        "The renewal window closed on %(day)s: after that only a first award is "
                        "possible."
                    ),
                    params={"day": earlier.renewable_until},
                )
            }
        )
    if assessed_on < earlier.starts_on:
        raise ValidationError(
            {"assessed_on": _("The assessment lies before the label that it renews.")}
        )


# Proposing and deciding


def propose(
    label: Label, kind: DecisionKind, *, on: date, reason: str, by: Account, now: datetime
) -> Decision:
    refuse_no_reason(reason)
    decision = Decision(
        label=label,
        kind=kind,
        takes_effect_on=on,
        reason=reason,
        needs_two=settings.REQUIRE_TWO_PERSONS,
        proposed_by=by,
        proposed_at=now,
    )
    save_decision(decision)
    return decision if decision.needs_two else approve(decision, by=by, now=now)


@transaction.atomic
def approve(decision: Decision, *, by: Account, now: datetime) -> Decision:
    # Put into effect what somebody else proposed.
    label = locked(decision.label)
    situation = Situation(label, timezone.localdate(now))
    decision = undecided(decision)
    if decision.needs_two and decision.proposed_by_id == by.pk:
        raise ValidationError(_("You proposed this: somebody else has to approve it."))
    if decision.kind == DecisionKind.REVOCATION:
        refuse_first(gone_refusals(situation))
        refuse_before_it_begins(label, decision.takes_effect_on)
        label.revoked_on, label.revocation_reason = decision.takes_effect_on, decision.reason
    else:
        if label.renews is not None and label.decided_here:
            refuse_late_renewal(label, label.renews, situation.day)
        label.is_published = True
    save(label, reason=decision.reason, by=by)
    if decision.kind != DecisionKind.REVOCATION:
        # What it counts from may have moved since.
        decision.takes_effect_on = label.starts_on or decision.takes_effect_on
    decided(decision, DecisionState.MADE, by=by, now=now)
    if decision.kind != DecisionKind.REVOCATION:
        # What an app above adds, in the same transaction.
        for path in settings.AFTER_AWARD:
            import_string(path)(label, now)
    return decision


@transaction.atomic
def refuse_proposal(decision: Decision, *, answer: str, by: Account, now: datetime) -> Decision:
    # Nothing comes of a proposal. Who made it may take it back this way.
    decision = undecided(decision)
    if not answer.strip():
        raise ValidationError({"answer": _("Say why you refuse.")})
    decision.answer = answer
    return decided(decision, DecisionState.REFUSED, by=by, now=now)


def undecided(decision: Decision) -> Decision:
    stored = Decision.objects.select_for_update(of=("self",)).get(pk=decision.pk)
    if stored.state != DecisionState.PROPOSED:
        raise ValidationError(_("Somebody has decided this already. Look at it again."))
    return stored


def decided(decision: Decision, state: DecisionState, *, by: Account, now: datetime) -> Decision:
    decision.state, decision.decided_by, decision.decided_at = state, by, now
    save_decision(decision)
    return decision


def save_decision(decision: Decision) -> None:
    # Empty while it waits; and of an account that was erased.
    may_be_empty = ("proposed_by", "decided_by", "decided_at")
    decision.full_clean(exclude=[name for name in may_be_empty if not getattr(decision, name)])
    decision.save()


# Steps that one person takes


@transaction.atomic
def extend(label: Label, *, until: date, reason: str, by: Account, now: datetime) -> Decision:
    # Move the end to a later day while the label is valid or may still be renewed.
    label = locked(label)
    today = timezone.localdate(now)
    refuse_first(extension_refusals(Situation(label, today)))
    if label.ends_on is None or until <= label.ends_on:
        raise ValidationError(
            {
                "until": ValidationError(
                    _("The new end lies after the present one (%(day)s)."),
                    params={"day": label.ends_on or "–"},
                )
            }
        )
    label.extended_until = until
    save(label, reason=reason, by=by)
    return made(
        label, DecisionKind.EXTENSION, on=today, reason=reason, by=by, now=now, ends_on=until
    )


@transaction.atomic
def suspend(label: Label, *, on: date, reason: str, by: Account, now: datetime) -> Decision:
    # Suspend a valid label from a day on, until it is reinstated.
    label = locked(label)
    refuse_first(suspension_refusals(Situation(label, on)))
    suspension = Suspension(label=label, starts_on=on, reason=reason)
    save_suspension(suspension, reason=reason, by=by)
    return made(label, DecisionKind.SUSPENSION, on=on, reason=reason, by=by, now=now)


@transaction.atomic
def reinstate(label: Label, *, on: date, reason: str, by: Account, now: datetime) -> Decision:
    # End the suspension: from that day on the label is what its dates say.
    label = locked(label)
    situation = Situation(label, on)
    refuse_first(reinstatement_refusals(situation))
    suspension = situation.open_suspension
    assert suspension is not None
    if on <= suspension.starts_on:
        raise ValidationError({"on": _("A label is reinstated after it was suspended.")})
    suspension.ends_on = on
    save_suspension(suspension, reason=reason, by=by)
    return made(label, DecisionKind.REINSTATEMENT, on=on, reason=reason, by=by, now=now)


@transaction.atomic
def revoke(label: Label, *, on: date, reason: str, by: Account, now: datetime) -> Decision:
    # Propose to revoke a label from a day on, its first day at the earliest. For good.
    label = locked(label)
    refuse_first(revocation_refusals(Situation(label, on)))
    refuse_before_it_begins(label, on)
    return propose(label, DecisionKind.REVOCATION, on=on, reason=reason, by=by, now=now)


def refuse_before_it_begins(label: Label, on: date) -> None:
    if label.starts_on is not None and on < label.starts_on:
        raise ValidationError(
            {
                "on": ValidationError(
                    _("The label begins on %(day)s."), params={"day": label.starts_on}
                )
            }
        )


@transaction.atomic
def correct(label: Label, *, reason: str, by: Account, now: datetime) -> Decision:
    """Save what was mistaken in a label; the wrong version stays in the history with the reason.

    `label` carries the right values.
    """
    stored = locked(label, also=label.cluster_id)
    if stored.revoked_on is not None:
        raise ValidationError(_("This label was revoked; it does not change any more."))
    if label.revoked_on is not None or label.revocation_reason:
        raise ValidationError({"revoked_on": _("A label is revoked by a decision of its own.")})
    if not was_public(stored):
        # Who approves sees what was proposed.
        refuse_first(waiting_refusals(Situation(stored, timezone.localdate(now))))
        if label.is_published:
            raise ValidationError(
                {"is_published": _("A label becomes public when it is approved.")}
            )
    for name in NOT_CORRECTED:
        setattr(label, name, getattr(stored, name))
    save(label, reason=reason, by=by)
    today = timezone.localdate(now)
    return made(label, DecisionKind.CORRECTION, on=today, reason=reason, by=by, now=now)


def was_public(label: Label) -> bool:
    return label.is_published or bool(label.history.filter(is_published=True).exists())


@transaction.atomic
def transfer_label(
    label: Label,
    *,
    on: date,
    reason: str,
    by: Account,
    now: datetime,
    cluster: Cluster | None = None,
    organisation: Organisation | None = None,
) -> Decision:
    """Move a valid label to another cluster, after a merger, or to another managing organisation.

    For another cluster a new label, with a public id of its own, takes the place from that day
    to the same end; the old one stays with the cluster that held it, and leads there.
    """
    label = locked(label, also=cluster.pk if cluster else None)
    situation = Situation(label, on)
    refuse_first(transfer_refusals(situation))
    before, after = label.managing_organisation, organisation or label.managing_organisation
    if cluster is None or cluster.pk == label.cluster_id:
        if after == before:
            raise ValidationError(_("Say to which cluster or organisation the label moves."))
        label.managing_organisation = after
        save(label, reason=reason, by=by)
    else:
        refuse_first(move_refusals(situation))
        move(label, cluster, after, on=on, reason=reason, by=by)
    return made(
        label,
        DecisionKind.TRANSFER,
        on=on,
        reason=reason,
        by=by,
        now=now,
        organisation_before=before,
        organisation_after=after,
    )


def move(
    label: Label,
    cluster: Cluster,
    organisation: Organisation | None,
    *,
    on: date,
    reason: str,
    by: Account,
) -> None:
    label.transferred_on = on
    save(label, reason=reason, by=by)
    taken = {name: getattr(label, name) for name in GOES_ALONG}
    successor = Label(**taken | {"cluster": cluster, "managing_organisation": organisation})
    successor.transferred_from = label
    save(successor, reason=reason, by=by)


# What the steps share


def locked(label: Label, also: int | None = None) -> Label:
    """The label as it is stored now, locked with its cluster to the end of the transaction.

    `also`: another cluster that the step is about. Clusters are locked first, all at once: a step
    on any of their labels waits here, before it has read what it decides by.
    """
    held = clusters_behind(Label.objects.get(pk=label.pk)) | ({also} if also else set())
    hold(held)
    labels = Label.objects.select_related("level", "cluster", "renews", "transferred_from")
    stored = labels.select_for_update(of=("self",), no_key=True).get(pk=label.pk)
    if stored.cluster_id not in held:
        raise ValidationError(CHANGED_MEANWHILE)
    return stored


def refuse_no_reason(reason: str) -> None:
    if not reason.strip():
        raise ValidationError({"reason": _("Give the reason.")})


def made(
    label: Label,
    kind: DecisionKind,
    *,
    on: date,
    reason: str,
    by: Account,
    now: datetime,
    **details: Any,
) -> Decision:
    decision = Decision(
        label=label,
        kind=kind,
        takes_effect_on=on,
        reason=reason,
        needs_two=False,
        proposed_by=by,
        proposed_at=now,
        **details,
    )
    return decided(decision, DecisionState.MADE, by=by, now=now)


def save(label: Label, *, reason: str, by: Account) -> None:
    refuse_no_reason(reason)
    label._history_user = by
    with came_from(reason):
        save_label(label)


def save_suspension(suspension: Suspension, *, reason: str, by: Account) -> None:
    refuse_no_reason(reason)
    suspension._history_user = by
    suspension.full_clean()
    with came_from(reason):
        suspension.save()


# Why a step is refused


@dataclass(frozen=True)
class Situation:
    """A label on a day, as the register holds it; each question is asked once, when it arises."""

    label: Label
    day: date

    @cached_property
    def stored(self) -> Label:
        return Label.objects.with_succession().get(pk=self.label.pk)

    @property
    def state(self) -> State:
        return self.stored.state_on(self.day)

    @property
    def open_suspension(self) -> Suspension | None:
        suspensions = self.stored.suspensions.all()
        return next((one for one in suspensions if one.ends_on is None), None)

    @cached_property
    def is_renewed(self) -> bool:
        return Label.objects.filter(renews=self.label, is_published=True).exists()

    @cached_property
    def is_waiting(self) -> bool:
        return self.label.decisions.waiting().exists()


# What stands against a step whatever else is typed, the words for it at their field.
Refusals = Iterator[ValidationError]


def gone_refusals(situation: Situation) -> Refusals:
    # Against every step.
    if situation.label.revoked_on is not None:
        yield ValidationError(_("This label was revoked; it does not change any more."))
    elif situation.label.transferred_on is not None:
        yield ValidationError(
            _("This label was transferred: take the step on label %(label)s."),
            params={"label": situation.label.transferred_to.public_id},
        )
    elif not situation.label.is_published:
        yield ValidationError(_("This label is not public."))


def refusals_of_any_renewal(situation: Situation) -> Refusals:
    # Also of one that is proposed after the window closed.
    yield from gone_refusals(situation)
    if situation.is_renewed:
        yield ValidationError(RENEWED)
    if situation.open_suspension:
        yield ValidationError(_("The label is suspended: reinstate it before it is renewed."))
    if situation.label.ends_on is None:
        yield ValidationError(_("The dates of the earlier label are not known: award a first one."))
    elif not situation.label.end_is_exact:
        yield ValidationError(
            _("The end of that label is not known to the day: correct its dates first.")
        )


def renewal_refusals(situation: Situation) -> Refusals:
    yield from refusals_of_any_renewal(situation)
    if situation.state not in (State.VALID, State.UNCERTAIN, State.RENEWABLE):
        yield ValidationError(
            _(
                "The label is not in its renewal window. Where the assessment lay in it, "
                "propose an award, and choose there that it is a renewal of this label."
            )
        )


def extension_refusals(situation: Situation) -> Refusals:
    yield from gone_refusals(situation)
    if situation.is_renewed:
        yield ValidationError(RENEWED)
    if situation.state not in (State.VALID, State.UNCERTAIN, State.RENEWABLE, State.NOT_YET):
        yield ValidationError(_("Only a label that is valid or may be renewed is extended."))


def suspension_refusals(situation: Situation) -> Refusals:
    yield from gone_refusals(situation)
    if situation.open_suspension:
        yield ValidationError(_("This label is suspended already."))
    yield from not_valid_refusals(situation)
    if any(one.starts_on > situation.day for one in situation.stored.suspensions.all()):
        yield ValidationError({"on": SUSPENDED_LATER})


def not_valid_refusals(situation: Situation) -> Refusals:
    if situation.state not in (State.VALID, State.UNCERTAIN):
        message = _("The label is not valid on %(day)s.")
        yield ValidationError({"on": ValidationError(message, params={"day": situation.day})})


def reinstatement_refusals(situation: Situation) -> Refusals:
    yield from gone_refusals(situation)
    if not situation.open_suspension:
        yield ValidationError(_("This label is not suspended."))


def transfer_refusals(situation: Situation) -> Refusals:
    yield from gone_refusals(situation)
    if situation.state == State.SUSPENDED and situation.open_suspension:
        yield ValidationError(SUSPENDED)
    yield from not_valid_refusals(situation)


def move_refusals(situation: Situation) -> Refusals:
    # Against a transfer to another cluster, beside those against any transfer.
    if situation.day == situation.label.starts_on:
        message = _("On its first day a label is corrected, not transferred.")
        yield ValidationError({"on": message})
    if situation.is_renewed:
        yield ValidationError(RENEWED)
    if situation.open_suspension:
        yield ValidationError(SUSPENDED)
    if any(
        one.ends_on and one.ends_on > situation.day for one in situation.stored.suspensions.all()
    ):
        yield ValidationError({"on": SUSPENDED_LATER})
    yield from waiting_refusals(situation)


def revocation_refusals(situation: Situation) -> Refusals:
    yield from gone_refusals(situation)
    yield from waiting_refusals(situation)


def waiting_refusals(situation: Situation) -> Refusals:
    if situation.is_waiting:
        yield ValidationError(_("Another decision on this label is waiting."))


REFUSALS: dict[DecisionKind, Callable[[Situation], Refusals]] = {
    DecisionKind.RENEWAL: renewal_refusals,
    DecisionKind.EXTENSION: extension_refusals,
    DecisionKind.SUSPENSION: suspension_refusals,
    DecisionKind.REINSTATEMENT: reinstatement_refusals,
    DecisionKind.TRANSFER: transfer_refusals,
    DecisionKind.REVOCATION: revocation_refusals,
}


def refuse_first(refusals: Refusals) -> None:
    for refusal in refusals:
        raise refusal


def first_words(refusals: Refusals) -> str:
    """The first refusal in words; empty where there is none."""
    return next((" ".join(refusal.messages) for refusal in refusals), "")


def why_not(label: Label, kind: DecisionKind, day: date) -> str:
    """Why the register refuses a step that day, in words; empty where it does not."""
    return first_words(REFUSALS[kind](Situation(label, day)))


def why_gone(label: Label, day: date) -> str:
    """Why the register refuses every step, in words; empty where it does not."""
    return first_words(gone_refusals(Situation(label, day)))


def steps_open(label: Label, day: date) -> list[DecisionKind]:
    # The steps that the register would allow for a label on a day, for whoever may take them.
    situation = Situation(label, day)
    return [kind for kind, refusals in REFUSALS.items() if next(refusals(situation), None) is None]
