"""Which labels began, first awards and renewals, and which were renewed when they ran out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labels.figures.chart import Series
from labels.figures.counts import AwardCell, RenewalCell, RenewalOutcome
from labels.figures.tables import (
    FigureCell,
    FigureChart,
    FigureRow,
    FigureTable,
    RegisterFigure,
    chart_of,
    highest,
    summed,
)
from labels.models import LabelKind
from labels.words import in_words, part_in_words

# By code: its name and its look.
Kinds = Mapping[str, tuple[str, str]]
Numbers = Mapping[tuple[int | None, str], int]


def years_of(cells: Iterable[AwardCell] | Iterable[RenewalCell]) -> list[int]:
    years = {cell.year for cell in cells if cell.year is not None}
    return list(range(min(years), max(years) + 1)) if years else []


def rows_to_show(cells: Sequence[AwardCell] | Sequence[RenewalCell]) -> list[int | None]:
    # Those whose year is not certain come last.
    return [*years_of(cells), *([None] if any(cell.year is None for cell in cells) else [])]


def year_in_words(year: int | None) -> str:
    return _("Year not certain") if year is None else str(year)


def chart_by_year(title: str, years: Sequence[int], kinds: Kinds, found: Numbers) -> FigureChart:
    series = [
        Series(name, look, tuple(found[year, kind] for year in years))
        for kind, (name, look) in kinds.items()
    ]
    return chart_of(title, [str(year) for year in years], series, top=highest([series]))


def titles_of_columns(kinds: Kinds) -> Iterator[str]:
    return (name[:1].upper() + name[1:] for name, _look in kinds.values())


def legend_of(kinds: Kinds) -> tuple[tuple[str, str], ...]:
    return tuple((look, name) for name, look in kinds.values())


# Awards


def figure_of_awards(cells: Sequence[AwardCell]) -> RegisterFigure:
    kinds = {
        LabelKind.FIRST.value: (_("first award"), "solid"),
        LabelKind.RENEWAL.value: (_("renewal"), "soft"),
        LabelKind.UNKNOWN.value: (_("not stated"), "open"),
    }
    found = summed(cells, lambda cell: (cell.year, cell.kind), lambda cell: cell.number)
    return RegisterFigure(
        name="awards",
        title=_("First awards and renewals"),
        explanation=_(
            "Labels of this register by the year in which they began. One that took the place of"
            " another by transfer is no award."
        ),
        caveats=(
            _(
                "Where the source does not say whether it was the first label or a renewal, this"
                " register does not guess."
            ),
        ),
        table=FigureTable(
            _("Year"),
            (*titles_of_columns(kinds), _("All")),
            tuple(award_row(year, kinds, found) for year in rows_to_show(cells)),
        ),
        charts=(chart_by_year(_("Labels that began"), years_of(cells), kinds, found),),
        legend=legend_of(kinds),
        empty=_("No label of this choice began by this day, as far as this register knows."),
    )


def award_row(year: int | None, kinds: Kinds, found: Numbers) -> FigureRow:
    numbers = [found[year, kind] for kind in kinds]
    return FigureRow(
        year_in_words(year), tuple(FigureCell(str(number)) for number in (*numbers, sum(numbers)))
    )


# Renewals


def figure_of_renewals(
    cells: Sequence[RenewalCell], may_have_ended: int, day: date
) -> RegisterFigure:
    outcomes = {
        RenewalOutcome.RENEWED.value: (_("renewed"), "solid"),
        RenewalOutcome.NONE_KNOWN.value: (_("no renewal known"), "soft"),
        RenewalOutcome.CANNOT_BE_TOLD.value: (_("cannot be told yet"), "open"),
    }
    found = summed(cells, lambda cell: (cell.year, cell.outcome), lambda cell: cell.number)
    return RegisterFigure(
        name="renewals",
        title=_("Renewed or not"),
        explanation=_(
            "Labels that had run out by %(day)s, by the year of their end. One is renewed where the"
            " next label of the same level began before the last day to renew. Labels that were"
            " revoked or transferred are left out."
        )
        % {"day": in_words(day)},
        caveats=tuple(renewal_caveats(may_have_ended)),
        table=FigureTable(
            _("Year of the end"),
            (_("Renewed, at least"), *titles_of_columns(outcomes)),
            tuple(renewal_row(year, outcomes, found) for year in rows_to_show(cells)),
        ),
        charts=(chart_by_year(_("Labels that ran out"), years_of(cells), outcomes, found),),
        legend=legend_of(outcomes),
        empty=_("No label of this choice had run out by this day, as far as this register knows."),
    )


def renewal_row(year: int | None, outcomes: Kinds, found: Numbers) -> FigureRow:
    renewed = found[year, RenewalOutcome.RENEWED.value]
    told = renewed + found[year, RenewalOutcome.NONE_KNOWN.value]
    numbers = [FigureCell(str(found[year, outcome])) for outcome in outcomes]
    return FigureRow(year_in_words(year), (FigureCell(part_in_words(renewed, told)), *numbers))


def renewal_caveats(may_have_ended: int) -> Iterator[str]:
    yield _(
        "“No renewal known” is what this register shows: a renewal that it does not hold is not"
        " seen, so each share is the least that it can be. It cannot be told yet where a label may"
        " still be renewed, or where the dates of another label of the level are not known."
    )
    if may_have_ended:
        yield ngettext(
            "%(number)s further label may have run out: its end is known by month or year only.",
            "%(number)s further labels may have run out: their ends are known by month or year"
            " only.",
            may_have_ended,
        ) % {"number": may_have_ended}
