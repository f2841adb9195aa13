from math import cos, radians, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.map.projection import (
    EUROPE,
    SHEETS,
    WORLD,
    Circle,
    EqualEarth,
    Lambert,
    Point,
    Sheet,
    Spot,
    join_spots,
    project,
)

TORINO = Spot(1, project(EUROPE, 45.07, 7.69))
IVREA = Spot(2, project(EUROPE, 45.47, 7.88))
LISBOA = Spot(3, project(EUROPE, 38.72, -9.14))


def rounded(point: Point) -> tuple[float, float]:
    return round(point.x, 1), round(point.y, 1)


def test_lambert_agrees_with_the_worked_example_of_snyder() -> None:
    """His "Working Manual" of 1987, page 332: a sphere of radius 3, centre 40N 100W."""
    point = Lambert(lat0=40, lon0=-100, scale=3, x0=0, y0=0).point(-20, 100)

    assert (round(point.x, 5), round(-point.y, 5)) == (-4.23393, 4.02578)


def test_equal_earth_has_the_width_and_height_that_its_authors_tell() -> None:
    """Šavrič and others, 2018: 5.41 to 2.63 radii of the sphere."""
    earth = EqualEarth(lon0=0, scale=1, x0=0, y0=0)

    assert round(-2 * earth.point(0, -180).x, 2) == 5.41
    assert round(-2 * earth.point(90, 0).y, 2) == 2.63


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS.keys())
@pytest.mark.parametrize("latitude", [0, 30, 45, 60])
def test_square_degrees_keep_their_area(sheet: Sheet, latitude: float) -> None:
    """A small quadrangle covers as much of the sheet as of the sphere, wherever it lies."""
    side = 0.01
    corners = [
        project(sheet, latitude + north, 10 + east)
        for north, east in ((0, 0), (0, side), (side, side), (side, 0))
    ]
    area = abs(
        sum(
            one.x * other.y - other.x * one.y
            for one, other in zip(corners, corners[1:] + corners[:1], strict=True)
        )
        / 2
    )
    on_sphere = radians(side) ** 2 * cos(radians(latitude + side / 2))
    scale: float = sheet.projection.scale  # type: ignore[attr-defined]

    assert area / scale**2 == pytest.approx(on_sphere, rel=0.01)


@pytest.mark.parametrize(
    ("latitude", "longitude", "position"),
    [
        pytest.param(45.07, 7.69, (374.7, 685.4), id="Torino"),
        pytest.param(38.72, -9.14, (40.5, 798.3), id="Lisboa"),
        pytest.param(59.44, 24.75, (604.3, 303.4), id="Tallinn"),
    ],
)
def test_project_places_a_town_on_europe(
    latitude: float, longitude: float, position: tuple[float, float]
) -> None:
    assert rounded(project(EUROPE, latitude, longitude)) == position


def test_mexico_is_on_the_map_of_the_world_only() -> None:
    queretaro = (20.59, -100.39)

    assert not EUROPE.has(project(EUROPE, *queretaro))
    assert WORLD.has(project(WORLD, *queretaro))


def test_join_spots_joins_near_ones_only() -> None:
    circles = join_spots([TORINO, IVREA, LISBOA], minimum_distance=20)

    assert [circle.keys for circle in circles] == [(1, 2), (3,)]


def test_join_spots_counts_and_weighs_what_it_joins() -> None:
    several = Spot(1, TORINO.point, count=3)

    (circle,) = join_spots([IVREA, several], minimum_distance=20)

    assert circle.count == 4
    assert circle.centre.x == pytest.approx((TORINO.point.x * 3 + IVREA.point.x) / 4)
    assert circle.centre.y == pytest.approx((TORINO.point.y * 3 + IVREA.point.y) / 4)


def test_join_spots_of_nothing_is_nothing() -> None:
    assert join_spots([], minimum_distance=20) == []


coordinates = st.floats(0, 300, allow_nan=False, width=32)
some_spots = st.lists(st.tuples(coordinates, coordinates, st.integers(1, 5)), max_size=40).map(
    lambda rows: [Spot(key, Point(x, y), count) for key, (x, y, count) in enumerate(rows)]
)


@given(some_spots)
def test_joined_spots_are_all_there_and_far_enough_apart(spots: list[Spot]) -> None:
    circles = join_spots(spots, minimum_distance=25)

    assert sorted(key for circle in circles for key in circle.keys) == [s.key for s in spots]
    assert sum(circle.count for circle in circles) == sum(spot.count for spot in spots)
    assert not [
        (one.keys, other.keys)
        for place, one in enumerate(circles)
        for other in circles[:place]
        if one.centre.distance_to(other.centre) < 25
    ]
    assert [c.keys for c in join_spots(spots[::-1], 25)] == [c.keys for c in circles]


Row = tuple[float, float, int, tuple[int, ...]]


def naive(spots: list[Spot], least: float) -> list[tuple[int, ...]]:
    """Each circle in turn compared with all before it, until nothing is too close."""
    circles: list[Row] = [(s.point.x, s.point.y, s.count, (s.key,)) for s in spots]
    number = -1
    while number != len(circles):
        number = len(circles)
        kept: list[Row] = []
        for x, y, count, keys in sorted(circles, key=lambda row: (-row[2], min(row[3]))):
            near = [
                (((x - a) ** 2 + (y - b) ** 2) ** 0.5, place)
                for place, (a, b, _count, _keys) in enumerate(kept)
            ]
            distance, place = min(near, default=(least, -1))
            if distance >= least:
                kept.append((x, y, count, keys))
                continue
            a, b, others, theirs = kept[place]
            both = count + others
            middle = ((x * count + a * others) / both, (y * count + b * others) / both)
            kept[place] = (*middle, both, tuple(sorted(keys + theirs)))
        circles = kept
    return [row[3] for row in sorted(circles, key=lambda row: (-row[2], min(row[3])))]


@given(some_spots)
def test_join_spots_equals_the_comparison_of_all_with_all(spots: list[Spot]) -> None:
    assert [circle.keys for circle in join_spots(spots, 25)] == naive(spots, 25)


@pytest.mark.parametrize(
    ("count", "radius"),
    [
        pytest.param(1, 5.0, id="smallest"),
        pytest.param(4, 10.0, id="twice the radius for four times the count"),
        pytest.param(5, 5 * sqrt(5), id="between"),
        pytest.param(400, 22.0, id="largest"),
    ],
)
def test_circle_radius_grows_with_the_root_of_the_count(count: int, radius: float) -> None:
    assert Circle(Point(0, 0), count, (1,)).radius == radius
