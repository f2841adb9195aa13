"""The log only grows: the database itself refuses the rest, on both engines."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from clusters.models import Event, EventAddress, EventKind
from clusters.people.log import record
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
