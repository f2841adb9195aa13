from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from clusters import mail
from clusters.models import (
    Account,
    EventKind,
    Invitation,
    InvitationQuerySet,
    Mandate,
    Role,
    TeamMember,
    TeamRole,
)
from clusters.people import policy
from clusters.people.access import end_sessions, lock_team, require_right, save_or_refuse
from clusters.people.log import record

INVITATION_DAYS = 14


@transaction.atomic
def invite(*, invitation: Invitation, by: Account, now: datetime) -> Invitation:
    """Save an invitation and mail its link; an earlier open one for the same place is withdrawn.

    Raises ValidationError where the person has the place already, or is invited at this moment.
    """
    save_invitation(invitation=invitation, by=by, now=now)
    mail_invitation("invitation", invitation)
    return invitation


def save_invitation(*, invitation: Invitation, by: Account, now: datetime) -> None:
    invitation.email = invitation.email.strip().lower()
    invitation.invited_by = by
    invitation.expires_at = now + timedelta(days=INVITATION_DAYS)
    if invitation.role and invitation.role not in policy.givable_roles(by):
        raise PermissionDenied
    if invitation.organisation_id:
        lock_team(invitation.organisation_id)
    # One open link for a place: the last one sent counts.
    withdraw_all(Invitation.objects.unanswered().for_the_place_of(invitation), now)
    invitation.full_clean()
    # Saved before the right is checked: a scope is a condition on stored rows.
    save_or_refuse(invitation)
    require_right(by, policy.ADD, invitation, now)
    refuse_place_held(invitation)
    record(
        EventKind.INVITED,
        now=now,
        account=by,
        about=Account.objects.filter(email=invitation.email).first(),
        detail=describe_place(invitation),
        typed_address=invitation.email,
    )


def refuse_place_held(invitation: Invitation) -> None:
    if invitation.programme and invitation.role != Role.POLICY_MAKER:
        raise ValidationError({"programme": _("Only a policy maker follows a programme.")})
    if invitation.organisation and TeamMember.objects.filter(
        organisation=invitation.organisation, account__email__iexact=invitation.email
    ):
        raise ValidationError({"email": _("This address is in the team already.")})


def describe_place(invitation: Invitation) -> str:
    # No address in it: it goes into the log, whose lines nothing changes.
    if invitation.organisation:
        return f"{invitation.organisation.public_id}: {invitation.team_role}"
    programme = invitation.programme
    return f"{invitation.role}: {programme.public_id}" if programme else invitation.role


def mail_invitation(template: str, invitation: Invitation, **context: Any) -> None:
    with translation.override(invitation.language):
        link = f"{settings.SITE_URL}{invitation.get_absolute_url()}"
        role = str(invitation.role_name())
        programme = invitation.programme.name if invitation.programme else ""
    organisation = invitation.organisation
    known = {
        "inviter": invitation.invited_by.email if invitation.invited_by else "",
        "organisation": organisation.name if organisation else "",
        "role": role,
        "programme": programme,
        "link": link,
        "expires_at": invitation.expires_at,
        **context,
    }
    mail.send(template, to=invitation.email, language=invitation.language, context=known)


def withdraw_all(invitations: InvitationQuerySet, now: datetime) -> None:
    # Locked: one that is being accepted at this moment is not among them any more.
    for invitation in invitations.select_for_update(no_key=True):
        withdraw(invitation, now)


def withdraw(invitation: Invitation, now: datetime) -> None:
    invitation.withdrawn_at = now
    invitation.save()


def lock_open_invitation(invitation: Invitation, now: datetime) -> Invitation:
    """The invitation, locked; raises ValidationError when it is no longer open."""
    # Two clicks on the link at the same moment accept once.
    row = Invitation.objects.select_for_update(no_key=True).get(pk=invitation.pk)
    if not row.is_open(now):
        raise ValidationError(_("This invitation was used or withdrawn, or its time is over."))
    return row


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, by: Account, now: datetime) -> None:
    require_right(by, policy.CHANGE, invitation, now)
    withdraw(lock_open_invitation(invitation, now), now)


@transaction.atomic
def accept_invitation(
    *, invitation: Invitation, now: datetime, account: Account | None = None, password: str = ""
) -> Account:
    """Give the place to a new account with this password, or to `account`, once.

    An existing account must have the address that was invited: the link proves no other. Its
    sessions end. Raises ValidationError.
    """
    # In the order of the actions: the team first.
    if invitation.organisation_id:
        lock_team(invitation.organisation_id)
    row = lock_open_invitation(invitation, now)
    if account is None:
        account = new_account(row, password)
    elif account.email != row.email or not account.is_active:
        raise ValidationError(_("This invitation is for another address."))
    row.accepted_at = now
    row.save()
    give_place(row, account)
    place = describe_place(row)
    record(EventKind.INVITATION_ACCEPTED, now=now, account=account, detail=place)
    record(EventKind.ROLE_GIVEN, now=now, account=row.invited_by, about=account, detail=place)
    # A session from before has not the rights of the new place, and may be a stranger's.
    end_sessions(account=account)
    return account


def new_account(invitation: Invitation, password: str) -> Account:
    # The link has proved the address.
    try:
        # A savepoint: PostgreSQL ends a transaction with the first error.
        with transaction.atomic():
            account = Account.objects.create_user(
                invitation.email, password, language=invitation.language
            )
    except IntegrityError as error:
        raise ValidationError(
            _("There is an account with this address. Sign in, then accept.")
        ) from error
    EmailAddress.objects.create(user=account, email=account.email, verified=True, primary=True)
    return account


def give_place(invitation: Invitation, account: Account) -> None:
    if invitation.organisation:
        member, is_new = TeamMember.objects.get_or_create(
            organisation=invitation.organisation,
            account=account,
            defaults={"role": invitation.team_role},
        )
        # Who became an owner meanwhile stays one: an invitation never lowers a role.
        if not is_new and invitation.team_role == TeamRole.OWNER != member.role:
            member.role = TeamRole.OWNER
            member.save()
        return
    account.groups.add(Group.objects.get(name=invitation.role))
    if invitation.programme:
        Mandate.objects.get_or_create(account=account, programme=invitation.programme)
