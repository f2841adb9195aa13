"""Of which days of a label its team is told, and until when a missed one catches up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from clusters.dates import add_months


class Stage(StrEnum):
    SIX_MONTHS = "6-months"
    THREE_MONTHS = "3-months"
    ONE_MONTH = "1-month"
    END = "end"
    WINDOW = "window"


BEFORE_THE_END = {Stage.SIX_MONTHS: 6, Stage.THREE_MONTHS: 3, Stage.ONE_MONTH: 1}
MONTHS_BEFORE_THE_WINDOW_CLOSES = 3
# After the end the last notice stays due for a month at least, also where no window is open.
LEAST_MONTHS_AFTER_THE_END = 1
# How much a month's length moves a day that months are added to.
SLACK = timedelta(days=3)


@dataclass(frozen=True)
class Deadline:
    """A notice to send from `due_on` to `until`, both included."""

    stage: Stage
    due_on: date
    until: date


def deadlines(*, ends_on: date, renewable_until: date) -> list[Deadline]:
    """The notices of a label in their order; one stays due until the next one is.

    That the window closes is told apart only where that is due after the end.
    """
    days = {stage: add_months(ends_on, -months) for stage, months in BEFORE_THE_END.items()}
    days[Stage.END] = ends_on
    closing = add_months(renewable_until, -MONTHS_BEFORE_THE_WINDOW_CLOSES)
    if closing > ends_on:
        days[Stage.WINDOW] = closing
    last = max(renewable_until, add_months(ends_on, LEAST_MONTHS_AFTER_THE_END))
    next_days = [*list(days.values())[1:], last + timedelta(days=1)]
    return [
        Deadline(stage, due_on, next_on - timedelta(days=1))
        for (stage, due_on), next_on in zip(days.items(), next_days, strict=True)
    ]


def current(day: date, *, ends_on: date | None, renewable_until: date | None) -> Deadline | None:
    # The one notice that is due on a day: never one of a stage that has passed.
    if ends_on is None or renewable_until is None:
        return None
    found = deadlines(ends_on=ends_on, renewable_until=renewable_until)
    return next((one for one in found if one.due_on <= day <= one.until), None)


def ends_to_look_at(day: date, windows: Sequence[int]) -> tuple[date, date]:
    """Labels that end outside these days have no notice on the day.

    `windows` are the months for which labels may be renewed after their end.
    """
    longest = max([LEAST_MONTHS_AFTER_THE_END, *windows])
    return (
        add_months(day, -longest) - SLACK,
        add_months(day, max(BEFORE_THE_END.values())) + SLACK,
    )
