"""For how long clusters have held each level."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labels.figures.chart import Series
from labels.figures.held import CLASSES, LONGEST, TimeHeld, class_of
from labels.figures.tables import (
    FigureCell,
    FigureChart,
    FigureRow,
    FigureTable,
    RegisterFigure,
    chart_of,
    highest,
)
from labels.models import Level
from labels.words import in_words

# The most years of the class before.
YEARS_BEFORE = dict(zip(CLASSES, (0, *CLASSES), strict=False))

Numbers = Mapping[tuple[str, int | None], int]


def figure_of_times(
    times: Sequence[TimeHeld], levels: Sequence[Level], day: date
) -> RegisterFigure:
    shown = [level for level in levels if any(time.level == level.code for time in times)]
    return RegisterFigure(
        name="times",
        title=_("How long levels were held"),
        explanation=_(
            "Clusters by the time for which they had held a level by %(day)s, all labels of the"
            " level together, without the days between them."
        )
        % {"day": in_words(day)},
        caveats=(
            _(
                "It cannot be told where the days known by the month or year leave more than one"
                " answer. A label without dates counts nowhere. Who still holds the level will"
                " have held it longer."
            ),
        ),
        table=FigureTable(
            _("Time held"),
            tuple(level.name for level in shown),
            tuple(rows_by_class(times, shown)) if shown else (),
        ),
        charts=tuple(charts_by_class(times, shown)),
        empty=_("No cluster of this choice held a label by this day, as far as it is known."),
    )


def rows_by_class(times: Sequence[TimeHeld], levels: Sequence[Level]) -> list[FigureRow]:
    number = Counter((time.level, class_of(time)) for time in times)
    holding = Counter((time.level, class_of(time)) for time in times if time.holds)
    untold = [None] if any(class_of(time) is None for time in times) else []

    def cell(level: Level, longest: int | None) -> FigureCell:
        still = holding[level.code, longest]
        note = ngettext("%(number)s still does", "%(number)s still do", still) % {"number": still}
        return FigureCell(str(number[level.code, longest]), note if still else "")

    return [
        FigureRow(class_in_words(longest), tuple(cell(level, longest) for level in levels))
        for longest in [*CLASSES, *untold]
    ]


def charts_by_class(times: Sequence[TimeHeld], levels: Sequence[Level]) -> list[FigureChart]:
    number = Counter((time.level, class_of(time)) for time in times)
    drawn = {
        level: [Series("", "solid", tuple(number[level.code, longest] for longest in CLASSES))]
        for level in levels
    }
    names = [class_in_short(longest) for longest in CLASSES]
    # One scale for all, else they could not be compared.
    top = highest(drawn.values())
    return [
        chart_of(level.name, names, series, top=top, look=level.code)
        for level, series in drawn.items()
    ]


def class_in_words(longest: int | None) -> str:
    if longest is None:
        return _("Cannot be told")
    shortest = YEARS_BEFORE[longest]
    if longest == LONGEST:
        return _("More than %(years)s years") % {"years": shortest}
    if not shortest:
        return _("Up to %(years)s years") % {"years": longest}
    return _("More than %(first)s and up to %(last)s years") % {"first": shortest, "last": longest}


def class_in_short(longest: int) -> str:
    shortest = YEARS_BEFORE[longest]
    years = f"> {shortest}" if longest == LONGEST else f"{shortest}–{longest}"
    return _("%(number)s years") % {"number": years}
