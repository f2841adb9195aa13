"""Each step in the life of a label: what it does, what it leaves, and what it refuses."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from clusters.dates import PartialDate
from clusters.models import Account
from labels.life import proposals
from labels.life import steps as life
from labels.life.proposals import LOOK_AGAIN, refuse_proposal
from labels.life.refusals import Situation, steps_open
from labels.models import Decision, DecisionKind, DecisionState, Label, Suspension
from labels.proofs.credentials import Purpose
from labels.proofs.status import places
from labels.validity import State
from tests.factories import (
    DECIDED_AT,
    approve,
    award_label,
    change_label,
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_organisation,
    make_undated_label,
    new_label,
)

pytestmark = pytest.mark.django_db

REASON = "The jury agreed."
TODAY = DECIDED_AT.date()

# A Gold assessed on 10 March 2026 ends on 31 March 2028 and may be renewed until 31 March 2029.
STARTS, ENDS, WINDOW_CLOSES = date(2026, 3, 10), date(2028, 3, 31), date(2029, 3, 31)


@pytest.fixture
def on_the_day() -> Iterator[None]:
    """Pages ask the clock."""
    with time_machine.travel(DECIDED_AT, tick=False):
        yield


@pytest.fixture
def one_person(settings: Settings) -> None:
    settings.REQUIRE_TWO_PERSONS = False


def step(take: Callable[..., Decision], *about: Any, **details: Any) -> Decision:
    defaults = {"reason": REASON, "by": make_account(), "now": DECIDED_AT}
    return take(*about, **(defaults | details))


def taken(call: Callable[..., Decision], *args: Any, **fields: Any) -> Decision:
    return in_effect(step(call, *args, **fields))


def proposer(decision: Decision) -> Account:
    assert decision.proposed_by
    return decision.proposed_by


def refused(call: Callable[[], Any]) -> dict[str, list[str]]:
    """The words of a refusal by field; nothing of what was refused stays."""
    before = [Label.objects.count(), Decision.objects.count(), Label.history.count()]
    with pytest.raises(ValidationError) as caught:
        call()
    assert [Label.objects.count(), Decision.objects.count(), Label.history.count()] == before
    error = caught.value
    return error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}


def stored(label: Label) -> Label:
    return Label.objects.get(pk=label.pk)


def state(label: Label, day: date) -> State:
    return Situation(label, day).state


def revoked(label: Label, on: date = TODAY) -> Label:
    approve(step(life.revoke, label, on=on, reason="Wrong facts."))
    return stored(label)


def renewal(**fields: Any) -> Label:
    return Label(**({"assessed_on": PartialDate(2028, 3, 1)} | fields))


def renewed(label: Label, **fields: Any) -> Label:
    """Proposed on the last day of the label."""
    assert label.ends_on
    now = datetime.combine(label.ends_on, time(12), tzinfo=UTC)
    decision = step(life.renew, label, renewal(**fields), now=now)
    return stored(approve(decision).label)


# Awards


def test_award_waits_for_another_person() -> None:
    account = make_account()

    decision = step(life.award, new_label(), by=account)

    assert (decision.kind, decision.state) == (DecisionKind.AWARD, DecisionState.PROPOSED)
    assert (decision.reason, decision.proposed_by) == (REASON, account)
    assert (decision.takes_effect_on, decision.decided_at) == (STARTS, None)
    assert not decision.label.is_published


def test_award_is_public_once_approved() -> None:
    proposer, approver = make_account(), make_account()
    decision = step(life.award, new_label(), by=proposer)

    approve(decision, by=approver, now=DECIDED_AT)

    decision.refresh_from_db()
    assert (decision.state, decision.proposed_by) == (DecisionState.MADE, proposer)
    assert (decision.decided_by, decision.decided_at) == (approver, DECIDED_AT)
    label = stored(decision.label)
    assert (label.is_published, label.decided_here) == (True, True)
    assert (label.starts_on, label.ends_on) == (STARTS, ENDS)
    assert label.renewable_until == WINDOW_CLOSES


def test_award_leaves_a_version_for_each_person_with_the_reason() -> None:
    proposer, approver = make_account(), make_account()
    decision = step(life.award, new_label(), by=proposer)
    approve(decision, by=approver, now=DECIDED_AT)

    versions = decision.label.history.order_by("history_id")

    assert list(versions.values_list("is_published", "history_user", "history_change_reason")) == [
        (False, proposer.pk, REASON),
        (True, approver.pk, REASON),
    ]


def test_award_is_not_approved_by_who_proposed_it() -> None:
    decision = step(life.award, new_label())

    words = refused(lambda: approve(decision, by=proposer(decision), now=DECIDED_AT))

    assert words == {"__all__": ["You proposed this: somebody else has to approve it."]}
    assert not stored(decision.label).is_published


def test_award_by_one_person_is_public_at_once(one_person: None) -> None:
    account = make_account()

    decision = step(life.award, new_label(), by=account)

    assert decision.state == DecisionState.MADE
    assert decision.decided_by == decision.proposed_by == account
    assert stored(decision.label).is_published


def test_proposal_under_two_persons_stays_so_when_the_setting_changes(settings: Settings) -> None:
    decision = step(life.award, new_label())
    settings.REQUIRE_TWO_PERSONS = False

    assert refused(lambda: approve(decision, by=proposer(decision), now=DECIDED_AT))


def test_award_that_is_refused_stays_inside_with_the_answer() -> None:
    decision = step(life.award, new_label())
    other = make_account()

    refuse_proposal(decision, answer="The report is missing.", by=other, now=DECIDED_AT)

    decision.refresh_from_db()
    assert (decision.state, decision.decided_by) == (DecisionState.REFUSED, other)
    assert decision.answer == "The report is missing."
    assert not stored(decision.label).is_published


def test_proposal_is_taken_back_by_who_made_it() -> None:
    decision = step(life.award, new_label())

    refuse_proposal(decision, answer="Entered twice.", by=proposer(decision), now=DECIDED_AT)

    decision.refresh_from_db()
    assert decision.state == DecisionState.REFUSED


def test_award_that_was_refused_is_proposed_again_corrected() -> None:
    decision = step(life.award, new_label(source="a"))
    refuse_proposal(decision, answer="The source is wrong.", by=make_account(), now=DECIDED_AT)
    label = stored(decision.label)
    label.source = "b"
    taken(life.correct, label)

    approve(step(life.award, stored(label)))

    label = stored(label)
    assert (label.is_published, label.source) == (True, "b")


@pytest.mark.parametrize("answer", ["", "  "])
def test_refusal_needs_a_word(answer: str) -> None:
    decision = step(life.award, new_label())

    words = refused(
        lambda: refuse_proposal(decision, answer=answer, by=make_account(), now=DECIDED_AT)
    )

    assert words == {"answer": ["Say why you refuse."]}


@pytest.mark.parametrize("take", ["approve", "refuse"])
def test_decision_is_decided_once(take: str) -> None:
    decision = step(life.award, new_label())
    approve(decision)
    calls = {
        "approve": lambda: approve(decision),
        "refuse": lambda: refuse_proposal(decision, answer="x", by=make_account(), now=DECIDED_AT),
    }

    assert refused(calls[take]) == {
        "__all__": ["Somebody has decided this already. Look at it again."]
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param(
            {"score": Decimal("79.99")},
            {"__all__": ["The score lies under the minimum of the rule."]},
            id="score under the minimum",
        ),
        pytest.param(
            {"level": "bronze", "score": Decimal(90)},
            {"__all__": ["Only a Gold has a score, between 0 and 100 percent."]},
            id="score of a Bronze",
        ),
        pytest.param(
            {"level": "silver", "areas_of_improvement": "Strategy\n\nServices"},
            {"areas_of_improvement": ["Name 3 areas of improvement, one on each line."]},
            id="areas missing",
        ),
        pytest.param(
            {"level": "silver", "benchmarked_on": None},
            {"__all__": ["A Silver needs its areas of improvement and the earlier benchmarking."]},
            id="benchmarking missing",
        ),
        pytest.param(
            {"level": "silver", "benchmarked_on": PartialDate(2026, 3, 10)},
            {"__all__": ["The benchmarking comes before the assessment."]},
            id="benchmarking too late",
        ),
        pytest.param(
            {"areas_of_improvement": "Strategy"},
            {"__all__": ["Only a Silver names areas of improvement and the earlier benchmarking."]},
            id="areas of a Gold",
        ),
        pytest.param(
            {"valid_until": PartialDate(2026, 3, 9)},
            {
                "valid_until": ["the end (2026-03-09) lies before the start (2026-03-10)"],
                "__all__": ["Give the day of the assessment, not only its month."],
            },
            id="end before the start",
        ),
        pytest.param(
            {"kind": "renewal"}, {"renews": ["Say which label it renews."]}, id="renewal of nothing"
        ),
        pytest.param(
            {"assessed_on": PartialDate(2026, 3)},
            {"__all__": ["Give the day of the assessment, not only its month."]},
            id="month of the assessment",
        ),
        pytest.param(
            {"assessed_on": None},
            {"__all__": ["Give the day of the assessment, not only its month."]},
            id="no dates",
        ),
    ],
)
def test_award_refuses_the_impossible(fields: dict[str, Any], words: dict[str, Any]) -> None:
    label = new_label(**fields)

    assert refused(lambda: step(life.award, label)) == words


def test_award_refuses_a_second_label_in_force() -> None:
    first = award_label()

    words = refused(lambda: step(life.award, new_label(cluster=first.cluster, awarded_on="2026")))

    assert words == {
        "__all__": [
            "The cluster has a label of this level in force from 2026-03-10 to 2028-03-31 already "
            f"({first.public_id})."
        ]
    }


@pytest.mark.parametrize("reason", ["", " \n"])
def test_steps_need_a_reason(reason: str) -> None:
    label = award_label()
    calls: list[Callable[[], Any]] = [
        lambda: step(life.award, new_label(), reason=reason),
        lambda: step(life.renew, label, renewal(), reason=reason),
        lambda: taken(life.extend, label, until=date(2028, 6, 30), reason=reason),
        lambda: taken(life.suspend, label, on=TODAY, reason=reason),
        lambda: step(life.revoke, label, on=TODAY, reason=reason),
        lambda: taken(life.correct, label, reason=reason),
        lambda: taken(life.transfer_label, label, on=TODAY, cluster=make_cluster(), reason=reason),
    ]

    for call in calls:
        assert refused(call) == {"reason": ["Give the reason."]}
    taken(life.suspend, label, on=TODAY)
    late = date(2026, 12, 1)
    assert refused(lambda: taken(life.reinstate, label, on=late, reason=reason)) == {
        "reason": ["Give the reason."]
    }


def test_award_recorded_from_a_source_may_leave_open_what_that_does_not_say() -> None:
    label = new_label(assessed_on=PartialDate(2015, 7), source="example.org")

    approve(step(life.award, label, is_recorded=True))

    assert (stored(label).is_published, stored(label).decided_here) == (True, False)


def test_award_recorded_names_its_source() -> None:
    words = refused(lambda: step(life.award, new_label(), is_recorded=True))

    assert words == {"source": ["Name the source of what you record."]}


def test_award_of_a_public_label_is_refused() -> None:
    label = award_label()

    assert refused(lambda: step(life.award, label)) == {
        "__all__": ["This label is in the register already."]
    }
    assert stored(label).is_published


def test_approval_refuses_what_became_impossible_meanwhile() -> None:
    cluster = make_cluster()
    first = step(life.award, new_label(cluster=cluster))
    second = step(life.award, new_label(cluster=cluster, assessed_on=PartialDate(2026, 4, 1)))
    approve(first)

    words = refused(lambda: approve(second))

    assert "in force from 2026-03-10" in words["__all__"][0]
    second.refresh_from_db()
    assert second.state == DecisionState.PROPOSED


# Nothing is public before the approval


PAGES = (
    "/en/labels/",
    "/it/labels/",
    "/labels.csv",
    "/labels.json",
    "/labels.atom",
    "/labels.ics",
    "/en/verify/?q={public_id}",
    "/en/verify/?q=CERT-1",
    "/clusters/{cluster}/seal.svg",
    "/en/clusters/{slug}/",
    "/en/",
)
OWN_ADDRESSES = (
    "/en/labels/{public_id}/",
    "/labels/{public_id}.json",
    "/labels/{public_id}/seal.svg",
    "/labels/{public_id}/credential.jwt",
)


def addresses(patterns: tuple[str, ...], label: Label) -> list[str]:
    names = {
        "public_id": label.public_id,
        "cluster": label.cluster.public_id,
        "slug": label.cluster.slug,
    }
    return [pattern.format(**names) for pattern in patterns]


def test_addresses_of_a_label_answer_only_once_it_is_approved(
    client: Client, on_the_day: None
) -> None:
    decision = step(life.award, new_label(certificate_number="CERT-1"))
    own = addresses(OWN_ADDRESSES, decision.label)

    before = [client.get(address).status_code for address in own]
    approve(decision)
    after = [client.get(address).status_code for address in own]

    assert (before, after) == ([404] * len(own), [200] * len(own))


def test_no_public_page_differs_by_a_label_that_waits(client: Client, on_the_day: None) -> None:
    """Byte by byte."""
    label = new_label(certificate_number="CERT-1")
    label.cluster.slug = "waiting"
    label.cluster.save()
    label.public_id = "BCDFGHJK"
    pages = addresses(PAGES, label)

    before = [content(client, page) for page in pages]
    decision = step(life.award, label)
    waiting = [content(client, page) for page in pages]
    approve(decision)
    public = [content(client, page) for page in pages]

    assert waiting == before
    changed = {page for page, old, new in zip(pages, before, public, strict=True) if old != new}
    assert changed | {"/en/"} == set(pages)


def content(client: Client, page: str) -> bytes:
    response = client.get(page, HTTP_HOST="testserver")
    assert response.status_code in (200, 404), page
    body = b"".join(response) if response.streaming else response.content
    return body if response.status_code == 200 else b""


def test_lists_of_states_hold_no_label_that_waits() -> None:
    decision = step(life.award, new_label())
    lists = {purpose: places(purpose, TODAY) for purpose in Purpose}

    refuse_proposal(decision, answer="Not yet.", by=make_account(), now=DECIDED_AT)

    assert {purpose: places(purpose, TODAY) for purpose in Purpose} == lists
    assert all(not found for found in lists.values())


def test_counts_are_without_a_label_that_waits() -> None:
    decision = step(life.award, new_label())

    before = Label.objects.published().count_by_state(TODAY)
    approve(decision)

    assert before == {}
    assert Label.objects.published().count_by_state(TODAY) == {("gold", "valid"): 1}


def test_revocation_that_waits_changes_nothing_in_public(client: Client, on_the_day: None) -> None:
    label = award_label()
    page = reverse("label_json", args=[label.public_id])
    before = content(client, page)

    decision = step(life.revoke, label, on=TODAY, reason="A secret suspicion.")
    waiting = content(client, page)
    approve(decision)

    assert waiting == before
    assert json.loads(content(client, page)) != json.loads(before)


# Renewals


def test_renewal_is_seamless_by_the_rule_then() -> None:
    label = award_label()

    later = renewed(label)

    assert (later.kind, later.renews, later.cluster, later.level) == (
        "renewal",
        label,
        label.cluster,
        label.level,
    )
    assert (later.starts_on, later.ends_on) == (date(2028, 4, 1), date(2031, 3, 31))
    decision = later.decisions.get()
    assert (decision.kind, decision.takes_effect_on) == (DecisionKind.RENEWAL, date(2028, 4, 1))


def test_renewal_takes_over_who_holds_and_who_awarded() -> None:
    organisation = make_organisation()
    label = award_label(managing_organisation=organisation)

    assert renewed(label).managing_organisation == organisation


@pytest.mark.parametrize(
    ("assessed_on", "words"),
    [
        pytest.param(
            PartialDate(2029, 4, 1),
            "The renewal window closed on 2029-03-31: after that only a first award is possible.",
            id="after the window",
        ),
        pytest.param(
            PartialDate(2026, 3, 9),
            "The assessment lies before the label that it renews.",
            id="before the label",
        ),
        pytest.param(
            PartialDate(2028, 3),
            "Give the day of the assessment, not only its month.",
            id="month only",
        ),
        pytest.param(
            None, "Give the day of the assessment, not only its month.", id="no assessment"
        ),
    ],
)
def test_renewal_refuses_the_day_of_the_assessment(
    assessed_on: PartialDate | None, words: str
) -> None:
    label = award_label()

    assert refused(lambda: step(life.renew, label, renewal(assessed_on=assessed_on))) == {
        "assessed_on": [words]
    }


def test_renewal_of_a_renewed_label_is_refused() -> None:
    label = award_label()
    renewed(label)

    assert refused(lambda: step(life.renew, label, renewal())) == {
        "__all__": ["This label has been renewed already."]
    }


def test_renewal_proposed_twice_is_refused() -> None:
    label = award_label()
    step(life.renew, label, renewal())

    assert refused(lambda: step(life.renew, label, renewal())) == {
        "__all__": ["The same is proposed already, and waits for a decision."]
    }


def test_two_renewals_of_a_label_are_approved_once() -> None:
    label = award_label()
    first = step(life.renew, label, renewal())
    second = step(life.renew, label, renewal(assessed_on=PartialDate(2028, 3, 2)))
    approve(first)

    assert refused(lambda: approve(second)) == {"__all__": ["This label has been renewed already."]}


def test_renewal_of_a_suspended_label_is_refused() -> None:
    label = award_label()
    taken(life.suspend, label, on=TODAY)

    assert refused(lambda: step(life.renew, label, renewal())) == {
        "__all__": ["The label is suspended: reinstate it before it is renewed."]
    }


@pytest.mark.parametrize("when", ["before the proposal", "before the approval"])
def test_renewal_of_a_revoked_label_is_refused(when: str) -> None:
    label = award_label()
    decision = None
    if when == "before the approval":
        decision = step(life.renew, label, renewal())
    revoked(label)

    words = refused(lambda: approve(decision) if decision else step(life.renew, label, renewal()))

    assert words == {"__all__": ["This label was revoked; it does not change any more."]}


def test_renewal_of_a_transferred_label_leads_to_the_other_one() -> None:
    label = award_label()
    decision = step(life.renew, label, renewal())
    taken(life.transfer_label, label, on=TODAY, cluster=make_cluster())
    successor = Label.objects.get(transferred_from=label)

    assert refused(lambda: approve(decision)) == {
        "__all__": [f"This label was transferred: take the step on label {successor.public_id}."]
    }


def test_renewal_of_a_label_without_dates_is_refused() -> None:
    label = make_undated_label()

    assert refused(lambda: step(life.renew, label, renewal())) == {
        "__all__": ["The dates of the earlier label are not known: award a first one."]
    }


def test_renewal_of_a_label_known_to_the_year_is_refused() -> None:
    label = make_label(assessed_on="2026")

    assert refused(lambda: step(life.renew, label, renewal())) == {
        "__all__": ["The end of that label is not known to the day: correct its dates first."]
    }


def test_renewal_counts_from_the_end_of_a_known_month() -> None:
    label = make_label(assessed_on="2024-03")

    step(life.renew, label, renewal(assessed_on=PartialDate(2026, 3, 10)))

    proposed = Label.objects.get(renews=label)
    assert (label.end_is_exact, label.days_are_exact) == (True, False)
    assert (proposed.days_are_exact, proposed.starts_on) == (True, date(2026, 4, 1))


def test_renewal_moves_with_an_extension_before_its_approval() -> None:
    label = award_label()
    decision = step(life.renew, label, renewal())
    taken(life.extend, label, until=date(2028, 6, 15))

    later = stored(approve(decision).label)

    assert (later.starts_on, later.ends_on) == (date(2028, 6, 16), date(2031, 6, 30))
    assert later.decided_here
    decision.refresh_from_db()
    assert decision.takes_effect_on == later.starts_on


# Extensions


def test_extension_moves_the_end_and_the_window() -> None:
    label, account = award_label(), make_account()

    decision = taken(life.extend, label, until=date(2028, 6, 15), by=account)

    label = stored(label)
    assert (label.ends_on, label.renewable_until) == (date(2028, 6, 15), date(2029, 6, 15))
    assert (decision.kind, decision.state) == (DecisionKind.EXTENSION, DecisionState.MADE)
    assert (decision.takes_effect_on, decision.ends_on) == (TODAY, date(2028, 6, 15))
    assert (decision.proposed_by, decision.needs_two) == (account, True)
    version = label.history.latest()
    assert version.history_user == decision.decided_by != account
    assert version.history_change_reason == REASON


@pytest.mark.parametrize("until", [ENDS, date(2028, 3, 30)])
def test_extension_to_no_later_day_is_refused(until: date) -> None:
    label = award_label()

    assert refused(lambda: taken(life.extend, label, until=until)) == {
        "until": ["The new end lies after the present one (2028-03-31)."]
    }


def test_extension_of_an_expired_label_is_refused() -> None:
    label = award_label(assessed_on=PartialDate(2020, 3, 10))

    assert refused(lambda: taken(life.extend, label, until=date(2028, 1, 1))) == {
        "__all__": ["Only a label that is valid or may be renewed is extended."]
    }


def test_extension_of_a_renewed_label_is_refused() -> None:
    label = award_label()
    renewed(label)

    assert refused(lambda: taken(life.extend, label, until=date(2028, 6, 30))) == {
        "__all__": ["This label has been renewed already."]
    }


def test_extension_into_another_label_is_refused() -> None:
    label = award_label(assessed_on=PartialDate(2024, 3, 10))
    award_label(cluster=label.cluster, assessed_on=PartialDate(2026, 12, 1))

    words = refused(lambda: taken(life.extend, label, until=date(2026, 12, 1)))

    assert "in force from 2026-12-01" in words["__all__"][0]


def test_extension_over_a_revoked_renewal_is_refused_in_words() -> None:
    label = award_label(assessed_on=PartialDate(2024, 3, 10))
    later = renewed(label, assessed_on=PartialDate(2026, 3, 1))
    revoked(later)
    label = stored(label)
    label.valid_until = PartialDate(2026, 5, 31)

    words = refused(lambda: taken(life.correct, label))

    assert f"({later.public_id})" in words["__all__"][0]


# Suspensions


def test_suspension_lasts_until_the_label_is_reinstated() -> None:
    label, account = award_label(), make_account()

    decision = taken(life.suspend, label, on=TODAY, by=account, reason="Under review.")

    assert (decision.kind, decision.takes_effect_on) == (DecisionKind.SUSPENSION, TODAY)
    assert state(label, TODAY) == state(label, ENDS) == State.SUSPENDED
    suspension = label.suspensions.get()
    version = suspension.history.latest()
    assert decision.proposed_by == account
    assert (suspension.reason, version.history_user) == ("Under review.", decision.decided_by)
    assert version.history_change_reason == "Under review."


def test_reinstatement_makes_the_label_valid_again() -> None:
    label = award_label()
    taken(life.suspend, label, on=TODAY)

    decision = taken(life.reinstate, label, on=date(2026, 12, 1))

    assert decision.kind == DecisionKind.REINSTATEMENT
    assert state(label, date(2026, 11, 30)) == State.SUSPENDED
    assert state(label, date(2026, 12, 1)) == State.VALID


@pytest.mark.parametrize(
    "on",
    [
        pytest.param(date(2026, 3, 9), id="before it begins"),
        pytest.param(date(2028, 4, 1), id="after it ended"),
    ],
)
def test_suspension_of_a_label_that_is_not_valid_is_refused(on: date) -> None:
    label = award_label()

    assert refused(lambda: taken(life.suspend, label, on=on)) == {
        "on": [f"The label is not valid on {on}."]
    }


def test_suspension_of_a_suspended_label_is_refused() -> None:
    label = award_label()
    taken(life.suspend, label, on=TODAY)

    assert refused(lambda: taken(life.suspend, label, on=date(2027, 1, 1))) == {
        "__all__": ["This label is suspended already."]
    }


def test_suspension_before_an_earlier_one_is_refused() -> None:
    label = award_label()
    taken(life.suspend, label, on=date(2026, 6, 1))
    taken(life.reinstate, label, on=date(2026, 7, 1))

    assert refused(lambda: taken(life.suspend, label, on=date(2026, 5, 1))) == {
        "on": ["The label was suspended later than that before."]
    }
    assert refused(lambda: taken(life.suspend, label, on=date(2026, 6, 15))) == {
        "on": ["The label is not valid on 2026-06-15."]
    }


def test_reinstatement_of_a_label_that_is_not_suspended_is_refused() -> None:
    label = award_label()

    assert refused(lambda: taken(life.reinstate, label, on=TODAY)) == {
        "__all__": ["This label is not suspended."]
    }


def test_reinstatement_on_the_day_of_the_suspension_is_refused() -> None:
    label = award_label()
    taken(life.suspend, label, on=TODAY)

    assert refused(lambda: taken(life.reinstate, label, on=TODAY)) == {
        "on": ["A label is reinstated after it was suspended."]
    }


# Revocations


def test_revocation_is_proposed_and_approved() -> None:
    label, proposer, approver = award_label(), make_account(), make_account()
    decision = step(life.revoke, label, on=TODAY, reason="Wrong facts.", by=proposer)
    waiting = stored(label)

    approve(decision, by=approver, now=DECIDED_AT)

    label = stored(label)
    assert (waiting.revoked_on, state(label, TODAY)) == (None, State.REVOKED)
    assert (label.revoked_on, label.revocation_reason) == (TODAY, "Wrong facts.")
    version = label.history.latest()
    assert (version.history_user, version.history_change_reason) == (approver, "Wrong facts.")
    decision.refresh_from_db()
    assert (decision.kind, decision.state) == (DecisionKind.REVOCATION, DecisionState.MADE)


def test_revocation_is_not_approved_by_who_proposed_it() -> None:
    decision = step(life.revoke, award_label(), on=TODAY)

    assert refused(lambda: approve(decision, by=proposer(decision), now=DECIDED_AT))
    assert stored(decision.label).revoked_on is None


def test_revocation_by_one_person(one_person: None) -> None:
    label = award_label()

    step(life.revoke, label, on=TODAY)

    assert state(label, TODAY) == State.REVOKED


def test_revocation_before_the_first_day_is_refused() -> None:
    label = award_label()

    assert refused(lambda: step(life.revoke, label, on=date(2026, 3, 9))) == {
        "on": ["The label begins on 2026-03-10."]
    }


def test_revocation_before_a_first_day_that_was_corrected_is_refused() -> None:
    label = award_label()
    decision = step(life.revoke, label, on=STARTS)
    change_label(label, assessed_on=PartialDate(2026, 3, 11))

    assert refused(lambda: approve(decision)) == {"on": ["The label begins on 2026-03-11."]}


def test_second_revocation_while_one_waits_is_refused() -> None:
    label = award_label()
    step(life.revoke, label, on=TODAY)

    assert refused(lambda: step(life.revoke, label, on=TODAY)) == {
        "__all__": ["Another decision on this label is waiting."]
    }


def test_no_step_is_taken_on_a_revoked_label() -> None:
    label = award_label()
    taken(life.suspend, label, on=TODAY)
    revoked(label)
    calls: list[Callable[[], Any]] = [
        lambda: step(life.renew, label, renewal()),
        lambda: taken(life.extend, label, until=date(2028, 6, 30)),
        lambda: taken(life.suspend, label, on=TODAY),
        lambda: taken(life.reinstate, label, on=date(2026, 12, 1)),
        lambda: step(life.revoke, label, on=TODAY),
        lambda: taken(life.correct, label),
        lambda: taken(life.transfer_label, label, on=TODAY, cluster=make_cluster()),
    ]

    for call in calls:
        assert refused(call) == {
            "__all__": ["This label was revoked; it does not change any more."]
        }
    assert steps_open(stored(label), TODAY) == []


# Corrections


def test_correction_keeps_the_wrong_version_with_the_reason() -> None:
    label, account = award_label(), make_account()
    label.assessed_on = PartialDate(2026, 2, 10)

    decision = taken(life.correct, label, reason="A slip of the pen.", by=account)

    versions = list(label.history.order_by("history_id"))
    assert [str(version.assessed_on) for version in versions[-2:]] == ["2026-03-10", "2026-02-10"]
    assert versions[-1].history_change_reason == "A slip of the pen."
    assert decision.proposed_by == account
    assert versions[-1].history_user == decision.decided_by
    assert (decision.kind, decision.state) == (DecisionKind.CORRECTION, DecisionState.MADE)
    assert stored(label).ends_on == date(2028, 2, 29)


def test_correction_does_not_publish() -> None:
    decision = step(life.award, new_label())
    refuse_proposal(decision, answer="No.", by=make_account(), now=DECIDED_AT)
    label = stored(decision.label)
    label.is_published = True

    assert refused(lambda: taken(life.correct, label)) == {
        "is_published": ["A label becomes public when it is approved."]
    }


def test_correction_while_the_award_waits_is_refused() -> None:
    label = stored(step(life.award, new_label()).label)

    assert refused(lambda: taken(life.correct, label)) == {
        "__all__": ["Another decision on this label is waiting."]
    }


def test_correction_does_not_revoke() -> None:
    label = award_label()
    label.revoked_on, label.revocation_reason = TODAY, "Wrong facts."

    assert refused(lambda: taken(life.correct, label)) == {
        "revoked_on": ["A label is revoked by a decision of its own."]
    }


def test_correction_from_an_old_row_keeps_what_other_steps_set() -> None:
    label = award_label()
    old = stored(label)
    taken(life.extend, label, until=date(2028, 6, 30))
    taken(life.transfer_label, label, on=TODAY, cluster=make_cluster())
    old.source = "example.org"

    taken(life.correct, old)

    label = stored(label)
    assert (label.extended_until, label.transferred_on) == (date(2028, 6, 30), TODAY)
    assert (label.source, label.decided_here) == ("example.org", True)


def test_correction_moves_the_renewals_and_what_took_the_place_with_its_person() -> None:
    label = award_label(assessed_on=PartialDate(2024, 3, 10))
    later = renewed(label, assessed_on=PartialDate(2026, 3, 1))
    taken(life.transfer_label, later, on=TODAY, cluster=make_cluster())
    successor = Label.objects.get(transferred_from=later)
    last = renewed(successor, assessed_on=PartialDate(2027, 3, 1))
    label = stored(label)
    label.assessed_on = PartialDate(2024, 1, 10)

    account = taken(life.correct, label, reason="Misread.").decided_by

    rows = [stored(row) for row in (label, later, successor, last)]
    assert [(row.starts_on, row.ends_on) for row in rows] == [
        (date(2024, 1, 10), date(2026, 1, 31)),
        (date(2026, 2, 1), date(2029, 1, 31)),
        (TODAY, date(2029, 1, 31)),
        (date(2029, 2, 1), date(2032, 1, 31)),
    ]
    assert all(row.decided_here and row.days_are_exact for row in rows)
    for row in rows:
        version = row.history.latest("history_id")
        assert (version.history_change_reason, version.history_user) == ("Misread.", account)


@pytest.mark.parametrize("months", [-40, 40])
def test_correction_moves_a_chain_past_itself(months: int) -> None:
    """By more than a renewal lasts, so that old and new days of the chain overlap on the way."""
    label = award_label(assessed_on=PartialDate(2022, 3, 10))
    later = renewed(label, assessed_on=PartialDate(2024, 3, 1))
    last = renewed(later, assessed_on=PartialDate(2026, 11, 1))
    label = stored(label)
    year = 2022 + months // 10

    change_label(label, assessed_on=PartialDate(year, 3, 10))

    assert stored(last).ends_on == date(year + 8, 3, 31)


def test_correction_of_the_level_of_a_renewed_label_is_refused() -> None:
    label = award_label()
    later = renewed(label)
    label = stored(label)
    label.level_id = "bronze"

    assert refused(lambda: taken(life.correct, label)) == {
        "__all__": [
            f"Label {later.public_id} counts from this one: the level stays, and the cluster of a "
            "renewal."
        ]
    }


def test_correction_that_starves_an_extended_renewal_is_refused_in_words() -> None:
    label = award_label(assessed_on=PartialDate(2024, 3, 10))
    later = renewed(label, assessed_on=PartialDate(2026, 3, 1))
    taken(life.extend, later, until=date(2029, 5, 31))
    label = stored(label)
    label.valid_until = PartialDate(2030, 1, 1)

    assert refused(lambda: taken(life.correct, label)) == {
        "__all__": [
            f"Label {later.public_id} would end (2029-05-31) before it starts (2030-01-02)."
        ]
    }


# Transfers


def test_transfer_to_another_cluster_makes_a_label_in_its_place() -> None:
    label, target, account = award_label(score=Decimal(90)), make_cluster(), make_account()

    decision = taken(
        life.transfer_label, label, on=TODAY, cluster=target, by=account, reason="Merger."
    )

    successor = Label.objects.get(transferred_from=label)
    assert (successor.cluster, successor.public_id != label.public_id) == (target, True)
    assert (successor.starts_on, successor.ends_on) == (TODAY, ENDS)
    assert successor.score == 90
    assert (successor.decided_here, successor.is_published) == (True, True)
    assert (state(label, date(2026, 11, 21)), state(label, TODAY)) == (
        State.VALID,
        State.TRANSFERRED,
    )
    assert (state(successor, date(2026, 11, 21)), state(successor, TODAY)) == (
        State.NOT_YET,
        State.VALID,
    )
    assert (decision.kind, decision.label, decision.takes_effect_on) == (
        DecisionKind.TRANSFER,
        label,
        TODAY,
    )
    for row in (label, successor):
        version = row.history.latest()
        assert version.history_change_reason == "Merger."
        assert version.history_user == decision.decided_by


def test_transfer_to_another_organisation_keeps_the_label() -> None:
    before, after = make_organisation(), make_organisation()
    label = award_label(managing_organisation=before)

    decision = taken(life.transfer_label, label, on=TODAY, organisation=after)

    assert stored(label).managing_organisation == after
    assert (decision.organisation_before, decision.organisation_after) == (before, after)
    assert stored(label).transferred_on is None


def test_transfer_to_nowhere_is_refused() -> None:
    label = award_label()

    assert refused(lambda: taken(life.transfer_label, label, on=TODAY, cluster=label.cluster)) == {
        "__all__": ["Say to which cluster or organisation the label moves."]
    }


def test_transfer_on_the_first_day_is_refused() -> None:
    label = award_label()

    assert refused(
        lambda: taken(life.transfer_label, label, on=STARTS, cluster=make_cluster())
    ) == {"on": ["On its first day a label is corrected, not transferred."]}


def test_transfer_of_a_label_that_is_not_valid_is_refused() -> None:
    label = award_label()

    on = date(2028, 4, 1)
    assert refused(lambda: taken(life.transfer_label, label, on=on, cluster=make_cluster())) == {
        "on": ["The label is not valid on 2028-04-01."]
    }


def test_transfer_of_a_renewed_label_is_refused() -> None:
    label = award_label()
    renewed(label)

    assert refused(lambda: taken(life.transfer_label, label, on=TODAY, cluster=make_cluster())) == {
        "__all__": ["This label has been renewed already."]
    }


def test_transfer_before_a_suspension_is_refused() -> None:
    label = award_label()
    taken(life.suspend, label, on=date(2026, 12, 1))
    words = refused(lambda: taken(life.transfer_label, label, on=TODAY, cluster=make_cluster()))
    taken(life.reinstate, label, on=date(2026, 12, 8))

    assert words == {"__all__": ["The label is suspended: reinstate it before it is transferred."]}
    assert refused(lambda: taken(life.transfer_label, label, on=TODAY, cluster=make_cluster())) == {
        "on": ["The label was suspended later than that before."]
    }


def test_transfer_while_a_revocation_waits_is_refused() -> None:
    label = award_label()
    step(life.revoke, label, on=TODAY)

    assert refused(lambda: taken(life.transfer_label, label, on=TODAY, cluster=make_cluster())) == {
        "__all__": ["Another decision on this label is waiting."]
    }


def test_transfer_to_a_cluster_with_such_a_label_is_refused() -> None:
    label, other = award_label(), award_label(assessed_on=PartialDate(2026, 5, 1))

    words = refused(lambda: taken(life.transfer_label, label, on=TODAY, cluster=other.cluster))

    assert f"({other.public_id})" in words["__all__"][0]
    assert stored(label).transferred_on is None


def test_label_that_took_the_place_lives_on() -> None:
    label = award_label()
    taken(life.extend, label, until=date(2028, 6, 30))
    taken(life.transfer_label, label, on=TODAY, cluster=make_cluster())
    successor = Label.objects.get(transferred_from=label)

    taken(life.extend, successor, until=date(2028, 9, 30))

    successor = stored(successor)
    assert (successor.starts_on, successor.ends_on) == (TODAY, date(2028, 9, 30))
    assert successor.renewable_until == date(2029, 9, 30)
    assert stored(label).ends_on == date(2028, 6, 30)
    later = renewed(successor, assessed_on=PartialDate(2028, 9, 1))
    assert later.starts_on == date(2028, 10, 1)


def test_steps_open_are_those_that_the_register_allows() -> None:
    label = award_label()
    kinds = DecisionKind

    assert steps_open(label, TODAY) == [
        kinds.RENEWAL,
        kinds.EXTENSION,
        kinds.SUSPENSION,
        kinds.TRANSFER,
        kinds.REVOCATION,
    ]
    assert steps_open(label, date(2026, 3, 9)) == [kinds.EXTENSION, kinds.REVOCATION]
    assert steps_open(label, ENDS.replace(month=4, day=1)) == [
        kinds.RENEWAL,
        kinds.EXTENSION,
        kinds.REVOCATION,
    ]
    taken(life.suspend, label, on=TODAY)
    assert steps_open(label, TODAY) == [kinds.REINSTATEMENT, kinds.REVOCATION]


# The database refuses the same


def silver() -> Label:
    return award_label(level="silver")


@pytest.mark.parametrize(
    ("make", "values"),
    [
        pytest.param(award_label, {"score": 79}, id="score under the minimum"),
        pytest.param(lambda: award_label(level="bronze"), {"score": 90}, id="score of a Bronze"),
        pytest.param(silver, {"areas_of_improvement": ""}, id="Silver without areas"),
        pytest.param(silver, {"benchmarked_on": None}, id="Silver without benchmarking"),
        pytest.param(silver, {"benchmarked_on": "2026-03-10"}, id="benchmarking too late"),
        pytest.param(award_label, {"benchmarked_on": "2020"}, id="benchmarking of a Gold"),
        pytest.param(award_label, {"ends_on": date(2026, 3, 9)}, id="end before the start"),
        pytest.param(award_label, {"renewable_until": ENDS.replace(day=30)}, id="window too short"),
        pytest.param(award_label, {"days_are_exact": False}, id="decided here, not to the day"),
        pytest.param(award_label, {"revoked_on": TODAY}, id="revoked without a reason"),
        pytest.param(award_label, {"transferred_on": STARTS}, id="transferred on the first day"),
        pytest.param(award_label, {"extended_until": TODAY}, id="extended to another day"),
        pytest.param(lambda: revoked(award_label()), {"source": "x"}, id="change once revoked"),
        pytest.param(
            lambda: revoked(award_label()),
            {"revoked_on": None, "revocation_reason": ""},
            id="revocation taken back",
        ),
    ],
)
def test_database_refuses_an_update(make: Callable[[], Label], values: dict[str, Any]) -> None:
    label = make()

    with pytest.raises(IntegrityError), transaction.atomic():
        Label.objects.filter(pk=label.pk).update(**values)


def second_of(first: Label) -> Label:
    """Checked by nothing yet; it begins on the last day of the first."""
    label = new_label(cluster=first.cluster, assessed_on=PartialDate.from_date(ENDS))
    label.derive_days()
    return label


def test_database_refuses_two_in_force_written_in_bulk() -> None:
    label = second_of(award_label())

    with pytest.raises(IntegrityError), transaction.atomic():
        Label.objects.bulk_create([label])


@pytest.mark.parametrize("level", ["bronze", "silver", "gold"])
def test_database_refuses_wrong_facts_written_in_bulk(level: str) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "bronze": {"score": Decimal(90)},
        "silver": {"areas_of_improvement": "", "decided_here": True},
        "gold": {"score": Decimal(79)},
    }
    label = new_label(level=level, **wrong[level])
    label.derive_days()

    with pytest.raises(IntegrityError), transaction.atomic():
        Label.objects.bulk_create([label])


def test_database_takes_the_day_after() -> None:
    first = award_label()
    label = new_label(cluster=first.cluster, assessed_on=PartialDate(2028, 4, 1))
    label.derive_days()

    Label.objects.bulk_create([label])

    assert Label.objects.filter(cluster=first.cluster).count() == 2


@pytest.mark.parametrize("moved", ["is_published", "cluster_id", "level_id", "starts_on"])
def test_database_refuses_two_in_force_by_an_update(moved: str) -> None:
    first = award_label()
    label = second_of(first)
    right = {
        "is_published": True,
        "cluster_id": first.cluster_id,
        "level_id": "gold",
        "starts_on": ENDS,
    }
    elsewhere = {
        "is_published": False,
        "cluster_id": make_cluster().pk,
        "level_id": "bronze",
        "starts_on": date(2028, 4, 1),
    }
    setattr(label, moved, elsewhere[moved])
    label.certain_from = label.certain_until
    Label.objects.bulk_create([label])

    with pytest.raises(IntegrityError), transaction.atomic():
        Label.objects.filter(public_id=label.public_id).update(**{moved: right[moved]})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE labels_label SET source = 'x' WHERE id = %s",
        "UPDATE labels_label SET revoked_on = NULL, revocation_reason = '' WHERE id = %s",
        "INSERT INTO labels_suspension (label_id, starts_on, reason) "
        "VALUES (%s, '2026-06-01', 'Under review.')",
    ],
)
def test_database_refuses_raw_changes_to_a_revoked_label(statement: str) -> None:
    label = revoked(award_label())

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [label.pk])


def test_database_refuses_a_change_to_a_suspension_once_revoked() -> None:
    label = award_label()
    taken(life.suspend, label, on=TODAY)
    revoked(label)

    with pytest.raises(IntegrityError), transaction.atomic():
        Suspension.objects.update(ends_on=date(2026, 12, 24))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"state": "made"}, id="made without a day"),
        pytest.param({"reason": ""}, id="no reason"),
    ],
)
def test_database_refuses_a_decision_by_an_update(values: dict[str, Any]) -> None:
    step(life.award, new_label())

    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.update(**values)


def test_database_refuses_that_one_person_decides_alone() -> None:
    decision = step(life.award, new_label())

    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.update(
            state="made", decided_by=decision.proposed_by, decided_at=DECIDED_AT
        )


# Two at the same moment: threads in transactions of their own, on either engine


def at_the_same_moment(*calls: Callable[[], Any]) -> list[str]:
    """Run each in its own thread and transaction; in words, what each was told."""
    barrier = threading.Barrier(len(calls))
    told = ["never came to an end"] * len(calls)

    def run(number: int) -> None:
        try:
            barrier.wait()
            calls[number]()
            told[number] = "done"
        except ValidationError as error:
            told[number] = error.messages[0]
        except Exception as error:
            told[number] = repr(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told, key=lambda words: words != "done")


def by(account: Account, take: Callable[..., Decision], *about: Any, **details: Any) -> Any:
    """A step of an account that is there already; what is approved was looked at before."""
    defaults: dict[str, Any] = {"now": DECIDED_AT, "by": account}
    if take is proposals.approve:
        defaults["seen"] = proposals.tried(*about, now=DECIDED_AT).digest
    elif take is not refuse_proposal:
        defaults["reason"] = REASON
    return lambda: take(*about, **(defaults | details))


DECIDED_ALREADY = "Somebody has decided this already. Look at it again."


@pytest.mark.django_db(transaction=True)
def test_race_of_two_approvals() -> None:
    decision = step(life.award, new_label())
    first, second = make_account(), make_account()

    told = at_the_same_moment(
        by(first, proposals.approve, decision), by(second, proposals.approve, decision)
    )

    assert told == ["done", DECIDED_ALREADY]
    assert decision.label.history.filter(is_published=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_race_of_approval_and_refusal() -> None:
    decision = step(life.award, new_label())
    first, second = make_account(), make_account()

    told = at_the_same_moment(
        by(first, proposals.approve, decision), by(second, refuse_proposal, decision, answer="No.")
    )

    assert told == ["done", DECIDED_ALREADY]
    decision.refresh_from_db()
    assert stored(decision.label).is_published == (decision.state == DecisionState.MADE)


@pytest.mark.django_db(transaction=True)
def test_race_of_two_suspensions() -> None:
    label = award_label()
    first, second = make_account(), make_account()

    told = at_the_same_moment(
        by(first, life.suspend, label, on=TODAY), by(second, life.suspend, label, on=TODAY)
    )

    assert told == ["done", "Another decision on this label is waiting."]
    assert label.decisions.filter(kind=DecisionKind.SUSPENSION).count() == 1


@pytest.mark.django_db(transaction=True)
def test_race_of_revocation_and_renewal() -> None:
    """Approved at once, by two who had looked before: whoever comes second looks again."""
    label = award_label()
    revocation, later = step(life.revoke, label, on=TODAY), step(life.renew, label, renewal())
    first, second = make_account(), make_account()

    told = at_the_same_moment(
        by(first, proposals.approve, revocation), by(second, proposals.approve, later)
    )

    assert told[0] == "done"
    assert told[1] in (LOOK_AGAIN, "This label was revoked; it does not change any more.")
    later.refresh_from_db()
    assert stored(later.label).is_published == (later.state == DecisionState.MADE)


@pytest.mark.django_db(transaction=True)
def test_race_of_two_awards_of_overlapping_days() -> None:
    cluster = make_cluster()
    decisions = [
        step(life.award, new_label(cluster=cluster, assessed_on=PartialDate(2026, month, 10)))
        for month in (3, 9)
    ]
    first, second = make_account(), make_account()

    told = at_the_same_moment(
        by(first, proposals.approve, decisions[0]), by(second, proposals.approve, decisions[1])
    )

    assert told[0] == "done"
    assert told[1].startswith("The cluster has a label of this level in force from 2026-0")
    assert Label.objects.filter(is_published=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_race_of_extension_and_renewal() -> None:
    label = award_label()
    later = step(life.renew, label, renewal())
    first, second = make_account(), make_account()

    told = at_the_same_moment(
        by(first, life.extend, label, until=date(2028, 6, 30)), by(second, proposals.approve, later)
    )

    assert told[0] == "done"
    assert told[1] in ("done", "This label has been renewed already.")
    ends_on, starts_on = stored(label).ends_on, stored(later.label).starts_on
    assert (ends_on, starts_on) in [
        (date(2028, 6, 30), date(2028, 7, 1)),
        (date(2028, 3, 31), date(2028, 4, 1)),
    ]


@pytest.mark.django_db(transaction=True)
def test_race_of_crossing_transfers() -> None:
    """Each waits for the cluster of the other; neither may wait for ever."""
    one = award_label()
    other = award_label(level="bronze")
    first, second = make_account(), make_account()

    told = at_the_same_moment(
        by(first, life.transfer_label, one, on=TODAY, cluster=other.cluster),
        by(second, life.transfer_label, other, on=TODAY, cluster=one.cluster),
    )

    assert told == ["done", "done"]


@pytest.mark.django_db(transaction=True)
def test_race_of_two_transfers_of_one_label() -> None:
    label, here, there = award_label(), make_cluster(), make_cluster()
    first, second = make_account(), make_account()

    told = at_the_same_moment(
        by(first, life.transfer_label, label, on=TODAY, cluster=here),
        by(second, life.transfer_label, label, on=TODAY, cluster=there),
    )

    assert told == ["done", "Another decision on this label is waiting."]
    assert label.decisions.waiting().count() == 1
