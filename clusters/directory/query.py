"""What an address asks of the directory: one frozen query behind list, map, counts and exports."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _
from django_countries import countries

from clusters.http.asof import read_on
from clusters.http.links import MAX_TEXT_LENGTH, MAX_WORDS
from clusters.models import OrganisationKind

# Filters of several values, of which any will do, in the order of the page.
CHOICES = ("level", "state", "country", "region", "portfolio", "programme", "manager")
# Numbers from and to, and the column of the index that they bound.
RANGES = ("founded", "members")
SORTS = ("relevance", "name", "newest", "ending", "members", "confirmed")
MAX_VALUES = 100
MAX_NUMBER = 10**9
DEFAULT_DISTANCE, MAX_DISTANCE = 100, 20_000
# Coordinates are stored with four decimals, so corners of so many are exact.
DEGREES = r"-?\d{1,3}(?:\.\d{1,4})?"
CORNERS = re.compile(rf"{DEGREES},{DEGREES},{DEGREES},{DEGREES}", re.ASCII)


class Box(NamedTuple):
    """From a corner in the south-west to one in the north-east, in degrees; its edges belong."""

    west: float
    south: float
    east: float
    north: float

    def __str__(self) -> str:
        return ",".join(f"{degrees:.7g}" for degrees in self)

    def holds(self, latitude: float, longitude: float) -> bool:
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


WHOLE_EARTH = Box(-180, -90, 180, 90)


def read_box(text: str) -> Box | None:
    # `west,south,east,north`, or None for anything else, as for a corner beyond the poles.
    if not CORNERS.fullmatch(text):
        return None
    # Adding zero makes -0 the same box as 0.
    box = Box(*(float(degrees) + 0.0 for degrees in text.split(",")))
    corners = (box.south, box.west), (box.north, box.east)
    is_on_earth = all(WHOLE_EARTH.holds(*corner) for corner in corners)
    return box if is_on_earth and box.west <= box.east and box.south <= box.north else None


@dataclass(frozen=True)
class DirectoryQuery:
    """What was asked, with values that exist; `problems` names the others.

    Its fields are the parameters in the order of the address, `words` being `q`.
    """

    words: str = ""
    level: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    portfolio: tuple[str, ...] = ()
    programme: tuple[str, ...] = ()
    meets: bool = False
    manager: tuple[str, ...] = ()
    founded_from: int | None = None
    founded_to: int | None = None
    members_from: int | None = None
    members_to: int | None = None
    near: str = ""
    within: int | None = None
    box: tuple[Box, ...] = ()
    confirmed: bool = False
    provisional: bool = True
    on: date | None = None
    sort: str = ""
    problems: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_plain(self) -> bool:
        # Nothing asked: the whole directory today, the one version that search engines keep.
        return self == DirectoryQuery()

    @property
    def number_of_filters(self) -> int:
        # How many values are chosen, without the words; all boxes together are one.
        names = [name for name, _value in self.pairs()]
        uncounted = sum(names.count(name) for name in ("q", "on", "sort", "within", "box"))
        return len(names) - uncounted + bool(self.box)

    @property
    def has_bounds(self) -> bool:
        bounds = (self.founded_from, self.founded_to, self.members_from, self.members_to)
        return bool(self.near) or any(bound is not None for bound in bounds)

    def chosen(self, name: str) -> tuple[str, ...]:
        values: tuple[str, ...] = getattr(self, name)
        return values

    def pairs(self) -> list[tuple[str, str]]:
        # Parameters and values, always in the same order, without the place in the list.
        found: list[tuple[str, str]] = []
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            if value == parameter.default or parameter.name == "problems":
                continue
            name = "q" if parameter.name == "words" else parameter.name
            values = value if isinstance(value, tuple) else (value,)
            found += [(name, parameter_text(item)) for item in values]
        return found

    def querystring(self) -> str:
        return urlencode(self.pairs(), safe=",")

    def url(self, path: str) -> str:
        return f"{path}?{self.querystring()}".rstrip("?")

    def toggled(self, name: str, value: str) -> "DirectoryQuery":
        return self.choosing(name, {value} ^ set(self.chosen(name)))

    def choosing(self, name: str, values: Iterable[str]) -> "DirectoryQuery":
        return self.changed(**{name: tuple(sorted(values))})

    def changed(self, **changes: Any) -> "DirectoryQuery":
        return replace(self, **changes)

    def without(self, name: str) -> "DirectoryQuery":
        """Without a filter: a parameter, or `founded`, `members` and `near` with all of theirs."""
        belonging = {
            "founded": ("founded_from", "founded_to"),
            "members": ("members_from", "members_to"),
            "near": ("near", "within"),
            "q": ("words",),
        }.get(name, (name,))
        defaults = {parameter.name: parameter.default for parameter in fields(self)}
        return self.changed(**{parameter: defaults[parameter] for parameter in belonging})


def parameter_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else str(value)


@dataclass(frozen=True)
class Cursor:
    """Where in a list: after or before a record's public id; without both at its beginning."""

    after: str = ""
    before: str = ""


def read_cursor(data: QueryDict) -> Cursor:
    return Cursor(
        after=data.get("after", "").strip().upper()[:MAX_TEXT_LENGTH],
        before=data.get("before", "").strip().upper()[:MAX_TEXT_LENGTH],
    )


@dataclass
class QueryReader:
    """Reads an address, and keeps in words what is wrong with it."""

    data: QueryDict
    problems: list[str] = field(default_factory=list)

    def choices(self, name: str, known: Collection[str]) -> tuple[str, ...]:
        fold = str.upper if name in ("country", "region") else str.lower
        texts = self.data.getlist(name)[:MAX_VALUES]
        given = {fold(text.strip()) for text in texts if text.strip()}
        self.problems += [
            _("There is no %(filter)s “%(value)s”; it was left out.")
            % {"filter": filter_title_of(name).lower(), "value": value[:60]}
            for value in sorted(given.difference(known))
        ]
        return tuple(sorted(given.intersection(known)))

    def one_of(self, name: str, known: Collection[str]) -> str:
        text = self.data.get(name, "").strip().lower()
        if not text or text in known:
            return text
        self.problems.append(
            _("“%(value)s” is none of %(known)s; “%(name)s” was left out.")
            % {"value": text[:60], "known": ", ".join(known), "name": name}
        )
        return ""

    def number(self, name: str, most: int = MAX_NUMBER) -> int | None:
        text = self.data.get(name, "").strip()
        if not text:
            return None
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
        if 0 <= number <= most:
            return number
        self.problems.append(
            _("“%(value)s” is not a number from 0 to %(most)s; “%(name)s” was left out.")
            % {"value": text[:60], "most": most, "name": name}
        )
        return None

    def boxes(self) -> tuple[Box, ...]:
        boxes = set()
        for text in self.data.getlist("box")[:MAX_VALUES]:
            if box := read_box(text.strip()):
                boxes.add(box)
            elif text.strip():
                self.problems.append(
                    _("“%(value)s” is not west,south,east,north in degrees; “box” was left out.")
                    % {"value": text.strip()[:60]}
                )
        return tuple(sorted(boxes))

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


def read_directory_query(data: QueryDict, known: Mapping[str, Collection[str]]) -> DirectoryQuery:
    """Unknown parameters are ignored; a value that does not exist is named in `problems`.

    `known` holds the values of `CHOICES` that exist, other than countries and kinds of managers.
    """
    reader = QueryReader(data)
    known = {"country": set(countries.countries), "manager": OrganisationKind.values, **known}
    values: dict[str, Any] = {name: reader.choices(name, known[name]) for name in CHOICES}
    ends = [f"{name}_{side}" for name in RANGES for side in ("from", "to")]
    values |= {end: reader.number(end) for end in ends}
    near = data.get("near", "").strip()[:MAX_TEXT_LENGTH]
    query = DirectoryQuery(
        words=reader.words(),
        meets=reader.one_of("meets", ("yes",)) == "yes",
        near=near,
        within=reader.number("within", MAX_DISTANCE) if near else None,
        box=reader.boxes(),
        confirmed=reader.one_of("confirmed", ("yes",)) == "yes",
        provisional=reader.one_of("provisional", ("yes", "no")) != "no",
        on=reader.day(),
        sort=reader.one_of("sort", SORTS),
        **values,
    )
    return replace(query, problems=tuple(reader.problems))


def filter_title_of(name: str) -> str:
    return {
        "q": _("Words"),
        "level": _("Level"),
        "state": _("State of the label"),
        "country": _("Country"),
        "region": _("Region"),
        "portfolio": _("Portfolio"),
        "programme": _("Programme"),
        "manager": _("Managing organisation"),
        "founded": _("Founded"),
        "members": _("Members"),
        "near": _("Distance"),
        "profile": _("Profile"),
    }[name]
