"""Towns by any of their names; those of one name are kept apart."""

from datetime import date
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from clusters.directory.results import Directory
from clusters.directory.towns import (
    MAX_EXTENT_KM,
    Place,
    exonyms,
    great_circle_km,
    names_of_town,
    towns_by_name,
)
from clusters.models import Cluster
from clusters.names import normal_name
from labels.register.holdings import directory as directory_of
from tests.factories import make_cluster, region

DAY = date(2026, 11, 30)
PATH = "/en/clusters/"

SAALE, BRABANT = (51.4825, 11.9705), (50.7339, 4.2345)


def directory(**asked: str) -> Directory:
    query = QueryDict(mutable=True)
    query.update(asked)
    return directory_of(query, PATH, DAY)


def names(answer: Directory) -> list[str]:
    by_key = Cluster.objects.in_bulk()
    return [by_key[key].name for key in answer.keys()]  # noqa: SIM118


def settle(name: str, town: str, country: str, position: tuple[float, float], **more: Any) -> Any:
    north, east = (str(degrees) for degrees in position)
    return make_cluster(
        name=name, town=town, country=country, latitude=north, longitude=east, **more
    )


@pytest.fixture
def halles(db: None) -> None:
    settle("Saale Chemistry", "Halle", "DE", SAALE, region=region("DE-ST"))
    settle("Leipzig Energy", "Leipzig", "DE", (51.34, 12.37), region=region("DE-SN"))
    settle("Brabant Food", "Halle", "BE", BRABANT)
    settle("Mid", "Kassel", "DE", (51.31, 9.49))


def test_towns_of_one_name_are_kept_apart(halles: None) -> None:
    answer = directory(near="halle", within="60")

    assert names(answer) == ["Brabant Food", "Saale Chemistry", "Leipzig Energy"]
    assert [town.name for town in answer.towns_meant()] == [
        "Halle, Belgium",
        "Halle, Germany (Sachsen-Anhalt)",
    ]
    assert answer.problems == []


def test_each_of_them_is_asked_for_by_its_link(halles: None) -> None:
    found = {}
    for link in directory(near="Halle", within="60").towns_meant():
        asked = QueryDict(link.url.partition("?")[2])
        answer = directory_of(asked, PATH, DAY)
        assert answer.towns_meant() == []
        found[link.name] = names(answer)

    assert found == {
        "Halle, Belgium": ["Brabant Food"],
        "Halle, Germany (Sachsen-Anhalt)": ["Saale Chemistry", "Leipzig Energy"],
    }


@pytest.mark.parametrize(
    "near",
    ["Halle, DE", "halle,de", "Halle, Germany", "Halle, Germania", "Halle, Saxony-Anhalt",
     "HALLE, DE-ST", "Halle (Saale)"],
)  # fmt: skip
def test_town_is_named_with_its_country_or_region(halles: None, near: str) -> None:
    found = names(directory(near=near, within="20"))

    # The last is a name of its own: that of the one with the river.
    assert found == ["Saale Chemistry"]


def test_page_asks_which_town_is_meant(halles: None, client: Client) -> None:
    page = client.get(f"{PATH}?near=Halle&within=60").content.decode()
    italian = client.get("/it/clusters/?near=Halle&within=60").content.decode()

    assert "several places called “Halle”" in page
    assert "near=Halle%2C+DE-ST" in page.replace("%2c", "%2C") or "near=Halle,+DE-ST" in page
    assert "Halle, Germany (Sachsen-Anhalt)" in page
    assert "Halle, Germania (Sachsen-Anhalt)" in italian
    assert "0 km from Halle, Belgium" in page
    assert "0 km da Halle, Belgio" in italian


def test_rows_tell_the_distance_nearest_first(halles: None, client: Client) -> None:
    page = client.get(f"{PATH}?near=Leipzig&within=300").content.decode()

    assert names(directory(near="Leipzig", within="300")) == [
        "Leipzig Energy",
        "Saale Chemistry",
        "Mid",
    ]
    assert [text in page for text in ("0 km", "32 km", "200 km")] == [True] * 3
    assert " km\n" not in client.get(f"{PATH}?country=DE").content.decode()


def test_other_orders_stay_to_be_chosen(halles: None) -> None:
    answer = directory(near="Leipzig", within="300", sort="name")

    assert names(answer) == ["Leipzig Energy", "Mid", "Saale Chemistry"]
    assert "distance" in {sort.value for sort in answer.sorts()}
    assert "distance" not in {sort.value for sort in directory().sorts()}
    assert directory(sort="distance").sort == "name"
    assert directory(near="Atlantis").sort == "name"


def test_pages_by_distance_follow_each_other(halles: None) -> None:
    query = QueryDict("near=Halle&within=3000")
    whole = names(directory_of(query, PATH, DAY))
    seen, url = [], f"{PATH}?near=Halle&within=3000"
    while url:
        part = directory_of(QueryDict(url.partition("?")[2]), PATH, DAY, per_page=1)
        by_key = Cluster.objects.in_bulk()
        seen += [by_key[key].name for key in part.page.keys]
        url = part.page.next_url

    assert seen == whole
    assert len(whole) == 4


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "town", "asked"),
    [
        ("IT", "Torino", "Turin"),
        ("IT", "Turin", "torino"),
        ("IT", "Milano", "Milan"),
        ("DE", "München", "Monaco di Baviera"),
        ("DE", "München", "MUNICH"),
        ("DE", "Köln", "Cologne"),
        ("AT", "Wien", "Vienna"),
        ("DK", "København", "Copenhagen"),
        ("DK", "København", "kobenhavn"),
        ("DK", "Tønder", "Tonder"),
        ("SE", "Göteborg", "Gothenburg"),
        ("PL", "Łódź", "lodz"),
        ("CH", "St. Gallen", "St Gallen"),
        ("CH", "Sankt Gallen", "San Gallo"),
    ],
)
def test_town_is_found_by_its_other_names(country: str, town: str, asked: str) -> None:
    settle("Here", town, country, (47.5, 9.5))
    settle("There", "Elsewhere", country, (47.5, 9.6))

    assert names(directory(near=asked)) == ["Here", "There"]


@pytest.mark.django_db
def test_other_name_of_a_town_is_not_one_of_another_country() -> None:
    settle("Principality", "Monaco", "MC", (43.7, 7.4))
    settle("Bavaria", "München", "DE", (48.1, 11.6))

    assert names(directory(near="Monaco")) == ["Principality"]
    assert names(directory(near="Monaco di Baviera")) == ["Bavaria"]


@pytest.mark.django_db
def test_towns_to_choose_from_lead_to_one_town(client: Client, halles: None) -> None:
    towns = {town.value: town.label for town in directory().known_towns()}

    assert towns == {
        "Halle, BE": "Halle, Belgium",
        "Halle, DE-ST": "Halle, Germany (Sachsen-Anhalt)",
        "Kassel": "Kassel, Germany",
        "Leipzig": "Leipzig, Germany (Sachsen)",
    }
    assert all(len(directory(near=value).towns) == 1 for value in towns)
    assert '<option value="Halle, BE"' in client.get(PATH).content.decode()


@pytest.mark.django_db
def test_hidden_cluster_is_in_no_town() -> None:
    cluster = settle("Hidden", "Halle", "DE", SAALE)
    assert len(directory(near="Halle").towns) == 1
    cluster.is_published = False
    cluster.save()

    assert (directory(near="Halle").towns, directory().known_towns()) == ([], [])


positions = st.tuples(st.floats(40, 60), st.floats(0, 20))


@given(st.lists(positions, min_size=1, max_size=8))
def test_town_holds_no_place_that_is_far_from_its_first(found: list[tuple[float, float]]) -> None:
    places = [Place(*position, "DE", "Neustadt", "", 1) for position in found]

    towns = towns_by_name(places)["neustadt"]

    assert sum(town.count for town in towns) == len(places)
    for place in places:
        nearest = min(great_circle_km(*town.position, *place[:2]) for town in towns)
        assert nearest <= 2 * MAX_EXTENT_KM


def test_table_of_names_has_each_town_once() -> None:
    own = [(country, names[0]) for (country, _name), names in exonyms().items()]

    for country, name in set(own):
        assert names_of_town(country, name)[0] == name
    assert all(normal_name(name) == name for _country, name in exonyms())
