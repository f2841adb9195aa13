"""Draws the maps' outlines, `static/europe.svg` and `static/world.svg`, from TopoJSON.

    python -m clusters.map.make_outlines countries-50m.json countries-110m.json

The input are `countries-50m.json` (for Europe) and `countries-110m.json` (for the world) of the
npm package `world-atlas` (version 2), made from Natural Earth, which is in the public domain. To
be run again only for another window, projection or degree of simplification: the result is
committed.

Each border is projected and simplified once, so that neighbours still fit together, then
the countries are put together, cut to the window and written as SVG path data. Islands too
small to be seen are left out. Borders follow the United Nations where Natural Earth draws
who is in control: the north of Cyprus is drawn as Cyprus, Crimea as Ukraine, Somaliland as
Somalia. Kosovo has its own outline under the code XK.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django_countries.data import ALT_CODES

from clusters.map.projection import EUROPE, WORLD, Point, Projection, Sheet

STATIC = Path(__file__).parents[2] / "static"
MARGIN = 4.0
CRIMEA = (45.2, 34.3)


@dataclass(frozen=True)
class OutlineSet:
    """A sheet, and what of it is too small to draw, in map units."""

    sheet: Sheet
    tolerance: float
    smallest_island: float
    smallest_country: float


DRAWINGS = (
    OutlineSet(EUROPE, tolerance=0.6, smallest_island=6.0, smallest_country=1.0),
    OutlineSet(WORLD, tolerance=0.4, smallest_island=1.0, smallest_country=0.1),
)

CODES = {f"{number:03}": code for code, (_name, number) in ALT_CODES.items()}
CODES_BY_NAME = {"Kosovo": "XK", "N. Cyprus": "CY", "Somaliland": "SO"}
# What lies on the other side of the Earth comes out of Lambert's projection inside out.
AROUND_EUROPE_TEXT = """
AD AL AM AT AX AZ BA BE BG BY CH CY CZ DE DK DZ EE EG ES FI FO FR GB GE GG GR HR HU IE IL IM IQ IR
IS IT JE JO KZ LB LI LT LU LV LY MA MC MD ME MK MT NL NO PL PS PT RO RS RU SA SE SI SK SM SY TN TR
UA XK
"""
AROUND_EUROPE = set(AROUND_EUROPE_TEXT.split())

Ring = list[Point]
Polygon = list[list[int]]


def main() -> None:
    for drawing, path, codes in zip(
        DRAWINGS, sys.argv[1:], (AROUND_EUROPE, {*CODES.values(), "XK"} - {"AQ"}), strict=True
    ):
        topology = json.loads(Path(path).read_text(encoding="utf-8"))
        file = STATIC / f"{drawing.sheet.name}.svg"
        file.write_text(svg(drawing, paths_of(drawing, topology, codes)), encoding="utf-8")


def svg(drawing: OutlineSet, paths: dict[str, str]) -> str:
    # A drawing to be used by others, who say its colours; strokes keep their width.
    sheet = drawing.sheet
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {sheet.width} {sheet.height}">',
        "<!-- Natural Earth, public domain -->",
        '<g id="land">',
        *(
            f'<path id="{code}" vector-effect="non-scaling-stroke" d="{data}"/>'
            for code, data in sorted(paths.items())
        ),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def paths_of(drawing: OutlineSet, topology: dict[str, Any], codes: set[str]) -> dict[str, str]:
    whole = list(projected_arcs(drawing.sheet.projection, topology))
    arcs = [simplify(arc, drawing.tolerance) for arc in whole]
    crimea = drawing.sheet.projection.point(*CRIMEA)
    polygons: dict[str, list[Polygon]] = defaultdict(list)
    for geometry in topology["objects"]["countries"]["geometries"]:
        code = CODES_BY_NAME.get(geometry["properties"]["name"]) or CODES.get(geometry.get("id"))
        for polygon in polygons_of(geometry):
            if code in codes:
                is_crimea = code == "RU" and encloses(assemble(polygon[0], arcs), crimea)
                polygons["UA" if is_crimea else code].append(polygon)
    paths = {
        code: path(drawing, [[assemble(ring, arcs) for ring in polygon] for polygon in joined])
        for code, of_country in polygons.items()
        if (joined := without_inner_borders(of_country, arcs))
    }
    return {code: data for code, data in paths.items() if data}


def projected_arcs(projection: Projection, topology: dict[str, Any]) -> Iterator[Ring]:
    # TopoJSON keeps each border once, as whole numbers relative to the point before.
    (x_scale, y_scale), (x_move, y_move) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )
    for arc in topology["arcs"]:
        x = y = 0
        ring = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            ring.append(projection.point(y * y_scale + y_move, x * x_scale + x_move))
        yield ring


def polygons_of(geometry: dict[str, Any]) -> list[Polygon]:
    arcs: list[Any] = geometry.get("arcs", [])
    return [arcs] if geometry["type"] == "Polygon" else arcs


def without_inner_borders(polygons: list[Polygon], arcs: list[Ring]) -> list[Polygon]:
    # Parts of a country that share a border, which both name, become one without it.
    used = {index for polygon in polygons for ring in polygon for index in ring}
    inner = {index for index in used if ~index in used}
    apart = [polygon for polygon in polygons if inner.isdisjoint(polygon[0])]
    together = [polygon for polygon in polygons if not inner.isdisjoint(polygon[0])]
    if not together:
        return apart
    holes = [ring for polygon in together for ring in polygon[1:]]
    left = [index for polygon in together for index in polygon[0] if index not in inner]
    by_start = {ends(index, arcs)[0]: index for index in left}
    rings: list[list[int]] = []
    while by_start:
        start, index = by_start.popitem()
        ring = [index]
        while (end := ends(ring[-1], arcs)[1]) != start:
            ring.append(by_start.pop(end))
        rings.append(ring)
    rings.sort(key=lambda ring: area(assemble(ring, arcs)), reverse=True)
    return [*apart, [*rings, *holes]]


def ends(index: int, arcs: list[Ring]) -> tuple[Point, Point]:
    return (arcs[index][0], arcs[index][-1]) if index >= 0 else (arcs[~index][-1], arcs[~index][0])


def assemble(indexes: Iterable[int], arcs: list[Ring]) -> Ring:
    # A ring of arcs end to end; ~i means arc i backwards.
    ring: Ring = []
    for index in indexes:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring.extend(arc[1:] if ring else arc)
    return ring[:-1]


def simplify(line: Ring, tolerance: float) -> Ring:
    # Douglas and Peucker: no point left out lies further than the tolerance from the line.
    if len(line) < 3:
        return line
    start, end = line[0], line[-1]
    distances = [distance(point, start, end) for point in line[1:-1]]
    furthest = max(range(len(distances)), key=distances.__getitem__) + 1
    if distances[furthest - 1] <= tolerance:
        return [start, end]
    return simplify(line[: furthest + 1], tolerance)[:-1] + simplify(line[furthest:], tolerance)


def distance(point: Point, start: Point, end: Point) -> float:
    # From the point to the segment; a closed line begins as a segment without length.
    dx, dy = end.x - start.x, end.y - start.y
    length = dx * dx + dy * dy
    along = ((point.x - start.x) * dx + (point.y - start.y) * dy) / length if length else 0.0
    along = min(max(along, 0.0), 1.0)
    return point.distance_to(Point(start.x + along * dx, start.y + along * dy))


def clip(sheet: Sheet, ring: Ring) -> Ring:
    # Sutherland and Hodgman, to the window and a margin that hides the cut.
    for is_inside, crossing in (
        edge(0, -MARGIN, 1),
        edge(0, sheet.width + MARGIN, -1),
        edge(1, -MARGIN, 1),
        edge(1, sheet.height + MARGIN, -1),
    ):
        ring = clip_at(ring, is_inside, crossing)
    return ring


def edge(
    axis: int, at: float, side: int
) -> tuple[Callable[[Point], bool], Callable[[Point, Point], Point]]:
    # One side of the window: axis 0 is x, 1 is y; the inside is above `at` for side 1.
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


def encloses(ring: Ring, point: Point) -> bool:
    # By the number of times that a line to the right crosses the ring.
    inside = False
    for one, two in zip(ring, ring[1:] + ring[:1], strict=True):
        if (one.y > point.y) != (two.y > point.y):
            x = one.x + (point.y - one.y) / (two.y - one.y) * (two.x - one.x)
            inside ^= x > point.x
    return inside


def path(drawing: OutlineSet, polygons: list[list[Ring]]) -> str:
    # Nothing for a country outside the window; a small one keeps its largest island.
    clipped = [[clip(drawing.sheet, ring) for ring in polygon] for polygon in polygons]
    visible = [polygon for polygon in clipped if area(polygon[0]) >= drawing.smallest_island]
    if not visible:
        largest = max(clipped, key=lambda polygon: area(polygon[0]))
        visible = [largest] if area(largest[0]) >= drawing.smallest_country else []
    kept = [
        ring
        for polygon in visible
        for ring in polygon
        if ring is polygon[0] or area(ring) >= drawing.smallest_country
    ]
    return "".join(ring_path(ring) for ring in kept)


def ring_path(ring: Ring) -> str:
    # Relative lines in tenths of a unit, each from the rounded point before it.
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
