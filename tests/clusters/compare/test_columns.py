import csv
import re
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster, ClusterText, ManagementRole, MemberKind, MembershipCount
from tests.clusters.views.test_directory import make_full_cluster, text_of
from tests.factories import (
    make_announcement,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    portfolio,
    region,
)

pytestmark = pytest.mark.django_db

COMPARE = "/en/clusters/compare/"
CSV = "/clusters/compare.csv"
VERDICT = "Valid until 31 July 2017. By the register’s reckoning: the source prints no end."


def asking(*asked: "Cluster | str", **more: str) -> str:
    pairs = [f"c={one.slug if isinstance(one, Cluster) else one}" for one in asked]
    return "?" + "&".join([*pairs, *(f"{name}={value}" for name, value in more.items())])


def names_in(client: Client, query: str) -> list[str]:
    return [column.cluster.name for column in client.get(COMPARE + query).context["columns"]]


def make_clusters(*names: str) -> list[Cluster]:
    return [make_cluster(name=name, slug=name.lower()) for name in names]


def rows_of(response: Any) -> list[list[str]]:
    assert response.status_code == 200
    return list(csv.reader(StringIO(response.content.decode(), newline=""), strict=True))


def test_cluster_compare_takes_as_many_queries_for_six_clusters_as_for_two(
    count_queries: Callable[[str], int],
) -> None:
    clusters = [make_full_cluster() for _ in range(6)]
    two = count_queries(COMPARE + asking(*clusters[:2]))

    assert count_queries(COMPARE + asking(*clusters)) == two <= 10
    assert count_queries(CSV + asking(*clusters)) == two


def test_cluster_compare_keeps_the_order_of_the_address(client: Client) -> None:
    make_clusters("Alpha", "Beta", "Gamma")

    assert names_in(client, "?c=gamma&c=alpha&c=beta") == ["Gamma", "Alpha", "Beta"]


def test_cluster_compare_shows_once_what_is_asked_for_in_several_ways(client: Client) -> None:
    alpha, _beta = make_clusters("Alpha", "Beta")
    alpha.slug = "renamed"
    alpha.save()

    query = f"?c=alpha&c=beta&c=renamed&c={alpha.public_id.lower()}&c=beta"

    assert names_in(client, query) == ["Alpha", "Beta"]


def test_cluster_compare_shows_the_first_six_and_says_so(client: Client) -> None:
    clusters = make_clusters(*"ABCDEFG")

    assert names_in(client, asking(*clusters)) == list("ABCDEF")
    assert "At most six clusters stand side by side; these are the first six." in text_of(
        client, COMPARE + asking(*clusters)
    )
    assert "At most six" not in text_of(client, COMPARE + asking(*clusters[:6]))


def test_cluster_compare_names_what_it_does_not_know_and_tells_nothing_of_what_is_hidden(
    client: Client,
) -> None:
    clusters = make_clusters("Alpha", "Beta")
    make_cluster(name="Secret", slug="hidden", is_published=False)

    text = text_of(client, COMPARE + asking(*clusters, "hidden", "<b>"))

    assert "No cluster is known as “hidden”, “&lt;b&gt;”." in text
    assert "Secret" not in text


def test_cluster_compare_without_a_cluster_says_how_to_choose(client: Client) -> None:
    text = text_of(client, COMPARE)

    assert "Nothing to compare yet" in text
    assert client.get(COMPARE).context["columns"] == []


def test_cluster_compare_of_one_offers_others_of_its_portfolio_its_own_country_first(
    client: Client,
) -> None:
    alpha = make_cluster(name="Alpha", slug="alpha", portfolio=portfolio())
    make_cluster(name="Abroad", slug="abroad", portfolio=portfolio(), country="FR")
    make_cluster(name="Near", slug="near", portfolio=portfolio(), town="Ivrea")
    make_cluster(name="Hidden", portfolio=portfolio(), is_published=False)
    make_cluster(name="Other")

    context = client.get(COMPARE + asking(alpha)).context

    assert [(link.name, link.url) for link in context["neighbours"]] == [
        ("Near, Ivrea, Italy", f"{COMPARE}?c=alpha&c=near"),
        ("Abroad, France", f"{COMPARE}?c=alpha&c=abroad"),
    ]


def test_cluster_compare_draws_all_clusters_on_the_same_scales(client: Client) -> None:
    first, second = make_clusters("Alpha", "Beta")
    make_label(cluster=first, assessed_on="2009-07")
    make_label(cluster=second, assessed_on="2021-07")
    for cluster, year, number in ((first, "2008", 40), (second, "2024", 160)):
        MembershipCount.objects.create(cluster=cluster, counted_on=year, count=number)

    one, other = client.get(COMPARE + asking(first, second)).context["columns"]

    assert one.timeline.ticks == other.timeline.ticks
    assert one.growth.lines == other.growth.lines
    assert one.growth.years == other.growth.years
    assert one.growth.points[0].x < other.growth.points[0].x


def test_cluster_compare_shows_labels_and_managers_of_the_day_and_keeps_it_in_its_links(
    client: Client,
) -> None:
    first, second = make_clusters("Alpha", "Beta")
    make_label(cluster=first, assessed_on="2015-07")
    make_management(cluster=first, ended_on="2014")
    make_management(cluster=first, started_on="2015", organisation=make_organisation(name="Park"))
    page = COMPARE + asking(first, second, on="2015-09-08")

    text = text_of(client, page)
    columns = client.get(page).context["columns"]

    assert f"Label that day G Gold {VERDICT} " in text
    assert "Managed by Park lead, since 2015 not recorded" in text
    assert [column.remove_url for column in columns] == [
        f"{COMPARE}?c=beta&on=2015-09-08",
        f"{COMPARE}?c=alpha&on=2015-09-08",
    ]


def test_cluster_compare_counts_published_announcements_of_each_cluster(client: Client) -> None:
    first, second = make_clusters("Alpha", "Beta")
    make_announcement(clusters=[first, second])
    make_announcement(
        clusters=[first],
        published_at=datetime(2016, 1, 1, 0, 30, tzinfo=timezone.get_default_timezone()),
    )
    make_announcement(clusters=[second], state="draft")

    columns = client.get(COMPARE + asking(first, second)).context["columns"]

    assert [(column.heard.number, str(column.heard.latest_on)) for column in columns] == [
        (2, "2016-01-01"),
        (1, "2015-09-08"),
    ]


@pytest.mark.parametrize("typed", ["beta", "Beta", "bet", "  BETA "])
def test_cluster_compare_leads_on_to_the_comparison_with_one_more(
    client: Client, typed: str
) -> None:
    make_clusters("Alpha", "Beta")

    response = client.get(COMPARE, {"c": "alpha", "add": typed, "on": "2015-09-08"})

    assert (response.status_code, response["Location"]) == (
        302,
        f"{COMPARE}?c=alpha&c=beta&on=2015-09-08",
    )


def test_cluster_compare_asks_which_of_several_is_meant(client: Client) -> None:
    make_clusters("Alpha", "Medical North", "Medical South")

    context = client.get(COMPARE, {"c": "alpha", "add": "medical"}).context

    assert {link.name for link in context["candidates"]} == {
        "Medical North, Italy",
        "Medical South, Italy",
    }


def test_cluster_compare_says_that_nothing_has_that_name(client: Client) -> None:
    make_cluster(name="Secret", is_published=False)

    text = text_of(client, f"{COMPARE}?add=secret")

    assert "No cluster was found for “secret”." in text
    assert "Did you mean" not in text


def test_cluster_compare_offers_the_name_that_was_mistyped(client: Client) -> None:
    make_clusters("bioPmed", "Alpha")

    html = client.get(COMPARE, {"c": "alpha", "add": "biomped"}).content.decode()
    found = re.search(r'<a href="([^"]+)">Did you mean “biopmed”\?</a>', html)

    assert found is not None
    assert client.get(found[1].replace("&amp;", "&"))["Location"] == f"{COMPARE}?c=alpha&c=biopmed"


def test_cluster_compare_adds_nothing_to_six(client: Client) -> None:
    clusters = make_clusters(*"ABCDEFG")
    page = COMPARE + asking(*clusters[:6], add="g")

    assert "Six clusters are the most" in text_of(client, page)
    assert 'name="add"' not in client.get(page).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "?c=&c=%20&add=",
        "?c=" + "x" * 5000,
        "?" + "&".join(f"c=cluster-{number}" for number in range(900)),
        "?c[]=a&c=alpha&c=..%2F..%2F&c=%E2%80%AE&c=%F0%9F%A6%84&on=2015-02-30&lang=tlh",
        "?c=alpha&c=%EF%BF%BD&add=%22%28%2A%20AND%20OR%20NEAR%3A&on=0000-00-00",
        "?c=alpha&c=beta&add=" + "%22" * 400,
    ],
)
def test_cluster_compare_survives_what_is_typed(client: Client, query: str) -> None:
    make_clusters("Alpha", "Beta")

    assert client.get(COMPARE + query).status_code in (200, 302)
    assert client.get(CSV + query).status_code in (200, 400)


# The table


def test_compare_csv_says_what_the_page_says(client: Client) -> None:
    cluster = make_cluster(
        name="Alpha", slug="alpha", town="Ivrea", region=region("IT-21"), portfolio=portfolio(),
        founded_on="2009", confirmed_on="2026-11-01",
    )  # fmt: skip
    ClusterText.objects.create(cluster=cluster, language="en", tagline="=Life")
    park = make_organisation(name="Park")
    make_management(cluster=cluster, organisation=park, started_on="2009")
    make_management(cluster=cluster, role=ManagementRole.JOINT, ended_on="2014")
    make_participation(cluster=cluster, programme=make_programme(name_en="ACE"), started_on="2012")
    make_label(cluster=cluster, assessed_on="2015-07")
    make_announcement(clusters=[cluster])
    for day, kind, number in (("2015", "total", 40), ("2022-12", "total", 87), ("2015", "sme", 30)):
        MembershipCount.objects.create(
            cluster=cluster, counted_on=day, kind=MemberKind(kind), count=number
        )
    other = make_cluster(name="Alpha", country="FR")

    rows = rows_of(client.get(CSV + asking(cluster, other, on="2015-09-08")))

    assert rows == [
        ["Cluster", f"Alpha ({cluster.public_id})", f"Alpha ({other.public_id})"],
        ["Public id", cluster.public_id, other.public_id],
        ["Page", "http://testserver/en/clusters/alpha/",
         f"http://testserver/en/clusters/{other.slug}/"],
        ["State", "active", "active"],
        ["In one line", "'=Life", ""],
        ["Label", f"Gold: {VERDICT}", ""],
        ["Managed by", "Park (lead) 2009–", ""],
        ["Where", "Ivrea, Piemonte, Italy", "France"],
        ["Portfolio", "Health and medical science", ""],
        ["Founded", "2009", ""],
        ["Labels over time", "Gold, July 2015 – about July 2017, valid", ""],
        ["Members by kind", "small and medium-sized firms 30 (2015)", ""],
        ["Programmes", "ACE 2012–", ""],
        ["Last confirmed", "2026-11-01", ""],
        ["Announcements", "1", "0"],
        ["Latest announcement", "2015-09-08", ""],
        ["Members, 2015", "40", ""],
        ["Members, 2022-12", "87", ""],
    ]  # fmt: skip


def test_compare_csv_is_the_table_that_the_page_offers(client: Client) -> None:
    clusters = make_clusters("Alpha", "Beta")
    page = "/it" + COMPARE.removeprefix("/en") + asking(*clusters, on="2015-09-08")

    html = client.get(page).content.decode()

    found = re.search(r'href="(/clusters/compare\.csv[^"]+)"', html)
    assert found is not None
    address = found[1].replace("&amp;", "&")
    assert address == f"{CSV}?c=alpha&c=beta&on=2015-09-08&for=spreadsheet&lang=it"
    assert client.get(address).content.decode().splitlines()[3] == "Stato;attivo;attivo"


def test_compare_csv_is_open_to_every_origin_and_sent_once(client: Client) -> None:
    clusters = make_clusters("Alpha", "Beta")
    first = client.get(CSV + asking(*clusters))

    again = client.get(CSV + asking(*clusters), headers={"if-none-match": first["ETag"]})

    assert (again.status_code, again["Access-Control-Allow-Origin"]) == (304, "*")
    assert "max-age=" in again["Cache-Control"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?c=alpha&c=nonesuch", "c: No cluster is known as “nonesuch”."),
        ("?c=alpha&on=yesterday", "on: “yesterday” is not a day like 2015-09-08"),
        ("?c=alpha&lang=tlh", "lang: “tlh” is not one of en, it"),
    ],
)
def test_compare_csv_refuses_what_it_does_not_understand(
    client: Client, query: str, told: str
) -> None:
    make_clusters("Alpha")

    response = client.get(CSV + query)

    assert (response.status_code, response.content.decode().strip()) == (400, told)
