"""The log only grows: the database itself refuses the rest, on both engines."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone, translation

from clusters.models import Account, Event, EventAddress, EventKind, Role
from clusters.people import accounts
from clusters.people.log import record, ties
from tests.clusters.people.access import NOW, accept, invite_to_role
from tests.factories import make_account

pytestmark = pytest.mark.django_db


def make_event(happened_at: datetime | None = None, **fields: object) -> Event:
    now = happened_at or timezone.now()
    return record(EventKind.SIGNED_IN, now=now, **fields)  # type: ignore[arg-type]


def test_line_holds_who_and_keeps_addresses_apart() -> None:
    account = make_account()

    event = make_event(account=account, network_address="192.0.2.7", typed_address="a@example.org")

    assert (event.account, event.address.network_address) == (account, "192.0.2.7")
    assert event.address.typed_address == "a@example.org"


def test_line_without_an_address_has_none() -> None:
    make_event()

    assert not EventAddress.objects.exists()


def test_detail_holds_no_address() -> None:
    event = make_event(detail="Invited: a.b@example.org, as editor")

    assert event.detail == "Invited: [address], as editor"


def test_database_refuses_to_change_a_line() -> None:
    event = make_event()

    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(detail="other")

    event.refresh_from_db()
    assert event.detail == ""


def test_database_refuses_to_change_a_line_by_sql() -> None:
    make_event()

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE clusters_event SET detail = 'other'")


def test_database_refuses_to_change_an_old_line() -> None:
    make_event(timezone.now() - timedelta(days=3000))

    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.update(detail="other")


@pytest.mark.parametrize("days", [0, 1, 729])
def test_database_refuses_to_delete_a_young_line(days: int) -> None:
    make_event(timezone.now() - timedelta(days=days))

    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.all().delete()

    assert Event.objects.count() == 1


def test_database_lets_a_line_of_two_years_go() -> None:
    make_event(timezone.now() - timedelta(days=732))

    Event.objects.all().delete()

    assert not Event.objects.exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
def test_database_refuses_to_truncate() -> None:
    make_event()
    connection.check_constraints()  # a table with checks still to do cannot be truncated at all

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE clusters_event CASCADE")

    assert Event.objects.count() == 1


def test_address_of_a_line_may_go() -> None:
    event = make_event(network_address="192.0.2.7")

    EventAddress.objects.all().delete()

    assert Event.objects.get() == event


# What ties two accounts


def told(one: Account, other: Account) -> list[str]:
    return [str(tie) for tie in ties(one, other)]


def test_accounts_that_did_nothing_to_each_other_have_no_tie() -> None:
    lead, other, third = make_account(Role.LEAD), make_account(), make_account()
    accounts.give_roles(account=third, roles=[Role.EDITOR], by=lead, now=NOW)
    make_event(account=lead)
    record(EventKind.ROLE_TAKEN, now=NOW, account=lead, about=other)

    assert ties(lead, other) == ties(other, third) == ties(lead, lead) == []


def test_account_made_by_an_invitation_is_tied_to_who_sent_it() -> None:
    lead = make_account(Role.LEAD, email="lead@example.org")
    account = accept(invite_to_role(Role.EDITOR, by=lead))

    assert told(account, lead) == told(lead, account)
    assert told(account, lead) == [
        "new@example.org was invited by lead@example.org on 22 November 2026."
    ]
    with translation.override("it"):
        assert told(account, lead) == [
            "new@example.org: invito di lead@example.org del 22 novembre 2026."
        ]


def test_role_and_enabling_are_ties_each_since_its_first_day() -> None:
    lead = make_account(Role.LEAD, email="lead@example.org")
    account = make_account(email="a@example.org", is_active=False)
    for days, roles in enumerate(([Role.EDITOR], [], [Role.AUDITOR])):
        now = NOW + timedelta(days=days)
        accounts.give_roles(account=account, roles=roles, by=lead, now=now)
    accounts.enable_account(account=account, by=lead, now=NOW + timedelta(days=4))

    assert told(account, lead) == [
        "a@example.org was given a role by lead@example.org on 22 November 2026.",
        "a@example.org was enabled by lead@example.org on 26 November 2026.",
    ]


def test_tie_goes_both_ways() -> None:
    one, other = make_account(Role.LEAD), make_account(Role.LEAD)
    record(EventKind.ROLE_GIVEN, now=NOW, account=one, about=other)
    record(EventKind.ACCOUNT_ENABLED, now=NOW, account=other, about=one)

    assert [(tie.by, tie.account) for tie in ties(one, other)] == [(one, other), (other, one)]


def test_day_of_a_tie_is_that_of_the_portal() -> None:
    one, other = make_account(), make_account()
    midnight_in_rome = datetime(2026, 6, 2, 22, tzinfo=UTC)
    record(EventKind.INVITED, now=midnight_in_rome, account=one, about=other)

    assert [tie.day for tie in ties(one, other)] == [date(2026, 6, 3)]


def test_ties_take_two_queries(django_assert_num_queries: Any) -> None:
    lead = make_account(Role.LEAD)
    account = accept(invite_to_role(Role.EDITOR, by=lead))

    with django_assert_num_queries(2):
        assert told(account, lead)
