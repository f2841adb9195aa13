"""Writes to accounts, teams, invitations and claims."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Model
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clusters import mail, policy
from clusters.events import record
from clusters.models import (
    Account,
    Claim,
    ClaimState,
    EventKind,
    Invitation,
    Mandate,
    Organisation,
    Role,
    TeamMember,
    TeamRole,
)

INVITATION_DAYS = 14


def require(by: Account, verb: str, row: Model, now: datetime) -> None:
    if not policy.may_row(by, verb, row, timezone.localdate(now)):
        raise PermissionDenied


def send_after_commit(template: str, *, to: str, language: str, context: dict[str, Any]) -> None:
    """A mail that cannot be sent is logged, and takes nothing back."""
    transaction.on_commit(
        partial(mail.send, template, to=to, language=language, context=context), robust=True
    )


def tell(account: Account, change: str, **context: Any) -> None:
    """Tell somebody by mail what changed about their access."""
    known = {"change": change, "organisation": "", "role": "", "roles": "", **context}
    send_after_commit("access", to=account.email, language=account.language, context=known)


@transaction.atomic
def end_sessions(*, account: Account) -> None:
    """Sign the account out everywhere; the caller gives a request's own session a new key."""
    Account.objects.filter(pk=account.pk).update(session_number=F("session_number") + 1)
    account.refresh_from_db(fields=["session_number"])
    account.__dict__.pop("roles_in_force", None)


def locked(account: Account) -> Account:
    return Account.objects.select_for_update(no_key=True).get(pk=account.pk)


# Invitations


@transaction.atomic
def invite(*, invitation: Invitation, by: Account, now: datetime) -> Invitation:
    """Save an invitation and mail its link; an earlier open one for the same place is withdrawn.

    Raises ValidationError where the person has the place already.
    """
    save_invitation(invitation=invitation, by=by, now=now)
    send_link("invitation", invitation)
    return invitation


def save_invitation(*, invitation: Invitation, by: Account, now: datetime) -> None:
    invitation.email = invitation.email.strip().lower()
    invitation.invited_by = by
    invitation.expires_at = now + timedelta(days=INVITATION_DAYS)
    if invitation.role and invitation.role not in policy.givable_roles(by):
        raise PermissionDenied
    invitation.full_clean()
    invitation.save()
    require(by, policy.ADD, invitation, now)
    refuse_second_place(invitation)
    withdraw(Invitation.objects.open(now).for_the_place_of(invitation), now)
    record(
        EventKind.INVITED,
        now=now,
        account=by,
        about=Account.objects.filter(email=invitation.email).first(),
        detail=place_of(invitation),
        typed_address=invitation.email,
    )


def refuse_second_place(invitation: Invitation) -> None:
    if invitation.programme and invitation.role != Role.POLICY_MAKER:
        raise ValidationError({"programme": _("Only a policy maker follows a programme.")})
    if invitation.organisation and TeamMember.objects.filter(
        organisation=invitation.organisation, account__email=invitation.email
    ):
        raise ValidationError({"email": _("This address is in the team already.")})


def place_of(invitation: Invitation) -> str:
    """For the log: no address in it."""
    if invitation.organisation:
        return f"{invitation.organisation.public_id}: {invitation.team_role}"
    programme = invitation.programme
    return f"{invitation.role}: {programme.public_id}" if programme else invitation.role


def send_link(template: str, invitation: Invitation, **context: Any) -> None:
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
    send_after_commit(template, to=invitation.email, language=invitation.language, context=known)


def withdraw(invitations: Iterable[Invitation], now: datetime) -> None:
    for invitation in invitations:
        invitation.withdrawn_at = now
        invitation.save()


def opened(invitation: Invitation, now: datetime) -> Invitation:
    """The invitation, locked; raises ValidationError when it is no longer open."""
    row = Invitation.objects.select_for_update(no_key=True).get(pk=invitation.pk)
    if not row.is_open(now):
        raise ValidationError(_("This invitation was used or withdrawn, or its time is over."))
    return row


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, by: Account, now: datetime) -> None:
    require(by, policy.CHANGE, invitation, now)
    withdraw([opened(invitation, now)], now)


@transaction.atomic
def accept_invitation(
    *, invitation: Invitation, now: datetime, account: Account | None = None, password: str = ""
) -> Account:
    """Give the place to a new account with this password, or to `account`, once.

    An existing account must have the address that was invited: the link proves no other. Its
    sessions end. Raises ValidationError.
    """
    row = opened(invitation, now)
    if account is None:
        account = new_account(row, password)
    elif account.email != row.email or not account.is_active:
        raise ValidationError(_("This invitation is for another address."))
    row.accepted_at = now
    row.save()
    give_place(row, account)
    place = place_of(row)
    record(EventKind.INVITATION_ACCEPTED, now=now, account=account, detail=place)
    record(EventKind.ROLE_GIVEN, now=now, account=row.invited_by, about=account, detail=place)
    end_sessions(account=account)
    return account


def new_account(invitation: Invitation, password: str) -> Account:
    """With the invited address, which the link has proved."""
    try:
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
        if not is_new and invitation.team_role == TeamRole.OWNER != member.role:
            member.role = TeamRole.OWNER
            member.save()
        return
    account.groups.add(Group.objects.get(name=invitation.role))
    if invitation.programme:
        Mandate.objects.get_or_create(account=account, programme=invitation.programme)


# Roles, accounts, mandates


@transaction.atomic
def give_roles(*, account: Account, roles: Iterable[str], by: Account, now: datetime) -> None:
    """Make these the account's roles, among those that `by` may give; others stay as they are."""
    account = locked(account)
    require(by, policy.CHANGE, account, now)
    givable, wanted = policy.givable_roles(by), set(roles)
    if wanted - givable:
        raise PermissionDenied
    held = set(account.groups.values_list("name", flat=True)) & givable
    if wanted == held:
        return
    account.groups.add(*Group.objects.filter(name__in=wanted - held))
    account.groups.remove(*Group.objects.filter(name__in=held - wanted))
    for kind, changed in (
        (EventKind.ROLE_GIVEN, wanted - held),
        (EventKind.ROLE_TAKEN, held - wanted),
    ):
        for name in sorted(changed):
            record(kind, now=now, account=by, about=account, detail=name)
    if Role.LEAD in held - wanted:
        withdraw(Invitation.objects.open(now).filter(invited_by=account), now)
    end_sessions(account=account)
    names = account.groups.order_by("name").values_list("name", flat=True)
    with translation.override(account.language):
        tell(account, "roles", roles=", ".join(str(Role(name).label) for name in names))


@transaction.atomic
def disable_account(*, account: Account, by: Account, now: datetime) -> None:
    """Also the last owner of a profile, which then has none."""
    account = locked(account)
    require(by, policy.CHANGE, account, now)
    if account == by:
        raise ValidationError(_("You cannot disable your own account."))
    if not account.is_active:
        return
    account.is_active = False
    account.save()
    withdraw(Invitation.objects.open(now).filter(invited_by=account), now)
    record(EventKind.ACCOUNT_DISABLED, now=now, account=by, about=account)
    end_sessions(account=account)
    tell(account, "disabled")


@transaction.atomic
def enable_account(*, account: Account, by: Account, now: datetime) -> None:
    account = locked(account)
    require(by, policy.CHANGE, account, now)
    if account.is_active:
        return
    account.is_active = True
    account.save()
    record(EventKind.ACCOUNT_ENABLED, now=now, account=by, about=account)
    tell(account, "enabled")


@transaction.atomic
def give_mandate(*, mandate: Mandate, by: Account, now: datetime) -> None:
    mandate.save()
    require(by, policy.ADD, mandate, now)
    record(
        EventKind.ROLE_GIVEN,
        now=now,
        account=by,
        about=mandate.account,
        detail=f"mandate: {mandate.programme.public_id}",
    )


@transaction.atomic
def take_mandate(*, mandate: Mandate, by: Account, now: datetime) -> None:
    require(by, policy.DELETE, mandate, now)
    record(
        EventKind.ROLE_TAKEN,
        now=now,
        account=by,
        about=mandate.account,
        detail=f"mandate: {mandate.programme.public_id}",
    )
    mandate.delete()


@transaction.atomic
def set_language(*, account: Account, language: str) -> None:
    account = locked(account)
    account.language = language
    account.save()


# Teams


def member_of_locked_team(member: TeamMember) -> TeamMember:
    """As stored now; until the transaction ends nobody else changes the organisation's team."""
    Organisation.objects.select_for_update(no_key=True).get(pk=member.organisation_id)
    return TeamMember.objects.select_related("organisation", "account").get(pk=member.pk)


def refuse_to_lose_last_owner(member: TeamMember) -> None:
    """Only an active owner counts: a disabled one looks after nothing."""
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
    """Who no longer owns the team lets nobody in by a link sent before."""
    withdraw(
        Invitation.objects.open(now).filter(
            invited_by=member.account_id, organisation=member.organisation_id
        ),
        now,
    )


@transaction.atomic
def change_team_role(*, member: TeamMember, role: str, by: Account, now: datetime) -> None:
    """Raises ValidationError when the last active owner would be none."""
    member = member_of_locked_team(member)
    require(by, policy.CHANGE, member, now)
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
    end_sessions(account=member.account)
    tell(
        member.account,
        "team-role",
        organisation=member.organisation.name,
        role=TeamRole(role).label,
    )


@transaction.atomic
def remove_from_team(*, member: TeamMember, by: Account, now: datetime) -> None:
    """Take somebody out of a team, or leave it. Raises ValidationError: the last active owner."""
    member = member_of_locked_team(member)
    require(by, policy.DELETE, member, now)
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
    tell(member.account, "removed", organisation=member.organisation.name)


# Claims


@transaction.atomic
def submit_claim(
    *, organisation: Organisation, role_address: str, reason: str, language: str
) -> Claim:
    """The claim that now waits; sent twice it is one. Raises ValidationError: there is a team."""
    if not Organisation.objects.published().without_owner().filter(pk=organisation.pk).exists():
        raise ValidationError(_("A team looks after this profile already."))
    claim, _is_new = Claim.objects.get_or_create(
        organisation=organisation,
        role_address=role_address.strip().lower(),
        state=ClaimState.PENDING,
        defaults={"reason": reason, "language": language},
    )
    return claim


@transaction.atomic
def decide_claim(
    *, claim: Claim, is_approved: bool, answer: str, by: Account, now: datetime
) -> None:
    """Approved: an invitation as owner goes to the role address; denied: the answer does.

    Raises ValidationError: decided already, denied without a word, or others have come first.
    """
    row = Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
    require(by, policy.CHANGE, row, now)
    if row.state != ClaimState.PENDING:
        raise ValidationError(_("This claim is decided already."))
    row.state = ClaimState.APPROVED if is_approved else ClaimState.DENIED
    row.answer, row.decided_at, row.decided_by = answer.strip(), now, by
    row.full_clean()
    row.save()
    record(
        EventKind.CLAIM_DECIDED,
        now=now,
        account=by,
        detail=f"{row.organisation.public_id}: {row.state}",
    )
    if is_approved:
        admit(row, by, now)
    else:
        send_after_commit(
            "claim_denied",
            to=row.role_address,
            language=row.language,
            context={"organisation": row.organisation.name, "answer": row.answer},
        )


def refuse_owned(organisation_id: int) -> None:
    if not Organisation.objects.without_owner().filter(pk=organisation_id).exists():
        raise ValidationError(_("This profile has an owner by now. Deny the claim and say so."))


def admit(claim: Claim, by: Account, now: datetime) -> None:
    refuse_owned(claim.organisation_id)
    invitation = Invitation(
        email=claim.role_address,
        organisation=claim.organisation,
        team_role=TeamRole.OWNER,
        language=claim.language,
    )
    save_invitation(invitation=invitation, by=by, now=now)
    send_link("claim_approved", invitation, answer=claim.answer)
