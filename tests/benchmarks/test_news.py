"""The news with 100,000 announcements: its rows in docs/performance.md.

Measured as in tests/benchmarks/test_directory.py. `REGISTERS=/some/folder` keeps the database,
`ANNOUNCEMENTS=1000` takes another number.
"""

import os
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from tests.benchmarks.generated_news import TOPICS, moment_of, slug_of
from tests.benchmarks.serving import in_rounds, served
from tests.benchmarks.test_directory import (
    CONSTANT,
    cost,
    cost_of_next,
    filled_environment,
    run,
    say,
    shuffled,
    tell,
)

NUMBER = int(os.environ.get("ANNOUNCEMENTS", "100000"))
LIST = "/en/news/"
WORDS = ("hydrogen", "salute", "photonique", "marittimo", "fintech", "geothermal", "dairy")
YEARS = range(2011, 2027)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = Path(os.environ.get("REGISTERS") or tmp_path_factory.mktemp("registers"))
    command = ["-m", "tests.benchmarks.generated_news", str(NUMBER)]
    return filled_environment(folder, f"announcements-{NUMBER}", command)


def filtered() -> list[str]:
    return shuffled(
        [
            f"{LIST}?kind={kind}&topic=topic-{topic}&year={year}"
            for kind in ("news", "event")
            for topic in range(1, TOPICS + 1)
            for year in YEARS
        ]
    )


def months() -> list[str]:
    return shuffled([f"{LIST}{year}/{month:02}/" for year in YEARS[:-1] for month in range(1, 13)])


def articles(environment: dict[str, str]) -> Iterator[str]:
    """Those with a page, in Italian: every announcement has a text in it."""
    script = (
        "import django; django.setup(); from django.utils import timezone; "
        "from news.models import Announcement; "
        "rows = Announcement.objects.readable(timezone.now()).order_by('pk'); "
        "print(*rows.values_list('pk', flat=True).filter(published_at__year__lt=2027))"
    )
    keys = [int(key) for key in run(environment, "-c", script).split()]
    Random(7).shuffle(keys)  # noqa: S311
    return cycle(
        f"/it/news/{moment_of(key, NUMBER).year}/{slug_of(key, 'it')}/" for key in keys[:2000]
    )


@pytest.mark.benchmark
def test_pages_of_many_announcements(environment: dict[str, str]) -> None:
    feed, year = "/news.atom", f"{LIST}2019/"
    with served("config.wsgi", environment) as server:
        last = f"{LIST}?page={NUMBER * 9 // 10 // 20 - 100}"
        article = next(articles(environment))
        for kept in (feed, LIST, year, article):
            server.get(kept)
        found = in_rounds(
            {
                "constant": cost(server, 60, CONSTANT),
                "list": cost(server, 6, LIST),
                "filtered": cost_of_next(server, 6, cycle(filtered())),
                "deep page": cost(server, 6, last),
                "searched": cost_of_next(server, 6, cycle(f"{LIST}?q={word}" for word in WORDS)),
                "article": cost_of_next(server, 12, articles(environment)),
                "feed": cost(server, 6, feed),
                "year archive": cost_of_next(server, 6, cycle(f"{LIST}{one}/" for one in YEARS)),
                "month archive": cost_of_next(server, 6, cycle(months())),
                "API list": cost(server, 6, "/api/v1/announcements"),
                "list, kept": lambda: server.cost([(LIST, {})] * 100),
                "year archive, kept": lambda: server.cost([(year, {})] * 100),
                "article, kept": lambda: server.cost([(article, {})] * 100),
                "feed, kept": lambda: server.cost([(feed, {})] * 100),
            }
        )
        say(f"\n{NUMBER:,} announcements")
        tell(found)
        say(f"  memory of the worker: {server.megabytes:.0f} MiB")
