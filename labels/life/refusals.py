"""Why the register refuses a step in the life of a label, in words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from labels.models import Decision, DecisionKind, DecisionState, Label, Suspension
from labels.validity import State

RENEWED = _("This label has been renewed already.")
SUSPENDED = _("The label is suspended: reinstate it before it is transferred.")
SUSPENDED_LATER = _("The label was suspended later than that before.")
# What two persons can take back; an award is revoked, a reinstated label suspended anew.
ANNULLED = (
    DecisionKind.CORRECTION,
    DecisionKind.EXTENSION,
    DecisionKind.SUSPENSION,
    DecisionKind.TRANSFER,
)


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
        successor = getattr(situation.label, "transferred_to", None)
        yield ValidationError(
            _("This label was transferred: take the step on label %(label)s."),
            params={"label": successor.public_id if successor else "–"},
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


def annulment_refusals(situation: Situation, decision: Decision, today: date) -> Refusals:
    # Against annulling a decision that was made: what it did is no longer there, or has begun.
    label = situation.label
    if decision.kind not in ANNULLED or decision.state != DecisionState.MADE:
        yield ValidationError(_("This decision is not annulled: take a step that ends it."))
    elif label.revoked_on is not None:
        yield ValidationError(_("This label was revoked; it does not change any more."))
    elif decision.kind == DecisionKind.SUSPENSION:
        yield from begun_refusals(situation, decision, today)
    elif decision.cluster_after_id is not None:
        yield from settled_refusals(label)


def annulled_refusals(decision: Decision) -> Refusals:
    if decision.undone_by.made().exists():
        yield ValidationError(_("This decision has been annulled already."))


def begun_refusals(situation: Situation, decision: Decision, today: date) -> Refusals:
    suspension = situation.open_suspension
    if suspension is None or suspension.starts_on != decision.takes_effect_on:
        yield ValidationError(_("This label is not suspended."))
    elif suspension.starts_on <= today:
        yield ValidationError(_("The suspension has begun: reinstate the label."))


def settled_refusals(label: Label) -> Refusals:
    # Where something happened at the new holder since.
    successor = Label.objects.filter(transferred_from=label).first()
    if successor is None or not successor.is_published:
        yield ValidationError(_("The label that took the place is not public."))
    elif successor.decisions.exists() or successor.renewals.exists():
        message = _("Other steps were taken since on label %(label)s.")
        yield ValidationError(message, params={"label": successor.public_id})


def revocation_refusals(situation: Situation) -> Refusals:
    yield from gone_refusals(situation)


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


def refusals(situation: Situation, kind: DecisionKind) -> Refusals:
    # Of a step that somebody would propose that day.
    yield from REFUSALS[kind](situation)
    yield from waiting_refusals(situation)


def why_not(label: Label, kind: DecisionKind, day: date) -> str:
    """Why the register refuses a step that day, in words; empty where it does not."""
    return first_words(refusals(Situation(label, day), kind))


def why_gone(label: Label, day: date) -> str:
    """Why the register refuses every step, in words; empty where it does not."""
    return first_words(gone_refusals(Situation(label, day)))


def why_not_annulled(decision: Decision, today: date) -> str:
    """Why the register does not annul a decision, in words; empty where it does."""
    situation = Situation(decision.label, today)
    return first_words(
        chain(
            annulled_refusals(decision),
            annulment_refusals(situation, decision, today),
            waiting_refusals(situation),
        )
    )


def steps_open(label: Label, day: date) -> list[DecisionKind]:
    # The steps that the register would allow for a label on a day, for whoever may take them.
    situation = Situation(label, day)
    if situation.is_waiting:
        return []
    return [kind for kind, against in REFUSALS.items() if next(against(situation), None) is None]
