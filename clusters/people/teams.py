from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clusters.models import Account, EventKind, Invitation, TeamMember, TeamRole
from clusters.people import policy
from clusters.people.access import end_sessions, lock_team, mail_access_change, require_right
from clusters.people.invitations import withdraw_all
from clusters.people.log import record


def member_of_locked_team(member: TeamMember) -> TeamMember:
    """The member as stored; the organisation's team is locked until the transaction ends."""
    # Two owners who leave at the same moment would each see the other one stay.
    lock_team(member.organisation_id)
    return TeamMember.objects.select_related("organisation", "account").get(pk=member.pk)


def refuse_to_lose_last_owner(member: TeamMember) -> None:
    # Only an active owner counts: a disabled one looks after nothing.
    if member.role != TeamRole.OWNER or not member.account.is_active:
        return
    others = TeamMember.objects.filter(
        organisation=member.organisation_id, role=TeamRole.OWNER, account__is_active=True
    ).exclude(pk=member.pk)
    if not others.exists():
        raise ValidationError(
            _(
                "This is the last owner of %(organisation)s. "
                "Make somebody else an owner first, or write to the secretariat."
            )
            % {"organisation": member.organisation}
        )


def withdraw_invitations_by(member: TeamMember, now: datetime) -> None:
    # A link sent before would let somebody in whom no owner wants any more.
    withdraw_all(
        Invitation.objects.open(now).filter(
            invited_by=member.account_id, organisation=member.organisation_id
        ),
        now,
    )


@transaction.atomic
def change_team_role(*, member: TeamMember, role: str, by: Account, now: datetime) -> None:
    """Raises ValidationError when the last active owner would be none."""
    member = member_of_locked_team(member)
    require_right(by, policy.CHANGE, member, now)
    if member.role == role:
        return
    if role != TeamRole.OWNER:
        refuse_to_lose_last_owner(member)
        withdraw_invitations_by(member, now)
    member.role = role
    member.save()
    record(
        EventKind.ROLE_GIVEN,
        now=now,
        account=by,
        about=member.account,
        detail=f"{member.organisation.public_id}: {role}",
    )
    # A session may hold pages open that the new role does not allow.
    end_sessions(account=member.account)
    mail_access_change(
        member.account,
        "team-role",
        organisation=member.organisation.name,
        role=TeamRole(role).label,
    )


@transaction.atomic
def remove_from_team(*, member: TeamMember, by: Account, now: datetime) -> None:
    """Also to leave it oneself. Raises ValidationError for the last active owner."""
    member = member_of_locked_team(member)
    require_right(by, policy.DELETE, member, now)
    refuse_to_lose_last_owner(member)
    withdraw_invitations_by(member, now)
    record(
        EventKind.ROLE_TAKEN,
        now=now,
        account=by,
        about=member.account,
        detail=f"{member.organisation.public_id}: {member.role}",
    )
    member.delete()
    end_sessions(account=member.account)
    mail_access_change(member.account, "removed", organisation=member.organisation.name)
