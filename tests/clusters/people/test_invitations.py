import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from clusters.models import Account, Event, EventKind, Invitation, Role, TeamMember, TeamRole
from clusters.people import invitations
from tests.clusters.people.access import (
    NOW,
    accept,
    event_kinds,
    invite_to_role,
    invite_to_team,
    is_signed_in,
)
from tests.factories import make_account, make_organisation, make_programme, make_team_member
from tests.races import run_at_once

pytestmark = pytest.mark.django_db


def test_invite_mails_the_link_in_the_language_chosen(owner: TeamMember, sent: Any) -> None:
    invitation = Invitation(
        email=" New@Example.org ",
        organisation=owner.organisation,
        team_role=TeamRole.EDITOR,
        language="it",
    )

    [message] = sent(invitations.invite, invitation=invitation, by=owner.account, now=NOW)

    assert message.to == ["new@example.org"]
    assert re.search(r"http://testserver/it/invitations/\S+", message.body)
    assert owner.account.email in message.body
    assert invitation.expires_at == NOW + timedelta(days=14)
    assert event_kinds() == [EventKind.INVITED]


def test_invite_names_nobody_in_the_log(owner: TeamMember) -> None:
    invite_to_team(owner)

    event = Event.objects.get()
    assert event.detail == f"{owner.organisation.public_id}: editor"
    assert event.address.typed_address == "new@example.org"


def test_invite_of_a_member_is_refused(owner: TeamMember) -> None:
    member = make_team_member(organisation=owner.organisation)

    with pytest.raises(ValidationError, match="in the team already"):
        invite_to_team(owner, email=member.account.email)

    assert not Invitation.objects.exists()


def test_invite_again_withdraws_the_earlier_link(owner: TeamMember) -> None:
    first = invite_to_team(owner)

    second = invite_to_team(owner, team_role=TeamRole.OWNER)

    assert list(Invitation.objects.open(NOW)) == [second]
    first.refresh_from_db()
    assert first.withdrawn_at == NOW


def test_invite_to_another_team_is_forbidden(owner: TeamMember) -> None:
    with pytest.raises(PermissionDenied):
        invite_to_team(owner, organisation=make_organisation())

    assert not Invitation.objects.exists()


def test_editor_of_a_team_invites_nobody() -> None:
    editor = make_team_member(role=TeamRole.EDITOR)

    with pytest.raises(PermissionDenied):
        invite_to_team(editor)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.EDITOR])
def test_owner_gives_no_role_of_the_portal(owner: TeamMember, role: Role) -> None:
    with pytest.raises(PermissionDenied):
        invite_to_role(role, by=owner.account)


def test_lead_invites_below_a_lead_only(lead: Account) -> None:
    assert invite_to_role(Role.EDITOR, by=lead).pk
    with pytest.raises(PermissionDenied):
        invite_to_role(Role.LEAD, by=lead)


def test_superuser_invites_a_lead() -> None:
    superuser = Account.objects.create_superuser("root@example.org")

    assert invite_to_role(Role.LEAD, by=superuser).pk


def test_nobody_is_invited_to_be_a_team_without_organisation() -> None:
    superuser = Account.objects.create_superuser("root@example.org")

    with pytest.raises(PermissionDenied):
        invite_to_role(Role.TEAM, by=superuser)


def test_programme_goes_with_a_policy_maker_only(lead: Account) -> None:
    invitation = Invitation(email="a@example.org", role=Role.EDITOR, programme=make_programme())

    with pytest.raises(ValidationError, match="Only a policy maker"):
        invitations.invite(invitation=invitation, by=lead, now=NOW)


def test_withdrawn_invitation_is_closed(owner: TeamMember) -> None:
    invitation = invite_to_team(owner)

    invitations.withdraw_invitation(invitation=invitation, by=owner.account, now=NOW)

    with pytest.raises(ValidationError, match="withdrawn"):
        accept(invitation)


def test_invitation_of_another_team_is_not_withdrawn(owner: TeamMember) -> None:
    invitation = invite_to_team(owner)

    with pytest.raises(PermissionDenied):
        invitations.withdraw_invitation(
            invitation=invitation, by=make_team_member().account, now=NOW
        )


def test_accepting_makes_an_account_that_signs_in(owner: TeamMember) -> None:
    account = accept(invite_to_team(owner, language="it"))

    assert account.email == "new@example.org"
    assert account.language == "it"
    assert account.check_password("a-long-password")
    assert EmailAddress.objects.get(user=account).verified
    assert account.teams.get().role == TeamRole.EDITOR
    assert event_kinds() == [EventKind.INVITATION_ACCEPTED, EventKind.INVITED, EventKind.ROLE_GIVEN]


def test_accepting_gives_a_role_and_the_mandate(lead: Account) -> None:
    programme = make_programme()
    invitation = invitations.invite(
        invitation=Invitation(email="p@example.org", role=Role.POLICY_MAKER, programme=programme),
        by=lead,
        now=NOW,
    )

    account = accept(invitation)

    assert [group.name for group in account.groups.all()] == [Role.POLICY_MAKER]
    assert account.mandates.get().programme == programme


def test_accepting_gives_an_existing_account_the_place(owner: TeamMember) -> None:
    account = make_account(email="new@example.org")

    accept(invite_to_team(owner), account=account)

    assert account.teams.get().organisation == owner.organisation
    assert Account.objects.count() == 2


def test_accepting_ends_the_sessions_of_an_existing_account(
    owner: TeamMember, client: Client
) -> None:
    account = make_account(email="new@example.org")
    client.force_login(account)
    assert is_signed_in(client)

    accept(invite_to_team(owner), account=account)

    assert not is_signed_in(client)


def test_account_with_another_address_does_not_accept(owner: TeamMember) -> None:
    with pytest.raises(ValidationError, match="another address"):
        accept(invite_to_team(owner), account=make_account())


def test_disabled_account_does_not_accept(owner: TeamMember) -> None:
    account = make_account(email="new@example.org", is_active=False)

    with pytest.raises(ValidationError):
        accept(invite_to_team(owner), account=account)


def test_no_second_account_takes_an_address(owner: TeamMember) -> None:
    make_account(email="new@example.org")

    with pytest.raises(ValidationError, match="Sign in"):
        accept(invite_to_team(owner))


def test_invitation_works_once(owner: TeamMember) -> None:
    invitation = invite_to_team(owner)
    accept(invitation)

    with pytest.raises(ValidationError, match="used"):
        accept(invitation)


@pytest.mark.parametrize(
    ("after", "is_open"),
    [
        pytest.param(timedelta(days=14, microseconds=-1), True, id="last moment"),
        pytest.param(timedelta(days=14), False, id="too late"),
    ],
)
def test_invitation_ends_after_fourteen_days(
    owner: TeamMember, after: timedelta, is_open: bool
) -> None:
    invitation = invite_to_team(owner)

    assert Invitation.objects.open(NOW + after).exists() == is_open
    assert invitation.is_open(NOW + after) == is_open
    if not is_open:
        with pytest.raises(ValidationError):
            accept(invitation, now=NOW + after)


def test_accepting_lowers_no_owner_to_editor(owner: TeamMember) -> None:
    """Two invitations that crossed: the account joined as owner meanwhile."""
    invitation = invite_to_team(owner)
    account = make_account(email="new@example.org")
    make_team_member(organisation=owner.organisation, account=account)

    accept(invitation, account=account)

    assert account.teams.get().role == TeamRole.OWNER


@pytest.mark.django_db(transaction=True)
def test_invitation_accepted_twice_at_once_makes_one_account(owner: TeamMember) -> None:
    invitation = invite_to_team(owner)

    raised = run_at_once(lambda: accept(invitation), lambda: accept(invitation))

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    assert TeamMember.objects.filter(account__email="new@example.org").count() == 1


@pytest.mark.django_db(transaction=True)
def test_account_that_accepts_twice_at_once_accepts_once(owner: TeamMember) -> None:
    invitation = invite_to_team(owner)
    account = make_account(email="new@example.org")

    raised = run_at_once(
        lambda: accept(invitation, account=account), lambda: accept(invitation, account=account)
    )

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    assert event_kinds().count(EventKind.INVITATION_ACCEPTED) == 1


@pytest.mark.django_db(transaction=True)
def test_two_invitations_accepted_at_once_make_one_account(owner: TeamMember) -> None:
    first = invite_to_team(owner)
    second = invite_to_team(make_team_member())

    raised = run_at_once(lambda: accept(first), lambda: accept(second))

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    assert Account.objects.filter(email="new@example.org").count() == 1
