from datetime import date
from itertools import pairwise

import pytest

from labels.life.timeline import LEFT, RIGHT, WIDTH, Span, time_scale_of, timeline
from labels.validity import Interval

DAY = date(2015, 9, 8)


def span(
    level: str = "gold", start: str = "2015-07-01", end: str = "2017-07-31", **days: str
) -> Span:
    return Span(
        level=level,
        name=level.capitalize(),
        starts_on=date.fromisoformat(start),
        ends_on=date.fromisoformat(end),
        renewable_until=date.fromisoformat(days.get("renewable", end)),
        suspensions=[
            Interval(date.fromisoformat(days["suspended"]), date.fromisoformat(days["reinstated"]))
        ]
        if "suspended" in days
        else [],
    )


def test_timeline_of_nothing_is_none() -> None:
    assert timeline([], DAY) is None


def test_timeline_spans_whole_years_around_labels_and_day() -> None:
    drawn = timeline([span()], date(2013, 5, 1))

    assert drawn is not None
    assert [tick.text for tick in drawn.ticks] == ["2013", "2014", "2015", "2016", "2017", "2018"]
    assert (drawn.ticks[0].x, drawn.ticks[-1].x) == (LEFT, RIGHT)


def test_timeline_thins_year_labels_but_keeps_their_lines() -> None:
    drawn = timeline([span(start="2001-01-01")], DAY)

    assert drawn is not None
    assert len(drawn.ticks) == 18
    assert " ".join(tick.text for tick in drawn.ticks if tick.text) == (
        "2002 2004 2006 2008 2010 2012 2014 2016 2018"
    )


def test_timeline_year_labels_never_touch() -> None:
    for years in range(1, 60):
        drawn = timeline([span(start=f"{2018 - years}-01-01")], DAY)
        assert drawn is not None
        shown = [tick.x for tick in drawn.ticks if tick.text]
        assert all(after - before >= 59 for before, after in pairwise(shown))


def test_timeline_bar_covers_its_last_day() -> None:
    drawn = timeline([span(start="2015-01-01", end="2015-12-31")], date(2015, 6, 1))

    assert drawn is not None
    assert (drawn.bars[0].x, drawn.bars[0].end_x) == (LEFT, RIGHT - 1)


def test_timeline_tail_reaches_to_the_last_day_of_renewal() -> None:
    drawn = timeline([span(end="2016-12-31", renewable="2017-12-31")], DAY)

    assert drawn is not None
    assert drawn.bars[0].tail_x == pytest.approx(drawn.ticks[-1].x, abs=1)


def test_timeline_bar_without_time_to_renew_has_no_tail() -> None:
    drawn = timeline([span()], DAY)

    assert drawn is not None
    assert drawn.bars[0].tail_x is None


def test_timeline_now_line_stands_at_the_day() -> None:
    drawn = timeline([span(start="2015-01-01", end="2015-12-31")], date(2015, 7, 2))

    assert drawn is not None
    assert drawn.now is not None
    assert drawn.now.x == pytest.approx(WIDTH / 2, abs=2)


def test_timeline_date_of_the_now_line_stays_inside() -> None:
    drawn = timeline([span(start="2015-01-01", end="2015-12-31")], date(2015, 1, 1))

    assert drawn is not None
    assert drawn.now is not None
    assert (drawn.now.x, drawn.now.text_x) == (LEFT, 105)


@pytest.mark.parametrize(
    ("day", "has_line"),
    [
        pytest.param(date(1995, 6, 30), True, id="twenty years before"),
        pytest.param(date(1995, 6, 1), False, id="more than twenty years before"),
        pytest.param(date(2037, 8, 1), True, id="twenty years after"),
        pytest.param(date(2999, 12, 31), False, id="the last day there is"),
        pytest.param(date.min, False, id="the first day there is"),
    ],
)
def test_timeline_leaves_out_a_far_day(day: date, has_line: bool) -> None:
    drawn = timeline([span()], day)

    assert drawn is not None
    assert (drawn.now is not None) is has_line


def test_timeline_puts_bars_that_follow_each_other_in_one_row() -> None:
    drawn = timeline([span(start="2018-01-01", end="2019-12-31"), span(end="2017-07-31")], DAY)

    assert drawn is not None
    assert [bar.row for bar in drawn.bars] == [0, 0]


def test_timeline_keeps_overlapping_labels_of_a_level_apart() -> None:
    drawn = timeline([span(start="2017-01-01", end="2018-12-31"), span()], DAY)

    assert drawn is not None
    assert [bar.row for bar in drawn.bars] == [0, 1]


def test_timeline_keeps_levels_apart() -> None:
    drawn = timeline([span(), span("bronze", "2012-01-01", "2013-12-31")], DAY)

    assert drawn is not None
    assert [bar.row for bar in drawn.bars] == [0, 1]


def test_timeline_hatches_the_suspended_stretch() -> None:
    drawn = timeline(
        [
            span(
                start="2015-01-01",
                end="2015-12-31",
                suspended="2015-04-01",
                reinstated="2015-07-01",
            )
        ],
        DAY,
    )

    assert drawn is not None
    (hatch,) = drawn.bars[0].hatches
    assert hatch.x == pytest.approx(LEFT + (RIGHT - LEFT) * 90 / 365, abs=0.2)
    assert hatch.width == pytest.approx((RIGHT - LEFT) * 91 / 365, abs=0.2)
    assert hatch.lines.startswith("M")


def test_timeline_hatches_to_the_end_while_the_suspension_lasts() -> None:
    drawn = timeline(
        [
            Span(
                level="gold",
                name="Gold",
                starts_on=date(2015, 1, 1),
                ends_on=date(2015, 12, 31),
                renewable_until=date(2015, 12, 31),
                suspensions=[Interval(date(2015, 4, 1))],
            )
        ],
        DAY,
    )

    assert drawn is not None
    (hatch,) = drawn.bars[0].hatches
    assert hatch.x + hatch.width == pytest.approx(drawn.bars[0].end_x, abs=0.1)


def faded(*uncertain: tuple[str, str], end_is_computed: bool = False) -> list[tuple[float, float]]:
    """The faded stretches of a bar over the whole of 2015, in days from its start."""
    drawn = timeline(
        [
            Span(
                level="gold",
                name="Gold",
                starts_on=date(2015, 1, 1),
                ends_on=date(2015, 12, 31),
                renewable_until=date(2015, 12, 31),
                uncertain=[
                    Interval(date.fromisoformat(first), date.fromisoformat(after))
                    for first, after in uncertain
                ],
                end_is_computed=end_is_computed,
            )
        ],
        DAY,
    )
    assert drawn is not None
    (bar,) = drawn.bars
    a_day = (RIGHT - LEFT) / 365
    for stretch in bar.faded:
        assert bar.x <= stretch.x
        assert stretch.x + stretch.width <= bar.end_x + 0.1
    return [(round((f.x - LEFT) / a_day), round(f.width / a_day)) for f in bar.faded]


def test_timeline_fades_the_days_that_are_not_certain() -> None:
    assert faded() == []
    assert faded(("2015-01-01", "2015-02-01")) == [(0, 31)]
    assert faded(("2015-01-01", "2015-02-01"), ("2015-12-02", "2016-01-01")) == [(0, 31), (335, 29)]


def test_timeline_fades_a_computed_end_once() -> None:
    assert faded(end_is_computed=True) == [(355, 10)]
    assert faded(("2015-12-02", "2016-01-01"), end_is_computed=True) == [(335, 29)]
    # Doubt about its start says nothing about its end.
    assert faded(("2015-01-01", "2015-02-01"), end_is_computed=True) == [(0, 31), (355, 10)]


def test_timeline_names_a_short_bar_beside_it() -> None:
    drawn = timeline([span(start="2005-01-01", end="2005-06-30", renewable="2006-06-30")], DAY)

    assert drawn is not None
    (bar,) = drawn.bars
    assert bar.tail_x is not None
    assert bar.name_x > bar.tail_x


def test_timeline_names_a_short_last_bar_before_it() -> None:
    early, late = (
        span(start="2005-01-01", end="2005-06-30"),
        span("bronze", "2019-10-01", "2019-12-31"),
    )
    drawn = timeline([early, late], DAY)

    assert drawn is not None
    assert drawn.bars[1].name_x < drawn.bars[1].x - 90


def test_timelines_on_one_scale_put_the_same_day_at_the_same_place() -> None:
    old, new = span(start="2009-01-01", end="2011-12-31"), span()
    scale = time_scale_of([old, new], DAY)

    drawn = [timeline([one], DAY, scale) for one in (old, new)]

    first, second = (one for one in drawn if one)
    assert (first.ticks, first.now) == (second.ticks, second.now)
    assert first.bars[0].end_x < second.bars[0].x


def test_timeline_on_a_scale_that_does_not_reach_the_day_leaves_its_line_out() -> None:
    drawn = timeline([span()], date(1900, 1, 1), time_scale_of([span()], date(1900, 1, 1)))

    assert drawn is not None
    assert drawn.now is None


@pytest.mark.parametrize("year", [1900, 1950, 2000])
def test_timeline_spans_all_years_that_a_date_can_have(year: int) -> None:
    drawn = timeline([span(start=f"{year}-01-01", end="2100-12-31")], DAY)

    assert drawn is not None
    assert sum(bool(tick.text) for tick in drawn.ticks) >= 3
