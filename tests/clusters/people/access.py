"""What tests of invitations, accounts and teams do, and what they look at."""

from datetime import UTC, datetime
from typing import Any

from django.test import Client

from clusters.models import Account, Event, Invitation, Role, TeamMember, TeamRole
from clusters.people import invitations

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def invite_to_team(member: TeamMember, email: str = "new@example.org", **fields: Any) -> Invitation:
    defaults: dict[str, Any] = {"organisation": member.organisation, "team_role": TeamRole.EDITOR}
    return invitations.invite(
        invitation=Invitation(email=email, **(defaults | fields)), by=member.account, now=NOW
    )


def invite_to_role(role: Role, by: Account, email: str = "new@example.org") -> Invitation:
    return invitations.invite(invitation=Invitation(email=email, role=role), by=by, now=NOW)


def accept(invitation: Invitation, **arguments: Any) -> Account:
    given: dict[str, Any] = {"password": "a-long-password", "now": NOW} | arguments
    return invitations.accept_invitation(invitation=invitation, **given)


def event_kinds() -> list[str]:
    return sorted(Event.objects.values_list("kind", flat=True))


def is_signed_in(client: Client) -> bool:
    return client.get("/en/account/").status_code == 200
