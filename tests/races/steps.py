"""The steps that race, each in the words of the app: when a step changes, only this does."""

from datetime import date, datetime
from typing import Any

from django.utils import timezone

from clusters.dates import PartialDate
from clusters.models import Account, Claim, Cluster, Invitation, Organisation, Role, TeamRole
from clusters.people import claims, invitations
from labels.life import steps as life
from labels.models import Decision, Label
from tests import factories
from tests.factories import DECIDED_AT, award_label, make_account, make_cluster, new_label

REASON = "The jury agreed."


# People


def submit_claim(organisation: Organisation) -> Claim:
    return claims.submit_claim(
        organisation=organisation, role_address="info@example.org", reason="Ours.", language="en"
    )


def decide_claim(claim: Claim, by: Account, *, is_approved: bool) -> None:
    claims.decide_claim(
        claim=claim, is_approved=is_approved, answer="Because.", by=by, now=timezone.now()
    )


def invite(organisation: Organisation, by: Account, email: str) -> Invitation:
    invitation = Invitation(email=email, organisation=organisation, team_role=TeamRole.EDITOR)
    return invitations.invite(invitation=invitation, by=by, now=timezone.now())


def accept(invitation: Invitation) -> Account:
    return invitations.accept_invitation(
        invitation=invitation, now=timezone.now(), password="wood-from-the-mountains"
    )


# Labels


def person() -> Account:
    return make_account(Role.LEAD)


def propose_award(cluster: Cluster, by: Account) -> Decision:
    return life.award(new_label(cluster=cluster), reason=REASON, by=by, now=DECIDED_AT)


def propose_renewal(earlier: Label, by: Account) -> Decision:
    """Of a Gold of 10 March 2026 in its last months."""
    label = Label(level_id="gold", assessed_on=PartialDate(2028, 2, 1))
    return life.renew(earlier, label, reason=REASON, by=by, now=renewal_moment())


def renewal_moment() -> datetime:
    return DECIDED_AT.replace(year=2028, month=2, day=2)


def approve(decision: Decision, by: Account, now: datetime = DECIDED_AT) -> Decision:
    return factories.approve(decision, by=by, now=now)


def transfer(label: Label, cluster: Cluster, by: Account) -> Any:
    return life.transfer_label(
        label, on=date(2026, 11, 22), cluster=cluster, reason=REASON, by=by, now=DECIDED_AT
    )


def valid_label() -> Label:
    return award_label(cluster=make_cluster())
