"""The figures as asked for by an address: which labels they count, and on which day."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clusters.formats.files import SPREADSHEETS
from clusters.http.faceted import QueryReader
from clusters.models import Portfolio
from labels.models import LabelQuerySet, Level
from labels.register.query import RegisterQuery, known_values


@dataclass(frozen=True)
class FiguresQuery(RegisterQuery):
    # Figures say the states themselves.
    choices = {"level": _("Level"), "country": _("Country"), "portfolio": _("Sector")}

    def counted(self) -> LabelQuerySet:
        return self.searched().narrowed(
            levels=self.level, countries=self.country, portfolios=self.portfolio
        )

    def csv_url(self, path: str) -> str:
        return self.url(path, **{"for": SPREADSHEETS, "lang": get_language() or "en"})


def read_figures_query(
    data: QueryDict, levels: Sequence[Level], portfolios: Sequence[Portfolio]
) -> FiguresQuery:
    reader = QueryReader(data)
    chosen = reader.choices(FiguresQuery.choices, known_values(levels, portfolios))
    return reader.with_problems(FiguresQuery(on=reader.day(), **chosen))
