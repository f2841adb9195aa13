"""Many take the same step at one moment: one of them takes it, the others are told in words.

RACES=1000 runs so many rounds of eight; by default a few of four.
"""

from functools import partial

import pytest
from django.utils import timezone

from clusters.models import (
    Account,
    Claim,
    ClaimState,
    Event,
    EventKind,
    Invitation,
    Role,
    TeamMember,
)
from tests.factories import make_account, make_organisation, make_team_member
from tests.races import PEOPLE, ROUNDS, race, rounds
from tests.races.steps import accept, decide_claim, invite, submit_claim

pytestmark = pytest.mark.django_db(transaction=True)


def events(kind: EventKind) -> int:
    return Event.objects.filter(kind=kind).count()


def test_claim_sent_by_many_waits_once() -> None:
    for organisation in rounds(make_organisation):
        refused = race(*[partial(submit_claim, organisation)] * PEOPLE)

        assert refused == []
        assert Claim.objects.filter(organisation=organisation).count() == 1


def test_claim_decided_by_many_is_decided_once() -> None:
    leads = [make_account(Role.LEAD) for _number in range(PEOPLE)]
    for number, organisation in enumerate(rounds(make_organisation), 1):
        claim = submit_claim(organisation)
        decisions = [
            partial(decide_claim, claim, lead, is_approved=bool(place % 2))
            for place, lead in enumerate(leads)
        ]

        refused = race(*decisions)

        assert refused == ["This claim is decided already."] * (PEOPLE - 1)
        claim.refresh_from_db()
        is_approved = claim.state == ClaimState.APPROVED
        assert Invitation.objects.filter(organisation=organisation).count() == is_approved
        assert events(EventKind.CLAIM_DECIDED) == number


def test_invitation_accepted_by_many_makes_one_account() -> None:
    owner = make_team_member()
    for number in range(ROUNDS):
        email = f"new-{number}@example.org"
        invitation = invite(owner.organisation, owner.account, email)

        refused = race(*[partial(accept, invitation)] * PEOPLE)

        told = "This invitation was used or withdrawn, or its time is over."
        assert refused == [told] * (PEOPLE - 1)
        assert Account.objects.filter(email=email).count() == 1
        assert TeamMember.objects.filter(account__email=email).count() == 1
        assert events(EventKind.INVITATION_ACCEPTED) == number + 1


def test_invitations_of_many_teams_make_one_account() -> None:
    owners = [make_team_member() for _number in range(PEOPLE)]
    for number in range(ROUNDS):
        email = f"new-{number}@example.org"
        links = [invite(owner.organisation, owner.account, email) for owner in owners]

        refused = race(*[partial(accept, link) for link in links])

        told = "There is an account with this address. Sign in, then accept."
        assert refused == [told] * (PEOPLE - 1)
        assert Account.objects.filter(email=email).count() == 1
        assert TeamMember.objects.filter(account__email=email).count() == 1
        # The links of the others are open still, for whoever signs in.
        assert Invitation.objects.open(timezone.now()).filter(email=email).count() == PEOPLE - 1


def test_invitation_sent_by_many_is_open_once() -> None:
    owner = make_team_member()
    for number in range(ROUNDS):
        email = f"new-{number}@example.org"

        race(*[partial(invite, owner.organisation, owner.account, email)] * PEOPLE)

        assert Invitation.objects.open(timezone.now()).filter(email=email).count() == 1
