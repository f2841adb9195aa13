from collections import Counter
from datetime import date
from typing import Any

import pytest

from labels.figures.counts import (
    MAX_YEARS,
    award_cells,
    basis_of,
    count_that_may_have_ended,
    days_to_show,
    holder_cells,
    holder_cells_of_any_level,
    renewal_cells,
)
from labels.models import Label
from tests.factories import (
    hide,
    make_cluster,
    make_label,
    make_suspension,
    make_undated_label,
    portfolio,
    transfer_label,
    update_label,
)

pytestmark = pytest.mark.django_db

DAY = date(2018, 3, 1)


def published() -> Any:
    return Label.objects.published()


def test_days_are_the_last_of_each_year_and_the_day_itself() -> None:
    assert days_to_show(date(2016, 5, 1), DAY) == [date(2016, 12, 31), date(2017, 12, 31), DAY]
    assert days_to_show(date(2018, 3, 2), DAY) == []
    assert days_to_show(None, DAY) == []


def test_days_are_those_of_the_latest_years() -> None:
    days = days_to_show(date(1900, 1, 1), date(2100, 6, 1))

    assert (len(days), days[0]) == (MAX_YEARS, date(2071, 12, 31))


def test_holders_are_those_that_every_other_page_counts() -> None:
    """One rule of validity: on each day the cells add up to `count_holders`."""
    italian = make_cluster(country="IT", portfolio=portfolio("health-and-medical-science"))
    make_label(cluster=italian, assessed_on="2015-07")
    make_label(cluster=italian, assessed_on="2015")
    make_label(assessed_on="2016", level="bronze")
    make_label(valid_until="2017", level="silver", assessed_on="2015-03-01")
    make_undated_label()
    make_suspension(make_label(assessed_on="2016-01-10"), starts_on=date(2016, 12, 1))
    update_label(
        make_label(assessed_on="2016-01-10"),
        revoked_on=date(2016, 6, 1),
        revocation_reason="It was a mistake.",
    )
    transfer_label(make_label(assessed_on="2015-12-10"), on=date(2016, 7, 1))
    hide(make_label(assessed_on="2015-07").cluster)
    days = [date(year, 12, 31) for year in range(2014, 2020)]

    found: dict[int, Counter[str]] = {day.year: Counter() for day in days}
    more: dict[int, Counter[str]] = {day.year: Counter() for day in days}
    for cell in holder_cells(published(), days):
        found[cell.year][cell.level] += cell.certain
        more[cell.year][cell.level] += cell.more

    for day in days:
        expected = published().count_holders(day)
        held = {level: two for level, two in expected.items() if any(two)}
        levels = found[day.year].keys() | more[day.year].keys()
        assert {level: (found[day.year][level], more[day.year][level]) for level in levels} == held


def test_holder_of_two_levels_counts_once_under_any_level() -> None:
    cluster = make_cluster(country="IT", portfolio=None)
    make_label(cluster=cluster, assessed_on="2017-07")
    make_label(cluster=cluster, assessed_on="2016", level="bronze")
    perhaps = make_cluster(country="IT", portfolio=None)
    make_label(cluster=perhaps, assessed_on="2016", level="bronze")

    assert holder_cells_of_any_level(published(), DAY) == [(2018, "", "IT", None, 1, 1)]


def test_award_is_of_a_year_only_where_that_is_certain() -> None:
    make_label(assessed_on="2015", kind="first")
    make_label(assessed_on="2016-07", kind="renewal")
    make_label(assessed_on="2018")  # may begin after the day
    make_label(valid_until="2017")  # began in 2015 or 2016
    make_label(assessed_on="2019-01-01")
    make_undated_label()

    found = Counter[Any]()
    for cell in award_cells(published(), DAY):
        found[cell.year, cell.kind] += cell.number

    assert found == {(2015, "first"): 1, (2016, "renewal"): 1, (None, ""): 3}


def test_label_in_the_place_of_another_is_no_award() -> None:
    transfer_label(make_label(assessed_on="2015-12-10"), on=date(2016, 7, 1))

    assert [cell.number for cell in award_cells(published(), DAY)] == [1]


def outcomes(day: date = DAY) -> dict[tuple[int | None, str], int]:
    found = Counter[Any]()
    for cell in renewal_cells(published(), day):
        found[cell.year, cell.outcome] += cell.number
    return dict(found)


def test_label_is_renewed_by_the_next_one_that_began_in_time() -> None:
    """Both end on the last of July 2014 and may be renewed for a year."""
    in_time, late = make_cluster(), make_cluster()
    for cluster in (in_time, late, make_cluster()):
        make_label(cluster=cluster, assessed_on="2012-07-10")
    make_label(cluster=in_time, assessed_on="2015-07-01")
    make_label(cluster=late, assessed_on="2015-09-01")
    make_label(cluster=late, assessed_on="2013-09-01", level="bronze")

    assert outcomes(date(2015, 8, 1)) == {(2014, "renewed"): 1, (2014, "none_known"): 2}
    assert outcomes(date(2015, 7, 31)) == {(2014, "renewed"): 1, (2014, "cannot_be_told"): 2}
    assert outcomes(date(2014, 7, 31)) == {}


def test_renewal_cannot_be_told_beside_a_label_without_dates() -> None:
    cluster = make_cluster()
    make_label(cluster=cluster, assessed_on="2012-07-10")
    make_undated_label(cluster=cluster)

    assert outcomes() == {(2014, "cannot_be_told"): 1}


def test_renewal_of_what_did_not_run_out_is_not_asked() -> None:
    revoked = make_label(assessed_on="2012-07-10")
    update_label(revoked, revoked_on=date(2013, 1, 1), revocation_reason="It was a mistake.")
    moved = make_label(assessed_on="2012-07-10")
    transfer_label(moved, on=date(2013, 1, 1))

    # The label in the place of the one that moved.
    assert outcomes() == {(2014, "none_known"): 1}


def test_year_of_an_end_between_two_years_is_not_certain() -> None:
    make_label(assessed_on="2012-07-10", valid_until="2013")
    label = make_label(assessed_on="2012-07")
    update_label(label, certain_until=date(2013, 12, 31), ends_on=date(2014, 7, 31))

    assert outcomes() == {(2013, "none_known"): 1, (None, "none_known"): 1}


def test_labels_that_may_have_ended_are_counted_apart() -> None:
    make_label(assessed_on="2016")  # ends in the course of 2018
    make_label(assessed_on="2018")  # begins then

    assert count_that_may_have_ended(published(), DAY) == 1
    assert outcomes() == {}


def test_basis_says_how_well_the_days_are_known() -> None:
    cluster = make_cluster()
    make_label(cluster=cluster, assessed_on="2015-07-10", valid_until="2017-07-31")
    make_label(cluster=cluster, assessed_on="2012")
    make_undated_label()

    basis = basis_of(published())

    assert (basis.labels, basis.clusters, basis.exact, basis.undated) == (3, 2, 1, 1)
    assert basis.first_on == date(2012, 1, 1)
