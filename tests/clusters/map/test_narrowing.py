import re

import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clusters.directory.index import distance
from clusters.directory.results import Directory, Position
from clusters.map.narrowing import Ground
from clusters.templatetags.clusters_tags import cluster_map
from labels.register.holdings import directory
from tests.factories import make_cluster

# Two towns of one name, one of two places, one that nobody named, one that nobody placed.
CLUSTERS = [
    ("Torino", "IT", 45.07, 7.69),
    ("Torino", "IT", 45.07, 7.69),
    ("Torino", "IT", 45.10, 7.72),
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


def asked(query: str) -> Directory:
    return directory(QueryDict(query), "/en/clusters/", timezone.localdate())


@pytest.mark.django_db
@pytest.mark.parametrize("is_close", [False, True])
@pytest.mark.parametrize(
    "query", ["", "country=IT", "country=FI&country=IT", "near=Torino&within=150"]
)
def test_circle_tells_how_many_its_list_has(query: str, is_close: bool) -> None:
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
    found = asked(query)

    dots = cluster_map(found.points(), found.total, found.query, is_close=is_close)["dots"]

    several = [dot for dot in dots if dot.count > 1]
    assert several
    for dot in several:
        told = re.search(r"the list has (\d+)", dot.name)
        others = "others, too" in dot.name
        expected = int(told[1]) if told else dot.count
        listed = asked(dot.url.partition("?")[2]).total
        assert listed > dot.count if others else listed == expected, dot


degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(st.lists(degrees, max_size=30), degrees, st.integers(1, 20_000))
def test_ground_counts_all_that_are_near(
    places: list[tuple[float, float]], middle: tuple[float, float], kilometres: int
) -> None:
    points = [Position(*place, "IT", "", 1, key) for key, place in enumerate(places)]

    counted = Ground(points, len(points)).count_within(kilometres, *middle)

    assert counted == sum(distance(*middle, *place) <= kilometres for place in places)
