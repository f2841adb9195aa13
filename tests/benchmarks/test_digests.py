"""Time and peak memory of a run for 20,000 subscribers, in a process and a database of its own."""

from pathlib import Path

import pytest

from tests.benchmarks.test_import import run

SUBSCRIBERS = 20_000
ANNOUNCEMENTS = 40
MOST_MEGABYTES = 200
FILL = f"""
from datetime import timedelta
from django.utils import timezone
from news.models import Subscription
from tests.factories import make_announcement, make_cluster, make_topic

now = timezone.now()
monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0)
clusters = [make_cluster(name=f"Cluster {{number}}") for number in range(20)]
topics = [make_topic() for _number in range(5)]
for number in range({ANNOUNCEMENTS}):
    make_announcement(
        published_at=monday - timedelta(hours=number + 3), lead="A sentence or two. " * 8,
        clusters=[clusters[number % 20]], topics=[topics[number % 5]],
    )
from news.models import Announcement
Announcement.history.all().delete()
Subscription.objects.bulk_create(
    Subscription(
        address=f"reader-{{number}}@example.org", language="en" if number % 2 else "it",
        clusters=[clusters[number % 20].public_id] if number % 3 == 0 else [],
        topics=[topics[number % 5].pk] if number % 4 == 0 else [],
        signed_up_at=now - timedelta(days=30), confirmed_at=now - timedelta(days=30),
        told_at=now - timedelta(days=30),
    )
    for number in range({SUBSCRIBERS})
)
"""


@pytest.mark.benchmark
def test_digests_for_many_stay_small(tmp_path: Path) -> None:
    run(tmp_path, "migrate", "--verbosity", "0")
    run(tmp_path, "createcachetable")
    run(tmp_path, "shell", "--verbosity", "0", "--command", FILL)

    for label in ("first", "second"):
        seconds, megabytes = run(tmp_path, "send_digests")
        print(
            f"{SUBSCRIBERS:,} subscribers, {label} run: {seconds:.1f} s of CPU; {megabytes:.0f} MB"
        )
        assert megabytes < MOST_MEGABYTES
