"""Columns of numbers beside each other, each a stack: figures by year or by class.

Pure: no ORM, no clock, no settings. Lengths are user units of an SVG 320 wide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from clusters.compare.chart import YEAR_STEPS, ChartLine, round_up

WIDTH, HEIGHT = 320, 176
LEFT, RIGHT, TOP, BOTTOM = 32.0, 316.0, 12.0, 144.0
MARK_WIDTH = 34.0
BAR_SHARE, WIDEST_BAR = 0.72, 28.0


@dataclass(frozen=True)
class Series:
    """One number for each column; `look` is a class of the style sheet."""

    name: str
    look: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class ChartColumn:
    x: float
    y: float
    width: float
    height: float
    look: str


@dataclass(frozen=True)
class Mark:
    """What stands below a column."""

    x: float
    text: str


@dataclass(frozen=True)
class Columns:
    bars: tuple[ChartColumn, ...]
    lines: tuple[ChartLine, ...]
    marks: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: float = LEFT
    right: float = RIGHT


def totals(series: Sequence[Series]) -> list[int]:
    return [sum(numbers) for numbers in zip(*(one.numbers for one in series), strict=True)]


def draw_columns(names: Sequence[str], series: Sequence[Series], top: int) -> Columns | None:
    """`top` is the largest total of all drawings that share a scale.

    None where fewer than two columns have a number: that is a sentence, not a drawing.
    """
    if sum(total > 0 for total in totals(series)) < 2:
        return None
    top = round_up(top)
    room = (RIGHT - LEFT) / len(names)
    bars = []
    for place in range(len(names)):
        numbers = [one.numbers[place] for one in series]
        for one, number, end in zip(series, numbers, accumulate(numbers), strict=True):
            if number:
                bars.append(bar(place, room, end / top, number / top, one.look))
    return Columns(
        bars=tuple(bars),
        lines=tuple(ChartLine(height(number / top), number) for number in (0, top // 2, top)),
        marks=marks(names, room),
    )


def bar(place: int, room: float, end: float, share: float, look: str) -> ChartColumn:
    width = min(room * BAR_SHARE, WIDEST_BAR)
    return ChartColumn(
        x=round(middle(place, room) - width / 2, 1),
        y=height(end),
        width=round(width, 1),
        height=round(share * (BOTTOM - TOP), 1),
        look=look,
    )


def height(share: float) -> float:
    return round(BOTTOM - share * (BOTTOM - TOP), 1)


def middle(place: int, room: float) -> float:
    return LEFT + (place + 0.5) * room


def marks(names: Sequence[str], room: float) -> tuple[Mark, ...]:
    # Those that have room, the last always among them.
    step = next(step for step in YEAR_STEPS if step * room >= MARK_WIDTH)
    last = len(names) - 1
    return tuple(
        Mark(round(middle(place, room), 1), name)
        for place, name in enumerate(names)
        if (last - place) % step == 0
    )
