"""Approving takes another person, who has seen all of what it does."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from clusters.dates import PartialDate
from clusters.models import Organisation, Role
from labels.life import steps as life
from labels.life.proposals import LOOK_AGAIN, approve, approve_together, refuse_proposal, tried
from labels.models import Decision, DecisionState, IssuingBody, Label, Level
from tests.admin_tables import client_of, messages_of
from tests.factories import (
    DECIDED_AT,
    change_label,
    make_account,
    make_cluster,
    make_label,
    make_organisation,
    rules_may_change,
    update_rules,
)
from tests.labels.facts.world import facts_stored

pytestmark = pytest.mark.django_db

Row = dict[str, Any]


@pytest.fixture
def lead() -> Client:
    return client_of(make_account(Role.LEAD))


def labels() -> Row:
    """A Gold that renews another, held by one organisation; its score is corrected."""
    organisation = make_organisation()
    earlier = make_label(assessed_on="2022-01-10", managing_organisation=organisation)
    gold = make_label(
        cluster=earlier.cluster,
        assessed_on="2024-02-10",
        kind="renewal",
        renews=earlier,
        managing_organisation=organisation,
        awarded_by=IssuingBody.objects.earliest("pk"),
    )
    return {"earlier": earlier, "gold": gold, "organisation": organisation}


def proposal(gold: Label) -> Decision:
    """To another organisation and level end; what is shown names both sides."""
    changed = Label.objects.get(pk=gold.pk)
    changed.managing_organisation = make_organisation(name="The new one")
    changed.assessed_on = PartialDate(2024, 3, 10)
    return life.correct(changed, reason="Misread.", by=make_account(), now=DECIDED_AT)


def rename(row: Any, **columns: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**columns)


def source(rows: Row) -> None:
    label = Label.objects.get(pk=rows["gold"].pk)
    label.source = "Another list."
    life.correct(label, reason="Misread.", by=make_account(), now=DECIDED_AT)


def end_of_what_it_renews(rows: Row) -> None:
    change_label(Label.objects.get(pk=rows["earlier"].pk), valid_until=PartialDate(2024, 1, 20))


def cluster_name(rows: Row) -> None:
    rename(rows["gold"].cluster, name="Another name")


def organisation_before(rows: Row) -> None:
    rename(rows["organisation"], name="Another name")


def organisation_after(rows: Row) -> None:
    Organisation.objects.filter(name="The new one").update(name="Another name")


def rename_level(**columns: Any) -> None:
    with rules_may_change():
        Level.objects.filter(code="gold").update(**columns)


def level_name(rows: Row) -> None:
    rename_level(name_en="Platinum")


def level_name_in_italian(rows: Row) -> None:
    rename_level(name_it="Platino")


def level_rank(rows: Row) -> None:
    rename_level(rank=9)


def issuing_body(rows: Row) -> None:
    body = rows["gold"].awarded_by
    rename(body, name="Another body", short_name="Another")


def rule(rows: Row) -> None:
    update_rules("gold", renewal_months=30)


def new_label_of_the_cluster(rows: Row) -> None:
    make_label(cluster=rows["gold"].cluster, level="bronze", assessed_on="2010-01-10")


def days_that_follow(rows: Row) -> None:
    make_label(
        cluster=rows["gold"].cluster, assessed_on="2026-03-10", kind="renewal", renews=rows["gold"]
    )


INPUTS: tuple[Callable[[Row], None], ...] = (
    source, end_of_what_it_renews, cluster_name, organisation_before, organisation_after,
    level_name, level_name_in_italian, level_rank, issuing_body, rule, new_label_of_the_cluster,
    days_that_follow,
)  # fmt: skip


def approval(decision: Decision) -> str:
    return reverse("admin:labels_decision_approve", args=[decision.pk])


def is_refused(call: Callable[[], object]) -> bool:
    before = (facts_stored(), Label.history.count())
    with pytest.raises(ValidationError) as caught:
        call()
    assert (facts_stored(), Label.history.count()) == before
    return str(LOOK_AGAIN) in " ".join(caught.value.messages)


@pytest.mark.parametrize("change", INPUTS, ids=lambda change: change.__name__)
def test_what_changed_since_the_look_is_not_approved(
    change: Callable[[Row], None], lead: Client
) -> None:
    rows = labels()
    decision = proposal(rows["gold"])
    other = life.suspend(
        make_label(assessed_on="2026-03-10"), on=date(2026, 12, 24), reason="x",
        by=make_account(), now=DECIDED_AT,
    )  # fmt: skip
    seen, of_other = (tried(one, now=DECIDED_AT).digest for one in (decision, other))
    by = make_account()

    change(rows)

    assert is_refused(lambda: approve(decision, seen=seen, by=by, now=DECIDED_AT))
    together = [(other, of_other), (decision, seen)]
    assert is_refused(lambda: approve_together(together, by=by, now=DECIDED_AT))
    before = facts_stored()
    page = lead.post(approval(decision), {"seen": seen})
    assert str(LOOK_AGAIN) in page.context["form"].errors["__all__"]
    listed = reverse("admin:labels_decision_changelist")
    action = {
        "action": "approve_selected",
        "_selected_action": [other.pk, decision.pk],
        "seen": [f"{other.pk}:{of_other}", f"{decision.pk}:{seen}"],
    }
    [told] = messages_of(lead.post(listed, action))
    assert str(LOOK_AGAIN) in told
    assert facts_stored() == before
    assert {one.state for one in Decision.objects.filter(pk__in=[decision.pk, other.pk])} == {
        DecisionState.PROPOSED
    }
    # Looked at again, it is approved.
    page = lead.get(approval(decision))
    assert lead.post(approval(decision), page.context["form"].initial).status_code == 302


def test_what_is_as_it_was_seen_is_approved(lead: Client) -> None:
    decision = proposal(labels()["gold"])
    page = lead.get(approval(decision))
    seen = page.context["form"].initial

    assert seen == {"seen": tried(decision, now=DECIDED_AT).digest}
    assert lead.post(approval(decision), seen).status_code == 302


# What one person may correct alone moves no other public label


def test_label_that_is_not_public_moves_a_public_one_by_two_persons() -> None:
    rows = labels()
    earlier = change_label(rows["earlier"], is_published=False)
    before = Label.objects.get(pk=rows["gold"].pk).ends_on
    earlier.assessed_on = PartialDate(2022, 3, 10)

    decision = life.correct(earlier, reason="Misread.", by=make_account(), now=DECIDED_AT)

    assert decision.needs_two
    assert decision.state == DecisionState.PROPOSED
    assert Label.objects.get(pk=rows["gold"].pk).ends_on == before


# Proposed twice, and refused


@pytest.mark.parametrize(
    "take",
    [
        lambda label, **given: life.suspend(label, on=date(2026, 12, 24), **given),
        lambda label, **given: life.extend(label, until=date(2029, 12, 31), **given),
        lambda label, **given: life.revoke(label, on=date(2026, 12, 24), **given),
        lambda label, **given: life.transfer_label(
            label, on=date(2026, 12, 24), organisation=Organisation.objects.get(), **given
        ),
        lambda label, **given: life.correct(changed(label), **given),
    ],
    ids=["suspend", "extend", "revoke", "transfer", "correct"],
)
def test_same_is_not_proposed_twice(take: Callable[..., Decision]) -> None:
    make_organisation()
    label = make_label(assessed_on="2026-03-10")
    given = {"reason": "x", "now": DECIDED_AT}
    take(label, by=make_account(), **given)

    with pytest.raises(ValidationError, match="Another decision on this label is waiting"):
        take(label, by=make_account(), **given)


def changed(label: Label) -> Label:
    found = Label.objects.get(pk=label.pk)
    found.awarded_on = PartialDate(2026, 3, 20)
    return found


def test_award_is_not_proposed_twice_and_again_once_refused() -> None:
    cluster = make_cluster()

    def propose() -> Decision:
        label = Label(cluster=cluster, level_id="gold", assessed_on=PartialDate(2026, 3, 10))
        return life.award(label, reason="x", by=make_account(), now=DECIDED_AT)

    decision = propose()
    with pytest.raises(ValidationError, match="The same is proposed already"):
        propose()

    refuse_proposal(decision, answer="Not yet.", by=make_account(), now=DECIDED_AT)
    assert propose().state == DecisionState.PROPOSED


def listed(client: Client, model: str, **query: str) -> set[int]:
    page = client.get(reverse(f"admin:labels_{model}_changelist"), query)
    return {row.pk for row in page.context["cl"].result_list}


def test_what_was_refused_leaves_the_lists(lead: Client) -> None:
    public, cluster = make_label(), make_cluster()
    withdrawn = change_label(make_label(), is_published=False)
    given: Row = {"reason": "x", "by": make_account(), "now": DECIDED_AT}
    waiting = life.award(
        Label(cluster=make_cluster(), level_id="gold", assessed_on=PartialDate(2026, 3, 10)),
        **given,
    )
    refused = life.award(
        Label(cluster=cluster, level_id="gold", assessed_on=PartialDate(2026, 3, 10)), **given
    )
    refuse_proposal(refused, answer="No.", by=make_account(), now=DECIDED_AT)

    shown = {public.pk, withdrawn.pk, waiting.label_id}
    assert listed(lead, "label") == shown
    assert listed(lead, "label", proposals="refused") == {refused.label_id}
    assert listed(lead, "label", proposals="all") == {*shown, refused.label_id}
    assert refused.pk not in listed(lead, "decision")
    assert listed(lead, "decision", state="refused") == {refused.pk}
