"""The picture of labels over time: where each bar, tail and year stands.

Pure: no ORM, no clock, no settings. Lengths are user units of an SVG 640 wide; a year label may be
drawn up to 22 units high (as narrow screens do) without touching the next one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from labels.validity import Interval

WIDTH = 640
LEFT, RIGHT, TOP = 24.0, 616.0, 40.0
BAR_HEIGHT, ROW_HEIGHT = 36.0, 50.0
AXIS_HEIGHT = 36.0
YEAR_LABEL_WIDTH = 60.0
# The last one is enough for all years that a date can have.
YEAR_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
NAME_WIDTH = 104.0
DAY_LABEL_HALF = 105.0
HATCH_STEP = 9.0
FADED_END = 16.0
# A day further than this from every label would press the bars into slivers.
FARTHEST_DAY = timedelta(days=366 * 20)


@dataclass(frozen=True)
class Span:
    """A label as input: its days, and until when it could still be renewed.

    `renewable_until` equals `ends_on` where there is no time to renew. `uncertain` are days on
    which it may be valid. The words are no more precise than the days are known.
    """

    level: str
    name: str
    starts_on: date
    ends_on: date
    renewable_until: date
    suspensions: Sequence[Interval] = ()
    uncertain: Sequence[Interval] = ()
    start_in_words: str = ""
    end_in_words: str = ""
    end_is_computed: bool = False


@dataclass(frozen=True)
class Tick:
    """The first of January of a year; `text` is empty where years are thinned."""

    x: float
    text: str


@dataclass(frozen=True)
class Hatch:
    """A suspended stretch of a bar and its diagonal lines as SVG path data."""

    x: float
    width: float
    lines: str


@dataclass(frozen=True)
class Faded:
    """A stretch of a bar that is not certain: days on which it may be valid, or a computed end."""

    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """A label: a rectangle, its renewable tail to `tail_x` (None without), hatched stretches."""

    span: Span
    row: int
    x: float
    y: float
    width: float
    height: float
    middle: float
    tail_x: float | None
    hatches: tuple[Hatch, ...]
    faded: tuple[Faded, ...]
    name_x: float
    name_y: float

    @property
    def end_x(self) -> float:
        return self.x + self.width


@dataclass(frozen=True)
class Now:
    """The line at the day that the page is about, and where its date is centred."""

    day: date
    x: float
    text_x: float


@dataclass(frozen=True)
class Timeline:
    width: int
    height: float
    axis_y: float
    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    now: Now | None


@dataclass(frozen=True)
class TimeScale:
    """Days to user units, between two first days of January."""

    first_year: int
    last_year: int

    def x(self, day: date) -> float:
        first = date(self.first_year, 1, 1)
        share = (day - first).days / (date(self.last_year, 1, 1) - first).days
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def covers(self, day: date) -> bool:
        return self.first_year <= day.year < self.last_year

    def ticks(self) -> tuple[Tick, ...]:
        years = range(self.first_year, self.last_year + 1)
        room = (RIGHT - LEFT) / (len(years) - 1)
        step = next(step for step in YEAR_STEPS if step * room >= YEAR_LABEL_WIDTH)
        return tuple(
            Tick(self.x(date(year, 1, 1)), "" if year % step else str(year)) for year in years
        )


def time_scale_of(spans: Sequence[Span], day: date) -> TimeScale | None:
    # Whole years around labels and day; without the day where it lies far from every label.
    if not spans:
        return None
    first = min(span.starts_on for span in spans)
    last = max(span.renewable_until for span in spans)
    is_near = first - FARTHEST_DAY <= day <= last + FARTHEST_DAY
    ends = (first, last, day) if is_near else (first, last)
    return TimeScale(min(ends).year, max(ends).year + 1)


def timeline(spans: Sequence[Span], day: date, scale: TimeScale | None = None) -> Timeline | None:
    """Draw labels in their order, one level never in the row of another; None without any.

    With a `scale` (of these labels and of others), drawings stand on one axis; the line of the
    day is left out where the scale does not reach it.
    """
    scale = scale or time_scale_of(spans, day)
    if not spans or scale is None:
        return None
    bars = place_bars(spans, scale)
    axis_y = TOP + ROW_HEIGHT * (1 + max(bar.row for bar in bars)) + 4
    return Timeline(
        width=WIDTH,
        height=axis_y + AXIS_HEIGHT,
        axis_y=axis_y,
        ticks=scale.ticks(),
        bars=tuple(bars),
        now=now_line(day, scale) if scale.covers(day) else None,
    )


def place_bars(spans: Iterable[Span], scale: TimeScale) -> list[Bar]:
    # Each bar in the first row of its level that has room for it and for its name.
    bars: list[Bar] = []
    taken: list[tuple[str, list[tuple[float, float]]]] = []
    for span in spans:
        left, right = extent(span, scale)
        row = next(
            (
                number
                for number, (level, used) in enumerate(taken)
                if level == span.level and all(right <= start or left >= end for start, end in used)
            ),
            len(taken),
        )
        if row == len(taken):
            taken.append((span.level, []))
        taken[row][1].append((left, right))
        bars.append(draw_bar(span, row, scale))
    return bars


def extent(span: Span, scale: TimeScale) -> tuple[float, float]:
    # What a bar covers with its tail and, where the bar is too short for it, its name.
    left, right = bar_ends(span, scale)
    tail = max(right, scale.x(span.renewable_until))
    if right - left >= NAME_WIDTH:
        return left, tail
    name = name_start(left, tail)
    return min(left, name), max(tail, name + NAME_WIDTH)


def bar_ends(span: Span, scale: TimeScale) -> tuple[float, float]:
    # The last day counts whole; one unit of air before a seamless renewal.
    left = scale.x(span.starts_on)
    return left, max(left + 3, scale.x(span.ends_on + timedelta(days=1)) - 1)


def name_start(left: float, tail: float) -> float:
    # Beside a short bar: after its tail, or before the bar where the picture ends.
    after = tail + 8
    return after if after + NAME_WIDTH <= WIDTH else max(0.0, left - NAME_WIDTH)


def draw_bar(span: Span, row: int, scale: TimeScale) -> Bar:
    left, right = bar_ends(span, scale)
    y = TOP + ROW_HEIGHT * row + (ROW_HEIGHT - BAR_HEIGHT) / 2
    tail = scale.x(span.renewable_until)
    has_tail = span.renewable_until > span.ends_on and tail > right
    is_long = right - left >= NAME_WIDTH
    return Bar(
        span=span,
        row=row,
        x=left,
        y=y,
        width=round(right - left, 1),
        height=BAR_HEIGHT,
        middle=y + BAR_HEIGHT / 2,
        tail_x=tail if has_tail else None,
        hatches=tuple(
            hatch(suspension, span, y, scale)
            for suspension in span.suspensions
            if suspension.starts_on <= span.ends_on
        ),
        faded=tuple(faded_stretches(span, left, right, scale)),
        name_x=round(left + 10 if is_long else name_start(left, max(right, tail)), 1),
        name_y=y + BAR_HEIGHT / 2,
    )


def faded_stretches(span: Span, left: float, right: float, scale: TimeScale) -> Iterator[Faded]:
    for interval in span.uncertain:
        first = max(left, scale.x(interval.starts_on))
        last = right if interval.ends_on is None else min(right, scale.x(interval.ends_on))
        if first < last:
            yield Faded(first, round(last - first, 1))
    ends_in_doubt = any(one.ends_on and one.ends_on > span.ends_on for one in span.uncertain)
    if span.end_is_computed and not ends_in_doubt:
        width = min(FADED_END, (right - left) / 3)
        yield Faded(round(right - width, 1), round(width, 1))


def hatch(suspension: Interval, span: Span, y: float, scale: TimeScale) -> Hatch:
    # Diagonals of 45 degrees, cut at the edges of the stretch.
    left, right = bar_ends(span, scale)
    start = max(left, scale.x(max(suspension.starts_on, span.starts_on)))
    end = right
    if suspension.ends_on is not None and suspension.ends_on <= span.ends_on:
        end = max(start + 2, min(right, scale.x(suspension.ends_on)))
    lines = []
    foot = start - BAR_HEIGHT
    while foot < end:
        low, high = max(foot, start), min(foot + BAR_HEIGHT, end)
        if low < high:
            bottom, top = y + BAR_HEIGHT - (low - foot), y + BAR_HEIGHT - (high - foot)
            lines.append(f"M{low:.1f} {bottom:.1f}L{high:.1f} {top:.1f}")
        foot += HATCH_STEP
    return Hatch(x=start, width=round(end - start, 1), lines="".join(lines))


def now_line(day: date, scale: TimeScale) -> Now:
    x = scale.x(day)
    return Now(day=day, x=x, text_x=min(max(x, DAY_LABEL_HALF), WIDTH - DAY_LABEL_HALF))
