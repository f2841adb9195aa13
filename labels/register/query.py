"""The register as asked for by an address: one query object behind list, counts and links."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _
from django_countries import countries

from clusters.http.asof import read_on
from clusters.http.links import MAX_WORDS, Facet, Link, Option, contains_word, names_by_code
from clusters.models import ClusterName, Portfolio
from labels.models import STATE_NAMES, Label, LabelQuerySet, Level
from labels.validity import State

# Level, state, country and portfolio of labels ("" without a portfolio), and how many there are.
Cube = dict[tuple[str, str, str, str], int]

FILTERS = ("level", "state", "country", "portfolio")
LONGEST_WORDS = 200


@dataclass(frozen=True)
class RegisterQuery:
    """What was asked, with values that exist only; `unknown` keeps the others by parameter."""

    words: str = ""
    levels: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    portfolios: tuple[str, ...] = ()
    on: str = ""
    unknown: tuple[tuple[str, str], ...] = ()

    @property
    def problems(self) -> list[str]:
        # The unknown values in words, for a page that leaves them out.
        return [
            _("There is no %(filter)s “%(value)s”; it was left out.")
            % {"filter": filter_title(name).lower(), "value": value[:60]}
            for name, value in self.unknown
        ]

    @property
    def chosen(self) -> dict[str, tuple[str, ...]]:
        # The filters by parameter, in the stable order of the address.
        values = (self.levels, self.states, self.countries, self.portfolios)
        return dict(zip(FILTERS, values, strict=True))

    @property
    def is_filtered(self) -> bool:
        return bool(self.words) or any(self.chosen.values())

    @property
    def pairs(self) -> list[tuple[str, str]]:
        # The chosen filters as parameters and values, in the stable order of the address.
        return [(name, value) for name, values in self.chosen.items() for value in values]

    def querystring(self) -> str:
        # Always the same order, without the page number.
        words = [("q", self.words)] if self.words else []
        on = [("on", self.on)] if self.on else []
        return urlencode([*words, *self.pairs, *on])

    def toggled(self, name: str, value: str) -> "RegisterQuery":
        values = self.chosen[name]
        changed = tuple(sorted(set(values) ^ {value}))
        return self.with_filter(name, changed)

    def with_filter(self, name: str, values: tuple[str, ...]) -> "RegisterQuery":
        field = {
            "level": "levels",
            "state": "states",
            "country": "countries",
            "portfolio": "portfolios",
        }[name]
        return replace(self, **{field: values})  # type: ignore[arg-type]

    def searched(self) -> LabelQuerySet:
        # Published labels of clusters with every word in a name, whatever the filters.
        return Label.objects.published().filter(*(with_word(word) for word in self.words.split()))

    def labels(self, day: date) -> LabelQuerySet:
        # The labels of the list in its order.
        return (
            self.searched()
            .with_state(day)
            .narrowed(
                levels=self.levels,
                states=self.states,
                countries=self.countries,
                portfolios=self.portfolios,
            )
            .with_holder()
            .in_register_order(day)
        )


def with_word(word: str) -> Q:
    # Labels of clusters with the word in their name or another name of theirs.
    spelled = contains_word(word)
    others = ClusterName.objects.filter(spelled("name")).values("cluster")
    return spelled("cluster__name") | Q(cluster__in=others)


def read_register_query(
    data: QueryDict, levels: Sequence[Level], portfolios: Sequence[Portfolio]
) -> RegisterQuery:
    # Unknown parameters are ignored, and so is a day that cannot be read.
    known = {
        "level": {level.code for level in levels},
        "state": {state.value for state in State},
        "country": set(countries.countries),
        "portfolio": {portfolio.code for portfolio in portfolios},
    }
    chosen: dict[str, tuple[str, ...]] = {}
    unknown = []
    for name in FILTERS:
        fold: Callable[[str], str] = str.upper if name == "country" else str.lower
        given = [fold(value.strip()) for value in data.getlist(name) if value.strip()]
        chosen[name] = tuple(sorted(set(given) & known[name]))
        unknown += [(name, value) for value in sorted(set(given) - known[name])]
    on, _problem = read_on(data)
    return RegisterQuery(
        words=" ".join(data.get("q", "").split()[:MAX_WORDS])[:LONGEST_WORDS].strip(),
        levels=chosen["level"],
        states=chosen["state"],
        countries=chosen["country"],
        portfolios=chosen["portfolio"],
        on=on.isoformat() if on else "",
        unknown=tuple(unknown),
    )


def filter_title(name: str) -> str:
    return {
        "level": _("Level"),
        "state": _("State"),
        "country": _("Country"),
        "portfolio": _("Portfolio"),
    }[name]


@dataclass(frozen=True)
class Facets:
    """The four filters of the register, counted from one cube.

    The number beside an option is how many labels of the list have it, were its own filter not
    set: it equals the list that the option leads to where nothing else of that filter is chosen.
    """

    query: RegisterQuery
    cube: Cube
    path: str
    levels: Sequence[Level]
    portfolios: Sequence[Portfolio]

    @cached_property
    def names(self) -> dict[str, dict[str, str]]:
        # By filter, each value and its name, in the order of the page.
        in_use = {cell[2] for cell in self.cube} | set(self.query.countries)
        return {
            "level": names_by_code(self.levels),
            "state": {state.value: str(STATE_NAMES[state]).capitalize() for state in State},
            "country": dict(
                sorted(((code, countries.name(code)) for code in in_use), key=lambda pair: pair[1])
            ),
            "portfolio": names_by_code(self.portfolios),
        }

    def all(self) -> list[Facet]:
        return [self.facet(name) for name in FILTERS]

    def facet(self, name: str) -> Facet:
        counts = self.counts(name)
        chosen = self.query.chosen[name]
        return Facet(
            name=name,
            title=filter_title(name),
            options=tuple(
                Option(
                    value=value,
                    label=label,
                    count=counts.get(value, 0),
                    url=self.url(self.query.toggled(name, value)),
                    is_selected=value in chosen,
                )
                for value, label in self.names[name].items()
                if counts.get(value) or value in chosen
            ),
        )

    def counts(self, name: str) -> dict[str, int]:
        position = FILTERS.index(name)
        others = [
            (index, set(values))
            for index, (other, values) in enumerate(self.query.chosen.items())
            if values and other != name
        ]
        counts: dict[str, int] = {}
        for cell, number in self.cube.items():
            if all(cell[index] in values for index, values in others):
                counts[cell[position]] = counts.get(cell[position], 0) + number
        return counts

    def chips(self) -> list[Link]:
        # One for each chosen value; following it takes the value away.
        chips = [
            Link(self.names[name][value], self.url(self.query.toggled(name, value)))
            for name, values in self.query.chosen.items()
            for value in values
        ]
        if self.query.words:
            chips.insert(0, Link(f"“{self.query.words}”", self.url(replace(self.query, words=""))))
        return chips

    def suggestions(self) -> list[Link]:
        # For an empty list: which filter to drop, and how many labels there are without it.
        found = []
        for name, values in self.query.chosen.items():
            without = sum(self.counts(name).values())
            if values and without:
                text = _("Without “%(values)s”: %(count)s") % {
                    "values": ", ".join(self.names[name][value] for value in values),
                    "count": without,
                }
                found.append(Link(text, self.url(self.query.with_filter(name, ()))))
        return found

    def url(self, query: RegisterQuery) -> str:
        return f"{self.path}?{query.querystring()}".rstrip("?")


def cube_of(labels: LabelQuerySet, day: date) -> Cube:
    """One query."""
    return {
        (level, state, country, portfolio or ""): number
        for level, state, country, portfolio, number in labels.count_by_cell(day)
    }
