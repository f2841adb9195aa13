"""Draws `outlines.json`, the map of Europe, from a TopoJSON file of the world's countries.

    python -m clusters.data.make_outlines countries-50m.json

The input is `countries-50m.json` of the npm package `world-atlas` (version 2), made from
Natural Earth, which is in the public domain. To be run again only for another window,
projection or degree of simplification: the result is committed.

Each border is projected and simplified once, so that neighbours still fit together, then
the countries are put together, cut to the window and written as SVG path data. Islands too
small to be seen are left out. Borders follow the United Nations where Natural Earth draws
who is in control: the north of Cyprus is drawn as Cyprus, Crimea as Ukraine. Kosovo has
its own outline under the code XK.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from clusters.cartography import OUTLINES_PATH, Point, Projection

WIDTH, HEIGHT = 1000, 930
PROJECTION = Projection(lat0=52, lon0=10, scale=1448, x0=416, y0=511)
SOURCE = "Natural Earth 1:50m, public domain"
MARGIN = 4.0
TOLERANCE = 0.6
SMALLEST_ISLAND = 6.0
SMALLEST_COUNTRY = 1.0
CRIMEA = (45.2, 34.3)

CODES = {
    "008": "AL", "012": "DZ", "020": "AD", "031": "AZ", "040": "AT", "051": "AM", "056": "BE",
    "070": "BA", "100": "BG", "112": "BY", "191": "HR", "196": "CY", "203": "CZ", "208": "DK",
    "233": "EE", "234": "FO", "246": "FI", "248": "AX", "250": "FR", "268": "GE", "275": "PS",
    "276": "DE", "300": "GR", "348": "HU", "352": "IS", "364": "IR", "368": "IQ",
    "372": "IE", "376": "IL", "380": "IT", "398": "KZ", "400": "JO", "422": "LB", "428": "LV",
    "434": "LY", "438": "LI", "440": "LT", "442": "LU", "470": "MT", "492": "MC", "498": "MD",
    "499": "ME", "504": "MA", "528": "NL", "578": "NO", "616": "PL", "620": "PT", "642": "RO",
    "643": "RU", "674": "SM", "682": "SA", "688": "RS", "703": "SK", "705": "SI", "724": "ES",
    "752": "SE", "756": "CH", "760": "SY", "788": "TN", "792": "TR", "804": "UA",
    "807": "MK", "818": "EG", "826": "GB", "831": "GG", "832": "JE", "833": "IM",
}  # fmt: skip
CODES_BY_NAME = {"Kosovo": "XK", "N. Cyprus": "CY"}

Ring = list[Point]


def main() -> None:
    topology = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    outlines = {
        "width": WIDTH,
        "height": HEIGHT,
        "projection": vars(PROJECTION),
        "source": SOURCE,
        "countries": dict(sorted(countries(topology).items())),
    }
    text = json.dumps(outlines, ensure_ascii=False, indent=1)
    OUTLINES_PATH.write_text(text + "\n", encoding="utf-8")


def countries(topology: dict[str, Any]) -> dict[str, str]:
    arcs = [simplify(arc) for arc in projected_arcs(topology)]
    polygons: dict[str, list[list[Ring]]] = defaultdict(list)
    for geometry in topology["objects"]["countries"]["geometries"]:
        code = CODES_BY_NAME.get(geometry["properties"]["name"]) or CODES.get(geometry.get("id"))
        for polygon in polygons_of(geometry):
            rings = [assemble(ring, arcs) for ring in polygon]
            if code:
                polygons["UA" if is_crimea(code, rings[0]) else code].append(rings)
    paths = {code: path(of_country) for code, of_country in polygons.items()}
    return {code: data for code, data in paths.items() if data}


def projected_arcs(topology: dict[str, Any]) -> Iterator[Ring]:
    """TopoJSON keeps each border once, as whole numbers relative to the point before."""
    (x_scale, y_scale), (x_move, y_move) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )
    for arc in topology["arcs"]:
        x = y = 0
        ring = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            ring.append(PROJECTION.point(y * y_scale + y_move, x * x_scale + x_move))
        yield ring


def polygons_of(geometry: dict[str, Any]) -> list[list[list[int]]]:
    arcs: list[Any] = geometry.get("arcs", [])
    return [arcs] if geometry["type"] == "Polygon" else arcs


def assemble(indexes: Iterable[int], arcs: list[Ring]) -> Ring:
    """A ring of arcs end to end; ~i means arc i backwards."""
    ring: Ring = []
    for index in indexes:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring.extend(arc[1:] if ring else arc)
    return ring[:-1]


def simplify(line: Ring) -> Ring:
    """Douglas and Peucker: no point left out lies further than TOLERANCE from the line."""
    if len(line) < 3:
        return line
    start, end = line[0], line[-1]
    distances = [distance(point, start, end) for point in line[1:-1]]
    furthest = max(range(len(distances)), key=distances.__getitem__) + 1
    if distances[furthest - 1] <= TOLERANCE:
        return [start, end]
    return simplify(line[: furthest + 1])[:-1] + simplify(line[furthest:])


def distance(point: Point, start: Point, end: Point) -> float:
    """From the point to the segment; a closed line begins as a segment without length."""
    dx, dy = end.x - start.x, end.y - start.y
    length = dx * dx + dy * dy
    along = ((point.x - start.x) * dx + (point.y - start.y) * dy) / length if length else 0.0
    along = min(max(along, 0.0), 1.0)
    return point.distance_to(Point(start.x + along * dx, start.y + along * dy))


def clip(ring: Ring) -> Ring:
    """Sutherland and Hodgman, to the window and a margin that hides the cut."""
    for is_inside, crossing in (
        edge(0, -MARGIN, 1),
        edge(0, WIDTH + MARGIN, -1),
        edge(1, -MARGIN, 1),
        edge(1, HEIGHT + MARGIN, -1),
    ):
        ring = clip_at(ring, is_inside, crossing)
    return ring


def edge(
    axis: int, at: float, side: int
) -> tuple[Callable[[Point], bool], Callable[[Point, Point], Point]]:
    """One side of the window: axis 0 is x, 1 is y; the inside is above `at` for side 1."""

    def is_inside(point: Point) -> bool:
        return ((point.x, point.y)[axis] - at) * side >= 0

    def crossing(one: Point, other: Point) -> Point:
        from_, to = (one.x, one.y)[axis], (other.x, other.y)[axis]
        share = (at - from_) / (to - from_)
        return Point(one.x + share * (other.x - one.x), one.y + share * (other.y - one.y))

    return is_inside, crossing


def clip_at(
    ring: Ring, is_inside: Callable[[Point], bool], crossing: Callable[[Point, Point], Point]
) -> Ring:
    clipped = []
    for before, point in zip(ring[-1:] + ring[:-1], ring, strict=True):
        if is_inside(before) != is_inside(point):
            clipped.append(crossing(before, point))
        if is_inside(point):
            clipped.append(point)
    return clipped


def area(ring: Ring) -> float:
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    return abs(sum(one.x * two.y - two.x * one.y for one, two in pairs)) / 2


def is_crimea(code: str, ring: Ring) -> bool:
    return code == "RU" and encloses(ring, PROJECTION.point(*CRIMEA))


def encloses(ring: Ring, point: Point) -> bool:
    """By the number of times that a line to the right crosses the ring."""
    inside = False
    for one, two in zip(ring, ring[1:] + ring[:1], strict=True):
        if (one.y > point.y) != (two.y > point.y):
            x = one.x + (point.y - one.y) / (two.y - one.y) * (two.x - one.x)
            inside ^= x > point.x
    return inside


def path(polygons: list[list[Ring]]) -> str:
    """Nothing for a country outside the window; a small one keeps its largest island."""
    clipped = [[clip(ring) for ring in polygon] for polygon in polygons]
    visible = [polygon for polygon in clipped if area(polygon[0]) >= SMALLEST_ISLAND]
    if not visible:
        largest = max(clipped, key=lambda polygon: area(polygon[0]))
        visible = [largest] if area(largest[0]) >= SMALLEST_COUNTRY else []
    kept = [
        ring
        for polygon in visible
        for ring in polygon
        if ring is polygon[0] or area(ring) >= SMALLEST_COUNTRY
    ]
    return "".join(ring_path(ring) for ring in kept)


def ring_path(ring: Ring) -> str:
    """Relative lines in tenths of a unit, each from the rounded point before it."""
    tenths = [(round(point.x * 10), round(point.y * 10)) for point in ring]
    (x, y), *rest = tenths
    steps = [f"M{number(x)} {number(y)}l"]
    for next_x, next_y in rest:
        if (next_x, next_y) != (x, y):
            steps.append(f"{number(next_x - x)} {number(next_y - y)} ")
            x, y = next_x, next_y
    return "".join(steps).rstrip() + "z"


def number(tenths: int) -> str:
    return f"{tenths / 10:g}"


if __name__ == "__main__":
    main()
