"""The map of Europe: from latitude and longitude to the units of `data/outlines.json`.

Lambert's azimuthal equal-area projection on a sphere, centred like EPSG:3035, so that a
circle of a given size covers the same ground in Cyprus and in Lapland. x grows to the
east, y to the south, as in SVG.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import cos, hypot, radians, sin, sqrt
from pathlib import Path

OUTLINES_PATH = Path(__file__).parent / "data" / "outlines.json"

SMALLEST_RADIUS = 5.0
LARGEST_RADIUS = 22.0
RADIUS_OF_ONE = 5.0


@dataclass(frozen=True)
class Point:
    x: float
    y: float

    def distance_to(self, other: "Point") -> float:
        return hypot(self.x - other.x, self.y - other.y)


@dataclass(frozen=True)
class Projection:
    """`scale` is the radius of the Earth in map units; the centre lies at (x0, y0)."""

    lat0: float
    lon0: float
    scale: float
    x0: float
    y0: float

    def point(self, latitude: float, longitude: float) -> Point:
        """Any place but the one opposite to the centre, which has no position."""
        centre, lat, lon = radians(self.lat0), radians(latitude), radians(longitude - self.lon0)
        cosine = sin(centre) * sin(lat) + cos(centre) * cos(lat) * cos(lon)
        stretch = self.scale * sqrt(2 / (1 + cosine))
        east = cos(lat) * sin(lon)
        north = cos(centre) * sin(lat) - sin(centre) * cos(lat) * cos(lon)
        return Point(self.x0 + stretch * east, self.y0 - stretch * north)


@dataclass(frozen=True)
class Outlines:
    """The drawing: SVG path data by ISO 3166-1 code (XK for Kosovo), in codes' order."""

    width: float
    height: float
    projection: Projection
    source: str
    countries: dict[str, str]


@dataclass(frozen=True)
class Place:
    """`count` things at one position; `key` is the caller's own and breaks ties."""

    key: str
    latitude: float
    longitude: float
    count: int = 1


@dataclass(frozen=True)
class Circle:
    """Joined places; `centre` is their mean weighted by count, `keys` are sorted."""

    centre: Point
    count: int
    keys: tuple[str, ...]

    @property
    def radius(self) -> float:
        """Its area grows with the count, within limits that stay legible."""
        return min(max(RADIUS_OF_ONE * sqrt(self.count), SMALLEST_RADIUS), LARGEST_RADIUS)

    def joined_with(self, other: "Circle") -> "Circle":
        count = self.count + other.count
        centre = Point(
            (self.centre.x * self.count + other.centre.x * other.count) / count,
            (self.centre.y * self.count + other.centre.y * other.count) / count,
        )
        return Circle(centre, count, tuple(sorted(self.keys + other.keys)))


@cache
def outlines() -> Outlines:
    data = json.loads(OUTLINES_PATH.read_text(encoding="utf-8"))
    return Outlines(
        width=data["width"],
        height=data["height"],
        projection=Projection(**data["projection"]),
        source=data["source"],
        countries=data["countries"],
    )


def project(latitude: float, longitude: float) -> Point:
    return outlines().projection.point(latitude, longitude)


def is_on_map(point: Point) -> bool:
    return 0 <= point.x <= outlines().width and 0 <= point.y <= outlines().height


def join_points(places: Iterable[Place], minimum_distance: float) -> list[Circle]:
    """Circles whose centres are at least `minimum_distance` map units apart.

    Places off the map are left out. The order of the input does not matter: the larger
    circle comes first, then the lower key, and each joins the nearest one before it that
    is too close. The result is in that order too, so that small circles are drawn on top.
    """
    circles = [
        Circle(point, place.count, (place.key,))
        for place in places
        if is_on_map(point := project(place.latitude, place.longitude))
    ]
    joined = _join_once(circles, minimum_distance)
    while len(joined) < len(circles):
        circles, joined = joined, _join_once(joined, minimum_distance)
    return joined


def _join_once(circles: list[Circle], minimum_distance: float) -> list[Circle]:
    kept: list[Circle] = []
    for circle in sorted(circles, key=_by_size):
        distances = [circle.centre.distance_to(other.centre) for other in kept]
        nearest = min(range(len(kept)), key=distances.__getitem__, default=None)
        if nearest is None or distances[nearest] >= minimum_distance:
            kept.append(circle)
        else:
            kept[nearest] = kept[nearest].joined_with(circle)
    return sorted(kept, key=_by_size)


def _by_size(circle: Circle) -> tuple[int, tuple[str, ...]]:
    return -circle.count, circle.keys
