"""The directory as asked for by an address: one query object behind list, map, counts and links."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce
from operator import and_, or_
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django_countries import countries

from clusters.dates import FIRST_YEAR, LAST_YEAR
from clusters.models import (
    Cluster,
    ClusterName,
    ClusterQuerySet,
    ClusterText,
    Management,
    Portfolio,
)

FILTERS = ("country", "portfolio", "level")
LONGEST_TEXT = 200
MOST_WORDS = 8
SHORTEST_COUNTRY = 4

# The keys of the clusters that hold one of these levels: what the register of labels answers.
Holders = Callable[[Sequence[str]], QuerySet[Any, Any]]


@dataclass(frozen=True)
class Link:
    name: str
    url: str


@dataclass(frozen=True)
class Option:
    """A value to choose, the number of clusters that have it, the address that toggles it."""

    value: str
    label: str
    count: int
    url: str
    is_selected: bool


@dataclass(frozen=True)
class Facet:
    name: str
    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class DirectoryQuery:
    """What was asked, in a stable order, with values that exist; `problems` names the others."""

    words: str = ""
    country: tuple[str, ...] = ()
    portfolio: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    on: date | None = None
    problems: tuple[str, ...] = field(default=(), compare=False)

    @property
    def number_of_filters(self) -> int:
        return sum(len(self.chosen(name)) for name in FILTERS)

    @property
    def is_plain(self) -> bool:
        """Nothing asked: the whole directory today, the one version that search engines keep."""
        return self == DirectoryQuery()

    def chosen(self, name: str) -> tuple[str, ...]:
        values: tuple[str, ...] = getattr(self, name)
        return values

    def querystring(self) -> str:
        """Always the same order, without the page number."""
        pairs = [("q", self.words)] if self.words else []
        pairs += self.filter_pairs()
        pairs += [("on", self.on.isoformat())] if self.on else []
        return urlencode(pairs)

    def filter_pairs(self) -> list[tuple[str, str]]:
        return [(name, value) for name in FILTERS for value in self.chosen(name)]

    def toggled(self, name: str, value: str) -> "DirectoryQuery":
        return self.choosing(name, {value} ^ set(self.chosen(name)))

    def choosing(self, name: str, values: Iterable[str]) -> "DirectoryQuery":
        changes: dict[str, Any] = {name: tuple(sorted(values))}
        return replace(self, **changes)

    def without(self, name: str) -> "DirectoryQuery":
        return replace(self, words="") if name == "q" else self.choosing(name, ())

    def url(self, path: str) -> str:
        return f"{path}?{self.querystring()}".rstrip("?")


def read_query(
    data: QueryDict, *, portfolios: Collection[str], levels: Collection[str]
) -> DirectoryQuery:
    """Unknown parameters are ignored; a value that does not exist is named in `problems`.

    `portfolios` and `levels` are the codes that exist.
    """
    known = {"country": set(countries.countries), "portfolio": portfolios, "level": levels}
    chosen, problems = {}, []
    for name in FILTERS:
        fold = str.upper if name == "country" else str.lower
        given = {fold(value.strip()) for value in data.getlist(name) if value.strip()}
        chosen[name] = tuple(sorted(given.intersection(known[name])))
        problems += [
            _("There is no %(filter)s “%(value)s”; it was left out.")
            % {"filter": filter_title(name).lower(), "value": value[:60]}
            for value in sorted(given.difference(known[name]))
        ]
    words = data.get("q", "").split()
    if len(words) > MOST_WORDS:
        problems.append(
            _("Only the first %(number)s words were searched for.") % {"number": MOST_WORDS}
        )
    on, problem = read_day(data)
    return DirectoryQuery(
        words=" ".join(words[:MOST_WORDS])[:LONGEST_TEXT].strip(),
        on=on,
        problems=(*problems, *([problem] if problem else [])),
        **chosen,
    )


def read_day(data: QueryDict) -> tuple[date | None, str]:
    """The day of `?on=`, or None and, where something else was given, what is wrong with it."""
    text = data.get("on", "").strip()
    if not text:
        return None, ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text or not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None, _("“%(value)s” is not a day like 2015-09-08; today is shown.") % {
            "value": text[:60]
        }
    return day, ""


def filter_title(name: str) -> str:
    return {"country": _("Country"), "portfolio": _("Portfolio"), "level": _("Level")}[name]


@dataclass(frozen=True)
class Directory:
    """The answer to a query: the clusters of the list, the counts beside it, the way out of it.

    `portfolios` and `levels` are all there are, in the order of the page.
    """

    query: DirectoryQuery
    path: str
    holders: Holders
    portfolios: Sequence[Portfolio]
    levels: Sequence[Any]

    def clusters(self, query: DirectoryQuery | None = None) -> ClusterQuerySet:
        """Published clusters that meet every filter, any value within one, and every word."""
        query = query or self.query
        found = Cluster.objects.published().filter(matching(query.words))
        if query.country:
            found = found.filter(country__in=query.country)
        if query.portfolio:
            found = found.filter(portfolio__code__in=query.portfolio)
        if query.level:
            found = found.filter(pk__in=self.holders(query.level))
        return found

    def facets(self) -> list[Facet]:
        """Those with an option to choose; three queries.

        A filter's own choice does not narrow its counts, so the number beside an option equals
        the list that it leads to where nothing else of that filter is chosen.
        """
        facets = [
            self.facet("country", self.names_of_countries(), self.count_by("country")),
            self.facet("portfolio", names_by_code(self.portfolios), self.count_by("portfolio")),
            self.facet("level", names_by_code(self.levels), self.count_by_level()),
        ]
        return [facet for facet in facets if facet.options]

    def facet(self, name: str, names: dict[str, str], counts: dict[str, int]) -> Facet:
        chosen = self.query.chosen(name)
        return Facet(
            name=name,
            title=filter_title(name),
            options=tuple(
                Option(
                    value=value,
                    label=label,
                    count=counts.get(value, 0),
                    url=self.query.toggled(name, value).url(self.path),
                    is_selected=value in chosen,
                )
                for value, label in names.items()
                if counts.get(value) or value in chosen
            ),
        )

    def count_by(self, name: str) -> dict[str, int]:
        column = {"country": "country", "portfolio": "portfolio__code"}[name]
        rows = (
            self.clusters(self.query.without(name))
            .order_by()
            .values_list(column)
            .annotate(number=Count("pk"))
        )
        return {value: number for value, number in rows if value}

    def count_by_level(self) -> dict[str, int]:
        """A cluster may hold several levels and counts for each."""
        counts: dict[str, int] = self.clusters(self.query.without("level")).aggregate(
            **{
                level.code: Count("pk", filter=Q(pk__in=self.holders([level.code])))
                for level in self.levels
            }
        )
        return counts

    def chips(self) -> list[Link]:
        """One for each chosen value; following it takes the value away."""
        names = self.names()
        words = [Link(f"“{self.query.words}”", self.query.without("q").url(self.path))]
        return (words if self.query.words else []) + [
            Link(names[name][value], self.query.toggled(name, value).url(self.path))
            for name, value in self.query.filter_pairs()
        ]

    def ways_out(self) -> list[Link]:
        """For an empty list: what to drop, with how many clusters there are then.

        One query for each filter that is set.
        """
        found = []
        for name, text in self.asked():
            wider = self.query.without(name)
            number = self.clusters(wider).count()
            if number:
                words = _("without %(filter)s: %(number)s") % {"filter": text, "number": number}
                found.append(Link(words, wider.url(self.path)))
        return found

    def asked(self) -> list[tuple[str, str]]:
        """Each thing that narrows the list, and its values in words."""
        names = self.names()
        asked = [("q", f"“{self.query.words}”")] if self.query.words else []
        return asked + [
            (name, ", ".join(names[name][value] for value in self.query.chosen(name)))
            for name in FILTERS
            if self.query.chosen(name)
        ]

    def names(self) -> dict[str, dict[str, str]]:
        return {
            "country": self.names_of_countries(),
            "portfolio": names_by_code(self.portfolios),
            "level": names_by_code(self.levels),
        }

    def names_of_countries(self) -> dict[str, str]:
        """By the alphabet of the active language, as django-countries sorts them."""
        return {country.code: country.name for country in countries}


def names_by_code(rows: Iterable[Any]) -> dict[str, str]:
    return {row.code: row.name for row in rows}


def matching(text: str) -> Q:
    """Clusters with every word somewhere in what is known of them."""
    return reduce(and_, (having(word) for word in text.split()), Q())


def having(word: str) -> Q:
    """Clusters with a word in their names, texts, place, portfolio, or managers' names."""
    spelled = spelled_in(word)
    managers = spelled("organisation__name") | spelled("organisation__former_names__name")
    return (
        spelled("name")
        | spelled("town")
        | spelled("region__name")
        | spelled("region__other_names")
        | spelled("portfolio__name_en")
        | spelled("portfolio__name_it")
        | Q(country__in=countries_called(word))
        | Q(pk__in=ClusterName.objects.filter(spelled("name")).values("cluster"))
        | Q(
            pk__in=ClusterText.objects.filter(spelled("tagline") | spelled("description")).values(
                "cluster"
            )
        )
        | Q(
            pk__in=Management.objects.filter(managers, organisation__is_published=True).values(
                "cluster"
            )
        )
    )


def spelled_in(word: str) -> Callable[[str], Q]:
    """A condition on a column, in any case on either engine.

    SQLite knows the case of ASCII letters only, so the usual spellings of others are tried.
    """
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}

    def condition(column: str) -> Q:
        return reduce(or_, (Q((f"{column}__icontains", text)) for text in sorted(spellings)))

    return condition


def countries_called(word: str) -> list[str]:
    """Codes of the countries whose name in the active language begins with the word."""
    if len(word) < SHORTEST_COUNTRY:
        return []
    start = word.casefold()
    return [country.code for country in countries if country.name.casefold().startswith(start)]
