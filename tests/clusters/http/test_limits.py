from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.cache.backends.db import DatabaseCache
from django.db import OperationalError, connection
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from clusters.http.limits import allow, network_address, network_of
from tests.busy import busy_counters

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def counters(db: None) -> None:
    cache.clear()


def ask(key: str = "a", *, name: str = "contact") -> bool:
    return allow(name, key, most=2, seconds=60)


def test_allow_ends_after_the_most() -> None:
    assert [ask(), ask(), ask()] == [True, True, False]


@pytest.mark.parametrize(
    ("seconds", "allowed"),
    [pytest.param(59, False, id="within"), pytest.param(61, True, id="past")],
)
def test_allow_lasts_for_its_seconds(seconds: int, allowed: bool) -> None:
    with time_machine.travel(MOMENT, tick=False) as traveller:
        ask()
        ask()
        traveller.shift(seconds)
        assert ask() is allowed


def test_allow_counts_each_key_alone() -> None:
    assert [ask("a"), ask("a"), ask("b")] == [True, True, True]


def test_allow_counts_each_name_alone() -> None:
    assert [ask(), ask(), ask(name="report")] == [True, True, True]


def test_allow_stores_no_readable_key() -> None:
    ask("reader@example.org")
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM cache")
        stored = cursor.fetchall()
    assert len(stored) == 1
    assert "reader" not in str(stored)


def test_network_address_is_that_of_the_connection(rf: RequestFactory) -> None:
    request = rf.get("/", REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert network_address(request) == "192.0.2.7"


def test_network_address_behind_a_proxy_is_the_last_that_it_saw(
    rf: RequestFactory, settings: Settings
) -> None:
    settings.BEHIND_PROXY = True
    forwarded = "203.0.113.9, 198.51.100.1"
    request = rf.get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert network_address(request) == "198.51.100.1"


@pytest.mark.parametrize("forwarded", ["", "nonsense", "198.51.100.1, "])
def test_network_address_is_empty_where_it_cannot_be_told(
    rf: RequestFactory, settings: Settings, forwarded: str
) -> None:
    settings.BEHIND_PROXY = True
    assert network_address(rf.get("/", HTTP_X_FORWARDED_FOR=forwarded)) == ""


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"), ("", "")],
)
def test_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


# A database that takes no counter: nobody has asked too often


@pytest.mark.django_db(transaction=True)
def test_busy_database_is_no_limit_reached() -> None:
    with busy_counters() as refused, pytest.raises(OperationalError):
        ask()

    assert len(refused) == 1
    assert [ask(), ask(), ask()] == [True, True, False]


@pytest.mark.django_db(transaction=True)
def test_cache_of_django_says_of_a_busy_database_that_the_key_is_taken() -> None:
    cache_of_django: Any = DatabaseCache("cache", {})

    with busy_counters():
        assert cache_of_django.add("key", True) is False


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite can be told how large it may be")
def test_full_database_is_no_limit_reached() -> None:
    with connection.cursor() as cursor:
        # Not below what it has already.
        cursor.execute("PRAGMA max_page_count = 1")
        try:
            with pytest.raises(OperationalError):
                all(ask(str(number)) for number in range(10_000))
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    cache.clear()
    assert ask()
