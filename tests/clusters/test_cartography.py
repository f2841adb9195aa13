from math import sqrt

import pytest

from clusters.cartography import (
    Circle,
    Place,
    Point,
    Projection,
    is_on_map,
    join_points,
    outlines,
    project,
)

TORINO = Place("torino", 45.07, 7.69)
IVREA = Place("ivrea", 45.47, 7.88)
LISBOA = Place("lisboa", 38.72, -9.14)
QUERETARO = Place("queretaro", 20.59, -100.39)


def rounded(point: Point) -> tuple[float, float]:
    return round(point.x, 1), round(point.y, 1)


def test_project_puts_the_centre_of_the_projection_at_its_origin() -> None:
    projection = outlines().projection

    assert project(52, 10) == Point(projection.x0, projection.y0)


def test_projection_agrees_with_the_worked_example_of_snyder() -> None:
    """His "Working Manual" of 1987, page 332: a sphere of radius 3, centre 40N 100W."""
    projection = Projection(lat0=40, lon0=-100, scale=3, x0=0, y0=0)

    point = projection.point(-20, 100)

    assert (round(point.x, 5), round(-point.y, 5)) == (-4.23393, 4.02578)


@pytest.mark.parametrize(
    ("latitude", "longitude", "position"),
    [
        pytest.param(45.07, 7.69, (374.7, 685.4), id="Torino"),
        pytest.param(38.72, -9.14, (40.5, 798.3), id="Lisboa"),
        pytest.param(59.44, 24.75, (604.3, 303.4), id="Tallinn"),
    ],
)
def test_project_places_a_town(
    latitude: float, longitude: float, position: tuple[float, float]
) -> None:
    assert rounded(project(latitude, longitude)) == position


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        pytest.param(Point(0, 0), True, id="upper left corner"),
        pytest.param(Point(1000, 930), True, id="lower right corner"),
        pytest.param(Point(-0.1, 10), False, id="left of it"),
        pytest.param(Point(1000.1, 10), False, id="right of it"),
        pytest.param(Point(10, -0.1), False, id="above it"),
        pytest.param(Point(10, 930.1), False, id="below it"),
    ],
)
def test_is_on_map_includes_the_edge(point: Point, expected: bool) -> None:
    assert is_on_map(point) is expected


def test_is_on_map_excludes_mexico() -> None:
    assert is_on_map(project(QUERETARO.latitude, QUERETARO.longitude)) is False


def test_join_points_joins_near_places_only() -> None:
    circles = join_points([TORINO, IVREA, LISBOA], minimum_distance=20)

    assert [circle.keys for circle in circles] == [("ivrea", "torino"), ("lisboa",)]


def test_join_points_keeps_all_places_apart_when_there_is_room() -> None:
    circles = join_points([TORINO, IVREA, LISBOA], minimum_distance=1)

    assert [circle.keys for circle in circles] == [("ivrea",), ("lisboa",), ("torino",)]


def test_join_points_counts_and_weighs_what_it_joins() -> None:
    several = Place("torino", TORINO.latitude, TORINO.longitude, count=3)
    torino, ivrea = project(45.07, 7.69), project(45.47, 7.88)

    (circle,) = join_points([IVREA, several], minimum_distance=20)

    assert circle.count == 4
    assert circle.centre.x == pytest.approx((torino.x * 3 + ivrea.x) / 4)
    assert circle.centre.y == pytest.approx((torino.y * 3 + ivrea.y) / 4)


def test_join_points_does_not_depend_on_the_order_of_the_places() -> None:
    places = [TORINO, IVREA, LISBOA, Place("milano", 45.46, 9.19), Place("genova", 44.41, 8.93)]

    assert join_points(places, 25) == join_points(places[::-1], 25)


def test_join_points_leaves_the_circles_as_far_apart_as_asked() -> None:
    places = [Place(f"{i:02}", 45 + i / 10, 8 + i / 10) for i in range(30)]

    circles = join_points(places, minimum_distance=15)

    assert sum(circle.count for circle in circles) == 30
    assert [
        (one.keys, other.keys)
        for i, one in enumerate(circles)
        for other in circles[:i]
        if one.centre.distance_to(other.centre) < 15
    ] == []


def test_join_points_leaves_out_places_off_the_map() -> None:
    circles = join_points([QUERETARO, LISBOA], minimum_distance=20)

    assert [circle.keys for circle in circles] == [("lisboa",)]


def test_join_points_of_nothing_is_nothing() -> None:
    assert join_points([], minimum_distance=20) == []


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
    assert Circle(Point(0, 0), count, ("a",)).radius == radius


def test_outlines_draw_every_country_of_the_union() -> None:
    union = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"

    assert set(union.split()) - set(outlines().countries) == set()


def test_outlines_are_closed_svg_paths() -> None:
    countries = outlines().countries

    assert [code for code, data in countries.items() if not data.startswith("M")] == []
    assert [code for code, data in countries.items() if not data.endswith("z")] == []
