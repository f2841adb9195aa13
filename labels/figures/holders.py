"""Who holds a level: by year, and on the day by country and by sector."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from django.utils.translation import gettext as _

from clusters.http.links import country_names
from labels.figures.chart import Series
from labels.figures.counts import HolderCell
from labels.figures.shades import shaded_map
from labels.figures.tables import (
    FigureCell,
    FigureChart,
    FigureRow,
    FigureTable,
    HeldCount,
    RegisterFigure,
    chart_of,
    held_cell,
    highest,
)
from labels.models import Level
from labels.words import in_words

Key = TypeVar("Key")

# Where any level counts.
ANY = ""


@dataclass(frozen=True)
class HolderCounts:
    """Holders on the days, by level; and on the last of them of any level."""

    days: Sequence[date]
    levels: Sequence[Level]
    cells: Sequence[HolderCell]
    any_level: Sequence[HolderCell]

    @property
    def on_the_day(self) -> list[HolderCell]:
        year = self.days[-1].year if self.days else None
        return [*self.any_level, *(cell for cell in self.cells if cell.year == year)]

    def by_year(self) -> dict[tuple[int, str], HeldCount]:
        return held_by(((cell.year, cell.level), cell) for cell in self.cells)

    def by_country(self) -> dict[tuple[str, str], HeldCount]:
        return held_by(((cell.country, cell.level), cell) for cell in self.on_the_day)

    def by_portfolio(self) -> dict[tuple[str, str], HeldCount]:
        return held_by(((cell.portfolio or "", cell.level), cell) for cell in self.on_the_day)


def held_by(pairs: Iterable[tuple[Key, HolderCell]]) -> dict[Key, HeldCount]:
    # A cluster has one country and one sector: no cell counts what another does.
    found: dict[Key, HeldCount] = {}
    for key, cell in pairs:
        before = found.get(key, HeldCount())
        found[key] = HeldCount(before.certain + cell.certain, before.more + cell.more)
    return found


def figure_by_year(counts: HolderCounts) -> RegisterFigure:
    found = counts.by_year()
    years = [day.year for day in counts.days]
    levels = [level for level in counts.levels if any((y, level.code) in found for y in years)]
    rows = [
        FigureRow(
            str(year),
            tuple(held_cell(found.get((year, level.code), HeldCount())) for level in levels),
        )
        for year in years
    ]
    day = counts.days[-1] if counts.days else None
    return RegisterFigure(
        name="holders",
        title=_("Holders by year"),
        explanation=_(
            "Clusters that held a level on the last day of each year; in %(year)s on %(day)s."
        )
        % {"year": day.year if day else "", "day": in_words(day)},
        table=FigureTable(
            _("Year"), tuple(level.name for level in levels), tuple(rows if levels else ())
        ),
        charts=tuple(charts_by_year(years, levels, found)),
        legend=(
            ("solid", _("held it for certain")),
            ("open", _("may have held it: known by the month or year only")),
        ),
        empty=_("No cluster of this choice held a label by this day, as far as it is known."),
    )


def charts_by_year(
    years: Sequence[int], levels: Sequence[Level], found: Mapping[tuple[int, str], HeldCount]
) -> list[FigureChart]:
    drawn = {}
    for level in levels:
        held = [found.get((year, level.code), HeldCount()) for year in years]
        drawn[level] = [
            Series(_("for certain"), "solid", tuple(one.certain for one in held)),
            Series(_("more may"), "open", tuple(one.more for one in held)),
        ]
    # One scale for all, else they could not be compared.
    top = highest(drawn.values())
    return [
        chart_of(level.name, [str(y) for y in years], series, top=top, look=level.code)
        for level, series in drawn.items()
    ]


def figure_by_country(counts: HolderCounts) -> RegisterFigure:
    found = counts.by_country()
    names = country_names()
    shown = {code: names.get(code, code) for code, _level in found}
    numbers = {code: held.certain for (code, level), held in found.items() if level == ANY}
    return RegisterFigure(
        name="countries",
        title=_("Holders by country"),
        explanation=explanation_of(counts),
        table=table_by_place(counts, found, shown, _("Country")),
        map=shaded_map(numbers) if numbers else None,
        empty=nobody(),
    )


def figure_by_portfolio(counts: HolderCounts, names: Mapping[str, str]) -> RegisterFigure:
    found = counts.by_portfolio()
    shown = {code: names.get(code) or _("not recorded") for code, _level in found}
    return RegisterFigure(
        name="sectors",
        title=_("Holders by sector"),
        explanation=explanation_of(counts),
        table=table_by_place(counts, found, shown, _("Sector")),
        empty=nobody(),
    )


def explanation_of(counts: HolderCounts) -> str:
    return _(
        "Clusters that hold a level on %(day)s, by where and in what they work today. One that"
        " holds several levels counts once under “any level”."
    ) % {"day": in_words(counts.days[-1] if counts.days else None)}


def nobody() -> str:
    return _("No cluster of this choice holds a label on this day, as far as this register knows.")


def table_by_place(
    counts: HolderCounts,
    found: Mapping[tuple[str, str], HeldCount],
    names: Mapping[str, str],
    heading: str,
) -> FigureTable:
    # The most first; each with a bar beside it.
    levels = [level for level in counts.levels if any(code == level.code for _n, code in found)]
    most = max((held.certain for (_n, level), held in found.items() if level == ANY), default=0)

    def any_level(code: str) -> HeldCount:
        return found.get((code, ANY), HeldCount())

    in_order = sorted(
        names, key=lambda code: (-any_level(code).certain, -any_level(code).more, names[code])
    )

    def cells(code: str) -> tuple[FigureCell, ...]:
        held = any_level(code)
        share = round(100 * held.certain / most) if most else None
        by_level = [held_cell(found.get((code, level.code), HeldCount())) for level in levels]
        return (held_cell(held, share), *by_level)

    return FigureTable(
        heading,
        (_("Any level"), *(level.name for level in levels)),
        tuple(FigureRow(names[code], cells(code)) for code in in_order),
    )
