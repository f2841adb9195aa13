"""A publication at a difficult second in Rome: there everywhere at that second, and no job ran."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError

from clusters.fields import MomentFormField
from news.models import Announcement
from tests.config.test_page_cache import Answer, ask, connection_stays_open, kept
from tests.factories import make_announcement, make_cluster

__all__ = ["connection_stays_open"]  # a fixture

TITLE, SLUG = "Torino gets a Gold", "torino-gets-a-gold"
A_SECOND = timedelta(seconds=1)
# With the year and the month under which it stands.
MOMENTS = [
    pytest.param("2026-10-25T00:30:00Z", "2026-10", id="half past two, in summer time"),
    pytest.param("2026-10-25T01:00:00Z", "2026-10", id="the clock goes back"),
    pytest.param("2026-10-25T01:30:00Z", "2026-10", id="half past two, once more"),
    pytest.param("2027-03-28T01:00:00Z", "2027-03", id="the clock goes forward"),
    pytest.param("2026-11-30T23:00:00Z", "2026-12", id="midnight in winter"),
    pytest.param("2026-06-30T22:00:00Z", "2026-07", id="midnight in summer"),
    pytest.param("2026-12-31T23:00:00Z", "2027-01", id="midnight of a new year"),
]


def surfaces(announcement: Announcement, month: str) -> Iterator[str]:
    """Where it is to be found."""
    year, number = month.split("-")
    yield "/en/"
    yield "/en/news/"
    yield f"/en/news/{year}/"
    yield f"/en/news/{year}/{int(number):02}/"
    yield f"/en/news/{year}/{SLUG}/"
    yield "/news.atom"
    yield "/news.json"
    yield "/sitemap.xml"
    yield "/api/v1/announcements"
    yield f"/api/v1/announcements/{announcement.public_id}"
    yield "/en/search/?q=Torino"
    yield "/en/clusters/biopmed/"


def tells(answer: Answer) -> bool:
    return answer.status == "200 OK" and (TITLE in answer.text or f"/{SLUG}/" in answer.text)


@pytest.mark.django_db
@pytest.mark.parametrize(("moment", "month"), MOMENTS)
def test_announcement_appears_everywhere_at_its_second(moment: str, month: str) -> None:
    at = datetime.fromisoformat(moment)
    with time_machine.travel(at - timedelta(days=40), tick=False):
        cluster = make_cluster(name="bioPmed", slug="biopmed")
        announcement = make_announcement(
            title=TITLE, slug=SLUG, clusters=[cluster], published_at=at
        )
    addresses = [*surfaces(announcement, month)]
    application, behind = kept()

    with time_machine.travel(at - A_SECOND, tick=False) as clock:
        assert [one for one in addresses if tells(ask(application, one))] == []
        asked = behind.asked
        clock.shift(A_SECOND)
        assert [one for one in addresses if not tells(ask(application, one))] == []
        assert behind.asked == asked + len(addresses)


@pytest.mark.parametrize("typed", ["2026-10-25T02:30", "2027-03-28T02:30"])
def test_time_that_is_no_one_moment_is_refused_in_words(typed: str) -> None:
    with pytest.raises(ValidationError, match="that night the clock changes") as refused:
        MomentFormField().clean(typed)
    assert typed in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-10-25T01:59", datetime(2026, 10, 24, 23, 59, tzinfo=UTC)),
        ("2026-10-25T03:00", datetime(2026, 10, 25, 2, tzinfo=UTC)),
        ("2027-03-28T01:59", datetime(2027, 3, 28, 0, 59, tzinfo=UTC)),
        ("2027-03-28T03:00", datetime(2027, 3, 28, 1, tzinfo=UTC)),
    ],
)
def test_time_beside_the_change_of_the_clock_is_taken(typed: str, moment: datetime) -> None:
    assert MomentFormField().clean(typed) == moment
