from datetime import date

import pytest
from django.http import QueryDict

from clusters.http.asof import as_of

TODAY = date(2026, 11, 22)
PATH = "/en/clusters/"


def test_as_of_is_today_unless_asked_otherwise() -> None:
    shown = as_of(QueryDict(""), PATH, TODAY)

    assert (shown.day, shown.is_today, shown.problems) == (TODAY, True, ())


def test_as_of_takes_another_day() -> None:
    shown = as_of(QueryDict("on=2015-09-08"), PATH, TODAY)

    assert (shown.day, shown.is_today, shown.problems) == (date(2015, 9, 8), False, ())


def test_as_of_knows_today_when_it_is_asked_for() -> None:
    assert as_of(QueryDict("on=2026-11-22"), PATH, TODAY).is_today is True


@pytest.mark.parametrize("text", ["2015-02-30", "yesterday", "05/11/2015", "20151105", "2015-11"])
def test_as_of_names_a_day_that_is_none_and_shows_today(text: str) -> None:
    shown = as_of(QueryDict(f"on={text}"), PATH, TODAY)

    assert (shown.day, shown.problems) == (
        TODAY,
        (f"“{text}” is not a day like 2015-09-08; today is shown.",),
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("on=2015-09-08", PATH, id="nothing else"),
        pytest.param("q=a&on=2015-09-08&country=IT&page=2", f"{PATH}?q=a&country=IT", id="no page"),
    ],
)
def test_as_of_leads_back_to_today_with_the_other_parameters(query: str, expected: str) -> None:
    assert as_of(QueryDict(query), PATH, TODAY).reset_url == expected


def test_as_of_names_the_years_that_there_are() -> None:
    shown = as_of(QueryDict("on=0001-01-01"), PATH, TODAY)

    words = (
        "“0001-01-01” lies outside the years 1900 to 2100 of the parameter “on”; today is shown."
    )
    assert (shown.day, shown.problems) == (TODAY, (words,))
