"""The towns where public clusters stand, by any name; those of one name are kept apart."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import asin, cos, hypot, radians, sin, sqrt
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from clusters.names import normal_name

DATA = Path(__file__).parents[1] / "data/towns.csv"
EARTH_RADIUS_KM = 6371.0088
# Places of one name and country that lie further apart are two towns.
MAX_EXTENT_KM = 30


class Place(NamedTuple):
    """Where so many clusters stand; `region` is the ISO code of the region of one, or empty."""

    latitude: float
    longitude: float
    country: str
    town: str
    region: str
    clusters: int


@dataclass(frozen=True)
class Town:
    """`name` is as most of its clusters spell it, `region` that of most of them ("" if none)."""

    name: str
    country: str
    region: str
    latitude: float
    longitude: float
    count: int

    @property
    def key(self) -> str:
        # How it is asked for among others of its name.
        return f"{self.name}, {self.region or self.country}"

    @property
    def position(self) -> tuple[float, float]:
        return self.latitude, self.longitude


@cache
def exonyms() -> Mapping[tuple[str, str], Sequence[str]]:
    """By country and normal name of a town, the normal names of it, its own first."""
    found: dict[tuple[str, str], Sequence[str]] = {}
    with DATA.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            names = list(dict.fromkeys(map(normal_name, row["names"].split("|"))))
            # Of a name that two towns share neither is the other: each has its own line.
            found[row["country"], names[0]] = names
            for name in names[1:]:
                found.setdefault((row["country"], name), names)
    return found


def names_of_town(country: str, name: str) -> Sequence[str]:
    return exonyms().get((country, name), (name,))


def towns_by_name(places: Iterable[Place]) -> dict[str, list[Town]]:
    """By normal name, their own or in another language, the towns that bear it."""
    by_name: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for place in places:
        if name := normal_name(place.town):
            by_name[place.country, names_of_town(place.country, name)[0]].append(place)
    found: dict[str, list[Town]] = defaultdict(list)
    for (country, own), here in by_name.items():
        spelt = {normal_name(place.town) for place in here}
        towns = [town_of(group) for group in groups_of(here)]
        for name in {own, *spelt, *names_of_town(country, own)}:
            found[name] += towns
    for name, towns in found.items():
        found[name] = sorted(towns, key=lambda town: (-town.count, town.key))
    return dict(found)


def groups_of(places: Iterable[Place]) -> Iterator[list[Place]]:
    # Those not far from the first of a group belong to it.
    groups: list[list[Place]] = []
    for place in sorted(places):
        near = (g for g in groups if great_circle_km(*g[0][:2], *place[:2]) <= MAX_EXTENT_KM)
        group = next(near, None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return iter(groups)


def town_of(places: Sequence[Place]) -> Town:
    return Town(
        name=most_common((place.town, place.clusters) for place in places),
        country=places[0].country,
        region=most_common((place.region, place.clusters) for place in places if place.region),
        latitude=fmean(place.latitude for place in places),
        longitude=fmean(place.longitude for place in places),
        count=sum(place.clusters for place in places),
    )


def most_common(counts: Iterable[tuple[str, int]]) -> str:
    total: Counter[str] = Counter()
    for text, number in counts:
        total[text] += number
    return min(total, key=lambda text: (-total[text], text), default="")


def great_circle_km(latitude: float, longitude: float, other: float, east: float) -> float:
    # Kilometres along a great circle.
    north, half = radians(latitude), radians(other - latitude) / 2
    turn = radians(east - longitude) / 2
    chord = hypot(sin(half), sqrt(cos(north) * cos(radians(other))) * sin(turn))
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, chord))
