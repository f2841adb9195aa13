from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from clusters.models import (
    Account,
    Claim,
    EventKind,
    Invitation,
    Organisation,
    Role,
    TeamMember,
    TeamRole,
)
from clusters.people import claims
from tests.clusters.people.access import NOW, event_kinds
from tests.factories import make_account, make_organisation, make_team_member
from tests.races import run_at_once

pytestmark = pytest.mark.django_db


def submit_claim(organisation: Organisation, **fields: Any) -> Claim:
    defaults = {"role_address": "info@example.org", "reason": "It is ours.", "language": "en"}
    return claims.submit_claim(organisation=organisation, **(defaults | fields))


def test_claim_waits(sent: Any) -> None:
    organisation = make_organisation()

    messages = sent(submit_claim, organisation=organisation, role_address="Info@Example.org")

    [claim] = Claim.objects.filter(state="pending")
    assert claim.role_address == "info@example.org"
    assert messages == []


def test_claim_sent_twice_is_one() -> None:
    organisation = make_organisation()

    assert submit_claim(organisation) == submit_claim(organisation, reason="Once more.")


def test_profile_with_an_owner_is_not_claimed(owner: TeamMember) -> None:
    with pytest.raises(ValidationError, match="already"):
        submit_claim(owner.organisation)


def test_profile_of_a_disabled_owner_is_claimed() -> None:
    member = make_team_member(account=make_account(is_active=False))

    assert submit_claim(member.organisation).pk


def test_unpublished_organisation_is_not_claimed() -> None:
    with pytest.raises(ValidationError):
        submit_claim(make_organisation(is_published=False))


def test_approved_claim_invites_an_owner(lead: Account, sent: Any) -> None:
    claim = submit_claim(make_organisation(), language="it")

    [message] = sent(
        claims.decide_claim, claim=claim, is_approved=True, answer="Welcome.", by=lead, now=NOW
    )

    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.team_role) == ("info@example.org", TeamRole.OWNER)
    assert message.to == ["info@example.org"]
    assert "/it/invitations/" in message.body
    assert "Welcome." in message.body
    claim.refresh_from_db()
    assert (claim.state, claim.decided_by) == ("approved", lead)


def test_denied_claim_is_answered(lead: Account, sent: Any) -> None:
    claim = submit_claim(make_organisation())

    [message] = sent(
        claims.decide_claim,
        claim=claim,
        is_approved=False,
        answer="The address is not of its domain.",
        by=lead,
        now=NOW,
    )

    assert "The address is not of its domain." in message.body
    assert not Invitation.objects.exists()
    assert event_kinds() == [EventKind.CLAIM_DECIDED]


def test_claim_is_not_denied_without_a_word(lead: Account) -> None:
    claim = submit_claim(make_organisation())

    with pytest.raises(ValidationError, match="Say why"):
        claims.decide_claim(claim=claim, is_approved=False, answer=" ", by=lead, now=NOW)


def test_claim_is_decided_once(lead: Account) -> None:
    claim = submit_claim(make_organisation())
    claims.decide_claim(claim=claim, is_approved=False, answer="No.", by=lead, now=NOW)

    with pytest.raises(ValidationError, match="decided already"):
        claims.decide_claim(claim=claim, is_approved=True, answer="", by=lead, now=NOW)


def test_claim_comes_too_late(lead: Account) -> None:
    claim = submit_claim(make_organisation())
    make_team_member(organisation=claim.organisation)

    with pytest.raises(ValidationError, match="has an owner"):
        claims.decide_claim(claim=claim, is_approved=True, answer="", by=lead, now=NOW)

    claim.refresh_from_db()
    assert claim.state == "pending"


@pytest.mark.parametrize("role", [Role.EDITOR, Role.AUDITOR])
def test_only_a_lead_decides(role: Role) -> None:
    claim = submit_claim(make_organisation())

    with pytest.raises(PermissionDenied):
        claims.decide_claim(
            claim=claim, is_approved=True, answer="", by=make_account(role), now=NOW
        )


@pytest.mark.django_db(transaction=True)
def test_claim_decided_twice_at_once_is_decided_once(lead: Account) -> None:
    claim = submit_claim(make_organisation())

    def decide(is_approved: bool) -> None:
        claims.decide_claim(
            claim=claim, is_approved=is_approved, answer="Because.", by=lead, now=NOW
        )

    raised = run_at_once(lambda: decide(True), lambda: decide(False))

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    claim.refresh_from_db()
    assert Invitation.objects.count() == (claim.state == "approved")
