"""The index agrees with the database after every write, and finds what SQL finds."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from news.lists.index import NEWS, NewsCache, NewsIndex
from news.lists.query import AnnouncementList, read_announcement_query
from news.models import Announcement, Topic
from tests.factories import (
    MOMENT,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_topic,
)

pytestmark = pytest.mark.django_db


def told(index: NewsIndex) -> Any:
    bits = {facet: {value: b for value, b in values.items() if b} for facet, values in
            index.bits.items()}  # fmt: skip
    clusters = {key: sorted(found) for key, found in index.clusters.items()}
    return list(index.order), {f: v for f, v in bits.items() if v}, clusters


def add(draw: random.Random) -> None:
    cluster, topic = make_cluster(country=draw.choice(["IT", "NO"])), make_topic()
    moment = MOMENT + timedelta(days=draw.randrange(-900, 900))
    made = make_announcement(clusters=[cluster], topics=[topic], published_at=moment)
    make_announcement_text(made, language="it", slug=f"n-{made.pk}", state="draft")


def some(draw: random.Random) -> Announcement:
    return draw.choice(list(Announcement.objects.order_by("pk")))


def move(draw: random.Random) -> None:
    moment = MOMENT + timedelta(days=draw.randrange(-900, 900))
    Announcement.objects.filter(pk=some(draw).pk).update(published_at=moment)


def withdraw(draw: random.Random) -> None:
    some(draw).texts.update(state="draft")


def translate(draw: random.Random) -> None:
    some(draw).texts.update(state="ready")


def hide_a_cluster(draw: random.Random) -> None:
    some(draw).clusters.update(is_published=False)


def move_a_cluster(draw: random.Random) -> None:
    some(draw).clusters.update(country="FR")


def delete(draw: random.Random) -> None:
    some(draw).delete()


def change_topics(draw: random.Random) -> None:
    some(draw).topics.set([make_topic()])


WRITES: tuple[Callable[[random.Random], None], ...] = (
    add, move, withdraw, translate, hide_a_cluster, move_a_cluster, delete, change_topics,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_index_keeps_up_with_every_write(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    for _number in range(6):
        add(draw)
    NEWS.current()

    for write in draw.sample(WRITES, len(WRITES)) * 2:
        write(draw)

        assert told(NEWS.current()) == told(NewsCache().current()), write.__name__


@pytest.mark.parametrize(
    "asked",
    [
        "", "kind=news", "topic=a&topic=b", "cluster=c-1", "country=IT", "language=it",
        "year=2015", "month=2015-09&year=2016", "country=IT&topic=a&language=en", "q=gold",
    ],
)  # fmt: skip
def test_index_finds_what_sql_finds(asked: str) -> None:
    topics = [make_topic(slug=slug) for slug in "ab"]
    clusters = [make_cluster(slug=f"c-{n}", country=("IT", "NO")[n % 2]) for n in range(3)]
    for number in range(12):
        made = make_announcement(
            title="Gold" if number % 3 else "Silver",
            clusters=[clusters[number % 3]],
            topics=[topics[number % 2]],
            published_at=MOMENT + timedelta(days=40 * number),
        )
        if number % 4 == 0:
            make_announcement_text(made, language="it", slug=f"it-{number}")
    query = read_announcement_query(QueryDict(asked), list(Topic.objects.all()))
    now = MOMENT + timedelta(days=400)

    found = AnnouncementList(query, "/", now, list(Topic.objects.all())).announcements

    by_sql = query.announcements(now).latest_first().values_list("pk", flat=True)
    assert list(found) == list(by_sql)
    assert 0 < len(found) < 12


def test_every_page_of_the_index_follows_the_one_before() -> None:
    keys = [make_announcement(published_at=MOMENT + timedelta(days=n)).pk for n in range(9)]
    index = NEWS.current()
    odd = index.of_keys(keys[1::2])

    assert index.keys(odd, 1, 3) == [keys[5], keys[3]]
    assert index.keys(odd, 3, 9) == [keys[1]]
    assert index.keys(odd, 4, 9) == []
    assert index.keys(0, 0, 9) == []


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/en/news/", 2), ("/en/news/?page=2", 2), ("/en/news/?kind=news&year=2015", 2),
        ("/en/news/2015/", 1), ("/en/news/2015/?page=2", 1),
    ],
)  # fmt: skip
def test_pages_take_the_same_statements_for_any_number_of_rows(
    client: Client, path: str, most: int
) -> None:
    """Topics, and what changed; four more for rows not yet seen, one for the clusters' names."""

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    for number in range(25):
        make_announcement(published_at=MOMENT + timedelta(minutes=number))
    NEWS.current()
    few = asked()
    for number in range(25):
        make_announcement(published_at=MOMENT + timedelta(hours=number), clusters=[make_cluster()])
    NEWS.current()

    assert asked() - few <= 1  # names of clusters, of which there were none
    assert few <= most + 5
    assert asked() == most


def test_what_waits_appears_in_the_index_at_its_moment() -> None:
    now = timezone.now()
    make_announcement(published_at=now + timedelta(hours=1))
    index = NEWS.current()

    assert index.appeared(now) == 0
    assert index.appeared(now + timedelta(hours=1)).bit_count() == 1
