"""What each decision does to its label, once it is made.

Each effect refuses in words what the register does not allow (ValidationError); so a proposal is
tried before it waits, and again when it is approved.
"""

from collections.abc import Callable, Iterable
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from rapidfuzz.distance import Levenshtein

from clusters.models import Account
from clusters.models.history import came_from
from labels.life.changes import CHANGED_MEANWHILE, change, reverted
from labels.life.days import clusters_behind, hold, save_label
from labels.life.refusals import (
    Situation,
    annulment_refusals,
    extension_refusals,
    gone_refusals,
    move_refusals,
    refusals_of_any_renewal,
    refuse_first,
    reinstatement_refusals,
    suspension_refusals,
    transfer_refusals,
)
from labels.models import Decision, DecisionKind, Label, Suspension
from labels.models.labels import CORRECTED_ALONE

MOST_SIGNS_OF_A_SLIP = 2
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


def put_into_effect(decision: Decision, label: Label, *, by: Account | None, today: date) -> None:
    """Change the locked label as a stored decision says that was made (a trigger asks for it)."""
    # Of what one person corrects alone, an older decision may wait.
    if not is_corrected_alone(decision):
        label.decision = decision
    EFFECTS[DecisionKind(decision.kind)](decision, label, by, today)


def is_corrected_alone(decision: Decision) -> bool:
    is_small = decision.kind == DecisionKind.CORRECTION and (
        decision.changes.keys() <= CORRECTED_ALONE
    )
    return is_small and is_slip(*decision.changes.get("certificate_number", ("", "")))


def is_slip(before: str, after: str) -> bool:
    """Whether one number is the other mistyped: not a number given, taken away or exchanged."""
    if before == after:
        return True
    return bool(before and after) and Levenshtein.distance(before, after) <= MOST_SIGNS_OF_A_SLIP


def begin_label(decision: Decision, label: Label, by: Account | None, today: date) -> None:
    if label.renews is not None and label.decided_here:
        refuse_late_renewal(label, label.renews, today)
    label.is_published = True
    save(label, reason=decision.reason, by=by)


def move_the_end(decision: Decision, label: Label, by: Account | None, today: date) -> None:
    refuse_first(extension_refusals(Situation(label, today)))
    if label.ends_on is None or decision.ends_on is None or decision.ends_on <= label.ends_on:
        raise ValidationError(
            {
                "until": ValidationError(
                    _("The new end lies after the present one (%(day)s)."),
                    params={"day": label.ends_on or "–"},
                )
            }
        )
    label.extended_until = decision.ends_on
    save(label, reason=decision.reason, by=by)


def begin_suspension(decision: Decision, label: Label, by: Account | None, today: date) -> None:
    day = decision.takes_effect_on
    refuse_first(suspension_refusals(Situation(label, day)))
    suspension = Suspension(label=label, starts_on=day, reason=decision.reason)
    save_suspension(suspension, reason=decision.reason, by=by)


def end_suspension(decision: Decision, label: Label, by: Account | None, today: date) -> None:
    situation = Situation(label, decision.takes_effect_on)
    refuse_first(reinstatement_refusals(situation))
    suspension = situation.open_suspension
    assert suspension is not None
    if situation.day <= suspension.starts_on:
        raise ValidationError({"on": _("A label is reinstated after it was suspended.")})
    suspension.ends_on = situation.day
    save_suspension(suspension, reason=decision.reason, by=by)


def mark_revoked(decision: Decision, label: Label, by: Account | None, today: date) -> None:
    day = decision.takes_effect_on
    refuse_first(gone_refusals(Situation(label, day)))
    if label.starts_on is not None and day < label.starts_on:
        message = _("The label begins on %(day)s.")
        raise ValidationError({"on": ValidationError(message, params={"day": label.starts_on})})
    label.revoked_on, label.revocation_reason = day, decision.reason
    save(label, reason=decision.reason, by=by)


def apply_changes(decision: Decision, label: Label, by: Account | None, today: date) -> None:
    if label.revoked_on is not None:
        raise ValidationError(_("This label was revoked; it does not change any more."))
    change(label, decision.changes)
    save(label, reason=decision.reason, by=by)


def transfer(decision: Decision, label: Label, by: Account | None, today: date) -> None:
    situation = Situation(label, decision.takes_effect_on)
    refuse_first(transfer_refusals(situation))
    if decision.cluster_after_id is not None:
        refuse_first(move_refusals(situation))
        move(decision, label, by)
    elif decision.organisation_after_id == label.managing_organisation_id:
        raise ValidationError(_("Say to which cluster or organisation the label moves."))
    else:
        label.managing_organisation = decision.organisation_after
        save(label, reason=decision.reason, by=by)


def move(decision: Decision, label: Label, by: Account | None) -> None:
    label.transferred_on = decision.takes_effect_on
    save(label, reason=decision.reason, by=by)
    taken = {name: getattr(label, name) for name in GOES_ALONG}
    holder = {
        "cluster": decision.cluster_after,
        "managing_organisation": decision.organisation_after,
    }
    successor = Label(**taken | holder, transferred_from=label)
    save(successor, reason=decision.reason, by=by)


def take_back_decision(decision: Decision, label: Label, by: Account | None, today: date) -> None:
    undone = decision.undoes
    assert undone is not None
    refuse_first(annulment_refusals(Situation(label, today), undone, today))
    if undone.kind == DecisionKind.SUSPENSION:
        end_unbegun_suspension(label, reason=decision.reason, by=by)
        return
    if undone.cluster_after_id is not None:
        take_back(Label.objects.get(transferred_from=label), decision, by)
    change(label, reverted(undone.changes))
    save(label, reason=decision.reason, by=by)


def end_unbegun_suspension(label: Label, *, reason: str, by: Account | None) -> None:
    suspension = label.suspensions.get(ends_on=None)
    suspension._history_user = by
    with came_from(reason):
        suspension.delete()


def take_back(successor: Label, decision: Decision, by: Account | None) -> None:
    # It was never a label of that cluster: out of the public, and in the place of no other.
    successor.decision = decision
    successor.is_published = False
    successor.transferred_from = None
    save(successor, reason=decision.reason, by=by)


EFFECTS: dict[DecisionKind, Callable[[Decision, Label, Account | None, date], None]] = {
    DecisionKind.AWARD: begin_label,
    DecisionKind.RENEWAL: begin_label,
    DecisionKind.EXTENSION: move_the_end,
    DecisionKind.SUSPENSION: begin_suspension,
    DecisionKind.REINSTATEMENT: end_suspension,
    DecisionKind.REVOCATION: mark_revoked,
    DecisionKind.CORRECTION: apply_changes,
    DecisionKind.TRANSFER: transfer,
    DecisionKind.ANNULMENT: take_back_decision,
}


# What they share


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


def locked(label: Label, also: Iterable[int] = ()) -> Label:
    """The label as it is stored now, locked with its cluster to the end of the transaction.

    `also`: other clusters that the step is about. Clusters are locked first, all at once: a step
    on any of their labels waits here, before it has read what it decides by.
    """
    held = clusters_behind(Label.objects.get(pk=label.pk)) | {*also}
    hold(held)
    labels = Label.objects.select_related("level", "cluster", "renews", "transferred_from")
    stored = labels.select_for_update(of=("self",), no_key=True).get(pk=label.pk)
    if stored.cluster_id not in held:
        raise ValidationError(CHANGED_MEANWHILE)
    return stored


def refuse_no_reason(reason: str) -> None:
    if not reason.strip():
        raise ValidationError({"reason": _("Give the reason.")})


def save(label: Label, *, reason: str, by: Account | None) -> None:
    refuse_no_reason(reason)
    label._history_user = by
    with came_from(reason):
        save_label(label)


def save_suspension(suspension: Suspension, *, reason: str, by: Account | None) -> None:
    refuse_no_reason(reason)
    suspension._history_user = by
    suspension.full_clean()
    with came_from(reason):
        suspension.save()
