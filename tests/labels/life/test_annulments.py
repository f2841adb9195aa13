"""What two persons take back, as if it had not been, and what the public is told of it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from labels.life import steps as life
from labels.life.chronicle import steps_of
from labels.life.proposals import approve as approve_seen
from labels.life.proposals import tried
from labels.models import Decision, DecisionState, Label
from tests.factories import (
    DECIDED_AT,
    approve,
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_organisation,
)

pytestmark = pytest.mark.django_db

TODAY = DECIDED_AT.date()
CHRISTMAS = date(2026, 12, 24)


def take(step: Callable[..., Decision], about: Any, **details: Any) -> Decision:
    given = {"reason": "For the test.", "by": make_account(), "now": DECIDED_AT}
    return step(about, **given | details)


def gold() -> Label:
    return make_label(
        assessed_on="2026-03-10",
        managing_organisation=make_organisation(name="First Park"),
        certificate_number="A-1",
    )


def suspension(label: Label) -> Decision:
    return take(life.suspend, label, on=CHRISTMAS)


def extension(label: Label) -> Decision:
    return take(life.extend, label, until=date(2029, 12, 31))


def correction(label: Label) -> Decision:
    label.score = 90
    return take(life.correct, label)


def other_cluster(label: Label) -> Decision:
    return take(life.transfer_label, label, on=TODAY, cluster=make_cluster(name="bioPmed"))


def other_organisation(label: Label) -> Decision:
    organisation = make_organisation(name="Second Park")
    return take(life.transfer_label, label, on=TODAY, organisation=organisation)


KINDS: dict[Callable[[Label], Decision], str] = {
    suspension: "suspension from 24 December 2026",
    extension: "extension to 31 December 2029",
    correction: "correction of published score",
    other_cluster: "transfer to bioPmed",
    other_organisation: "transfer to Second Park",
}
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
Kind = Callable[[Label], Decision]


def made(kind: Kind) -> tuple[Label, Decision]:
    label = gold()
    return label, in_effect(kind(label))


def facts(label: Label) -> dict[str, Any]:
    columns = [c.attname for c in Label._meta.concrete_fields if c.name != "decision"]
    row: dict[str, Any] = dict(Label.objects.filter(pk=label.pk).values(*columns).get())
    return row | {"suspensions": list(label.suspensions.values_list("starts_on", "ends_on"))}


def told(label: Label, day: date = TODAY) -> list[tuple[str, str]]:
    row = Label.objects.for_pages(day).with_certificate().get(pk=label.pk)
    return [(step.text, step.reason) for step in steps_of(row, [], day)]


@each_kind
def test_annulment_by_two_leaves_the_label_as_it_was(kind: Kind) -> None:
    label = gold()
    before = facts(label)
    decision = in_effect(kind(label))
    proposed = take(life.annul, decision)

    assert (proposed.state, proposed.needs_two) == (DecisionState.PROPOSED, True)
    seen = tried(proposed, now=DECIDED_AT).digest
    by: Any = proposed.proposed_by
    with pytest.raises(ValidationError, match="You proposed this"):
        approve_seen(proposed, seen=seen, by=by, now=DECIDED_AT)
    approve(proposed)

    assert facts(label) == before
    assert not Label.objects.filter(transferred_from=label).exists()


@each_kind
def test_chronicle_tells_what_was_annulled_and_why(kind: Kind) -> None:
    untouched = told(gold())
    label, decision = made(kind)
    standing = told(label)

    in_effect(take(life.annul, decision, reason="Of another label."))

    assert standing != untouched
    assert told(label) == sorted_in(told(label), untouched, KINDS[kind])
    assert [text for text, _reason in told(label, date(2026, 11, 21))] == [
        text for text, _reason in told(gold(), date(2026, 11, 21))
    ]


def sorted_in(
    found: list[tuple[str, str]], others: list[tuple[str, str]], what: str
) -> list[tuple[str, str]]:
    # Beside what is told of any such label, the annulment and nothing else.
    told_of_it = (f"Annulled: {what}", "Of another label.")
    assert sorted(found) == sorted([*others, told_of_it])
    return found


@each_kind
def test_same_is_not_annulled_twice(kind: Kind) -> None:
    _label, decision = made(kind)
    take(life.annul, decision)
    with pytest.raises(ValidationError, match="Another decision on this label is waiting"):
        take(life.annul, decision)

    approve(Decision.objects.waiting().get())
    with pytest.raises(ValidationError, match="This decision has been annulled already"):
        take(life.annul, decision)


def test_what_something_came_of_is_not_annulled() -> None:
    day = date(2026, 12, 1)
    label, suspended = made(suspension)
    in_effect(take(life.extend, label, until=date(2029, 12, 31)))
    in_effect(take(life.annul, suspended))  # the two have nothing to do with each other

    label, extended = made(extension)
    in_effect(take(life.extend, label, until=date(2030, 12, 31)))
    refused(extended, "Somebody changed this label in the meantime")

    label, corrected = made(correction)
    label = Label.objects.get(pk=label.pk)
    label.score = 95
    in_effect(take(life.correct, label))
    refused(corrected, "Somebody changed this label in the meantime")

    label, moved = made(other_cluster)
    in_effect(take(life.suspend, label.transferred_to, on=day))
    refused(moved, "Other steps were taken since on label")

    label, moved = made(other_organisation)
    label = Label.objects.get(pk=label.pk)
    in_effect(take(life.transfer_label, label, on=day, organisation=make_organisation()))
    refused(moved, "Somebody changed this label in the meantime")


@each_kind
def test_decision_on_a_revoked_label_is_not_annulled(kind: Kind) -> None:
    label, decision = made(kind)
    last = Label.objects.filter(transferred_from=label).first() or label
    in_effect(take(life.revoke, last, on=TODAY))

    with pytest.raises(ValidationError):
        take(life.annul, decision)


def test_suspension_that_began_is_ended_not_annulled() -> None:
    decision = in_effect(take(life.suspend, gold(), on=TODAY))

    refused(decision, "The suspension has begun: reinstate the label")


def test_award_and_annulment_are_not_annulled() -> None:
    _label, decision = made(extension)
    annulment = in_effect(take(life.annul, decision))

    refused(annulment, "This decision is not annulled: take a step that ends it")


def refused(decision: Decision, words: str) -> None:
    before = facts(decision.label)
    with pytest.raises(ValidationError, match=words):
        take(life.annul, decision)
    assert facts(decision.label) == before
