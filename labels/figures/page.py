"""All figures of a query on a day: what the page shows and the files say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from clusters.http.links import names_by_code
from clusters.models import Portfolio
from labels.figures.awards import figure_of_awards, figure_of_renewals
from labels.figures.counts import (
    AwardCell,
    Basis,
    RenewalCell,
    award_cells,
    basis_of,
    count_that_may_have_ended,
    days_to_show,
    holder_cells,
    holder_cells_of_any_level,
    renewal_cells,
)
from labels.figures.held import TimeHeld, class_of, times_held
from labels.figures.holders import (
    HolderCounts,
    figure_by_country,
    figure_by_portfolio,
    figure_by_year,
)
from labels.figures.query import FiguresQuery
from labels.figures.tables import HeldCount, RegisterFigure
from labels.figures.times import figure_of_times
from labels.models import LabelQuerySet, Level

Row = Sequence[str]


@dataclass(frozen=True)
class FigurePage:
    """Each figure is counted when it is asked for, in as many statements however many rows."""

    query: FiguresQuery
    day: date
    levels: Sequence[Level]
    portfolios: Sequence[Portfolio]

    @property
    def labels(self) -> LabelQuerySet:
        return self.query.counted()

    @cached_property
    def basis(self) -> Basis:
        return basis_of(self.labels)

    @cached_property
    def holders(self) -> HolderCounts:
        days = days_to_show(self.basis.first_on, self.day)
        return HolderCounts(
            days=days,
            levels=self.levels,
            cells=holder_cells(self.labels, days),
            any_level=holder_cells_of_any_level(self.labels, self.day),
        )

    @cached_property
    def awards(self) -> list[AwardCell]:
        return award_cells(self.labels, self.day)

    @cached_property
    def renewals(self) -> list[RenewalCell]:
        return renewal_cells(self.labels, self.day)

    @cached_property
    def times(self) -> list[TimeHeld]:
        return list(times_held(self.labels, self.day))

    def figures(self) -> list[RegisterFigure]:
        may_have_ended = count_that_may_have_ended(self.labels, self.day)
        return [
            figure_by_year(self.holders),
            figure_by_country(self.holders),
            figure_by_portfolio(self.holders, names_by_code(self.portfolios)),
            figure_of_awards(self.awards),
            figure_of_renewals(self.renewals, may_have_ended, self.day),
            figure_of_times(self.times, self.levels, self.day),
        ]


# As tables for programs


def rows_of_holders(page: FigurePage) -> Iterable[Row]:
    days = {day.year: day.isoformat() for day in page.holders.days}
    for cell in sorted(page.holders.cells, key=lambda cell: (cell[:3], cell.portfolio or "")):
        held = (str(cell.certain), str(cell.more))
        yield (days[cell.year], cell.level, cell.country, cell.portfolio or "", *held)


def rows_on_the_day(page: FigurePage, found: Mapping[tuple[str, str], HeldCount]) -> Iterable[Row]:
    for (code, level), held in sorted(found.items()):
        yield (page.day.isoformat(), code, level, str(held.certain), str(held.more))


def rows_of_labels(cells: Iterable[AwardCell | RenewalCell]) -> Iterable[Row]:
    for cell in sorted(cells, key=lambda cell: tuple(map(text_in_file, cell))):
        yield tuple(map(text_in_file, cell))


def rows_of_times(page: FigurePage) -> Iterable[Row]:
    found: dict[tuple[str, int], list[TimeHeld]] = {}
    for time in page.times:
        found.setdefault((time.level, class_of(time) or 0), []).append(time)
    for (level, longest), times in sorted(found.items()):
        still = sum(time.holds for time in times)
        up_to = str(longest or "")
        yield (page.day.isoformat(), level, up_to, str(len(times)), str(still))


def text_in_file(value: str | int | None) -> str:
    return "" if value is None else str(value)


CELL = ("level", "country", "portfolio")
# By name: the columns, and the rows. Empty is a year or a time that cannot be told, a sector that
# is not recorded, any level.
FILES: Mapping[str, tuple[Row, Callable[[FigurePage], Iterable[Row]]]] = {
    "holders": (("on", *CELL, "holders", "may_hold"), rows_of_holders),
    "countries": (
        ("on", "country", "level", "holders", "may_hold"),
        lambda page: rows_on_the_day(page, page.holders.by_country()),
    ),
    "sectors": (
        ("on", "portfolio", "level", "holders", "may_hold"),
        lambda page: rows_on_the_day(page, page.holders.by_portfolio()),
    ),
    "awards": (("year", *CELL, "kind", "labels"), lambda page: rows_of_labels(page.awards)),
    "renewals": (
        ("ended_in", *CELL, "outcome", "labels"),
        lambda page: rows_of_labels(page.renewals),
    ),
    "times": (("on", "level", "years_at_most", "clusters", "still_hold"), rows_of_times),
}
