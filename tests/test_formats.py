"""What holds for every feed, calendar and file, whichever is added to the URLconf."""

import csv
import re
from datetime import datetime
from html import unescape
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import parse_qs

import feedparser
import pytest
import time_machine
from django.test import Client
from django.utils.http import http_date
from django.utils.translation import gettext, override
from icalendar import Calendar
from openpyxl import load_workbook

from clusters.formats.titles import TITLES
from clusters.models import Cluster
from tests.addresses import CALENDARS, CSV_FILES, FEEDS, PAGES, SPREADSHEETS, Address, make_rows
from tests.factories import hide, make_cluster

pytestmark = pytest.mark.django_db

MARK = "\ufeff"
NAME = "R&D <Life Sciences> &amp;"


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2015-09-09T12:00Z", tick=False):
        yield


def name_of(address: Address) -> str:
    return address.name


def body(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    return b"".join(response) if response.streaming else bytes(response.content)


def parsed(client: Client, path: str) -> Any:
    feed = feedparser.parse(body(client.get(path)))
    assert not feed.bozo
    return feed


@pytest.mark.parametrize("address", FEEDS, ids=name_of)
@pytest.mark.parametrize("language", ["en", "it"])
def test_feed_keeps_every_letter_of_a_text(client: Client, address: Address, language: str) -> None:
    rows = make_rows(name=NAME)

    feed = parsed(client, f"{rows.path(address)}?lang={language}&q=R%26D&cluster=biopmed")

    texts = [feed.feed.title_detail, feed.feed.subtitle_detail]
    texts += [detail for entry in feed.entries for detail in (entry.title_detail,)]
    texts += [entry.summary_detail for entry in feed.entries]
    assert feed.entries
    assert {text.type for text in texts} == {"text/plain"}
    assert all(NAME in entry.title for entry in feed.entries)
    assert all(NAME in [tag.term for tag in entry.tags] for entry in feed.entries)
    assert feed.feed.author in ("Cluster Register", "Registro dei cluster")


def test_feed_keeps_every_letter_of_a_summary_and_of_its_title(client: Client) -> None:
    make_rows(name=NAME)

    feed = parsed(client, "/news.atom?cluster=biopmed")

    assert feed.feed.title == f"Announcements: {NAME}"
    assert [entry.summary for entry in feed.entries] == [NAME]


@pytest.mark.parametrize("address", FEEDS, ids=name_of)
def test_feed_without_entries_has_the_same_bytes_on_another_day(
    client: Client, address: Address
) -> None:
    make_cluster(slug="biopmed")
    first = body(client.get(f"/{address.route}?cluster=biopmed"))

    with time_machine.travel("2016-02-29T20:00Z", tick=False):
        assert body(client.get(f"/{address.route}?cluster=biopmed")) == first


@pytest.mark.parametrize("address", FEEDS, ids=name_of)
def test_feed_is_another_when_its_latest_entry_is_withdrawn(
    client: Client, address: Address
) -> None:
    rows = make_rows()
    path = rows.path(address)
    first = client.get(path)
    hide(*Cluster.objects.all())
    type(rows.announcement).objects.update(state="draft")

    since = {"if-modified-since": http_date(2_000_000_000)}
    assert client.get(path, headers=since).status_code == 200
    assert client.get(path, headers={"if-none-match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize("address", [*FEEDS, *CALENDARS], ids=name_of)
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("level=gold&country=IT&lang=en", "Gold, Italy"),
        ("level=gold&country=IT&lang=it", "Gold, Italia"),
    ],
)
def test_title_says_the_filter(client: Client, address: Address, query: str, words: str) -> None:
    rows = make_rows()
    title = title_of(client, f"{rows.path(address)}?{query}")

    if address.name == "event_ics":
        assert title == "bioPmed"
        return
    # Of an announcement there is no level.
    of_news = address.name in ("news_feed", "news_ics")
    assert title.endswith(f": {words.partition(', ')[2] if of_news else words}")


def title_of(client: Client, path: str) -> str:
    content = body(client.get(path))
    if path.partition("?")[0].endswith(".ics"):
        calendar = Calendar.from_ical(content)
        assert calendar["NAME"] == calendar["X-WR-CALNAME"]
        # The library knows neither name, and leaves them as they are written.
        return str(calendar["NAME"]).replace("\\,", ",")
    return str(feedparser.parse(content).feed.title)


@pytest.mark.parametrize("address", CALENDARS, ids=name_of)
def test_calendar_is_the_same_until_something_changes(client: Client, address: Address) -> None:
    rows = make_rows()
    path = rows.path(address)
    first = body(client.get(path))
    events: Any = Calendar.from_ical(first).walk("VEVENT")
    assert events
    # An announcement is put together in several steps.
    of_news = address.name in ("news_ics", "event_ics")
    changes = events[0]["SEQUENCE"] if of_news else 0
    for event in events:
        assert event["SEQUENCE"] == changes
        assert event.decoded("LAST-MODIFIED") == event.decoded("DTSTAMP")

    with time_machine.travel("2016-02-29T20:00Z", tick=False):
        assert body(client.get(path)) == first
        rows.label.save()
        rows.announcement.save()
        for event in Calendar.from_ical(body(client.get(path))).walk("VEVENT"):
            assert event["SEQUENCE"] == changes + 1
            assert event.decoded("LAST-MODIFIED").year == 2016


@pytest.mark.parametrize("address", CSV_FILES, ids=name_of)
def test_csv_opens_in_a_spreadsheet_or_in_a_program(client: Client, address: Address) -> None:
    rows = make_rows(name="Città")
    make_cluster(slug="other", name="Other")
    path = f"{rows.path(address)}?c=biopmed&c=other"

    plain, english, italian = (
        body(client.get(path + more)).decode()
        for more in ("&lang=it", "&for=spreadsheet", "&for=spreadsheet&lang=it")
    )

    assert not plain.startswith(MARK)
    assert english.startswith(MARK)
    assert italian.startswith(MARK)
    # Figures count records, and name none.
    assert ("Città" in italian) != address.name.startswith("figures_")
    for text, delimiter in ((plain, ","), (english, ","), (italian, ";")):
        table = list(csv.reader(StringIO(text.removeprefix(MARK)), delimiter=delimiter))
        assert len({len(row) for row in table}) == 1
        assert len(table[0]) > 1
    refused = client.get(f"{path}&for=me")
    assert (refused.status_code, "for: “me”" in refused.content.decode()) == (400, True)


@pytest.mark.parametrize("address", PAGES, ids=name_of)
@pytest.mark.parametrize("language", ["en", "it"])
def test_csv_that_a_page_offers_is_for_a_spreadsheet(
    client: Client, address: Address, language: str
) -> None:
    rows = make_rows()
    make_cluster(slug="other")
    path = rows.path(address).replace("/en/", f"/{language}/", 1)
    response = client.get(path, {"c": ["biopmed", "other"]})

    for link in re.findall(r'href="([^"]+)"', response.content.decode()):
        path, _mark, query = unescape(link).partition("?")
        if path.endswith(".csv"):
            asked = parse_qs(query)
            assert asked["for"] == ["spreadsheet"]
            assert asked.get("lang", ["en"]) == [language]


@pytest.mark.parametrize("address", SPREADSHEETS, ids=name_of)
@pytest.mark.parametrize("language", ["en", "it"])
def test_spreadsheet_is_in_the_language_of_the_reader(
    client: Client, address: Address, language: str
) -> None:
    rows = make_rows()
    file = body(client.get(f"{rows.path(address)}?lang={language}&level=gold&on=2015-09-08"))

    book = load_workbook(BytesIO(file))
    table, about = book.worksheets

    with override(language):
        known = {str(title) for title in TITLES.values()}
        assert {cell.value for cell in table[1]} <= known
        assert any(isinstance(cell.value, datetime) for cell in table[2])
        told = {row[0].value: row[1].value for row in about.iter_rows()}
        assert set(told) == {gettext(t) for t in ("Source", "Page", "Day", "Licence", "Filter")}
        assert told[gettext("Day")] == datetime(2015, 9, 8)
        assert told[gettext("Filter")] == "Gold"
