"""The steps in the life of a label: each atomic, dated, attributed, with its reason.

A step locks the cluster, reads the label again, refuses in words what the register does not allow
(ValidationError), and leaves a `Decision`. Of two people who take the same step at the same
moment one wins; the other is told. What changes a public label is proposed by one person and
approved by another (labels/life/proposals.py): until then nothing of it is public.
"""

from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.models import Account, Cluster, Organisation
from labels.life.changes import changes_between
from labels.life.days import hold
from labels.life.effects import TAKEN_OVER, locked, refuse_late_renewal, refuse_no_reason, save
from labels.life.proposals import propose
from labels.life.refusals import (
    Situation,
    annulled_refusals,
    refuse_first,
    renewal_refusals,
    waiting_refusals,
)
from labels.models import Decision, DecisionKind, Label, LabelKind

# Set by steps of their own, so that a correction leaves them as they are stored.
NOT_CORRECTED = (
    "public_id",
    "decided_here",
    "decision",
    "extended_until",
    "transferred_on",
    "transferred_from",
)


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
    refuse_proposed_twice(label)
    kind = DecisionKind.RENEWAL if label.kind == LabelKind.RENEWAL else DecisionKind.AWARD
    # What approving would refuse is refused now.
    label.is_published = True
    try:
        label.full_clean()
    finally:
        label.is_published = False
    save(label, reason=reason, by=by)
    takes_effect_on = label.starts_on or timezone.localdate(now)
    return propose(label, kind, on=takes_effect_on, reason=reason, by=by, now=now)


def refuse_proposed_twice(label: Label) -> None:
    dates = ("assessed_on", "awarded_on", "valid_until")
    same = {name: getattr(label, name) for name in ("cluster_id", "level_id", *dates)}
    given = {
        (f"{name}__isnull" if value is None else name): (True if value is None else value)
        for name, value in same.items()
    }
    waiting = Decision.objects.waiting().exclude(label=label.pk)
    if waiting.filter(label__in=Label.objects.filter(**given)).exists():
        raise ValidationError(_("The same is proposed already, and waits for a decision."))


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


def extend(label: Label, *, until: date, reason: str, by: Account, now: datetime) -> Decision:
    # Move the end to a later day while the label is valid or may still be renewed.
    today = timezone.localdate(now)
    return propose(
        label, DecisionKind.EXTENSION, on=today, reason=reason, by=by, now=now, ends_on=until
    )


def suspend(label: Label, *, on: date, reason: str, by: Account, now: datetime) -> Decision:
    # Suspend a valid label from a day on, until it is reinstated.
    return propose(label, DecisionKind.SUSPENSION, on=on, reason=reason, by=by, now=now)


def reinstate(label: Label, *, on: date, reason: str, by: Account, now: datetime) -> Decision:
    # End the suspension: from that day on the label is what its dates say.
    return propose(label, DecisionKind.REINSTATEMENT, on=on, reason=reason, by=by, now=now)


def revoke(label: Label, *, on: date, reason: str, by: Account, now: datetime) -> Decision:
    # Revoke a label from a day on, its first day at the earliest. For good.
    return propose(label, DecisionKind.REVOCATION, on=on, reason=reason, by=by, now=now)


@transaction.atomic
def correct(label: Label, *, reason: str, by: Account, now: datetime) -> Decision:
    """Correct what was mistaken in a label; the wrong version stays in the history with the reason.

    `label` carries the right values, and is not saved.
    """
    refuse_no_reason(reason)
    # Also the cluster to which it moves, before anything is read.
    stored = locked(label, also={label.cluster_id})
    if stored.revoked_on is not None:
        raise ValidationError(_("This label was revoked; it does not change any more."))
    if label.revoked_on != stored.revoked_on or label.revocation_reason != stored.revocation_reason:
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
    changes = changes_between(stored, label)
    if not changes:
        raise ValidationError(_("Nothing of the label is different."))
    today = timezone.localdate(now)
    return propose(
        stored, DecisionKind.CORRECTION, on=today, reason=reason, by=by, now=now, changes=changes
    )


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
    label = locked(label, also={cluster.pk} if cluster else ())
    before, after = label.managing_organisation, organisation or label.managing_organisation
    moves = cluster is not None and cluster.pk != label.cluster_id
    return propose(
        label,
        DecisionKind.TRANSFER,
        on=on,
        reason=reason,
        by=by,
        now=now,
        cluster_after=cluster if moves else None,
        organisation_before=before,
        organisation_after=after,
    )


def annul(decision: Decision, *, reason: str, by: Account, now: datetime) -> Decision:
    """Take back a decision that was made in error, as far as nothing has come of it since."""
    refuse_first(annulled_refusals(decision))
    today = timezone.localdate(now)
    return propose(
        decision.label,
        DecisionKind.ANNULMENT,
        on=today,
        reason=reason,
        by=by,
        now=now,
        undoes=decision,
    )
