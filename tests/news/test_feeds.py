from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import feedparser
import pytest
import time_machine
from django.test import Client

from clusters.models import Cluster
from tests.factories import MOMENT, make_announcement, make_announcement_text, make_cluster

pytestmark = pytest.mark.django_db

FEED = "/news.atom"


def read(client: Client, **query: str) -> Any:
    response = client.get(FEED, query)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = feedparser.parse(response.content)
    assert not feed.bozo
    return feed


def test_feed_shows_published_announcements_the_latest_first(client: Client) -> None:
    make_announcement(title="Early")
    make_announcement(title="Late", published_at=MOMENT + timedelta(days=1))
    make_announcement(title="A draft", is_published=False)
    make_announcement(title="Not yet", published_at=datetime(2990, 1, 1, tzinfo=MOMENT.tzinfo))

    assert [entry.title for entry in read(client).entries] == ["Late", "Early"]


def test_feed_entry_has_absolute_addresses_and_its_dates(client: Client) -> None:
    announcement = make_announcement(
        title="Gold", slug="gold", lead="The first.", clusters=[make_cluster(name="bioPmed")]
    )

    (entry,) = read(client).entries

    assert entry.link == "http://testserver/en/news/2015/gold/"
    assert entry.id == f"tag:testserver,2026:announcement/{announcement.public_id}/en"
    assert (entry.published, entry.updated) == ("2015-09-08T12:38:00+00:00",) * 2
    assert entry.summary == "The first."
    assert [tag.term for tag in entry.tags] == ["bioPmed"]


def test_feed_does_not_trust_the_host_of_the_request(client: Client) -> None:
    make_announcement()

    response = client.get(FEED, headers={"host": "localhost"})

    assert b"localhost" not in response.content


def test_feed_entry_is_updated_when_its_text_was_edited(client: Client) -> None:
    announcement = make_announcement()
    text = announcement.texts.get()
    with time_machine.travel("2016-02-29T12:00Z", tick=False):
        text.save()

    (entry,) = read(client).entries

    assert entry.updated.startswith("2016-02-29T12:00:00")


def test_feed_entry_edited_before_its_moment_is_not_updated(client: Client) -> None:
    announcement = make_announcement()
    text = announcement.texts.get()
    with time_machine.travel("2014-02-28T12:00Z", tick=False):
        text.save()

    (entry,) = read(client).entries

    assert entry.updated == "2015-09-08T12:38:00+00:00"


def test_feed_is_english_unless_asked_for_italian(client: Client) -> None:
    announcement = make_announcement(title="Gold", slug="gold")
    make_announcement_text(announcement, language="it", title="Oro", slug="oro")

    english, italian = read(client), read(client, lang="it")

    assert (english.feed.language, english.entries[0].title) == ("en", "Gold")
    assert (italian.feed.language, italian.entries[0].title) == ("it", "Oro")
    assert italian.entries[0].link == "http://testserver/it/news/2015/oro/"
    assert italian.feed.id == "http://testserver/news.atom?lang=it"


def test_feed_does_not_ask_what_the_browser_speaks(client: Client) -> None:
    make_announcement()

    response = client.get(FEED, headers={"accept-language": "it"})

    assert response.content == client.get(FEED).content


def test_feed_in_an_unknown_language_is_refused(client: Client) -> None:
    response = client.get(FEED, {"lang": "xx"})

    assert response.status_code == 400
    assert response.content.startswith(b"lang: ")


def test_feed_of_a_cluster_has_its_announcements_only(client: Client) -> None:
    cluster = make_cluster(name="bioPmed", slug="biopmed")
    make_announcement(title="Gold", clusters=[cluster])
    make_announcement()

    feed = read(client, cluster="biopmed")

    assert [entry.title for entry in feed.entries] == ["Gold"]
    assert feed.feed.title == "Announcements of bioPmed"
    assert feed.feed.link == "http://testserver/en/news/?cluster=biopmed"


def test_feed_of_an_unpublished_cluster_is_not_found(client: Client) -> None:
    make_cluster(slug="biopmed")
    Cluster.objects.update(is_published=False)

    assert client.get(FEED, {"cluster": "biopmed"}).status_code == 404


def test_feed_is_not_sent_twice(client: Client) -> None:
    make_announcement()
    first = client.get(FEED)

    assert client.get(FEED, headers={"if-none-match": first["ETag"]}).status_code == 304
    assert "Last-Modified" not in first


def test_feed_without_entries_is_a_feed(client: Client) -> None:
    assert read(client).entries == []


def test_feed_takes_as_many_queries_for_three_entries(count_queries: Callable[[str], int]) -> None:
    make_announcement(clusters=[make_cluster()])
    for_one = count_queries(FEED)
    make_announcement(clusters=[make_cluster()])
    make_announcement(clusters=[make_cluster()])

    assert count_queries(FEED) == for_one


def test_feed_is_read_only(client: Client) -> None:
    assert client.post(FEED).status_code == 405
