"""The boxes of latitude and longitude that hold the places of one circle and no others."""

from collections.abc import Iterator, Sequence

from clusters.directory.query import WHOLE_EARTH, Box
from clusters.directory.results import MapPoint


def boxes_around(
    members: Sequence[MapPoint], others: Sequence[MapPoint], within: Sequence[Box]
) -> Iterator[Box]:
    """Boxes that hold every member and none of the others, each inside one of `within`.

    No other may stand at the very place of a member.
    """
    remaining = list(members)
    for outer in within or (WHOLE_EARTH,):
        inner = [point for point in remaining if outer.holds(point.latitude, point.longitude)]
        remaining = [point for point in remaining if point not in inner]
        if inner:
            yield from cut(inner, others)


def cut(members: Sequence[MapPoint], others: Sequence[MapPoint]) -> Iterator[Box]:
    box = Box(
        west=min(point.longitude for point in members),
        south=min(point.latitude for point in members),
        east=max(point.longitude for point in members),
        north=max(point.latitude for point in members),
    )
    inside = [point for point in others if box.holds(point.latitude, point.longitude)]
    if not inside:
        yield box
        return
    # The areas of neighbouring circles are no rectangles, so halves are tried until each is free.
    if box.east - box.west > box.north - box.south:
        ordered = sorted(members, key=lambda point: (point.longitude, point.latitude))
    else:
        ordered = sorted(members, key=lambda point: (point.latitude, point.longitude))
    middle = len(ordered) // 2
    yield from cut(ordered[:middle], inside)
    yield from cut(ordered[middle:], inside)
