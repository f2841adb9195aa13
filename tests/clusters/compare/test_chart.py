from datetime import date
from itertools import pairwise

import pytest

from clusters.compare.chart import LEFT, RIGHT, TOP, Count, common_scale, draw_growth, round_up
from clusters.dates import PartialDate


def count(day: str, number: int) -> Count:
    return Count(PartialDate.parse(day), number)


def test_scale_of_no_count_is_none() -> None:
    assert common_scale([[], []]) is None


def test_growth_of_no_count_is_none() -> None:
    scale = common_scale([[count("2015", 9)]])

    assert scale is not None
    assert draw_growth([], scale) is None


def test_scale_holds_the_counts_of_all_clusters() -> None:
    scale = common_scale([[count("2009-05", 87)], [count("2022", 120), count("2015", 4)]])

    assert scale is not None
    assert (scale.first_year, scale.last_year, scale.top) == (2009, 2023, 200)


def test_growth_puts_the_same_number_and_year_at_the_same_place_for_every_cluster() -> None:
    several = [[count("2015", 50), count("2009", 10)], [count("2015", 50)]]
    scale = common_scale(several)
    assert scale is not None

    first, second = (draw_growth(counts, scale) for counts in several)

    assert first is not None
    assert second is not None
    assert first.points[-1] == second.points[0]
    assert (first.lines, first.years) == (second.lines, second.years)


def test_growth_joins_its_points_in_the_order_of_time() -> None:
    counts = [count("2015", 100), count("2009-01-01", 0)]
    scale = common_scale([counts])
    assert scale is not None

    drawn = draw_growth(counts, scale)

    assert drawn is not None
    assert [point.count.number for point in drawn.points] == [0, 100]
    assert drawn.path.startswith(f"M{LEFT:g} 106L")
    assert drawn.points[-1].y == TOP


def test_growth_draws_no_line_through_a_single_count() -> None:
    counts = [count("2015", 100)]
    scale = common_scale([counts])
    assert scale is not None

    drawn = draw_growth(counts, scale)

    assert drawn is not None
    assert (len(drawn.points), drawn.path) == (1, "")


def test_scale_places_a_year_in_its_middle() -> None:
    scale = common_scale([[count("2015", 1)]])

    assert scale is not None
    assert scale.x(PartialDate(2015)) == pytest.approx((LEFT + RIGHT) / 2, abs=0.5)
    assert scale.across(date(2016, 1, 1).toordinal()) == RIGHT


@pytest.mark.parametrize("first", [1900, 2009, 2099])
def test_scale_year_labels_never_touch(first: int) -> None:
    scale = common_scale([[count(str(first), 1), count("2100", 1)]])

    assert scale is not None
    assert all(after.x - before.x >= 39 for before, after in pairwise(scale.years()))
    assert scale.years()


@pytest.mark.parametrize(
    ("number", "most"),
    [
        (0, 2),
        (2, 2),
        (3, 4),
        (9, 10),
        (10, 10),
        (11, 20),
        (87, 100),
        (101, 200),
        (2**31, 4 * 10**9),
    ],
)
def test_round_up_is_never_below_the_number_and_even(number: int, most: int) -> None:
    assert round_up(number) == most
