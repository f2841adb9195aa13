import csv
import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from labels.figures.page import FILES
from tests.conftest import MOST_QUERIES
from tests.factories import hide, make_cluster, make_label, make_undated_label, portfolio

pytestmark = pytest.mark.django_db

PAGE = "/en/figures/"
CountQueries = Callable[..., int]


@pytest.fixture(autouse=True)
def on_a_day() -> Iterator[None]:
    with time_machine.travel("2018-03-01 12:00+01:00", tick=False):
        yield


def text_of(client: Client, path: str) -> str:
    html = client.get(path).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def rows_of(client: Client, name: str, query: str = "") -> list[dict[str, str]]:
    response = client.get(reverse(f"figures_{name}_csv") + query)
    assert response.status_code == 200
    return list(csv.DictReader(response.content.decode().splitlines()))


def make_register() -> None:
    health = portfolio("health-and-medical-science")
    cluster = make_cluster(country="IT", portfolio=health)
    make_label(cluster=cluster, assessed_on="2013-05", kind="first")
    make_label(cluster=cluster, assessed_on="2015-07", kind="renewal")
    make_label(cluster=make_cluster(country="NO"), assessed_on="2016")
    make_label(cluster=make_cluster(country="ES"), assessed_on="2017-10", level="silver")
    make_undated_label(cluster=make_cluster(country="MX"), level="bronze")


def test_page_shows_what_is_certain_and_what_may_be(client: Client) -> None:
    make_register()

    text = text_of(client, PAGE)

    assert "5 labels of 4 clusters" in text
    assert "Of its 5 labels here 0 are known to the day. Of 1 no date is known" in text
    assert "in 2018 on 1 March 2018" in text
    assert (
        "Year Gold Silver 2013 1 0 2014 1 0 2015 1 0 2016 2 0 2017 1 1 2018 0 1 more may 1" in text
    )
    assert "2015 1 of 1 (100 %) 1 0 0 2016 0 0 0 2017 0 0 1" in text
    assert "Up to 3 years 1 1 1 still does More than 3 and up to 6 years 1 0" in text
    assert "Spain 1 0 1 Norway 0 1 more may 0 1 more may 0" in text


def test_page_says_that_the_register_is_not_complete(client: Client) -> None:
    make_label()

    text = text_of(client, PAGE)

    assert "not how many labels there are: it does not hold every one" in text
    assert "a renewal that it does not hold is not seen" in text


def test_page_of_another_day_knows_nothing_later(client: Client) -> None:
    make_register()

    text = text_of(client, f"{PAGE}?on=2015-08-01")

    assert "The register as it stood on 1 August 2015" in text
    assert "2013: 1 for certain; 2014: 1 for certain; 2015: 1 for certain" in text
    assert "2016" not in text.partition("Holders by year")[2]


def test_one_number_is_a_sentence_instead_of_a_drawing(client: Client) -> None:
    make_label(assessed_on="2017-10", level="silver", cluster=make_cluster(country="IT"))

    html = client.get(f"{PAGE}?on=2017-11-01").content.decode()

    assert "2017: 1 for certain." in html
    assert html.count('role="img"') == 1  # the map
    assert "held it for certain" not in html


def test_empty_register_says_so_in_words(client: Client) -> None:
    text = text_of(client, PAGE)

    assert "No cluster of this choice held a label by this day" in text
    assert "No label of this choice had run out by this day" in text
    assert "as CSV" not in text


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("?country=IT", 2),
        ("?level=silver", 1),
        ("?portfolio=health-and-medical-science", 2),
        ("?portfolio=not_recorded&country=NO", 1),
    ],
)
def test_filters_narrow_every_figure(client: Client, query: str, labels: int) -> None:
    make_register()

    assert f"{labels} label{'s' if labels > 1 else ''} of 1 cluster" in text_of(
        client, PAGE + query
    )
    assert sum(int(row["labels"]) for row in rows_of(client, "awards", query)) == labels
    assert 'name="robots" content="noindex' in client.get(PAGE + query).content.decode()


def test_number_beside_a_filter_is_that_of_the_page_that_it_leads_to(client: Client) -> None:
    make_register()
    html = client.get(f"{PAGE}?level=gold").content.decode()

    options = re.findall(
        r'<li><a href="([^"]+)"[^>]*>\s*<span>[^<]*</span>\s*<span class="count">(\d+)', html
    )
    others = [option for option in options if option[0].count("level=") == 1]
    assert len(others) == 4  # two countries and two sectors of Gold
    for address, number in others:
        shown = text_of(client, address.replace("&amp;", "&"))
        assert re.search(rf"\b{number} labels? of \d+ cluster", shown)


def test_what_is_not_understood_is_said(client: Client) -> None:
    text = text_of(client, f"{PAGE}?country=QQ&on=soon&portfolio=x")

    assert "There is no country “QQ”; it was left out." in text
    assert "“soon” is not a day like 2015-09-08; today is shown." in text


def test_page_takes_as_many_queries_for_many_labels_as_for_one(count_queries: CountQueries) -> None:
    make_label(assessed_on="2013-05")
    one = count_queries(PAGE, MOST_QUERIES + 2)
    for _number in range(3):
        make_register()

    # Of these one for what was counted elsewhere and one for each level.
    assert count_queries(PAGE, MOST_QUERIES + 2) == one


@pytest.mark.parametrize("name", FILES)
def test_file_takes_few_queries_however_many_labels(count_queries: CountQueries, name: str) -> None:
    path = reverse(f"figures_{name}_csv")
    make_label(assessed_on="2013-05")
    one = count_queries(path, 6)
    make_register()

    assert count_queries(path, 6) == one


def test_files_say_what_the_page_says(client: Client) -> None:
    make_register()

    assert rows_of(client, "holders", "?level=gold&on=2016-12-31")[-2:] == [
        {
            "on": "2016-12-31",
            "level": "gold",
            "country": "IT",
            "portfolio": "health-and-medical-science",
            "holders": "1",
            "may_hold": "0",
        },
        {
            "on": "2016-12-31",
            "level": "gold",
            "country": "NO",
            "portfolio": "",
            "holders": "1",
            "may_hold": "0",
        },
    ]
    assert rows_of(client, "countries")[:2] == [
        {"on": "2018-03-01", "country": "ES", "level": "", "holders": "1", "may_hold": "0"},
        {"on": "2018-03-01", "country": "ES", "level": "silver", "holders": "1", "may_hold": "0"},
    ]
    assert [list(row.values()) for row in rows_of(client, "renewals")] == [
        ["2015", "gold", "IT", "health-and-medical-science", "renewed", "1"],
        ["2017", "gold", "IT", "health-and-medical-science", "cannot_be_told", "1"],
    ]
    assert [list(row.values()) for row in rows_of(client, "times", "?level=silver")] == [
        ["2018-03-01", "silver", "3", "1", "1"]
    ]
    assert [row["portfolio"] for row in rows_of(client, "sectors")] == ["", "", ""]


@pytest.mark.parametrize("name", FILES)
def test_file_refuses_what_it_does_not_understand(client: Client, name: str) -> None:
    response = client.get(f"{reverse(f'figures_{name}_csv')}?country=QQ&on=soon&lang=fr")

    assert response.status_code == 400
    assert response.content.decode() == (
        "country: there is no “QQ”; on: “soon” is not a day like 2015-09-08; "
        "lang: “fr” is not one of en, it\n"
    )


def test_what_is_hidden_is_in_no_figure(client: Client) -> None:
    make_label(assessed_on="2017-01")
    before = [text_of(client, PAGE), *(rows_of(client, name) for name in FILES)]
    hide(make_label(assessed_on="2016-01").cluster)
    make_label(assessed_on="2015-01", is_published=False)

    assert [text_of(client, PAGE), *(rows_of(client, name) for name in FILES)] == before


def test_page_of_the_demo_is_light(client: Client) -> None:
    """Its text grows with years, countries and sectors, not with labels."""
    make_register()
    size = len(client.get(PAGE, headers={"accept-encoding": "gzip"}).content)
    for _number in range(20):
        make_label(cluster=make_cluster(country="IT"), assessed_on="2016-03")

    again = len(client.get(PAGE, headers={"accept-encoding": "gzip"}).content)
    assert again <= size + 200
    assert again <= 20_000
