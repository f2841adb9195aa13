"""The worked cases of dates that are known to the month or the year, on both sides of each day."""

from datetime import date, timedelta

import pytest

from labels.models import Label
from labels.words import Reply, verdict
from tests.factories import make_label, make_suspension

DAY = timedelta(days=1)
NO_END = "By the register’s reckoning: the source prints no end."
pytestmark = pytest.mark.django_db


def both_states(label: Label, on: str) -> str:
    """The state in Python, which is that in SQL."""
    day = date.fromisoformat(on)
    state = Label.objects.with_succession().get(pk=label.pk).state_on(day).value
    assert Label.objects.with_state(day).get(pk=label.pk).state == state
    return state


YEAR = {"awarded_on": "2024", "assessed_on": None}
MONTH = {"assessed_on": "2015-07"}
BRONZE = {"level": "bronze", "awarded_on": "2013", "assessed_on": None}
PRINTED = {"assessed_on": "2012-04-18", "valid_until": "2014-04-30"}
PRINTED_YEAR = {"assessed_on": "2014-03-03", "valid_until": "2016"}
SHORT = {"assessed_on": "2016", "valid_until": "2016"}


@pytest.mark.parametrize(
    ("fields", "on", "state"),
    [
        (YEAR, "2023-12-31", "not_yet"),
        (YEAR, "2024-01-01", "uncertain"),
        (YEAR, "2024-06-01", "uncertain"),
        (YEAR, "2024-12-30", "uncertain"),
        (YEAR, "2024-12-31", "valid"),
        (YEAR, "2026-01-31", "valid"),
        (YEAR, "2026-02-01", "uncertain"),
        (YEAR, "2026-12-31", "uncertain"),
        (YEAR, "2027-01-01", "renewable"),
        (MONTH, "2015-06-30", "not_yet"),
        (MONTH, "2015-07-01", "uncertain"),
        (MONTH, "2015-07-30", "uncertain"),
        (MONTH, "2015-07-31", "valid"),
        (MONTH, "2015-09-08", "valid"),
        (MONTH, "2017-07-31", "valid"),
        (MONTH, "2017-08-01", "renewable"),
        (MONTH, "2018-07-31", "renewable"),
        (MONTH, "2018-08-01", "expired"),
        (BRONZE, "2015-01-31", "valid"),
        (BRONZE, "2015-09-08", "uncertain"),
        (BRONZE, "2015-12-31", "uncertain"),
        (BRONZE, "2016-01-01", "renewable"),
        (PRINTED, "2012-04-17", "not_yet"),
        (PRINTED, "2012-04-18", "valid"),
        (PRINTED, "2014-04-30", "valid"),
        (PRINTED, "2014-05-01", "renewable"),
        (PRINTED_YEAR, "2014-03-02", "not_yet"),
        (PRINTED_YEAR, "2014-03-03", "valid"),
        (PRINTED_YEAR, "2016-01-01", "valid"),
        (PRINTED_YEAR, "2016-01-02", "uncertain"),
        (PRINTED_YEAR, "2016-12-31", "uncertain"),
        (PRINTED_YEAR, "2017-01-01", "renewable"),
        (SHORT, "2015-12-31", "not_yet"),
        (SHORT, "2016-01-01", "uncertain"),
        (SHORT, "2016-07-01", "uncertain"),
        (SHORT, "2016-12-31", "uncertain"),
        (SHORT, "2017-01-01", "renewable"),
    ],
)  # fmt: skip
def test_state_on_worked_days(fields: dict[str, str | None], on: str, state: str) -> None:
    assert both_states(make_label(**fields), on) == state


def test_suspended_goes_before_uncertain() -> None:
    label = make_label(**YEAR)
    make_suspension(label, starts_on=date(2024, 6, 1), reason="Under review.")

    assert both_states(label, "2024-05-31") == "uncertain"
    assert both_states(label, "2024-06-01") == "suspended"
    assert both_states(label, "2026-12-31") == "suspended"


@pytest.mark.parametrize(
    ("fields", "on", "reply", "sentence", "caveat"),
    [
        (
            MONTH, "2015-09-08", Reply.YES, "Valid until 31 July 2017.",
            NO_END,
        ),
        (PRINTED, "2013-01-01", Reply.YES, "Valid until 30 April 2014.", ""),
        (
            YEAR, "2025-06-01", Reply.YES,
            "Valid until 31 January 2026 at least, and until 31 December 2026 at most.",
            f"{NO_END} Known by the year 2024 only.",
        ),
        (
            YEAR, "2024-06-01", Reply.CANNOT_BE_TOLD,
            "May be valid: it begins between 1 January 2024 and 31 December 2024.",
            f"{NO_END} Known by the year 2024 only.",
        ),
        (
            YEAR, "2026-06-01", Reply.CANNOT_BE_TOLD,
            "May be valid: it ends between 31 January 2026 and 31 December 2026.",
            f"{NO_END} Known by the year 2024 only.",
        ),
        (
            PRINTED_YEAR, "2016-06-01", Reply.CANNOT_BE_TOLD,
            "May be valid: it ends between 1 January 2016 and 31 December 2016.",
            "Known by the year 2016 only.",
        ),
        (
            MONTH, "2018-08-01", Reply.NO, "Expired on 31 July 2017.",
            NO_END,
        ),
        (
            YEAR, "2023-01-01", Reply.NO,
            "Not valid yet: it begins on 1 January 2024 at the earliest.",
            "Known by the year 2024 only.",
        ),
        (
            PRINTED, "2014-05-01", Reply.NO,
            "Expired on 30 April 2014; may still be renewed until 30 April 2015.",
            "By the register’s reckoning: the source prints no last day to renew.",
        ),
    ],
)  # fmt: skip
def test_verdict_says_what_limits_it(
    fields: dict[str, str | None], on: str, reply: Reply, sentence: str, caveat: str
) -> None:
    label = Label.objects.with_succession().get(pk=make_label(**fields).pk)

    found = verdict(label, date.fromisoformat(on))

    assert (found.reply, found.sentence, found.caveat) == (reply, sentence, caveat)
