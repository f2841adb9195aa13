"""Lists that an address narrows: the query, how it is read, and the links around the list."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, ClassVar, NamedTuple, Self, TypeVar
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clusters.http.addresses import webcal
from clusters.http.asof import read_on
from clusters.http.links import MAX_TEXT_LENGTH, MAX_WORDS, Link

AnyQuery = TypeVar("AnyQuery", bound="FacetedQuery")

MAX_VALUES = 100
# The value of a filter for records of which it is not known.
NOT_RECORDED = "not_recorded"
MAX_NUMBER = 10**9


class Parameter(NamedTuple):
    name: str
    value: str


@dataclass(frozen=True)
class FacetedQuery:
    """What was asked, with values that exist; `problems` says what is wrong with the others.

    The fields of a subclass are its parameters in the order of the address, `words` being `q`.
    `unknown` are the values of `choices` that do not exist, each with its parameter.
    """

    # Filters of several values, of which any will do, and their titles, in the order of the page.
    choices: ClassVar[Mapping[str, Any]]

    words: str = ""
    unknown: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    problems: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_plain(self) -> bool:
        # Nothing asked: the whole list today, the one version that search engines keep.
        return self == type(self)()

    def chosen(self, name: str) -> tuple[str, ...]:
        values: tuple[str, ...] = getattr(self, name)
        return values

    def pairs(self, *without: str) -> list[Parameter]:
        # What is asked, always in the same order, without the place in the list. A form sends along
        # those `without` its own, so that the filters stay.
        found = []
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            name = "q" if parameter.name == "words" else parameter.name
            if parameter.compare and value != parameter.default and name not in without:
                values = value if isinstance(value, tuple) else (value,)
                found += [Parameter(name, parameter_text(item)) for item in values]
        return found

    def querystring(self) -> str:
        return urlencode(self.pairs(), safe=",")

    def url(self, path: str, **others: str) -> str:
        # With other parameters behind those of the query.
        return f"{path}?{urlencode([*self.pairs(), *others.items()], safe=',')}".rstrip("?")

    def downloads(self, records: str) -> list[Link]:
        # The same list as files, in the active language; `records` are “clusters” or “labels”.
        language = get_language() or "en"
        asked = {} if language == "en" else {"lang": language}

        def url(suffix: str, **others: str) -> str:
            return self.url(reverse(f"{records}_{suffix}"), **others, **asked)

        return [
            Link(_("CSV"), url("csv", **{"for": "spreadsheet"})),
            Link(_("Spreadsheet"), url("xlsx")),
            Link(_("JSON"), url("json")),
            Link(_("Atom feed"), url("atom")),
            Link(_("Calendar"), url("ics")),
            Link(_("Subscribe to the calendar"), webcal(url("ics"))),
        ]

    def toggled(self, name: str, value: str) -> Self:
        return self.choosing(name, {value} ^ set(self.chosen(name)))

    def choosing(self, name: str, values: Iterable[str]) -> Self:
        return self.changed(**{name: tuple(sorted(values))})

    def changed(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def without(self, name: str) -> Self:
        # Without a filter, with all parameters that belong to it.
        names = self.fields_of(name)
        return self.changed(**{row.name: row.default for row in fields(self) if row.name in names})

    def fields_of(self, name: str) -> tuple[str, ...]:
        return ("words",) if name == "q" else (name,)


def parameter_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else str(value)


@dataclass
class QueryReader:
    """Reads the parameters that it is asked for, and keeps in words what is wrong with them."""

    data: QueryDict
    unknown: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def choices(
        self, titles: Mapping[str, Any], known: Mapping[str, Collection[str]]
    ) -> dict[str, Any]:
        # By filter, the values given that exist.
        chosen = {}
        for name, title in titles.items():
            fold = str.upper if name in ("country", "region") else str.lower
            texts = self.data.getlist(name)[:MAX_VALUES]
            given = {fold_value(text.strip(), fold) for text in texts if text.strip()}
            chosen[name] = tuple(sorted(given.intersection(known[name])))
            for value in sorted(given.difference(known[name])):
                self.unknown.append((name, value))
                self.report(
                    _("There is no %(filter)s “%(value)s”; it was left out."),
                    value,
                    filter=title.lower(),
                )
        return chosen

    def one_of(self, name: str, known: Collection[str]) -> str:
        text = self.data.get(name, "").strip().lower()
        if not text or text in known:
            return text
        problem = _("“%(value)s” is none of %(known)s; “%(name)s” was left out.")
        self.report(problem, text, known=", ".join(known), name=name)
        return ""

    def number(self, name: str, most: int = MAX_NUMBER) -> int | None:
        text = self.data.get(name, "").strip()
        if not text:
            return None
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
        if 0 <= number <= most:
            return number
        problem = _("“%(value)s” is not a number from 0 to %(most)s; “%(name)s” was left out.")
        self.report(problem, text, most=most, name=name)
        return None

    def words(self) -> str:
        words = self.data.get("q", "").split()
        if len(words) > MAX_WORDS:
            self.problems.append(
                _("Only the first %(number)s words were searched for.") % {"number": MAX_WORDS}
            )
        return " ".join(words[:MAX_WORDS])[:MAX_TEXT_LENGTH].strip()

    def day(self) -> date | None:
        day, problem = read_on(self.data)
        self.problems += [problem] if problem else []
        return day

    def report(self, problem: str, value: str, **texts: object) -> None:
        self.problems.append(problem % {"value": value[:60], **texts})

    def with_problems(self, query: AnyQuery) -> AnyQuery:
        return replace(query, unknown=tuple(self.unknown), problems=tuple(self.problems))


def fold_value(text: str, fold: Callable[[str], str]) -> str:
    return NOT_RECORDED if text.lower() == NOT_RECORDED else fold(text)


@dataclass(frozen=True)
class Option:
    """A value to choose, the number of records that have it, the address that toggles it."""

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
class FacetedList(ABC):
    """What a query finds: the values to choose with their counts, and how to leave a choice.

    The number beside an option is how many records the list has, were its own filter not set: it
    equals the list that the option leads to where nothing else of that filter is chosen.
    """

    # Filters of few values, all of which stand where there is one: a missing one would be sought.
    told_whole: ClassVar[Collection[str]] = ()

    query: FacetedQuery
    path: str

    @abstractmethod
    def names(self, name: str) -> Mapping[str, str]:
        """Every value of a filter in words, in the order of the page."""

    @abstractmethod
    def counts(self, name: str) -> Mapping[str, int]:
        """How many records that meet the other filters have each value."""

    @abstractmethod
    def count_without(self, name: str) -> int:
        """How many records meet all that is `asked` but this."""

    def facet(self, name: str) -> Facet:
        # With the values that some record has or that are chosen.
        is_whole = name in self.told_whole
        chosen, counts = self.query.chosen(name), self.counts(name)
        options = [
            Option(
                value=value,
                label=label,
                count=counts.get(value, 0),
                url=self.query.toggled(name, value).url(self.path),
                is_selected=value in chosen,
            )
            for value, label in self.names(name).items()
            if counts.get(value) or value in chosen or (is_whole and value != NOT_RECORDED)
        ]
        return Facet(name, str(self.query.choices[name]), tuple(options))

    def asked(self) -> list[tuple[str, str]]:
        # Each thing that narrows the list, and its values in words.
        asked = [("q", f"“{self.query.words}”")] if self.query.words else []
        for name in self.query.choices:
            if chosen := self.query.chosen(name):
                names = self.names(name)
                asked.append((name, ", ".join(names[value] for value in chosen)))
        return asked

    def in_words(self) -> str:
        # All that narrows the list, for the title of a feed or a file; empty for the whole list.
        return ", ".join(text for _name, text in self.asked())

    def titled(self, name: str) -> str:
        # “Label register: Gold, Italy”
        words = self.in_words()
        return _("%(name)s: %(filter)s") % {"name": name, "filter": words} if words else name

    def chips(self) -> list[Link]:
        # One for each value that narrows; following it takes the value away.
        links = []
        for name, text in self.asked():
            if name in self.query.choices:
                names = self.names(name)
                links += [
                    Link(names[value], self.query.toggled(name, value).url(self.path))
                    for value in self.query.chosen(name)
                ]
            else:
                links.append(Link(text, self.query.without(name).url(self.path)))
        return links

    @property
    def number_of_filters(self) -> int:
        # As many as can be taken away, without the words, which stand in a field of their own.
        return len(self.chips()) - bool(self.query.words)

    def ways_out(self) -> list[Link]:
        # For an empty list: what to drop, and how many records there are without it.
        found = []
        for name, text in self.asked():
            if number := self.count_without(name):
                words = _("without %(filter)s: %(number)s") % {"filter": text, "number": number}
                found.append(Link(words, self.query.without(name).url(self.path)))
        return found
