"""Members over time as small drawings that share one scale.

Pure: no ORM, no clock, no settings. Lengths are user units of an SVG 240 wide.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from clusters.dates import PartialDate

WIDTH, HEIGHT = 240, 132
LEFT, RIGHT, TOP, BOTTOM = 42.0, 224.0, 18.0, 106.0
YEAR_LABEL_WIDTH = 40.0
# The last one is enough for all years that a date can have.
YEAR_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Count:
    counted_on: PartialDate
    number: int
    qualifier: str = ""


@dataclass(frozen=True)
class ChartPoint:
    x: float
    y: float
    count: Count


@dataclass(frozen=True)
class YearMark:
    """The first of January of a year."""

    x: float
    text: str


@dataclass(frozen=True)
class ChartLine:
    """A line across the drawing at a number of members."""

    y: float
    number: int


@dataclass(frozen=True)
class Growth:
    """Points in the order of time; `path` joins them, and is empty for one alone."""

    points: tuple[ChartPoint, ...]
    path: str
    lines: tuple[ChartLine, ...]
    years: tuple[YearMark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: float = LEFT
    right: float = RIGHT
    top: float = TOP
    bottom: float = BOTTOM


@dataclass(frozen=True)
class ChartScale:
    """Whole years across, from none to `top` members upwards, a round and even number."""

    first_year: int
    last_year: int
    top: int

    def x(self, counted_on: PartialDate) -> float:
        # In the middle of what is known: a year stands at its summer.
        known = (counted_on.first_day.toordinal() + counted_on.last_day.toordinal()) / 2
        return self.across(known)

    def across(self, day: float) -> float:
        first, last = (date(year, 1, 1).toordinal() for year in (self.first_year, self.last_year))
        return round(LEFT + (day - first) / (last - first) * (RIGHT - LEFT), 1)

    def y(self, number: int) -> float:
        return round(BOTTOM - number / self.top * (BOTTOM - TOP), 1)

    def lines(self) -> tuple[ChartLine, ...]:
        return tuple(ChartLine(self.y(number), number) for number in (0, self.top // 2, self.top))

    def years(self) -> tuple[YearMark, ...]:
        years = range(self.first_year, self.last_year + 1)
        room = (RIGHT - LEFT) / (len(years) - 1)
        step = next(step for step in YEAR_STEPS if step * room >= YEAR_LABEL_WIDTH)
        return tuple(
            YearMark(self.across(date(year, 1, 1).toordinal()), str(year))
            for year in years
            if year % step == 0
        )


def common_scale(several: Iterable[Sequence[Count]]) -> ChartScale | None:
    """The scale that holds the counts of all clusters; None where nobody was counted."""
    counts = [count for counts in several for count in counts]
    if not counts:
        return None
    return ChartScale(
        first_year=min(count.counted_on.year for count in counts),
        last_year=max(count.counted_on.year for count in counts) + 1,
        top=round_up(max(count.number for count in counts)),
    )


def round_up(number: int) -> int:
    # 2, 4, 6, 8 or 10 times a power of ten: half of it is a whole number, too.
    power = 1
    while 10 * power < number:
        power *= 10
    return next(step * power for step in (2, 4, 6, 8, 10) if step * power >= number)


def draw_growth(counts: Sequence[Count], scale: ChartScale) -> Growth | None:
    if not counts:
        return None
    points = sorted(
        (ChartPoint(scale.x(count.counted_on), scale.y(count.number), count) for count in counts),
        key=lambda point: (point.x, str(point.count.counted_on)),
    )
    places = [f"{point.x:g} {point.y:g}" for point in points]
    return Growth(
        points=tuple(points),
        path=f"M{'L'.join(places)}" if len(points) > 1 else "",
        lines=scale.lines(),
        years=scale.years(),
    )
