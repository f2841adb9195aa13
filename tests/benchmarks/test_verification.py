"""How long a thousand lines take to verify among 100,000 labels, against an answer that is ready.

Both are asked of the same portal in the same run, so that the ratio means the same on any machine.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from clusters.models import Cluster, Management, Organisation
from labels.models import Label, LevelRule

CLUSTERS, LABELS = 50_000, 100_000
LINES = 1000
LEVELS = ("bronze", "silver", "gold")


@pytest.fixture
def register(db: None) -> None:
    """Names that differ little: the hardest case for what is spelt alike."""
    clusters = Cluster.objects.bulk_create(
        Cluster(
            name=f"Cluster für Größe № {number}", slug=f"cluster-{number}", country="IT",
            public_id=public_id("C", number),
        )
        for number in range(CLUSTERS)
    )  # fmt: skip
    organisations = Organisation.objects.bulk_create(
        Organisation(
            name=f"Organisation {number}", slug=f"organisation-{number}",
            public_id=public_id("R", number), vat_number=f"IT{number:011}",
        )
        for number in range(CLUSTERS // 2)
    )  # fmt: skip
    Management.objects.bulk_create(
        Management(cluster=cluster, organisation=organisations[number // 2])
        for number, cluster in enumerate(clusters)
    )
    rules = {level: LevelRule.objects.filter(level=level).first() for level in LEVELS}
    Label.objects.bulk_create(
        Label(
            cluster=clusters[number // 2], level_id=LEVELS[number % 3],
            public_id=public_id("L", number), certificate_number=f"G-{number}",
            starts_on="2015-07-01", ends_on="2017-07-31", renewable_until="2018-07-31",
            rule=rules[LEVELS[number % 3]], end_is_computed=True,
        )
        for number in range(LABELS)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def public_id(kind: str, number: int) -> str:
    digits = "23456789BCDFGHJKMNPQRSTVWXYZ"
    text = ""
    for _place in range(7):
        number, digit = divmod(number, len(digits))
        text = digits[digit] + text
    return kind + text


QUESTIONS: dict[str, Callable[[int], str]] = {
    "numbers": lambda number: public_id("L", number * 97),
    "certificate numbers": lambda number: f"g-{number * 97}",
    "names": lambda number: f"cluster FÜR größe № {number * 47}",
    "VAT numbers of two clusters": lambda number: f"IT {number * 24:011}",
    "names spelt wrong": lambda number: f"Clutser für Grösse Nr. {number * 47}",
    "a mixture": lambda number: (
        public_id("L", number * 97), f"g-{number * 97}", f"cluster für größe № {number * 47}",
        f"Nobody {number}",
    )[number % 4],
}  # fmt: skip


@pytest.mark.benchmark
def test_a_thousand_lines(register: None, client: Client) -> None:
    constant = min(seconds(lambda: client.get("/robots.txt")) for _turn in range(20))
    print(f"\na constant response: {constant * 1000:.2f} ms")
    for name, question in QUESTIONS.items():
        lines = "\n".join(question(number) for number in range(LINES))
        for kind, ask in {
            "page": lambda text: client.post("/en/verify/", {"lines": text}),
            "JSON": lambda text: client.post("/api/v1/verify", text, content_type="text/plain"),
        }.items():
            cache.clear()
            took = min(seconds(partial(ask, lines)) for _turn in range(2))
            print(f"{LINES} {name}, {kind}: {took:.2f} s of CPU, {took / constant:,.0f} times")
    one = min(seconds(lambda: client.get("/en/verify/?q=g-97")) for _turn in range(3))
    unknown = min(seconds(lambda: client.get("/en/verify/?q=Nobody")) for _turn in range(3))
    print(f"one number: {one * 1000:.0f} ms, an unknown name: {unknown * 1000:.0f} ms")


def seconds(ask: Callable[[], Any]) -> float:
    """Of the CPU: what else the machine does is not counted."""
    begins = time.process_time()
    assert ask().status_code == 200
    return time.process_time() - begins
