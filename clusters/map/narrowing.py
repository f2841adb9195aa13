"""Which question the clusters of a circle on the map answer, and how many others answer it, too."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, cos, floor, radians, sin
from typing import NamedTuple

from clusters.directory.index import EARTH_RADIUS_KM, distance
from clusters.directory.query import DEFAULT_DISTANCE, DirectoryQuery
from clusters.directory.results import Position

KILOMETRES_PER_DEGREE = 110.0
# The towns of so many of a circle's places are tried as its middle.
MOST_MIDDLES = 2
# In units of a cosine; between circles of one kilometre and of two it differs by 4e-8.
CLOSE_CALL = 1e-12


@dataclass(frozen=True)
class Narrowing:
    """A narrower query, and how many clusters its list has; None where that is not known."""

    query: DirectoryQuery
    count: int | None


class Placed(NamedTuple):
    """A place as a point on a sphere of radius 1."""

    x: float
    y: float
    z: float
    place: Position


class Ground:
    """The places of the clusters found, `total` with those of unknown position.

    Squares of a degree keep a question about a neighbourhood from looking at all places.
    """

    def __init__(self, points: Iterable[Position], total: int) -> None:
        self.squares: dict[tuple[int, int], list[Placed]] = defaultdict(list)
        self.by_country: dict[str, int] = defaultdict(int)
        for point in points:
            placed = Placed(*on_sphere(point.latitude, point.longitude), point)
            self.squares[floor(point.latitude), floor(point.longitude)].append(placed)
            self.by_country[point.country] += point.count
        self.is_complete = sum(self.by_country.values()) == total

    def count_within(self, kilometres: int, latitude: float, longitude: float) -> int:
        """By the product of vectors, which is quick; by `distance` where it is a close call."""
        a, b, c = on_sphere(latitude, longitude)
        edge = cos(kilometres / EARTH_RADIUS_KM)
        count = 0
        for placed in self.around(kilometres, latitude, longitude):
            for x, y, z, place in placed:
                inside = a * x + b * y + c * z - edge
                if inside > CLOSE_CALL or (
                    inside >= -CLOSE_CALL
                    and distance(latitude, longitude, place.latitude, place.longitude) <= kilometres
                ):
                    count += place.count
        return count

    def around(
        self, kilometres: int, latitude: float, longitude: float
    ) -> Iterator[Sequence[Placed]]:
        """The squares with the places that may be so near."""
        north = kilometres / KILOMETRES_PER_DEGREE
        widest = abs(latitude) + north
        east = north / cos(radians(widest)) if widest < 89 else 360.0
        if abs(longitude) + east >= 180:
            yield from self.squares.values()
            return
        for row in range(floor(latitude - north), floor(latitude + north) + 1):
            for column in range(floor(longitude - east), floor(longitude + east) + 1):
                yield self.squares.get((row, column), ())


def on_sphere(latitude: float, longitude: float) -> tuple[float, float, float]:
    north, east = radians(latitude), radians(longitude)
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)


def narrowing(members: Sequence[Position], ground: Ground, query: DirectoryQuery) -> Narrowing:
    """The query that finds these and the fewest others, in whole countries or around a place.

    Exact where its count is theirs, as for a town that stands apart.
    """
    wanted = sum(point.count for point in members)
    found: list[Narrowing] = []
    for narrower in candidates(members, ground, query):
        if narrower.count == wanted:
            return narrower
        found.append(narrower)
    counted = [narrower for narrower in found if narrower.count is not None]
    return min(counted or found, key=lambda narrower: narrower.count or 0)


def candidates(
    members: Sequence[Position], ground: Ground, query: DirectoryQuery
) -> Iterator[Narrowing]:
    """A query that asks for a distance keeps it, as there is one only."""
    countries = {point.country for point in members}
    count = sum(ground.by_country[country] for country in countries)
    yield Narrowing(query.choosing("country", countries), count if ground.is_complete else None)
    if query.near:
        return
    for near, latitude, longitude in middles(members):
        reach = max(
            distance(latitude, longitude, point.latitude, point.longitude) for point in members
        )
        within = max(ceil(reach), 1)
        yield Narrowing(
            query.changed(near=near, within=None if within == DEFAULT_DISTANCE else within),
            ground.count_within(within, latitude, longitude),
        )


def middles(members: Sequence[Position]) -> Iterator[tuple[str, float, float]]:
    """Names that `near` understands, and where they are: the towns with most clusters first."""
    largest = sorted(members, key=lambda point: (-point.count, point.key))[:MOST_MIDDLES]
    for point in largest:
        if point.centre:
            yield point.town, *point.centre
    for point in largest:
        if point.slug:
            yield point.slug, point.latitude, point.longitude
