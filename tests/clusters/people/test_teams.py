from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from clusters.models import Account, EventKind, Organisation, TeamMember, TeamRole
from clusters.people import teams
from tests.clusters.people.access import NOW, accept, event_kinds, invite_to_team
from tests.factories import make_account, make_organisation, make_team_member
from tests.races import run_at_once

pytestmark = pytest.mark.django_db


def test_owner_makes_a_colleague_owner(owner: TeamMember, sent: Any) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)

    [message] = sent(
        teams.change_team_role, member=editor, role=TeamRole.OWNER, by=owner.account, now=NOW
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


def end_ownership(verb: str, member: TeamMember, by: Account) -> None:
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
        end_ownership(verb, owner, who)

    owner.refresh_from_db()
    assert owner.role == TeamRole.OWNER


def test_owner_leaves_to_a_successor(owner: TeamMember) -> None:
    make_team_member(organisation=owner.organisation)

    teams.remove_from_team(member=owner, by=owner.account, now=NOW)

    assert not owner.account.teams.exists()
    assert event_kinds() == [EventKind.ROLE_TAKEN]


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
    invitation = invite_to_team(other)

    end_ownership(verb, other, owner.account)

    with pytest.raises(ValidationError):
        accept(invitation)


def test_orphan_had_a_team_and_has_no_owner() -> None:
    make_team_member()  # owned
    make_organisation()  # never anybody's
    members_only = make_team_member(role=TeamRole.EDITOR).organisation
    disabled = make_team_member(account=make_account(is_active=False)).organisation
    hidden = make_team_member(account=make_account(is_active=False)).organisation
    Organisation.objects.filter(pk=hidden.pk).update(is_published=False)
    erased = make_team_member()
    accept(invite_to_team(erased))
    TeamMember.objects.filter(organisation=erased.organisation).delete()

    assert set(Organisation.objects.orphaned()) == {members_only, disabled, erased.organisation}


def test_profile_without_owner_may_be_claimed() -> None:
    make_team_member()
    nobodys = make_organisation()
    members_only = make_team_member(role=TeamRole.EDITOR).organisation

    assert set(Organisation.objects.without_owner()) == {nobodys, members_only}


@pytest.mark.django_db(transaction=True)
def test_two_owners_leaving_at_once_leave_one(owner: TeamMember) -> None:
    other = make_team_member(organisation=owner.organisation)

    raised = run_at_once(
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

    raised = run_at_once(lambda: demote(owner, owner), lambda: demote(other, other))

    assert sorted(type(error).__name__ for error in raised) == ["NoneType", "ValidationError"]
    assert owner.organisation.team.filter(role=TeamRole.OWNER).count() == 1
