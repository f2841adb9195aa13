"""Signing up, confirming and stopping at the same moment, while digests are written."""

from functools import partial

import pytest
import time_machine

from clusters.models import Mail
from news.models import Subscription
from news.subscriptions.digests import open_windows, write_digests
from news.subscriptions.steps import confirm, stop, store_sign_up
from tests.factories import make_subscription
from tests.news.subscriptions.times import at, publish_at
from tests.races import PEOPLE, ROUNDS, race

pytestmark = pytest.mark.django_db(transaction=True)

NOW = at("09-08", "15:00")


def sign_up(address: str) -> None:
    store_sign_up(address, {"language": "en", "rhythm": "weekly"}, "", NOW)


def test_address_that_many_sign_up_is_stored_once() -> None:
    for number in range(ROUNDS):
        address = f"reader-{number}@example.org"

        refused = race(*[partial(sign_up, address)] * PEOPLE)

        assert refused == []
        assert Subscription.objects.filter(address=address).count() == 1
        assert Mail.objects.filter(to=address).count() == PEOPLE


def test_confirmed_once_whoever_clicks_and_signs_up_meanwhile() -> None:
    for number in range(ROUNDS):
        sign_up(f"reader-{number}@example.org")
        row = Subscription.objects.get(address=f"reader-{number}@example.org")

        refused = race(*[partial(confirm, row, NOW)] * (PEOPLE - 1), partial(sign_up, row.address))

        assert refused == []
        row.refresh_from_db()
        assert row.confirmed_at == row.told_at == NOW


def test_nothing_waits_for_who_stopped_while_the_digest_was_written() -> None:
    publish_at(at("09-08", "14:38"))
    for _number in range(ROUNDS):
        row = make_subscription()
        with time_machine.travel(at("09-14", "07:00")):
            [window] = open_windows(at("09-14", "07:00"))

        refused = race(lambda w=window: list(write_digests(w)), partial(stop, row))  # type: ignore[misc]

        assert refused == []
        assert not Subscription.objects.exists()
        assert not Mail.objects.filter(to=row.address).exists()
