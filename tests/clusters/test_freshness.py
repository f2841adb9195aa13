from datetime import date

import pytest

from clusters.completeness import is_stale, next_round, stale_before
from clusters.models import Cluster
from tests.factories import make_cluster

BOUNDARIES = [
    pytest.param(None, date(2026, 11, 22), True, id="never confirmed"),
    pytest.param(date(2026, 11, 22), date(2026, 11, 22), False, id="today"),
    pytest.param(date(2025, 11, 22), date(2026, 11, 22), False, id="12 months to the day"),
    pytest.param(date(2025, 11, 21), date(2026, 11, 22), True, id="a day more"),
    pytest.param(date(2028, 2, 29), date(2029, 2, 28), False, id="leap day, a year later"),
    pytest.param(date(2028, 2, 29), date(2029, 3, 1), True, id="leap day, a day more"),
    pytest.param(date(2027, 2, 28), date(2028, 2, 29), False, id="seen on a leap day"),
    pytest.param(date(2027, 2, 27), date(2028, 2, 29), True, id="seen on a leap day, a day more"),
]


@pytest.mark.parametrize(("confirmed_on", "day", "expected"), BOUNDARIES)
def test_facts_are_stale_after_twelve_months(
    confirmed_on: date | None, day: date, expected: bool
) -> None:
    assert is_stale(confirmed_on, day) is expected


@pytest.mark.django_db
@pytest.mark.parametrize(("confirmed_on", "day", "expected"), BOUNDARIES)
def test_stale_is_the_same_in_sql(confirmed_on: date | None, day: date, expected: bool) -> None:
    cluster = make_cluster(confirmed_on=confirmed_on)

    found = Cluster.objects.unconfirmed_since(stale_before(day))

    assert list(found) == ([cluster] if expected else [])


@pytest.mark.parametrize(
    ("confirmed_on", "team_since", "asked_on", "expected"),
    [
        pytest.param(None, None, None, None, id="nothing to count from"),
        pytest.param(None, date(2026, 1, 5), None, date(2026, 7, 5), id="from the team"),
        pytest.param(date(2026, 3, 1), date(2026, 5, 5), None, date(2026, 9, 1), id="confirmed"),
        pytest.param(
            date(2026, 1, 1), None, date(2026, 9, 20), date(2027, 3, 20), id="asked later"
        ),
        pytest.param(
            date(2026, 10, 1), None, date(2026, 9, 20), date(2027, 4, 1), id="confirmed later"
        ),
        pytest.param(date(2026, 8, 31), None, None, date(2027, 2, 28), id="end of a month"),
    ],
)
def test_next_round_is_half_a_year_later(
    confirmed_on: date | None, team_since: date | None, asked_on: date | None, expected: date | None
) -> None:
    day = next_round(confirmed_on=confirmed_on, team_since=team_since, asked_on=asked_on)

    assert day == expected
