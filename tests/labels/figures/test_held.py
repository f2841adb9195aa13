from datetime import date

import pytest

from labels.figures.held import LONGEST, class_of, class_of_days, times_held
from labels.models import Label
from tests.factories import make_cluster, make_label, make_suspension, make_undated_label

pytestmark = pytest.mark.django_db

DAY = date(2020, 6, 1)


def test_labels_of_a_level_are_taken_together_and_shared_days_once() -> None:
    cluster = make_cluster()
    make_label(cluster=cluster, assessed_on="2012-01-01", valid_until="2013-12-31")
    make_label(cluster=cluster, assessed_on="2016-01-01", valid_until="2016-12-31")
    make_label(cluster=cluster, assessed_on="2016-07", valid_until="2017-12-31")

    (held,) = times_held(Label.objects.published(), DAY)

    # 2012 and 2013; 2016 and 2017: the third begins for certain at the end of July only.
    assert (held.certain, held.possible) == (731 + 731, 731 + 731)
    assert not held.holds


def test_days_after_the_day_and_suspended_ones_do_not_count() -> None:
    label = make_label(assessed_on="2020-01-01", valid_until="2021-12-31")
    make_suspension(label, starts_on=date(2020, 2, 1), ends_on=date(2020, 3, 1))

    (held,) = times_held(Label.objects.published(), DAY)

    assert held == ("gold", 31 + 31 + 30 + 31 + 1, 31 + 31 + 30 + 31 + 1, True)


def test_days_known_by_the_year_leave_two_answers() -> None:
    make_label(assessed_on="2015", valid_until="2018")
    make_undated_label()

    (held,) = times_held(Label.objects.published(), DAY)

    assert held.certain == (date(2018, 1, 1) - date(2015, 12, 31)).days + 1
    assert held.possible == (date(2018, 12, 31) - date(2015, 1, 1)).days + 1
    assert class_of(held) is None


@pytest.mark.parametrize(
    ("days", "years"), [(0, 3), (1095, 3), (1096, 6), (2191, 6), (2192, 9), (80_000, LONGEST)]
)
def test_class_is_that_of_the_most_years(days: int, years: int) -> None:
    assert class_of_days(days) == years
