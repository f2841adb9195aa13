import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clusters.directory.query import Box
from clusters.directory.results import Directory, MapPoint
from clusters.map.boxes import boxes_around
from clusters.templatetags.clusters_tags import cluster_map
from labels.register.holdings import directory
from tests.factories import make_cluster

# Two towns of one name, one of two places, two names of one place, one without a name, and one
# without coordinates.
CLUSTERS = [
    ("Torino", "IT", 45.07, 7.69),
    ("Torino", "IT", 45.07, 7.69),
    ("Torino", "IT", 45.10, 7.72),
    ("Turin", "IT", 45.10, 7.72),
    ("Ivrea", "IT", 45.47, 7.88),
    ("", "IT", 45.06, 7.70),
    ("San Marco", "IT", 41.71, 15.63),
    ("San Marco", "IT", 45.55, 11.95),
    ("Milano", "IT", 45.46, 9.19),
    ("Genève", "CH", 46.20, 6.15),
    ("Lausanne", "CH", 46.52, 6.63),
    ("Oulu", "FI", 65.01, 25.47),
    ("Oulu", "FI", 65.01, 25.47),
    ("Nowhere", "NO", None, None),
]


def directory_at(query: str) -> Directory:
    return directory(QueryDict(query), "/en/clusters/", timezone.localdate())


@pytest.fixture
def places(db: None) -> None:
    for number, (town, country, latitude, longitude) in enumerate(CLUSTERS):
        make_cluster(
            name=f"Number {number}",
            slug=f"number-{number}",
            town=town,
            country=country,
            region=None,
            latitude=latitude,
            longitude=longitude,
        )


@pytest.mark.parametrize("is_close", [False, True])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "country=IT",
        "country=FI&country=IT",
        "near=Torino&within=150",
        "box=6,45,10,46",
        "box=6,45,7.7,47&box=7,45,10,46",
    ],
)
def test_circle_leads_to_a_list_of_as_many(places: None, query: str, is_close: bool) -> None:
    found = directory_at(query)

    dots = cluster_map(found.points(), found.total, found.query, is_close=is_close)["dots"]

    several = [dot for dot in dots if dot.count > 1]
    assert several
    for dot in several:
        assert directory_at(dot.url.partition("?")[2]).total == dot.count, dot


degrees = st.decimals(-90, 90, places=4).map(float)
spots = st.dictionaries(st.tuples(degrees, degrees), st.booleans(), min_size=1, max_size=40)


@given(spots, st.lists(st.tuples(degrees, degrees), max_size=2))
def test_boxes_hold_every_member_and_no_other(
    spots: dict[tuple[float, float], bool], corners: list[tuple[float, float]]
) -> None:
    points = {place: MapPoint(*place, "IT", "", 1, key) for key, place in enumerate(spots)}
    outer = [Box(west=-90, south=-90, east=east, north=north) for north, east in corners]
    members = {
        place
        for place, is_member in spots.items()
        if is_member and (not outer or any(box.holds(*place) for box in outer))
    }

    boxes = list(
        boxes_around(
            [points[place] for place in members],
            [point for place, point in points.items() if place not in members],
            outer,
        )
    )

    held = {place for place in spots if any(box.holds(*place) for box in boxes)}
    assert held == members
    for box in boxes:
        assert not outer or any(
            o.holds(box.south, box.west) and o.holds(box.north, box.east) for o in outer
        )
