"""The register as asked for by an address: the query behind list and files, counts and links."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from clusters.http.faceted import NOT_RECORDED, Facet, FacetedList, FacetedQuery, QueryReader
from clusters.http.links import country_names, names_by_code
from clusters.models import ClusterName, Portfolio
from labels.models import STATE_NAMES, Label, LabelQuerySet, Level
from labels.validity import State

FILTERS = {
    "level": _("Level"),
    "state": _("State"),
    "country": _("Country"),
    "portfolio": _("Portfolio"),
}


@dataclass(frozen=True)
class RegisterQuery(FacetedQuery):
    choices = FILTERS

    level: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    portfolio: tuple[str, ...] = ()
    on: date | None = None

    def searched(self) -> LabelQuerySet:
        # Published labels of clusters with every word in a name, whatever the filters.
        return Label.objects.published().filter(*(with_word(word) for word in self.words.split()))

    def labels(self, day: date) -> LabelQuerySet:
        # The labels of the list in its order.
        return (
            self.searched()
            .with_state(day)
            .narrowed(
                levels=self.level,
                states=self.state,
                countries=self.country,
                portfolios=self.portfolio,
            )
            .with_holder()
            .in_register_order(day)
        )


def with_word(word: str) -> Q:
    # Labels of clusters with the word in their name or another name of theirs.
    others = ClusterName.objects.filter(normal_name__holds=word).values("cluster")
    return Q(cluster__normal_name__holds=word) | Q(cluster__in=others)


def read_register_query(
    data: QueryDict, levels: Sequence[Level], portfolios: Sequence[Portfolio]
) -> RegisterQuery:
    reader = QueryReader(data)
    chosen = reader.choices(FILTERS, known_values(levels, portfolios))
    query = RegisterQuery(words=reader.words(), on=reader.day(), **chosen)
    return reader.with_problems(query)


def known_values(levels: Sequence[Level], portfolios: Sequence[Portfolio]) -> dict[str, set[str]]:
    return {
        "level": {level.code for level in levels},
        "state": {state.value for state in State},
        "country": set(countries.countries),
        "portfolio": {NOT_RECORDED, *(portfolio.code for portfolio in portfolios)},
    }


@dataclass(frozen=True)
class RegisterList(FacetedList):
    """The filters of the register on a day, counted in one query."""

    query: RegisterQuery
    day: date
    levels: Sequence[Level]
    portfolios: Sequence[Portfolio]

    def facets(self) -> list[Facet]:
        return [self.facet(name) for name in self.query.choices]

    def names(self, name: str) -> Mapping[str, str]:
        if name == "level":
            return names_by_code(self.levels)
        if name == "state":
            return {state.value: str(STATE_NAMES[state]).capitalize() for state in State}
        if name == "country":
            return country_names()
        return {**names_by_code(self.portfolios), NOT_RECORDED: gettext("not recorded")}

    @cached_property
    def cells(self) -> list[tuple[dict[str, str], int]]:
        # A value of each filter, and how many labels have them all.
        return [
            (dict(zip(FILTERS, [*values, portfolio or NOT_RECORDED], strict=True)), number)
            for *values, portfolio, number in self.query.searched().count_by_cell(self.day)
        ]

    def counts(self, name: str) -> Counter[str]:
        chosen = {other: self.query.chosen(other) for other in self.query.choices if other != name}
        counts: Counter[str] = Counter()
        for cell, number in self.cells:
            if all(cell[other] in values for other, values in chosen.items() if values):
                counts[cell[name]] += number
        return counts

    def count_without(self, name: str) -> int:
        if name in self.query.choices:
            return self.counts(name).total()
        return self.query.without(name).labels(self.day).count()
