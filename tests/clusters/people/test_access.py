import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connections
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from clusters.models import (
    Account,
    Claim,
    Event,
    EventKind,
    Invitation,
    Mandate,
    Organisation,
    Role,
    TeamMember,
    TeamRole,
)
from clusters.people import accounts, invitations, teams
from clusters.people import claims as actions
from tests.factories import (
    make_account,
    make_organisation,
    make_policy_maker,
    make_programme,
    make_team_member,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def owner() -> TeamMember:
    return make_team_member()


@pytest.fixture
def lead() -> Account:
    return make_account(Role.LEAD)


@pytest.fixture
def sent(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Any:
    """The mails that a call sends."""

    def run(action: Callable[..., Any], **arguments: Any) -> list[Any]:
        before = len(mail.outbox)
        with django_capture_on_commit_callbacks(execute=True):
            action(**arguments)
        return mail.outbox[before:]

    return run


def invitation_to(member: TeamMember, email: str = "new@example.org", **fields: Any) -> Invitation:
    defaults: dict[str, Any] = {"organisation": member.organisation, "team_role": TeamRole.EDITOR}
    return invitations.invite(
        invitation=Invitation(email=email, **(defaults | fields)), by=member.account, now=NOW
    )


def invitation_as(role: Role, by: Account, email: str = "new@example.org") -> Invitation:
    return invitations.invite(invitation=Invitation(email=email, role=role), by=by, now=NOW)


def accept(invitation: Invitation, **arguments: Any) -> Account:
    given: dict[str, Any] = {"password": "a-long-password", "now": NOW} | arguments
    return invitations.accept_invitation(invitation=invitation, **given)


def events() -> list[str]:
    return sorted(Event.objects.values_list("kind", flat=True))


def in_force(client: Client) -> bool:
    return client.get("/en/account/").status_code == 200


# Invitations


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
    assert events() == [EventKind.INVITED]


def test_invite_names_nobody_in_the_log(owner: TeamMember) -> None:
    invitation_to(owner)

    event = Event.objects.get()
    assert event.detail == f"{owner.organisation.public_id}: editor"
    assert event.address.typed_address == "new@example.org"


def test_invite_of_a_member_is_refused(owner: TeamMember) -> None:
    member = make_team_member(organisation=owner.organisation)

    with pytest.raises(ValidationError, match="in the team already"):
        invitation_to(owner, email=member.account.email)

    assert not Invitation.objects.exists()


def test_invite_again_withdraws_the_earlier_link(owner: TeamMember) -> None:
    first = invitation_to(owner)

    second = invitation_to(owner, team_role=TeamRole.OWNER)

    assert list(Invitation.objects.open(NOW)) == [second]
    first.refresh_from_db()
    assert first.withdrawn_at == NOW


def test_invite_to_another_team_is_forbidden(owner: TeamMember) -> None:
    with pytest.raises(PermissionDenied):
        invitation_to(owner, organisation=make_organisation())

    assert not Invitation.objects.exists()


def test_editor_of_a_team_invites_nobody() -> None:
    editor = make_team_member(role=TeamRole.EDITOR)

    with pytest.raises(PermissionDenied):
        invitation_to(editor)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.EDITOR])
def test_owner_gives_no_role_of_the_portal(owner: TeamMember, role: Role) -> None:
    with pytest.raises(PermissionDenied):
        invitation_as(role, by=owner.account)


def test_lead_invites_below_a_lead_only(lead: Account) -> None:
    assert invitation_as(Role.EDITOR, by=lead).pk
    with pytest.raises(PermissionDenied):
        invitation_as(Role.LEAD, by=lead)


def test_superuser_invites_a_lead() -> None:
    superuser = Account.objects.create_superuser("root@example.org")

    assert invitation_as(Role.LEAD, by=superuser).pk


def test_nobody_is_invited_to_be_a_team_without_organisation() -> None:
    superuser = Account.objects.create_superuser("root@example.org")

    with pytest.raises(PermissionDenied):
        invitation_as(Role.TEAM, by=superuser)


def test_programme_goes_with_a_policy_maker_only(lead: Account) -> None:
    invitation = Invitation(email="a@example.org", role=Role.EDITOR, programme=make_programme())

    with pytest.raises(ValidationError, match="Only a policy maker"):
        invitations.invite(invitation=invitation, by=lead, now=NOW)


def test_withdrawn_invitation_is_closed(owner: TeamMember) -> None:
    invitation = invitation_to(owner)

    invitations.withdraw_invitation(invitation=invitation, by=owner.account, now=NOW)

    with pytest.raises(ValidationError, match="withdrawn"):
        accept(invitation)


def test_invitation_of_another_team_is_not_withdrawn(owner: TeamMember) -> None:
    invitation = invitation_to(owner)

    with pytest.raises(PermissionDenied):
        invitations.withdraw_invitation(
            invitation=invitation, by=make_team_member().account, now=NOW
        )


def test_accepting_makes_an_account_that_signs_in(owner: TeamMember) -> None:
    account = accept(invitation_to(owner, language="it"))

    assert account.email == "new@example.org"
    assert account.language == "it"
    assert account.check_password("a-long-password")
    assert EmailAddress.objects.get(user=account).verified
    assert account.teams.get().role == TeamRole.EDITOR
    assert events() == [
        EventKind.INVITATION_ACCEPTED,
        EventKind.INVITED,
        EventKind.ROLE_GIVEN,
    ]


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

    accept(invitation_to(owner), account=account)

    assert account.teams.get().organisation == owner.organisation
    assert Account.objects.count() == 2


def test_accepting_ends_the_sessions_of_an_existing_account(
    owner: TeamMember, client: Client
) -> None:
    account = make_account(email="new@example.org")
    client.force_login(account)
    assert in_force(client)

    accept(invitation_to(owner), account=account)

    assert not in_force(client)


def test_account_with_another_address_does_not_accept(owner: TeamMember) -> None:
    with pytest.raises(ValidationError, match="another address"):
        accept(invitation_to(owner), account=make_account())


def test_disabled_account_does_not_accept(owner: TeamMember) -> None:
    account = make_account(email="new@example.org", is_active=False)

    with pytest.raises(ValidationError):
        accept(invitation_to(owner), account=account)


def test_no_second_account_takes_an_address(owner: TeamMember) -> None:
    make_account(email="new@example.org")

    with pytest.raises(ValidationError, match="Sign in"):
        accept(invitation_to(owner))


def test_invitation_works_once(owner: TeamMember) -> None:
    invitation = invitation_to(owner)
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
    invitation = invitation_to(owner)

    assert Invitation.objects.open(NOW + after).exists() == is_open
    assert invitation.is_open(NOW + after) == is_open
    if not is_open:
        with pytest.raises(ValidationError):
            accept(invitation, now=NOW + after)


def test_accepting_lowers_no_owner_to_editor(owner: TeamMember) -> None:
    """Two invitations that crossed: the account joined as owner meanwhile."""
    invitation = invitation_to(owner)
    account = make_account(email="new@example.org")
    make_team_member(organisation=owner.organisation, account=account)

    accept(invitation, account=account)

    assert account.teams.get().role == TeamRole.OWNER


# Roles and accounts


def test_lead_gives_and_takes_roles(lead: Account, sent: Any) -> None:
    account = make_account(Role.AUDITOR)

    [message] = sent(
        accounts.give_roles, account=account, roles=[Role.EDITOR, Role.EXPERT], by=lead, now=NOW
    )

    assert set(account.groups.values_list("name", flat=True)) == {Role.EDITOR, Role.EXPERT}
    assert sorted(Event.objects.values_list("kind", "detail")) == [
        (EventKind.ROLE_GIVEN, Role.EXPERT),
        (EventKind.ROLE_GIVEN, Role.EDITOR),
        (EventKind.ROLE_TAKEN, Role.AUDITOR),
    ]
    assert message.to == [account.email]
    assert "expert, secretariat editor" in message.body


def test_lead_makes_no_lead(lead: Account) -> None:
    with pytest.raises(PermissionDenied):
        accounts.give_roles(account=make_account(), roles=[Role.LEAD], by=lead, now=NOW)


def test_lead_changes_no_lead_no_superuser_and_not_itself(lead: Account) -> None:
    for account in (
        lead,
        make_account(Role.LEAD),
        Account.objects.create_superuser("root@example.org"),
    ):
        with pytest.raises(PermissionDenied):
            accounts.give_roles(account=account, roles=[], by=lead, now=NOW)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.AUDITOR, Role.EXPERT, Role.POLICY_MAKER])
def test_roles_below_a_lead_give_no_roles(role: Role) -> None:
    with pytest.raises(PermissionDenied):
        accounts.give_roles(
            account=make_account(), roles=[Role.AUDITOR], by=make_account(role), now=NOW
        )


def test_superuser_makes_a_lead() -> None:
    account = make_account()

    accounts.give_roles(
        account=account,
        roles=[Role.LEAD],
        by=Account.objects.create_superuser("root@example.org"),
        now=NOW,
    )

    assert account.groups.get().name == Role.LEAD


def test_change_of_roles_ends_the_sessions(lead: Account, client: Client) -> None:
    account = make_account(Role.AUDITOR)
    client.force_login(account)
    assert client.get("/admin/").status_code == 200

    accounts.give_roles(account=account, roles=[], by=lead, now=NOW)

    assert client.get("/admin/").status_code == 302
    assert not in_force(client)


def test_history_of_an_account_tells_its_roles(lead: Account) -> None:
    account = make_account(Role.EXPERT)

    accounts.give_roles(account=account, roles=[Role.AUDITOR], by=lead, now=NOW)

    latest = account.history.latest()
    assert [row.group.name for row in latest.groups.all()] == [Role.AUDITOR]


def test_same_roles_change_nothing(lead: Account, client: Client) -> None:
    account = make_account(Role.AUDITOR)
    client.force_login(account)

    accounts.give_roles(account=account, roles=[Role.AUDITOR], by=lead, now=NOW)

    assert in_force(client)
    assert events() == []


def test_lead_who_is_none_any_more_has_let_nobody_in(lead: Account) -> None:
    invitation = invitation_as(Role.EDITOR, by=lead)
    superuser = Account.objects.create_superuser("root@example.org")

    accounts.give_roles(account=lead, roles=[], by=superuser, now=NOW)

    with pytest.raises(ValidationError):
        accept(invitation)


def test_disabled_account_is_out_in_the_next_request(lead: Account, client: Client) -> None:
    account = make_account(Role.AUDITOR)
    client.force_login(account)
    assert in_force(client)

    accounts.disable_account(account=account, by=lead, now=NOW)

    assert not in_force(client)


def test_enabled_again_an_old_session_stays_ended(lead: Account, client: Client) -> None:
    account = make_account()
    client.force_login(account)

    accounts.disable_account(account=account, by=lead, now=NOW)
    accounts.enable_account(account=account, by=lead, now=NOW)

    account.refresh_from_db()
    assert account.is_active
    assert not in_force(client)
    assert events() == [EventKind.ACCOUNT_DISABLED, EventKind.ACCOUNT_ENABLED]


def test_disabled_owner_has_let_nobody_in(owner: TeamMember, lead: Account) -> None:
    invitation = invitation_to(owner)

    accounts.disable_account(account=owner.account, by=lead, now=NOW)

    with pytest.raises(ValidationError):
        accept(invitation)


def test_disabling_the_last_owner_leaves_an_orphan(owner: TeamMember, lead: Account) -> None:
    accounts.disable_account(account=owner.account, by=lead, now=NOW)

    assert list(Organisation.objects.orphaned()) == [owner.organisation]


def test_nobody_disables_themselves() -> None:
    superuser = Account.objects.create_superuser("root@example.org")

    with pytest.raises(ValidationError, match="your own"):
        accounts.disable_account(account=superuser, by=superuser, now=NOW)


def test_owner_disables_nobody(owner: TeamMember) -> None:
    with pytest.raises(PermissionDenied):
        accounts.disable_account(account=make_account(), by=owner.account, now=NOW)


def test_mandate_is_given_and_taken(lead: Account) -> None:
    mandate = Mandate(account=make_policy_maker(), programme=make_programme())

    accounts.give_mandate(mandate=mandate, by=lead, now=NOW)
    accounts.take_mandate(mandate=mandate, by=lead, now=NOW)

    assert not Mandate.objects.exists()
    assert events() == [EventKind.ROLE_GIVEN, EventKind.ROLE_TAKEN]


def test_policy_maker_gives_no_mandate() -> None:
    account = make_policy_maker()

    with pytest.raises(PermissionDenied):
        accounts.give_mandate(
            mandate=Mandate(account=account, programme=make_programme()), by=account, now=NOW
        )

    assert not Mandate.objects.exists()


# Teams


def test_owner_makes_a_colleague_owner(owner: TeamMember, sent: Any) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)

    [message] = sent(
        teams.change_team_role,
        member=editor,
        role=TeamRole.OWNER,
        by=owner.account,
        now=NOW,
    )

    editor.refresh_from_db()
    assert editor.role == TeamRole.OWNER
    assert "you are now: owner" in message.body


def test_editor_changes_no_role(owner: TeamMember) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)

    with pytest.raises(PermissionDenied):
        teams.change_team_role(member=editor, role=TeamRole.OWNER, by=editor.account, now=NOW)


def test_owner_of_another_team_changes_no_role(owner: TeamMember) -> None:
    with pytest.raises(PermissionDenied):
        teams.change_team_role(
            member=owner, role=TeamRole.EDITOR, by=make_team_member().account, now=NOW
        )


def take_ownership(verb: str, member: TeamMember, by: Account) -> None:
    if verb == "demote":
        teams.change_team_role(member=member, role=TeamRole.EDITOR, by=by, now=NOW)
    else:
        teams.remove_from_team(member=member, by=by, now=NOW)


@pytest.mark.parametrize("verb", ["demote", "remove"])
@pytest.mark.parametrize("by", ["owner", "lead"])
def test_last_owner_stays(owner: TeamMember, lead: Account, verb: str, by: str) -> None:
    """Also for the secretariat; an editor and a disabled owner are no successors."""
    make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)
    make_team_member(organisation=owner.organisation, account=make_account(is_active=False))
    who = owner.account if by == "owner" else lead

    with pytest.raises(ValidationError, match="last owner"):
        take_ownership(verb, owner, who)

    owner.refresh_from_db()
    assert owner.role == TeamRole.OWNER


def test_owner_leaves_to_a_successor(owner: TeamMember) -> None:
    make_team_member(organisation=owner.organisation)

    teams.remove_from_team(member=owner, by=owner.account, now=NOW)

    assert not owner.account.teams.exists()
    assert events() == [EventKind.ROLE_TAKEN]


def test_disabled_owner_is_removed(owner: TeamMember, lead: Account) -> None:
    disabled = make_team_member(account=make_account(is_active=False))

    teams.remove_from_team(member=disabled, by=lead, now=NOW)

    assert not disabled.account.teams.exists()


def test_editor_removes_nobody_else(owner: TeamMember) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)
    other = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)

    with pytest.raises(PermissionDenied):
        teams.remove_from_team(member=other, by=editor.account, now=NOW)


def test_removed_member_is_out_in_the_next_request(owner: TeamMember, client: Client) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)
    client.force_login(editor.account)
    page = f"/admin/clusters/organisation/{owner.organisation.pk}/change/"
    assert client.get(page).status_code == 200

    teams.remove_from_team(member=editor, by=owner.account, now=NOW)

    assert client.get(page).status_code == 302
    client.force_login(editor.account)
    assert client.get(page).status_code in {302, 404}


@pytest.mark.parametrize("verb", ["demote", "remove"])
def test_owner_who_goes_has_let_nobody_in(owner: TeamMember, verb: str) -> None:
    other = make_team_member(organisation=owner.organisation)
    invitation = invitation_to(other)

    take_ownership(verb, other, owner.account)

    with pytest.raises(ValidationError):
        accept(invitation)


# Claims


def claim_of(organisation: Organisation, **fields: Any) -> Claim:
    defaults = {"role_address": "info@example.org", "reason": "It is ours.", "language": "en"}
    return actions.submit_claim(organisation=organisation, **(defaults | fields))


def test_claim_waits(sent: Any) -> None:
    organisation = make_organisation()

    messages = sent(claim_of, organisation=organisation, role_address="Info@Example.org")

    [claim] = Claim.objects.pending()
    assert claim.role_address == "info@example.org"
    assert messages == []


def test_claim_sent_twice_is_one() -> None:
    organisation = make_organisation()

    assert claim_of(organisation) == claim_of(organisation, reason="Once more.")


def test_profile_with_an_owner_is_not_claimed(owner: TeamMember) -> None:
    with pytest.raises(ValidationError, match="already"):
        claim_of(owner.organisation)


def test_profile_of_a_disabled_owner_is_claimed() -> None:
    member = make_team_member(account=make_account(is_active=False))

    assert claim_of(member.organisation).pk


def test_unpublished_organisation_is_not_claimed() -> None:
    with pytest.raises(ValidationError):
        claim_of(make_organisation(is_published=False))


def test_approved_claim_invites_an_owner(lead: Account, sent: Any) -> None:
    claim = claim_of(make_organisation(), language="it")

    [message] = sent(
        actions.decide_claim, claim=claim, is_approved=True, answer="Welcome.", by=lead, now=NOW
    )

    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.team_role) == ("info@example.org", TeamRole.OWNER)
    assert message.to == ["info@example.org"]
    assert "/it/invitations/" in message.body
    assert "Welcome." in message.body
    claim.refresh_from_db()
    assert (claim.state, claim.decided_by) == ("approved", lead)


def test_denied_claim_is_answered(lead: Account, sent: Any) -> None:
    claim = claim_of(make_organisation())

    [message] = sent(
        actions.decide_claim,
        claim=claim,
        is_approved=False,
        answer="The address is not of its domain.",
        by=lead,
        now=NOW,
    )

    assert "The address is not of its domain." in message.body
    assert not Invitation.objects.exists()
    assert events() == [EventKind.CLAIM_DECIDED]


def test_claim_is_not_denied_without_a_word(lead: Account) -> None:
    claim = claim_of(make_organisation())

    with pytest.raises(ValidationError, match="Say why"):
        actions.decide_claim(claim=claim, is_approved=False, answer=" ", by=lead, now=NOW)


def test_claim_is_decided_once(lead: Account) -> None:
    claim = claim_of(make_organisation())
    actions.decide_claim(claim=claim, is_approved=False, answer="No.", by=lead, now=NOW)

    with pytest.raises(ValidationError, match="decided already"):
        actions.decide_claim(claim=claim, is_approved=True, answer="", by=lead, now=NOW)


def test_claim_comes_too_late(lead: Account) -> None:
    claim = claim_of(make_organisation())
    make_team_member(organisation=claim.organisation)

    with pytest.raises(ValidationError, match="has an owner"):
        actions.decide_claim(claim=claim, is_approved=True, answer="", by=lead, now=NOW)

    claim.refresh_from_db()
    assert claim.state == "pending"


@pytest.mark.parametrize("role", [Role.EDITOR, Role.AUDITOR])
def test_only_a_lead_decides(role: Role) -> None:
    claim = claim_of(make_organisation())

    with pytest.raises(PermissionDenied):
        actions.decide_claim(
            claim=claim, is_approved=True, answer="", by=make_account(role), now=NOW
        )


# Whose profile it is


def test_orphan_had_a_team_and_has_no_owner() -> None:
    make_team_member()  # owned
    make_organisation()  # never anybody's
    members_only = make_team_member(role=TeamRole.EDITOR).organisation
    disabled = make_team_member(account=make_account(is_active=False)).organisation
    hidden = make_team_member(account=make_account(is_active=False)).organisation
    Organisation.objects.filter(pk=hidden.pk).update(is_published=False)
    erased = make_team_member()
    accept(invitation_to(erased))
    TeamMember.objects.filter(organisation=erased.organisation).delete()

    assert set(Organisation.objects.orphaned()) == {members_only, disabled, erased.organisation}


def test_profile_without_owner_may_be_claimed() -> None:
    make_team_member()
    nobodys = make_organisation()
    members_only = make_team_member(role=TeamRole.EDITOR).organisation

    assert set(Organisation.objects.without_owner()) == {nobodys, members_only}


# Two at the same moment


def at_the_same_moment(*calls: Callable[[], Any]) -> list[BaseException | None]:
    """Run each in its own thread and transaction; what each raised."""
    barrier = threading.Barrier(len(calls))
    raised: list[BaseException | None] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            barrier.wait()
            calls[number]()
        except (ValidationError, IntegrityError) as error:
            raised[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.django_db(transaction=True)
def test_invitation_accepted_twice_at_once_makes_one_account(owner: TeamMember) -> None:
    invitation = invitation_to(owner)

    raised = at_the_same_moment(lambda: accept(invitation), lambda: accept(invitation))

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    assert TeamMember.objects.filter(account__email="new@example.org").count() == 1


@pytest.mark.django_db(transaction=True)
def test_account_that_accepts_twice_at_once_accepts_once(owner: TeamMember) -> None:
    invitation = invitation_to(owner)
    account = make_account(email="new@example.org")

    raised = at_the_same_moment(
        lambda: accept(invitation, account=account), lambda: accept(invitation, account=account)
    )

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    assert events().count(EventKind.INVITATION_ACCEPTED) == 1


@pytest.mark.django_db(transaction=True)
def test_two_invitations_accepted_at_once_make_one_account(owner: TeamMember) -> None:
    first = invitation_to(owner)
    second = invitation_to(make_team_member())

    raised = at_the_same_moment(lambda: accept(first), lambda: accept(second))

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    assert Account.objects.filter(email="new@example.org").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_owners_leaving_at_once_leave_one(owner: TeamMember) -> None:
    other = make_team_member(organisation=owner.organisation)

    raised = at_the_same_moment(
        lambda: teams.remove_from_team(member=owner, by=owner.account, now=NOW),
        lambda: teams.remove_from_team(member=other, by=other.account, now=NOW),
    )

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    assert owner.organisation.team.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_owners_demoting_each_other_at_once_leave_one(owner: TeamMember) -> None:
    other = make_team_member(organisation=owner.organisation)

    def demote(member: TeamMember, by: TeamMember) -> None:
        teams.change_team_role(member=member, role=TeamRole.EDITOR, by=by.account, now=NOW)

    raised = at_the_same_moment(lambda: demote(owner, owner), lambda: demote(other, other))

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    assert owner.organisation.team.filter(role=TeamRole.OWNER).count() == 1


@pytest.mark.django_db(transaction=True)
def test_claim_decided_twice_at_once_is_decided_once(lead: Account) -> None:
    claim = claim_of(make_organisation())

    def decide(is_approved: bool) -> None:
        actions.decide_claim(
            claim=claim, is_approved=is_approved, answer="Because.", by=lead, now=NOW
        )

    raised = at_the_same_moment(lambda: decide(True), lambda: decide(False))

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    claim.refresh_from_db()
    assert Invitation.objects.count() == (claim.state == "approved")
