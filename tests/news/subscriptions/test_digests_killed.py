"""A run of digests is killed at any point: nobody is told twice, nobody is left out."""

import pytest

from clusters.models import Mail
from news.models import Subscription
from news.subscriptions import digests
from tests.factories import make_subscription
from tests.labels.killed import run_and_be_killed
from tests.news.subscriptions.times import at, publish_at, run

pytestmark = pytest.mark.django_db(transaction=True)

MORNING, AN_HOUR_LATER = at("10-05", "07:00"), at("10-05", "08:00")
# Chunks of two: three weekly subscribers are two commits, a third finds nobody left; the monthly
# one is the fourth.
POINTS = [
    pytest.param("after-insert clusters_mail", 1, 0, id="mails of the first chunk"),
    pytest.param("before-commit", 1, 0, id="before the first chunk is stored"),
    pytest.param("after-commit", 1, 2, id="between two chunks"),
    pytest.param("after-insert clusters_mail", 2, 2, id="mail of the second chunk"),
    pytest.param("before-commit", 2, 2, id="before the second chunk is stored"),
    pytest.param("after-commit", 2, 3, id="between two rhythms"),
    pytest.param("before-commit", 4, 3, id="before the last chunk is stored"),
    pytest.param("after-commit", 4, 4, id="after the last chunk is stored"),
]


@pytest.fixture(autouse=True)
def due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "AT_ONCE", 2)
    for name in "abc":
        make_subscription(address=f"{name}@example.org")
    make_subscription(address="monthly@example.org", rhythm="monthly")
    publish_at(at("09-08"))


def written() -> list[str]:
    return sorted(Mail.objects.values_list("to", flat=True))


def told() -> list[str]:
    rows = Subscription.objects.filter(told_at__gt=at("09-02"))
    return sorted(rows.values_list("address", flat=True))


@pytest.mark.parametrize(("event", "number", "mails"), POINTS)
def test_killed_run_loses_nobody_and_tells_nobody_twice(
    event: str, number: int, mails: int
) -> None:
    run_and_be_killed(lambda: run(MORNING), event, number)
    before, was_told = written(), told()

    run(AN_HOUR_LATER)

    # The ledger says at every point who has a mail.
    assert before == was_told
    assert len(before) == mails
    assert written() == [f"{name}@example.org" for name in ("a", "b", "c", "monthly")]
