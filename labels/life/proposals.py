"""Decisions on labels: proposed by one person, looked at and approved by another.

What changes a public label is a decision, whoever asks for it and by which way; a trigger refuses
anything else (labels/models/triggers.py). With `REQUIRE_TWO_PERSONS` one person alone corrects only
what `CORRECTED_ALONE` names (labels/models/labels.py); an end later than the rule allows takes two
in any case.
"""

import json
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from clusters.models import Account
from clusters.people.log import record, ties
from labels.life.changes import changes_between
from labels.life.days import latest_end_by_rule
from labels.life.effects import is_corrected_alone, locked, put_into_effect, refuse_no_reason
from labels.life.mails import tell_of_proposal, tell_proposer
from labels.life.refusals import Situation, refuse_first, waiting_refusals
from labels.models import Decision, DecisionKind, DecisionState, Label, Proposal
from labels.models.labels import facts_of_a_label
from labels.validity import Days

LOOK_AGAIN = _("Something of this has changed since you looked at it. Look at it again.")
BEGINS_A_LABEL = (DecisionKind.AWARD, DecisionKind.RENEWAL)

AnyProposal = TypeVar("AnyProposal", bound=Proposal)

# A label as a decision finds or leaves it, by name of the field; a suspension stands with it.
Facts = dict[str, Any]


@dataclass(frozen=True)
class Prospect:
    """What a decision would do: the labels of the clusters concerned before and after, by key."""

    decision: Decision
    label: Label
    before: dict[int, Facts]
    after: dict[int, Facts]
    labels: dict[int, Label]
    names: list[str]
    latest_end_by_rule: date | None
    latest_end_before: date | None

    @property
    def is_beyond_the_rule(self) -> bool:
        # Whether it ends later than the rule allows at most, and did not so before.
        end, latest = self.label.ends_on, self.latest_end_by_rule
        before = (self.before[self.label.pk]["ends_on"], self.latest_end_before)
        moves = before != (end, latest) or self.decision.kind in BEGINS_A_LABEL
        return bool(end and latest and end > latest and moves)

    @property
    def changes_the_public(self) -> bool:
        changed = ((before or {}, after) for _label, before, after in self.labels_changed())
        return any(one.get("is_published") for pair in changed for one in pair)

    @property
    def digest(self) -> str:
        """Of all that a person is shown before they decide; equal twice where nothing changed."""
        decision = self.decision
        said = {
            name: getattr(decision, name)
            for name in ("kind", "takes_effect_on", "reason", "ends_on", "changes")
        }
        # Not the keys of rows that are tried and taken back.
        keys = {pk: "successor" if pk not in self.before else str(pk) for pk in self.after}
        keys[self.label.pk] = "label"
        states = [
            sorted((keys[pk], facts) for pk, facts in found.items())
            for found in (self.before, self.after)
        ]
        shown = [said, self.names, self.latest_end_by_rule, states]
        text = json.dumps(shown, default=str, sort_keys=True)
        return sha256(text.encode()).hexdigest()

    def labels_changed(self) -> Iterator[tuple[Label, Facts | None, Facts]]:
        # Each with its facts before, None where the label begins with the decision, and after.
        for pk, after in self.after.items():
            before = self.before.get(pk)
            if before != after:
                yield self.labels[pk], before, after


def names_around(labels: Iterable[Label]) -> Iterator[str]:
    # What the rows are called to which the facts refer by a key.
    for label in labels:
        cluster, organisation, level = label.cluster, label.managing_organisation, label.level
        yield f"cluster {cluster.pk} {cluster.name} {cluster.slug} {cluster.is_published}"
        yield f"level {level.pk} {level.name_en} {level.name_it} {level.rank}"
        yield f"organisation {organisation.pk} {organisation.name}" if organisation else ""
        yield f"body {label.awarded_by_id} {label.awarded_by}"


def tried(decision: Decision, *, now: datetime) -> Prospect:
    """Put a decision into effect and take that back. Raises ValidationError where it is refused."""
    with transaction.atomic():
        label = locked(decision.label, also=clusters_of(decision))
        if decision.pk is not None:
            undecided(decision)
        rows_before = list(labels_around(label, decision))
        before = {row.pk: facts_in(row) for row in rows_before}
        latest_end_before = latest_end_by_rule(label)
        made = copy(decision)
        made.state, made.decided_at, made.decided_by = DecisionState.MADE, now, None
        # Without a version in the history.
        made.save_base(raw=True)
        put_into_effect(made, label, by=None, today=timezone.localdate(now))
        rows = list(labels_around(label, decision))
        prospect = Prospect(
            decision=decision,
            label=next(row for row in rows if row.pk == label.pk),
            before=before,
            after={row.pk: facts_in(row) for row in rows},
            # Called as it stands; what begins with the decision, as it will be.
            labels={row.pk: row for row in (*rows, *rows_before)},
            names=sorted({*names_around(rows_before), *names_around(rows)}),
            latest_end_by_rule=latest_end_by_rule(label),
            latest_end_before=latest_end_before,
        )
        transaction.set_rollback(True)
    return prospect


def clusters_of(decision: Decision) -> set[int]:
    # To which it moves its label, or back to which.
    named = {decision.cluster_after_id}
    named |= {*decision.changes.get("cluster", ())}
    if decision.undoes is not None:
        named |= clusters_of(decision.undoes)
    return {pk for pk in named if pk is not None}


def labels_around(label: Label, decision: Decision) -> "models.QuerySet[Label]":
    clusters = {label.cluster_id, *clusters_of(decision)}
    labels = Label.objects.of_clusters(clusters).with_holder().select_related("awarded_by")
    return labels.prefetch_related("suspensions").order_by("pk")


def facts_in(label: Label) -> Facts:
    names = [column.attname for column in facts_of_a_label()]
    facts = {name: getattr(label, name) for name in (*names, *Days._fields, "minimum_score")}
    facts.pop("revocation_reason")
    spells = label.suspensions.all()
    return facts | {"suspensions": [(one.starts_on, one.ends_on) for one in spells]}


# Proposing


@transaction.atomic
def propose(
    label: Label,
    kind: DecisionKind,
    *,
    on: date,
    reason: str,
    by: Account,
    now: datetime,
    **details: Any,
) -> Decision:
    """The decision, made at once where one person may; `prospect` is what it does or did."""
    refuse_no_reason(reason)
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
    stored = locked(label, also=clusters_of(decision))
    prospect = tried(decision, now=now)
    if kind != DecisionKind.CORRECTION:
        decision.changes = changes_between(stored, prospect.label)
    alone = is_corrected_alone(decision)
    is_public = stored.is_published or prospect.changes_the_public
    decision.needs_two = prospect.is_beyond_the_rule or (
        settings.REQUIRE_TWO_PERSONS and is_public and not alone
    )
    if not alone:
        refuse_first(waiting_refusals(Situation(stored, on)))
    decision.prospect = prospect
    if not decision.needs_two:
        return make_decision(decision, prospect, by=by, now=now)
    save_proposal(decision)
    log_proposed(decision, by=by, now=now)
    tell_of_proposal(decision)
    return decision


# Deciding


@transaction.atomic
def approve(decision: Decision, *, seen: str, by: Account, now: datetime) -> Decision:
    """Put into effect what somebody else proposed, as it was looked at.

    `seen`: the digest of what the person was shown; where that has changed they look again.
    """
    locked(decision.label, also=clusters_of(decision))
    decision = undecided(decision)
    refuse_own(decision, by)
    prospect = tried(decision, now=now)
    if prospect.digest != seen:
        raise ValidationError(LOOK_AGAIN)
    return make_decision(decision, prospect, by=by, now=now)


def make_decision(
    decision: Decision, prospect: Prospect, *, by: Account, now: datetime
) -> Decision:
    if decision.kind in BEGINS_A_LABEL:
        # What it counts from may have moved since.
        decision.takes_effect_on = prospect.label.starts_on or decision.takes_effect_on
    decided(decision, DecisionState.MADE, by=by, now=now)
    label = locked(decision.label, also=clusters_of(decision))
    put_into_effect(decision, label, by=by, today=timezone.localdate(now))
    log_decided(decision, by=by, now=now)
    # What an app above adds, in the same transaction.
    if decision.kind in BEGINS_A_LABEL:
        for path in settings.AFTER_AWARD:
            import_string(path)(label, now)
    else:
        for path in settings.AFTER_CHANGE:
            import_string(path)(decision, now)
    return decision


def approve_together(
    seen: Iterable[tuple[Decision, str]], *, by: Account, now: datetime
) -> list[Decision]:
    """All of several proposals or none. Raises ValidationError that names the label."""
    made = []
    with transaction.atomic():
        for decision, digest in seen:
            try:
                made.append(approve(decision, seen=digest, by=by, now=now))
            except ValidationError as error:
                told = " ".join(error.messages)
                raise ValidationError(f"{decision.label}: {told}") from error
    return made


# Of every kind of proposal


@transaction.atomic
def refuse_proposal(
    proposal: AnyProposal, *, answer: str, by: Account, now: datetime
) -> AnyProposal:
    # Nothing comes of a proposal. Who made it may take it back this way.
    proposal = undecided(proposal)
    if not answer.strip():
        raise ValidationError({"answer": _("Say why you refuse.")})
    proposal.answer = answer
    decided(proposal, DecisionState.REFUSED, by=by, now=now)
    log_decided(proposal, by=by, now=now)
    return proposal


def refuse_own(proposal: Proposal, by: Account) -> None:
    if proposal.needs_two and proposal.proposed_by_id == by.pk:
        raise ValidationError(_("You proposed this: somebody else has to approve it."))


def undecided(proposal: AnyProposal) -> AnyProposal:
    rows = type(proposal)._default_manager.select_for_update(of=("self",))
    stored: AnyProposal = rows.get(pk=proposal.pk)
    if stored.state != DecisionState.PROPOSED:
        raise ValidationError(_("Somebody has decided this already. Look at it again."))
    return stored


def decided(proposal: Proposal, state: DecisionState, *, by: Account, now: datetime) -> None:
    proposal.state, proposal.decided_by, proposal.decided_at = state, by, now
    save_proposal(proposal)


def save_proposal(proposal: Proposal) -> None:
    # Empty while it waits; and of an account that was erased.
    may_be_empty = ("proposed_by", "decided_by", "decided_at")
    proposal.full_clean(exclude=[name for name in may_be_empty if not getattr(proposal, name)])
    proposal.save()


def log_proposed(proposal: Proposal, *, by: Account, now: datetime) -> None:
    record(proposal.PROPOSED_AS, now=now, account=by, detail=proposal.for_the_log)


def ties_in_words(proposal: Proposal, by: Account) -> str:
    # What stands in the log of two accounts that may be one person’s; it names no address.
    proposer = proposal.proposed_by
    is_tied = proposal.state == DecisionState.MADE and proposer and proposer != by
    found = ties(proposer, by) if proposer and is_tied else []
    return "".join(f"; {tie.kind} {tie.day}" for tie in found)


def log_decided(proposal: Proposal, *, by: Account, now: datetime) -> None:
    record(
        proposal.DECIDED_AS,
        now=now,
        account=by,
        about=proposal.proposed_by,
        detail=f"{proposal.state}: {proposal.for_the_log}{ties_in_words(proposal, by)}",
    )
    tell_proposer(proposal)
