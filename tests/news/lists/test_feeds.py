from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import feedparser
import pytest
import time_machine
from django.test import Client
from icalendar import Calendar

from clusters.models import Cluster
from news.models import Announcement
from tests.factories import (
    MOMENT,
    hide,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_correction,
)

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
    make_announcement(title="A draft", state="draft")
    make_announcement(title="Not yet", published_at=datetime(2090, 1, 1, tzinfo=MOMENT.tzinfo))

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
    assert feed.feed.title == "Announcements: bioPmed"
    assert feed.feed.link == "http://testserver/en/news/?cluster=biopmed"


def test_feed_of_an_unpublished_cluster_is_refused(client: Client) -> None:
    make_cluster(slug="biopmed")
    hide(*Cluster.objects.all())

    response = client.get(FEED, {"cluster": "biopmed"})

    assert response.status_code == 400
    assert response.content.decode() == "cluster: there is no “biopmed”\n"


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


def test_feed_has_what_the_filter_finds_and_says_so(client: Client) -> None:
    make_announcement(title="Fair", kind="event", begins_at=MOMENT)
    make_announcement(title="Gold")

    feed = read(client, kind="event", year="2015", lang="it")

    assert [entry.title for entry in feed.entries] == ["Fair"]
    assert feed.feed.title == "Annunci: Evento, 2015"
    assert feed.feed.link == "http://testserver/it/news/?kind=event&year=2015"


def test_feed_entry_is_updated_by_a_correction(client: Client) -> None:
    make_correction(make_announcement())

    (entry,) = read(client).entries

    assert entry.updated == "2015-09-09T12:38:00+00:00"


@pytest.mark.parametrize("state", ["archived", "withdrawn"])
@pytest.mark.parametrize("path", [FEED, "/news.json", "/news.ics"])
def test_feed_is_left_by_what_is_in_no_list(client: Client, path: str, state: str) -> None:
    announcement = make_announcement(title="Gold", kind="event", begins_at=MOMENT)
    assert "Gold" in body(client.get(path))
    moments: dict[str, dict[str, Any]] = {
        "archived": {"archived_at": MOMENT},
        "withdrawn": {"withdrawn_at": MOMENT, "withdrawal_reason": "Wrong."},
    }
    Announcement.objects.filter(pk=announcement.pk).update(state=state, **moments[state])

    assert "Gold" not in body(client.get(path))


def test_json_feed_is_as_its_specification_says(client: Client) -> None:
    announcement = make_announcement(
        title="Gold",
        slug="gold",
        lead="First.",
        body="*So.*",
        clusters=[make_cluster(name="bioPmed", country="IT")],
    )

    response = client.get("/news.json", {"country": "IT"})

    assert response["Content-Type"] == "application/feed+json"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response.json() == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Announcements: Italy",
        "home_page_url": "http://testserver/en/news/?country=IT",
        "feed_url": "http://testserver/news.json?country=IT&lang=en",
        "description": "What clusters and the organisations that manage them make known.",
        "language": "en",
        "authors": [{"name": "Cluster Register"}],
        "items": [
            {
                "id": f"tag:testserver,2026:announcement/{announcement.public_id}/en",
                "url": "http://testserver/en/news/2015/gold/",
                "title": "Gold",
                "summary": "First.",
                "content_html": "<p><em>So.</em></p>\n",
                "date_published": "2015-09-08T14:38:00+02:00",
                "date_modified": "2015-09-08T14:38:00+02:00",
                "tags": ["bioPmed"],
                "language": "en",
            }
        ],
    }
    again = client.get("/news.json", {"country": "IT"}, headers={"if-none-match": response["ETag"]})
    assert again.status_code == 304


def test_calendar_has_events_at_their_time(client: Client) -> None:
    ends_at = MOMENT + timedelta(hours=2)
    place = {"place": "Bioindustry Park", "address": "Via Ribes 5, Colleretto Giacosa"}
    event = make_announcement(
        title="Fair",
        slug="fair",
        lead="All.",
        kind="event",
        begins_at=MOMENT,
        ends_at=ends_at,
        **place,
    )
    make_announcement()

    for path in ("/news.ics", f"/news/{event.public_id}/event.ics"):
        (found,) = Calendar.from_ical(body(client.get(path))).walk("VEVENT")
        assert (found.decoded("DTSTART"), found.decoded("DTEND")) == (MOMENT, ends_at)
        assert found["UID"] == f"{event.public_id}-event@testserver"
        assert found["LOCATION"] == "Bioindustry Park, Via Ribes 5, Colleretto Giacosa"
        assert (found["SUMMARY"], found["DESCRIPTION"]) == ("Fair", "All.")
        assert found["URL"] == "http://testserver/en/news/2015/fair/"


def test_calendar_of_what_is_no_public_event_is_not_found(client: Client) -> None:
    news = make_announcement()
    draft = make_announcement(kind="event", begins_at=MOMENT, state="draft")

    for announcement in (news, draft):
        path = f"/news/{announcement.public_id}/event.ics"
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/news.json", "/news.ics"])
def test_files_take_as_many_queries_for_three(
    count_queries: Callable[[str], int], path: str
) -> None:
    event: dict[str, Any] = {"kind": "event", "begins_at": MOMENT}
    make_announcement(clusters=[make_cluster()], **event)
    for_one = count_queries(path)
    make_announcement(clusters=[make_cluster()], **event)
    make_announcement(clusters=[make_cluster()], **event)

    assert count_queries(path) == for_one


def test_list_and_follow_name_the_feeds_of_their_filter(client: Client) -> None:
    make_announcement(clusters=[make_cluster(name="bioPmed", slug="biopmed")])

    for path in ("/en/news/", "/en/follow/"):
        text = client.get(f"{path}?cluster=biopmed").content.decode()
        for kind, suffix in (("atom+xml", "atom"), ("feed+json", "json")):
            assert (
                f'<link rel="alternate" type="application/{kind}" '
                f'href="/news.{suffix}?cluster=biopmed&amp;lang=en" title="Announcements: bioPmed">'
            ) in text
    assert "webcal://testserver/news.ics?cluster=biopmed&amp;lang=en" in text
    assert "<b>bioPmed</b>" in text


def body(response: Any) -> str:
    return b"".join(response).decode()


def test_feed_is_read_only(client: Client) -> None:
    assert client.post(FEED).status_code == 405
