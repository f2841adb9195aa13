from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.dates import (
    FIRST_DAY,
    LAST_DAY,
    PartialDate,
    add_months,
    last_day_of_month,
    parse_day,
)

days = st.dates(FIRST_DAY, LAST_DAY)


@st.composite
def partial_dates(draw: st.DrawFn) -> PartialDate:
    day = draw(days)
    parts = draw(st.integers(1, 3))
    return PartialDate(*(day.year, day.month, day.day)[:parts])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2013", PartialDate(2013), id="year"),
        pytest.param("2015-07", PartialDate(2015, 7), id="month"),
        pytest.param("2012-04-18", PartialDate(2012, 4, 18), id="day"),
        pytest.param(" 2013 ", PartialDate(2013), id="spaces around"),
    ],
)
def test_partial_date_is_read_with_its_precision(text: str, expected: PartialDate) -> None:
    assert PartialDate.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "13",
        "2015-7",
        "2015-07-",
        "2015-13",
        "2015-00",
        "2015-02-30",
        "2015-02-00",
        "0999",
        "3000",
        "18/04/2012",
        "2015-07-14T00:00",
        "٢٠١٥",
    ],
)
def test_partial_date_refuses_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        PartialDate.parse(text)


def test_partial_date_refuses_a_day_without_a_month() -> None:
    with pytest.raises(ValueError, match="a day needs its month"):
        PartialDate(2015, day=14)


@given(partial_dates())
def test_partial_date_survives_its_text(partial: PartialDate) -> None:
    assert PartialDate.parse(str(partial)) == partial


@given(days)
def test_partial_date_of_a_full_day_is_that_day(day: date) -> None:
    partial = PartialDate.from_date(day)

    assert (partial.precision, partial.first_day, partial.last_day) == ("day", day, day)


@pytest.mark.parametrize(
    ("text", "precision", "first", "last"),
    [
        pytest.param("2013", "year", date(2013, 1, 1), date(2013, 12, 31), id="year"),
        pytest.param("2015-07", "month", date(2015, 7, 1), date(2015, 7, 31), id="month"),
        pytest.param("2016-02", "month", date(2016, 2, 1), date(2016, 2, 29), id="leap month"),
        pytest.param("2012-04-18", "day", date(2012, 4, 18), date(2012, 4, 18), id="day"),
    ],
)
def test_partial_date_spans_its_period(text: str, precision: str, first: date, last: date) -> None:
    partial = PartialDate.parse(text)

    assert (partial.precision, partial.first_day, partial.last_day) == (precision, first, last)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        pytest.param(date(2015, 7, 31), 24, date(2017, 7, 31), id="two years"),
        pytest.param(date(2028, 2, 29), 24, date(2030, 2, 28), id="29 February"),
        pytest.param(date(2028, 2, 29), 48, date(2032, 2, 29), id="leap to leap"),
        pytest.param(date(2015, 1, 31), 1, date(2015, 2, 28), id="shorter month"),
        pytest.param(date(2015, 12, 15), 1, date(2016, 1, 15), id="over the year"),
        pytest.param(date(2016, 1, 15), -1, date(2015, 12, 15), id="backwards"),
        pytest.param(date(2015, 3, 31), 0, date(2015, 3, 31), id="none"),
    ],
)
def test_add_months_keeps_the_day_or_clamps_it(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@given(st.dates(date(1900, 1, 1), date(2500, 12, 31)), st.integers(-600, 600))
def test_add_months_moves_by_that_many_months(day: date, months: int) -> None:
    moved = add_months(day, months)

    assert (moved.year - day.year) * 12 + moved.month - day.month == months


@given(st.dates(date(1900, 1, 1), date(2500, 12, 31)))
def test_last_day_of_month_is_followed_by_the_first_of_the_next(day: date) -> None:
    last = last_day_of_month(day)

    assert (last.month, (last + timedelta(days=1)).day) == (day.month, 1)


def test_day_is_read_in_one_notation() -> None:
    assert parse_day("2026-11-05") == date(2026, 11, 5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "05/11/2026",
        "2026-11-5",
        "2026-11",
        "20261105",
        "2026-W45-4",
        "2026-11-05 ",
        "2026-02-30",
        "0999-01-01",
        "\u0662\u0660\u0662\u0666-11-05",
    ],
)
def test_any_other_notation_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|year"):
        parse_day(text)
