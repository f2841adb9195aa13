from datetime import date
from typing import Any

import feedparser
import pytest
import time_machine
from django.test import Client

from labels.formats import feeds
from tests.factories import hide_cluster, make_cluster, make_label, transfer_label
from tests.labels.test_certainty import NO_END

pytestmark = pytest.mark.django_db

FEED = "/labels.atom"


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2015-09-08T12:00Z", tick=False):
        yield


def read(client: Client, **query: str) -> Any:
    response = client.get(FEED, query)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = feedparser.parse(response.content)
    assert not feed.bozo
    return feed


def titles(client: Client, **query: str) -> list[str]:
    # Without the month or year of an award that is known no better.
    return [entry.title.partition(" (")[0] for entry in read(client, **query).entries]


def test_feed_tells_the_life_of_a_label_the_latest_first(client: Client) -> None:
    cluster = make_cluster(name="bioPmed")
    first = make_label(cluster=cluster, assessed_on="2011-07")
    second = make_label(cluster=cluster, kind="renewal", renews=first, assessed_on="2013-06")
    assert (first.ends_on, second.ends_on) == (date(2013, 7, 31), date(2015, 7, 31))
    revoked = make_label(
        cluster=cluster, level="silver", assessed_on="2014-03",
        revoked_on=date(2015, 9, 8), revocation_reason="Asked for it.",
    )  # fmt: skip

    entries = read(client).entries

    assert [(entry.title, entry.updated, entry.summary) for entry in entries] == [
        ("bioPmed: Silver label revoked", "2015-09-08T00:00:00+02:00",
         "Revoked on 8 September 2015: Asked for it."),
        ("bioPmed: Gold label expired", "2015-08-01T00:00:00+02:00",
         f"Expired on 31 July 2015; may still be renewed until 31 July 2016. {NO_END}"),
        ("bioPmed: Silver label awarded (March 2014)", "2014-03-01T00:00:00+01:00",
         f"May be valid: it begins between 1 March 2014 and 31 March 2014. {NO_END}"
         " Known by the month March 2014 only."),
        ("bioPmed: Gold label renewed", "2013-08-01T00:00:00+02:00",
         f"Valid until 31 July 2015. {NO_END}"),
        ("bioPmed: Gold label awarded (July 2011)", "2011-07-01T00:00:00+02:00",
         f"May be valid: it begins between 1 July 2011 and 31 July 2011. {NO_END}"
         " Known by the month July 2011 only."),
    ]  # fmt: skip
    assert entries[0].link == f"http://testserver/en/labels/{revoked.public_id}/"
    assert entries[0].id == f"tag:testserver,2026:label/{revoked.public_id}/revocation"


@pytest.mark.parametrize(
    ("printed", "title"),
    [
        ("2015-07-01", "Beta: Gold label awarded"),
        ("2015-07", "Beta: Gold label awarded (July 2015)"),
        ("2015", "Beta: Gold label awarded (2015)"),
    ],
)
def test_feed_claims_no_day_of_an_award_that_is_not_known(
    client: Client, printed: str, title: str
) -> None:
    make_label(cluster=make_cluster(name="Beta"), assessed_on=printed)

    assert [entry.title for entry in read(client).entries] == [title]


def test_feed_gives_moments_in_rome(client: Client) -> None:
    make_label()

    assert b"<updated>2015-07-01T00:00:00+02:00</updated>" in client.get(FEED).content


def test_feed_never_tells_the_future(client: Client) -> None:
    make_label(assessed_on="2015-10")
    make_label(assessed_on="2013-09", revoked_on=date(2015, 9, 9), revocation_reason="Asked for.")

    assert [title.split()[-1] for title in titles(client)] == ["awarded"]
    assert [title.split()[-1] for title in titles(client, on="2100-12-31")] == ["awarded"]


@pytest.mark.parametrize(
    ("today", "number"),
    [
        pytest.param("2017-07-31T21:59:59Z", 1, id="last second of the last day"),
        pytest.param("2017-07-31T22:00:00Z", 2, id="midnight in Rome"),
    ],
)
def test_feed_tells_an_expiry_at_midnight_in_rome(client: Client, today: str, number: int) -> None:
    make_label()

    with time_machine.travel(today, tick=False):
        assert len(titles(client)) == number


def test_feed_as_of_another_day_ends_there(client: Client) -> None:
    make_label(assessed_on="2011-07")

    assert [title.split()[-1] for title in titles(client, on="2013-07-31")] == ["awarded"]
    assert [title.split()[-1] for title in titles(client, on="2013-08-01")] == [
        "expired", "awarded",
    ]  # fmt: skip


def test_feed_tells_an_expiry_after_which_the_label_came_back_late(client: Client) -> None:
    first = make_label(assessed_on="2011-07")
    make_label(cluster=first.cluster, assessed_on="2013-09")

    assert [title.split()[-1] for title in titles(client)] == ["awarded", "expired", "awarded"]


def test_feed_does_not_tell_of_an_award_revoked_on_its_day(client: Client) -> None:
    make_label(revoked_on=date(2015, 7, 1), revocation_reason="A mistake.")

    assert [title.split()[-1] for title in titles(client)] == ["revoked"]


def test_feed_has_a_limited_number_of_entries(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "ENTRIES", 3)
    for year in range(2010, 2016):
        make_label(assessed_on=f"{year}-02")

    years = [entry.updated[:4] for entry in read(client).entries]

    assert len(years) == 3
    assert years[0] == "2015"


def test_feed_follows_the_filter_and_names_itself(client: Client) -> None:
    make_label()
    make_label(level="silver", cluster=make_cluster(name="Beta"))

    feed = read(client, level="silver")

    assert [entry.title for entry in feed.entries] == ["Beta: Silver label awarded (July 2015)"]
    assert feed.feed.title == "Label register: Silver"
    assert feed.feed.link == "http://testserver/en/labels/?level=silver"
    assert feed.feed.id == "http://testserver/labels.atom?level=silver&lang=en"


def test_feed_is_english_unless_asked_for_italian(client: Client) -> None:
    label = make_label()

    english, italian = read(client), read(client, lang="it")

    assert (english.feed.language, italian.feed.language) == ("en", "it")
    assert italian.entries[0].link == f"http://testserver/it/labels/{label.public_id}/"
    assert italian.entries[0].id == english.entries[0].id


def test_feed_without_entries_has_the_same_bytes_all_day(client: Client) -> None:
    morning = client.get(FEED).content
    with time_machine.travel("2015-09-08T20:00Z", tick=False):
        assert client.get(FEED).content == morning
    assert feedparser.parse(morning).entries == []


def test_feed_escapes_names(client: Client) -> None:
    make_label(cluster=make_cluster(name="<b>&amp; ]]>"))

    text = client.get(FEED).content.decode()

    assert (
        '<title type="text">&lt;b&gt;&amp;amp; ]]&gt;: Gold label awarded (July 2015)</title>'
        in text
    )


def test_feed_tells_a_transfer_on_both_labels_and_no_expiry(client: Client) -> None:
    label = make_label(cluster=make_cluster(name="Old Valley"), assessed_on="2013-07")
    heir = make_cluster(name="New Valley")
    successor = transfer_label(label, on=date(2014, 3, 1), cluster=heir)

    entries = read(client).entries

    assert sorted((entry.title, entry.updated[:10]) for entry in entries) == [
        ("New Valley: Gold label expired", "2015-08-01"),
        ("New Valley: Gold label taken over", "2014-03-01"),
        ("Old Valley: Gold label awarded (July 2013)", "2013-07-01"),
        ("Old Valley: Gold label transferred", "2014-03-01"),
    ]
    (moved,) = (entry for entry in entries if entry.title.endswith("transferred"))
    assert moved.summary == (
        f"Transferred on 1 March 2014 to New Valley: label {successor.public_id}."
    )
    assert moved.id == f"tag:testserver,2026:label/{label.public_id}/transfer"


def test_feed_does_not_tell_of_a_hidden_successor(client: Client) -> None:
    heir = make_cluster(name="New Valley")
    transfer_label(make_label(assessed_on="2014-07"), on=date(2015, 3, 1), cluster=heir)
    hide_cluster(heir)

    latest, _first = read(client).entries

    assert latest.summary == "Transferred on 1 March 2015."
