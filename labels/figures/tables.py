"""What every figure consists of: words, drawings, and a table that says the same."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from django.utils.translation import ngettext

from labels.figures.chart import Columns, Series, draw_columns, totals
from labels.figures.shades import ShadedMap

Key = TypeVar("Key")
Cell = TypeVar("Cell")


class HeldCount(NamedTuple):
    """How many clusters for certain, and how many further ones may."""

    certain: int = 0
    more: int = 0


@dataclass(frozen=True)
class FigureCell:
    """`share`, of 100, is drawn as a bar where it is given."""

    text: str
    note: str = ""
    share: int | None = None


@dataclass(frozen=True)
class FigureRow:
    heading: str
    cells: tuple[FigureCell, ...]


@dataclass(frozen=True)
class FigureTable:
    heading: str
    columns: tuple[str, ...]
    rows: tuple[FigureRow, ...]

    def labelled_rows(self) -> list[tuple[str, list[tuple[str, FigureCell]]]]:
        # Each cell with its column, which a card says beside it.
        return [(row.heading, list(zip(self.columns, row.cells, strict=True))) for row in self.rows]


@dataclass(frozen=True)
class FigureChart:
    """`drawing` is None where one number or none is there to be drawn; `in_words` says it."""

    title: str
    in_words: str
    drawing: Columns | None
    look: str = ""


@dataclass(frozen=True)
class RegisterFigure:
    """`name` is that of its file, too. Without a row it is empty, and `empty` says why."""

    name: str
    title: str
    explanation: str
    table: FigureTable
    caveats: tuple[str, ...] = ()
    charts: tuple[FigureChart, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    map: ShadedMap | None = None
    empty: str = ""

    @property
    def is_drawn(self) -> bool:
        # Whether there is a column that the legend explains.
        return any(chart.drawing for chart in self.charts)


def summed(
    cells: Iterable[Cell], key: Callable[[Cell], Key], number: Callable[[Cell], int]
) -> Mapping[Key, int]:
    found: dict[Key, int] = defaultdict(int)
    for cell in cells:
        found[key(cell)] += number(cell)
    return found


def chart_of(
    title: str, names: Sequence[str], series: Sequence[Series], *, top: int, look: str = ""
) -> FigureChart:
    told = []
    for place, name in enumerate(names):
        numbers = [
            f"{one.numbers[place]} {one.name}".rstrip() for one in series if one.numbers[place]
        ]
        if numbers:
            told.append(f"{name}: {', '.join(numbers)}")
    return FigureChart(title, "; ".join(told), draw_columns(names, series, top), look)


def highest(several: Iterable[Sequence[Series]]) -> int:
    return max((max(totals(series), default=0) for series in several), default=0)


def held_cell(held: HeldCount, share: int | None = None) -> FigureCell:
    note = ngettext("%(number)s more may", "%(number)s more may", held.more)
    return FigureCell(str(held.certain), note % {"number": held.more} if held.more else "", share)
