"""Maps: from latitude and longitude to the units of a sheet, and from many places to few circles.

Two sheets, both with an equal-area projection on a sphere, so that a circle of a given size
covers the same ground everywhere: Europe by Lambert's azimuthal one, centred like EPSG:3035, and
the world by Equal Earth. x grows to the east, y to the south, as in SVG. Their outlines are
drawn by `make_outlines.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import asin, cos, hypot, radians, sin, sqrt
from typing import Protocol

SMALLEST_RADIUS = 5.0
LARGEST_RADIUS = 22.0
RADIUS_OF_ONE = 5.0

# A frame around some places is no narrower than this share of the sheet, and has this much air.
NARROWEST = 1 / 6
AIR = 1.25


@dataclass(frozen=True)
class Point:
    x: float
    y: float

    def distance_to(self, other: "Point") -> float:
        return hypot(self.x - other.x, self.y - other.y)


class Projection(Protocol):
    def point(self, latitude: float, longitude: float) -> Point: ...


@dataclass(frozen=True)
class Lambert:
    """`scale` is the radius of the Earth in map units; the centre lies at (x0, y0)."""

    lat0: float
    lon0: float
    scale: float
    x0: float
    y0: float

    def point(self, latitude: float, longitude: float) -> Point:
        # Any place but the one opposite to the centre, which has no position.
        centre, lat, lon = radians(self.lat0), radians(latitude), radians(longitude - self.lon0)
        cosine = sin(centre) * sin(lat) + cos(centre) * cos(lat) * cos(lon)
        # Opposite to the centre the sum is 0.
        stretch = self.scale * sqrt(2 / max(1 + cosine, 1e-12))
        east = cos(lat) * sin(lon)
        north = cos(centre) * sin(lat) - sin(centre) * cos(lat) * cos(lon)
        return Point(self.x0 + stretch * east, self.y0 - stretch * north)


@dataclass(frozen=True)
class EqualEarth:
    """Šavrič, Patterson and Jenny, 2018; fields as in `Lambert`, the centre lies on the equator."""

    lon0: float
    scale: float
    x0: float
    y0: float

    def point(self, latitude: float, longitude: float) -> Point:
        theta = asin(sqrt(3) / 2 * sin(radians(latitude)))
        square = theta * theta
        # The polynomial of the paper and its derivative, in powers of theta.
        sixth = square**3
        north = theta * (1.340264 - 0.081106 * square + sixth * (0.000893 + 0.003796 * square))
        slope = 1.340264 - 0.243318 * square + sixth * (0.006251 + 0.034164 * square)
        turn = (longitude - self.lon0 + 180) % 360 - 180
        east = 2 / sqrt(3) * radians(turn) * cos(theta) / slope
        return Point(self.x0 + self.scale * east, self.y0 - self.scale * north)


@dataclass(frozen=True)
class Sheet:
    """A map; `name` is that of its file of outlines, too."""

    name: str
    width: float
    height: float
    projection: Projection

    def has(self, point: Point) -> bool:
        return 0 <= point.x <= self.width and 0 <= point.y <= self.height


EUROPE = Sheet("europe", 1000, 930, Lambert(lat0=52, lon0=10, scale=1448, x0=416, y0=511))
# The edge of the world runs through the Bering Strait, so that it divides no land.
WORLD = Sheet("world", 1000, 440, EqualEarth(lon0=11.6, scale=184, x0=500, y0=243))
SHEETS = {sheet.name: sheet for sheet in (EUROPE, WORLD)}


@lru_cache(maxsize=2**14)
def project(sheet: Sheet, latitude: float, longitude: float) -> Point:
    return sheet.projection.point(latitude, longitude)


@dataclass(frozen=True)
class Frame:
    """The part of a sheet that is shown; its shape is that of the sheet."""

    x: float
    y: float
    width: float
    height: float


def frame_around(sheet: Sheet, points: Sequence[Point]) -> Frame:
    """The smallest with some air that shows all the points; the whole sheet where there are none.

    It neither leaves the sheet nor comes so close that the outlines look coarse.
    """
    if not points:
        return Frame(0, 0, sheet.width, sheet.height)
    west, east = min(point.x for point in points), max(point.x for point in points)
    north, south = min(point.y for point in points), max(point.y for point in points)
    share = AIR * max((east - west) / sheet.width, (south - north) / sheet.height)
    share = min(max(share, NARROWEST), 1.0)
    width, height = share * sheet.width, share * sheet.height
    return Frame(
        x=min(max((west + east - width) / 2, 0), sheet.width - width),
        y=min(max((north + south - height) / 2, 0), sheet.height - height),
        width=width,
        height=height,
    )


@dataclass(frozen=True)
class Spot:
    """`count` things at one point; `key` is the caller's own and breaks ties."""

    key: int
    point: Point
    count: int = 1


@dataclass(frozen=True)
class Circle:
    """Joined spots; `centre` is their mean weighted by count, `keys` are sorted."""

    centre: Point
    count: int
    keys: tuple[int, ...]

    @property
    def radius(self) -> float:
        # Its area grows with the count, within limits that stay legible.
        return min(max(RADIUS_OF_ONE * sqrt(self.count), SMALLEST_RADIUS), LARGEST_RADIUS)


@dataclass(slots=True)
class Growing:
    """A circle while others join it; `first` is its lowest key."""

    x: float
    y: float
    count: int
    first: int
    keys: list[int]

    def take(self, other: "Growing") -> None:
        count = self.count + other.count
        self.x = (self.x * self.count + other.x * other.count) / count
        self.y = (self.y * self.count + other.y * other.count) / count
        self.count = count
        self.first = min(self.first, other.first)
        self.keys += other.keys

    @property
    def rank(self) -> tuple[int, int]:
        return -self.count, self.first


def join_spots(spots: Iterable[Spot], minimum_distance: float) -> list[Circle]:
    """Circles whose centres are at least `minimum_distance` map units apart.

    The order of the input does not matter: the larger circle comes first, then the lower key, and
    each joins the nearest one before it that is too close, again until none is. The result is in
    that order too, so that small circles are drawn on top. Each circle is compared with those in
    the squares around it only, which is what keeps thousands of spots cheap.
    """
    circles = [
        Growing(spot.point.x, spot.point.y, spot.count, spot.key, [spot.key]) for spot in spots
    ]
    number = -1
    # One that grew may now reach another that was far enough.
    while number != len(circles):
        number = len(circles)
        circles = join_once(circles, minimum_distance)
    circles.sort(key=lambda circle: circle.rank)
    return [
        Circle(Point(circle.x, circle.y), circle.count, tuple(sorted(circle.keys)))
        for circle in circles
    ]


def join_once(circles: list[Growing], minimum_distance: float) -> list[Growing]:
    kept: list[Growing] = []
    squares: dict[tuple[int, int], list[int]] = {}
    for circle in sorted(circles, key=lambda circle: circle.rank):
        column, row = int(circle.x // minimum_distance), int(circle.y // minimum_distance)
        nearest, least = -1, minimum_distance
        for square in (
            (column - 1, row - 1), (column, row - 1), (column + 1, row - 1),
            (column - 1, row), (column, row), (column + 1, row),
            (column - 1, row + 1), (column, row + 1), (column + 1, row + 1),
        ):  # fmt: skip
            for place in squares.get(square, ()):
                other = kept[place]
                distance = hypot(circle.x - other.x, circle.y - other.y)
                if distance < least or (distance == least and 0 <= place < nearest):
                    nearest, least = place, distance
        if nearest < 0:
            squares.setdefault((column, row), []).append(len(kept))
            kept.append(circle)
            continue
        winner = kept[nearest]
        before = int(winner.x // minimum_distance), int(winner.y // minimum_distance)
        winner.take(circle)
        after = int(winner.x // minimum_distance), int(winner.y // minimum_distance)
        if after != before:
            squares[before].remove(nearest)
            squares.setdefault(after, []).append(nearest)
    return kept
