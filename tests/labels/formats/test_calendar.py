from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Component

from labels.formats.calendar import CalendarEntry, calendar, escaped_text, folded_line
from tests.factories import make_cluster, make_label, make_undated_label, transfer_label
from tests.labels.test_certainty import NO_END


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2015-09-08T12:00Z", tick=False):
        yield


def read(client: Client, **query: str) -> Component:
    response = client.get("/labels.ics", query)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    found = Calendar.from_ical(b"".join(response))
    assert isinstance(found, Component)
    return found


def entry(**fields: Any) -> CalendarEntry:
    defaults: dict[str, Any] = {
        "uid": "x@example.org",
        "day": date(2017, 7, 31),
        "summary": "Ends",
        "description": "",
        "url": "https://example.org/",
        "changed_at": datetime(2015, 9, 8, 12, tzinfo=UTC),
        "changes": 0,
    }
    return CalendarEntry(**(defaults | fields))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_folded_line_has_75_octets_at_most_and_is_read_back(text: str) -> None:
    text = "".join(text.split())

    line = folded_line(f"SUMMARY:{text}")

    pieces = line.removesuffix(b"\r\n").split(b"\r\n")
    assert all(len(piece) <= 75 for piece in pieces)
    assert [piece.decode() for piece in pieces]  # no character is cut
    assert line.replace(b"\r\n ", b"").decode() == f"SUMMARY:{text}\r\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a;b", "a\\;b"),
        ("a,b", "a\\,b"),
        ("a\\b", "a\\\\b"),
        ("a\r\nb\nc\rd", "a\\nb\\nc\\nd"),
        ("END:VEVENT", "END:VEVENT"),
    ],
)
def test_text_is_escaped(text: str, written: str) -> None:
    assert escaped_text(text) == written


# Line ends become \n; other control characters do not get past the portal's forms.
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_summary_is_read_back(text: str) -> None:
    file = b"".join(calendar("Labels", [entry(summary=text)]))

    (event,) = Calendar.from_ical(file).walk("VEVENT")

    assert str(event["SUMMARY"]) == text


def test_line_break_in_a_name_adds_no_line(client: Client) -> None:
    file = b"".join(calendar("Labels", [entry(summary="x\r\nEND:VEVENT\r\nBEGIN:VEVENT")]))

    assert file.count(b"\r\nBEGIN:VEVENT") == 1


@pytest.mark.django_db
def test_calendar_has_the_end_and_the_last_day_to_renew(client: Client) -> None:
    label = make_label(cluster=make_cluster(name="bioPmed"))

    end, deadline = read(client).walk("VEVENT")

    assert (str(end["UID"]), str(deadline["UID"])) == (
        f"{label.public_id}-end@testserver",
        f"{label.public_id}-deadline@testserver",
    )
    assert str(end["SUMMARY"]) == "Gold label of bioPmed ends by the register’s reckoning"
    assert str(end["DESCRIPTION"]) == f"Valid until 31 July 2017. {NO_END}"
    assert str(end["URL"]) == f"http://testserver/en/labels/{label.public_id}/"
    assert (end.decoded("DTSTART"), end.decoded("DTEND")) == (date(2017, 7, 31), date(2017, 8, 1))
    assert str(deadline["SUMMARY"]) == "Last day to renew the Gold label of bioPmed"
    assert deadline.decoded("DTSTART") == date(2018, 7, 31)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("printed", "end", "deadline"),
    [
        pytest.param({"valid_until": "2017-07-31"}, "ends", "Last day to", id="printed"),
        pytest.param(
            {"assessed_on": "2015-07-01"},
            "ends by the register’s reckoning", "Last day to", id="reckoned",
        ),
        pytest.param(
            {"valid_until": "2017"}, "ends at the latest", "Last day, at the latest, to", id="year"
        ),
        pytest.param(
            {"assessed_on": "2015"}, "ends at the latest, by the register’s reckoning",
            "Last day, at the latest, to", id="reckoned from a year",
        ),
    ],
)  # fmt: skip
def test_calendar_is_no_more_certain_than_the_page(
    client: Client, printed: dict[str, str], end: str, deadline: str
) -> None:
    make_label(cluster=make_cluster(name="Beta"), **printed)

    assert [str(event["SUMMARY"]) for event in read(client).walk("VEVENT")] == [
        f"Gold label of Beta {end}",
        f"{deadline} renew the Gold label of Beta",
    ]


@pytest.mark.django_db
def test_calendar_is_stamped_with_the_last_change(client: Client) -> None:
    label = make_label()
    first, *_others = read(client).walk("VEVENT")
    assert first["SEQUENCE"] == 0
    with time_machine.travel("2016-02-29T12:00Z", tick=False):
        label.source = "example.org"
        label.save()

    event, *_rest = read(client).walk("VEVENT")

    changed_at = datetime(2016, 2, 29, 12, tzinfo=UTC)
    assert (event.decoded("DTSTAMP"), event.decoded("LAST-MODIFIED")) == (changed_at, changed_at)
    assert event["SEQUENCE"] == 1


@pytest.mark.django_db
def test_calendar_keeps_its_bytes_on_the_next_day(client: Client) -> None:
    make_label()
    today = read(client).to_ical()
    with time_machine.travel("2015-09-09T12:00Z", tick=False):
        assert read(client).to_ical() == today


@pytest.mark.django_db
def test_calendar_of_a_renewed_label_has_no_deadline(client: Client) -> None:
    first = make_label(assessed_on="2013-07")
    make_label(cluster=first.cluster, kind="renewal", renews=first, assessed_on="2015-06")

    uids = {str(event["UID"]) for event in read(client).walk("VEVENT")}

    assert f"{first.public_id}-end@testserver" in uids
    assert f"{first.public_id}-deadline@testserver" not in uids
    assert len(uids) == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "kinds"),
    [
        pytest.param("2017-07-31", set(), id="last day"),
        pytest.param("2017-08-01", {"end"}, id="day after"),
        pytest.param("2018-07-31", {"end"}, id="last day to renew"),
        pytest.param("2018-08-01", {"end", "deadline"}, id="too late"),
    ],
)
def test_calendar_leaves_out_what_a_revocation_comes_before(
    client: Client, day: str, kinds: set[str]
) -> None:
    make_label(revoked_on=date.fromisoformat(day), revocation_reason="Asked for.")

    found = {str(event["UID"]).split("@")[0].split("-")[1] for event in read(client).walk("VEVENT")}

    assert found == kinds


@pytest.mark.django_db
def test_calendar_without_dates_is_a_calendar(client: Client) -> None:
    make_undated_label()

    assert read(client).walk("VEVENT") == []


@pytest.mark.django_db
def test_calendar_speaks_italian_when_asked(client: Client) -> None:
    label = make_label()

    found = read(client, lang="it")

    assert str(found["PRODID"]).endswith("//IT")
    assert str(found.walk("VEVENT")[0]["URL"]).endswith(f"/it/labels/{label.public_id}/")


@pytest.mark.django_db
def test_calendar_of_a_transferred_label_has_its_successors_days_only(client: Client) -> None:
    successor = transfer_label(make_label(), on=date(2016, 3, 1))

    uids = {str(event["UID"]).split("@")[0] for event in read(client).walk("VEVENT")}

    assert uids == {f"{successor.public_id}-end", f"{successor.public_id}-deadline"}


@pytest.mark.django_db
def test_calendar_takes_as_many_queries_for_a_transferred_label(client: Client) -> None:
    make_label()
    with CaptureQueriesContext(connection) as for_one:
        read(client)
    transfer_label(make_label(), on=date(2016, 3, 1))
    with CaptureQueriesContext(connection) as for_three:
        read(client)

    assert len(for_three) == len(for_one)
