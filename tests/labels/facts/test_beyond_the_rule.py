"""An end beyond what the rule allows at most takes a lead, a second person and a reason."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from pytest_django import Settings

from clusters.dates import PartialDate
from clusters.models import Account, Role
from labels.life import steps as life
from labels.models import Decision, DecisionState, Label
from tests.admin_tables import client_of, confirm, upload
from tests.factories import DECIDED_AT, approve, make_account, make_cluster, make_label

pytestmark = pytest.mark.django_db

# A first Gold of 10 March 2026 lasts to 31 March 2028.
LATEST, BEYOND = date(2028, 3, 31), date(2028, 4, 1)


@pytest.fixture(autouse=True)
def _one_person_is_enough(settings: Settings) -> None:
    settings.REQUIRE_TWO_PERSONS = False


def gold(**fields: Any) -> Label:
    return make_label(assessed_on="2026-03-10", kind="first", **fields)


def printed(end: date, reason: str = "So printed.") -> Decision:
    label = gold()
    label.valid_until = PartialDate.from_date(end)
    return life.correct(label, reason=reason, by=make_account(), now=DECIDED_AT)


def start_before_a_printed_end(end: date, reason: str = "Misread.") -> Decision:
    # The end stays, and is later than the rule allows from another start.
    label = gold(valid_until=end.isoformat())
    if end > LATEST:
        label = gold(valid_until=LATEST.isoformat())
        label.assessed_on = PartialDate(2026, 2, 10)
    else:
        label.assessed_on = PartialDate(2026, 3, 11)
    return life.correct(label, reason=reason, by=make_account(), now=DECIDED_AT)


def extended(end: date, reason: str = "Illness.") -> Decision:
    # Of a label that ended before the rule says.
    label = gold(valid_until="2027-12-31")
    return life.extend(label, until=end, reason=reason, by=make_account(), now=DECIDED_AT)


def awarded(end: date, reason: str = "So printed.") -> Decision:
    label = Label(
        cluster=make_cluster(),
        level_id="gold",
        assessed_on=PartialDate(2026, 3, 10),
        kind="first",
        valid_until=PartialDate.from_date(end),
    )
    return life.award(label, reason=reason, by=make_account(), now=DECIDED_AT)


def imported(end: date, reason: str = "So printed.") -> Decision:
    cluster = make_cluster()
    table = (
        "cluster,level,kind,assessed_on,valid_until,source,reason\n"
        f"{cluster.public_id},gold,first,2026-03-10,{end},A list,{reason}\n"
    )
    client, page = client_of(make_account(Role.LEAD)), reverse("admin:labels_label_import")
    preview = upload(client, page, table)
    if "confirm_form" not in preview.context:
        raise ValidationError("Give the reason.")
    confirm(client, page, preview)
    return Decision.objects.get()


WAYS = (printed, start_before_a_printed_end, extended, awarded, imported)
Way = Callable[..., Decision]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_end_by_the_rule_is_decided_by_one(way: Way) -> None:
    assert way(LATEST).state == DecisionState.MADE


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_end_beyond_the_rule_takes_two(way: Way) -> None:
    decision = way(BEYOND)

    assert (decision.state, decision.needs_two) == (DecisionState.PROPOSED, True)
    proposer = decision.proposed_by
    assert isinstance(proposer, Account)
    with pytest.raises(ValidationError, match="You proposed this"):
        approve(decision, by=proposer)
    approve(decision)
    assert Label.objects.get(pk=decision.label_id).ends_on in (LATEST, BEYOND)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_end_beyond_the_rule_wants_a_reason(way: Way) -> None:
    with pytest.raises(ValidationError, match="Give the reason"):
        way(BEYOND, reason="")


def test_end_beyond_the_rule_is_approved_by_a_lead_who_is_told() -> None:
    decision = extended(BEYOND)
    page = reverse("admin:labels_decision_approve", args=[decision.pk])

    assert client_of(make_account(Role.EDITOR)).get(page).status_code == 403
    shown = client_of(make_account(Role.LEAD)).get(page)

    assert [str(one) for one in shown.context["warnings"]] == [
        "The end lies beyond what the rule allows at most: 31 March 2028."
    ]


def test_end_that_lay_beyond_before_takes_one() -> None:
    label = gold(valid_until=BEYOND.isoformat())
    label.score = 90

    decision = life.correct(label, reason="Misread.", by=make_account(), now=DECIDED_AT)

    assert decision.state == DecisionState.MADE
