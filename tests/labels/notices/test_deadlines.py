"""Which notice of a label is due on which day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.dates import add_months
from labels.models import NoticeKind
from labels.notices.deadlines import Stage, current, deadlines, ends_to_look_at

END, CLOSES = date(2026, 8, 31), date(2027, 8, 31)


def day(text: str) -> date:
    return date.fromisoformat(text)


def test_stages_are_the_kinds_of_the_ledger() -> None:
    assert [stage.value for stage in Stage] == NoticeKind.values


def test_deadlines_follow_each_other_without_a_gap() -> None:
    found = deadlines(ends_on=END, renewable_until=CLOSES)

    assert [(one.stage, one.due_on, one.until) for one in found] == [
        (Stage.SIX_MONTHS, day("2026-02-28"), day("2026-05-30")),
        (Stage.THREE_MONTHS, day("2026-05-31"), day("2026-07-30")),
        (Stage.ONE_MONTH, day("2026-07-31"), day("2026-08-30")),
        (Stage.END, day("2026-08-31"), day("2027-05-30")),
        (Stage.WINDOW, day("2027-05-31"), day("2027-08-31")),
    ]


@pytest.mark.parametrize(
    ("on", "stage"),
    [
        pytest.param("2026-02-27", None, id="day before the first"),
        pytest.param("2026-02-28", Stage.SIX_MONTHS, id="six months before, clamped"),
        pytest.param("2026-05-30", Stage.SIX_MONTHS, id="last day to catch up"),
        pytest.param("2026-05-31", Stage.THREE_MONTHS, id="three months before"),
        pytest.param("2026-07-31", Stage.ONE_MONTH, id="one month before"),
        pytest.param("2026-08-30", Stage.ONE_MONTH, id="eve"),
        pytest.param("2026-08-31", Stage.END, id="last day of the label"),
        pytest.param("2027-05-30", Stage.END, id="nine months after"),
        pytest.param("2027-05-31", Stage.WINDOW, id="three months before the window closes"),
        pytest.param("2027-08-31", Stage.WINDOW, id="last day of the window"),
        pytest.param("2027-09-01", None, id="closed"),
        pytest.param("2040-01-01", None, id="long dead"),
    ],
)
def test_current_is_one_notice_or_none(on: str, stage: Stage | None) -> None:
    found = current(day(on), ends_on=END, renewable_until=CLOSES)

    assert (found.stage if found else None) == stage


def test_leap_day_is_clamped() -> None:
    found = deadlines(ends_on=day("2028-08-31"), renewable_until=day("2029-05-31"))

    assert [one.due_on for one in found] == [
        day("2028-02-29"), day("2028-05-31"), day("2028-07-31"), day("2028-08-31"),
        day("2029-02-28"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("closes", "last"),
    [
        pytest.param("2026-08-31", "2026-09-30", id="no window"),
        pytest.param("2026-11-30", "2026-11-30", id="three months: told with the end"),
    ],
)
def test_short_window_has_no_notice_of_its_own(closes: str, last: str) -> None:
    found = deadlines(ends_on=END, renewable_until=day(closes))

    assert (found[-1].stage, found[-1].until) == (Stage.END, day(last))


DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))


@given(ends_on=DAYS, window=st.integers(0, 36), seen=DAYS)
def test_every_current_notice_lies_within_the_ends_to_look_at(
    ends_on: date, window: int, seen: date
) -> None:
    found = current(seen, ends_on=ends_on, renewable_until=add_months(ends_on, window))
    first, last = ends_to_look_at(seen, [window])

    assert found is None or first <= ends_on <= last


@given(
    ends_on=DAYS,
    window=st.integers(0, 36),
    begins=st.integers(-400, 100),
    gaps=st.lists(st.integers(1, 120), min_size=1, max_size=60),
)
def test_runs_with_gaps_tell_each_stage_once_and_never_a_past_one(
    ends_on: date, window: int, begins: int, gaps: list[int]
) -> None:
    """A run sends what is current and not in the ledger, whatever days were missed before."""
    renewable_until = add_months(ends_on, window)
    every = deadlines(ends_on=ends_on, renewable_until=renewable_until)
    run, runs, told = ends_on + timedelta(days=begins), [], []
    for gap in gaps:
        found = current(run, ends_on=ends_on, renewable_until=renewable_until)
        if found and found not in told:
            told.append(found)
            assert all(other.due_on > run for other in every[every.index(found) + 1 :])
        runs.append(run)
        run += timedelta(days=gap)

    hit = [one for one in every if any(one.due_on <= seen <= one.until for seen in runs)]
    assert told == hit
