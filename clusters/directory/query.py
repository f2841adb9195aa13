"""What an address asks of the directory: one frozen query behind list, map, counts and exports."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from clusters.http.faceted import MAX_VALUES, NOT_RECORDED, FacetedQuery, QueryReader
from clusters.http.links import MAX_TEXT_LENGTH
from clusters.models import OrganisationKind

CHOICES = {
    "level": _("Level"),
    "state": _("State of the label"),
    "country": _("Country"),
    "region": _("Region"),
    "portfolio": _("Portfolio"),
    "programme": _("Programme"),
    "manager": _("Managing organisation"),
}
# Numbers from and to, and the column of the index that they bound.
RANGES = {"founded": _("Founded"), "members": _("Members")}
ENDS = [f"{name}_{side}" for name in RANGES for side in ("from", "to")]
# What the form of numbers and distance asks.
BOUNDS = (*ENDS, "near", "within")
# What is asked of a profile: yes or no.
FLAGS = {
    "confirmed": _("confirmed in the last 12 months"),
    "provisional": _("without provisional profiles"),
    "meets": _("meets its programme’s required level"),
}
SORTS = {
    "relevance": _("best match"),
    "distance": _("distance"),
    "name": _("name"),
    "newest": _("newest label"),
    "ending": _("label ending soonest"),
    "members": _("members"),
    "confirmed": _("last confirmed"),
}
EVER, HELD = "ever", _("held at any time")
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
class DirectoryQuery(FacetedQuery):
    choices = CHOICES

    level: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    # Until the day, and not on it only: what no chosen state says otherwise.
    held: str = ""
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

    def bounds(self, name: str) -> tuple[int | None, int | None]:
        # From and to of a range.
        return getattr(self, f"{name}_from"), getattr(self, f"{name}_to")

    @property
    def has_bounds(self) -> bool:
        return bool(self.near) or any(self.bounds(name) != (None, None) for name in RANGES)

    @property
    def flags(self) -> list[str]:
        asked = {parameter.name for parameter in self.pairs()}
        return [name for name in FLAGS if name in asked]

    def fields_of(self, name: str) -> tuple[str, ...]:
        if name in RANGES:
            return f"{name}_from", f"{name}_to"
        return ("near", "within") if name == "near" else super().fields_of(name)


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


def read_directory_query(data: QueryDict, known: Mapping[str, Collection[str]]) -> DirectoryQuery:
    """`known` holds the values of `CHOICES` that exist, other than countries and kinds of managers.

    A value that does not exist is named in `problems`.
    """
    reader = QueryReader(data)
    known = {"country": set(countries.countries), "manager": OrganisationKind.values, **known}
    unknown = {name: {NOT_RECORDED} for name in ("level", "region", "portfolio", "manager")}
    known |= {name: {*known[name], *values} for name, values in unknown.items()}
    values: dict[str, Any] = reader.choices(CHOICES, known)
    values |= {end: reader.number(end) for end in ENDS}
    near = data.get("near", "").strip()[:MAX_TEXT_LENGTH]
    query = DirectoryQuery(
        held="" if values["state"] else reader.one_of("held", (EVER,)),
        words=reader.words(),
        meets=reader.one_of("meets", ("yes",)) == "yes",
        near=near,
        within=reader.number("within", MAX_DISTANCE) if near else None,
        box=read_boxes(reader),
        confirmed=reader.one_of("confirmed", ("yes",)) == "yes",
        provisional=reader.one_of("provisional", ("yes", "no")) != "no",
        on=reader.day(),
        sort=reader.one_of("sort", SORTS),
        **values,
    )
    return reader.with_problems(query)


def read_boxes(reader: QueryReader) -> tuple[Box, ...]:
    boxes = set()
    for text in map(str.strip, reader.data.getlist("box")[:MAX_VALUES]):
        if box := read_box(text):
            boxes.add(box)
        elif text:
            problem = gettext(
                "“%(value)s” is not west,south,east,north in degrees; “box” was left out."
            )
            reader.report(problem, text)
    return tuple(sorted(boxes))
