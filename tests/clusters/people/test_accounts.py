from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from clusters.models import Account, Event, EventKind, Mandate, Organisation, Role, TeamMember
from clusters.people import accounts
from tests.clusters.people.access import (
    NOW,
    accept,
    event_kinds,
    invite_to_role,
    invite_to_team,
    is_signed_in,
)
from tests.factories import make_account, make_policy_maker, make_programme

pytestmark = pytest.mark.django_db


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
    assert not is_signed_in(client)


def test_history_of_an_account_tells_its_roles(lead: Account) -> None:
    account = make_account(Role.EXPERT)

    accounts.give_roles(account=account, roles=[Role.AUDITOR], by=lead, now=NOW)

    latest = account.history.latest()
    assert [row.group.name for row in latest.groups.all()] == [Role.AUDITOR]


def test_same_roles_change_nothing(lead: Account, client: Client) -> None:
    account = make_account(Role.AUDITOR)
    client.force_login(account)

    accounts.give_roles(account=account, roles=[Role.AUDITOR], by=lead, now=NOW)

    assert is_signed_in(client)
    assert event_kinds() == []


def test_lead_who_is_none_any_more_has_let_nobody_in(lead: Account) -> None:
    invitation = invite_to_role(Role.EDITOR, by=lead)
    superuser = Account.objects.create_superuser("root@example.org")

    accounts.give_roles(account=lead, roles=[], by=superuser, now=NOW)

    with pytest.raises(ValidationError):
        accept(invitation)


def test_disabled_account_is_out_in_the_next_request(lead: Account, client: Client) -> None:
    account = make_account(Role.AUDITOR)
    client.force_login(account)
    assert is_signed_in(client)

    accounts.disable_account(account=account, by=lead, now=NOW)

    assert not is_signed_in(client)


def test_enabled_again_an_old_session_stays_ended(lead: Account, client: Client) -> None:
    account = make_account()
    client.force_login(account)

    accounts.disable_account(account=account, by=lead, now=NOW)
    accounts.enable_account(account=account, by=lead, now=NOW)

    account.refresh_from_db()
    assert account.is_active
    assert not is_signed_in(client)
    assert event_kinds() == [EventKind.ACCOUNT_DISABLED, EventKind.ACCOUNT_ENABLED]


def test_disabled_owner_has_let_nobody_in(owner: TeamMember, lead: Account) -> None:
    invitation = invite_to_team(owner)

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
    assert event_kinds() == [EventKind.ROLE_GIVEN, EventKind.ROLE_TAKEN]


def test_policy_maker_gives_no_mandate() -> None:
    account = make_policy_maker()

    with pytest.raises(PermissionDenied):
        accounts.give_mandate(
            mandate=Mandate(account=account, programme=make_programme()), by=account, now=NOW
        )

    assert not Mandate.objects.exists()
