import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster
from tests.factories import (
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_organisation,
    make_programme,
    make_undated_label,
)

CountQueries = Callable[..., int]

STATEMENTS = ("about", "accessibility", "privacy", "data")
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}


# Home


@pytest.mark.django_db
def test_home_takes_as_many_queries_for_three_of_each_as_for_one(
    count_queries: CountQueries,
) -> None:
    def add(latitude: str) -> None:
        cluster = make_cluster(latitude=latitude, longitude="7")
        make_label(cluster=cluster)
        make_announcement(clusters=[cluster])

    add("45")
    one = count_queries("/en/")
    add("46")
    add("47")

    assert count_queries("/en/") == one


@pytest.mark.django_db
def test_home_leads_from_each_figure_to_the_list_behind_it(client: Client) -> None:
    """The numbers are told apart: 4 clusters in 2 countries, 1 holder, 2 renewable, 5 labels."""
    today = timezone.localdate()
    holder = make_cluster(country="NO")
    for number in ("1", "2"):
        make_label(
            cluster=holder,
            level="gold",
            valid_until=today + timedelta(days=9),
            certificate_number=number,
        )
    for level in ("gold", "bronze"):
        make_label(cluster=make_cluster(), level=level, valid_until=today - timedelta(days=9))
    make_undated_label(cluster=make_cluster())

    html = client.get("/en/").content.decode()
    figures = html[html.index('<ul class="figures"') :].split("</ul>")[0]

    assert [
        (part.split('"')[0], part.split("<b>")[1].split("</b>")[0])
        for part in figures.split('href="')[1:]
    ] == [
        ("/en/clusters/", "4"),
        ("/en/clusters/?level=gold", "1"),
        ("/en/labels/?state=renewable", "2"),
        ("/en/labels/", "5"),
    ]
    listed = ("/en/clusters/", "/en/clusters/?level=gold")
    assert [client.get(path).context["total"] for path in listed] == [4, 1]
    listed = ("/en/labels/?state=renewable", "/en/labels/")
    assert [client.get(path).context["page_obj"].paginator.count for path in listed] == [2, 5]


@pytest.mark.django_db
def test_home_tells_the_latest_announcements_and_awards_first(client: Client) -> None:
    for year in (2013, 2015, 2014):
        moment = datetime(year, 9, 8, 14, 38, tzinfo=UTC)
        make_announcement(title=f"News of {year}", published_at=moment)
        make_label(cluster=make_cluster(name=f"Holder of {year}"), assessed_on=str(year))

    context = client.get("/en/").context

    assert [announcement.text().title for announcement in context["announcements"]] == [
        "News of 2015",
        "News of 2014",
        "News of 2013",
    ]
    assert [label.cluster.name for label in context["awards"]] == [
        "Holder of 2015",
        "Holder of 2014",
        "Holder of 2013",
    ]


@pytest.mark.django_db
def test_home_does_not_show_what_is_not_published(client: Client) -> None:
    hidden = make_cluster(name="Hidden", is_published=False, latitude="45", longitude="7")
    make_label(cluster=hidden)
    make_announcement(title="Hidden too", state="draft")

    assert "Hidden" not in client.get("/en/").content.decode()


@pytest.mark.django_db
def test_home_search_leads_to_the_search_of_everything(client: Client) -> None:
    html = client.get("/it/").content.decode()

    assert '<form class="search" role="search" action="/it/search/" method="get">' in html


@pytest.mark.django_db
def test_home_examples_lead_to_pages_that_understand_them(client: Client) -> None:
    for example in client.get("/en/").context["examples"]:
        response = client.get(example.url)

        assert response.status_code == 200
        assert not response.context["query"].problems


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("accepted", "language"),
    [("it-IT,it;q=0.9", "it"), ("en-GB", "en"), ("fr,de", "en"), ("fr,it;q=0.5", "it"), ("", "en")],
)
def test_root_leads_to_the_readers_language(client: Client, accepted: str, language: str) -> None:
    response = client.get("/", headers={"accept-language": accepted})

    assert (response.status_code, response["Location"]) == (302, f"/{language}/")
    assert "Accept-Language" in response["Vary"]


@pytest.mark.django_db
def test_address_without_a_language_leads_to_the_readers(client: Client) -> None:
    response = client.get("/clusters/?country=IT", headers={"accept-language": "it"})

    assert response["Location"] == "/it/clusters/?country=IT"


# Statements


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_is_there_in_each_language_without_a_query(
    client: Client, name: str, language: str
) -> None:
    response = client.get(f"/{language}/{name}/")

    assert (response.status_code, response["Content-Language"]) == (200, language)


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_sets_no_cookie(client: Client, name: str) -> None:
    assert dict(client.get(f"/en/{name}/").cookies) == {}


# Errors


@pytest.mark.parametrize(("language", "word"), [("en", "Page not found"), ("it", "Pagina")])
def test_missing_page_is_told_in_the_readers_language(
    client: Client, language: str, word: str
) -> None:
    response = client.get(f"/{language}/nothing/")

    assert response.status_code == 404
    assert word in response.content.decode()


def test_missing_page_does_not_repeat_the_address(client: Client) -> None:
    assert b"<script>alert" not in client.get("/en/<script>alert(1)</script>/").content


def test_broken_page_is_told_without_the_database(client: Client) -> None:
    """A test without the mark `django_db` may not query: the page of the error does not."""
    client.raise_request_exception = False

    response = client.get("/en/clusters/")

    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


# Robots, security, sitemap


def test_robots_keeps_out_of_the_admin_and_shows_the_sitemap(client: Client) -> None:
    response = client.get("/robots.txt")

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode() == (
        "User-agent: *\nDisallow: /admin/\n\nSitemap: http://testserver/sitemap.xml\n"
    )


@time_machine.travel(date(2026, 11, 22))
def test_security_txt_tells_where_to_report_and_until_when(client: Client) -> None:
    response = client.get("/.well-known/security.txt")

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().splitlines() == [
        "Contact: mailto:security@example.org",
        "Expires: 2027-11-22T00:00:00+01:00",
        "Preferred-Languages: en, it",
        "Canonical: http://testserver/.well-known/security.txt",
    ]


def sitemap(client: Client) -> dict[str, ElementTree.Element]:
    root = ElementTree.fromstring(client.get("/sitemap.xml").content)  # noqa: S314
    return {url.findtext("s:loc", "", SITEMAP): url for url in root.findall("s:url", SITEMAP)}


@pytest.mark.django_db
def test_sitemap_lists_every_kind_of_page_in_each_language(client: Client) -> None:
    paths = [
        row.get_absolute_url().removeprefix("/en")
        for row in (
            make_cluster(),
            make_organisation(),
            make_programme(),
            make_label(),
            make_announcement(),
        )
    ]

    listed = sitemap(client)

    for path in ("/", "/clusters/", "/labels/how-it-works/", *paths):
        assert f"http://testserver/en{path}" in listed
        assert f"http://testserver/it{path}" in listed


@pytest.mark.django_db
def test_sitemap_leads_only_to_pages_that_are_there(client: Client) -> None:
    make_label(cluster=make_cluster(is_published=False))
    make_label()
    make_announcement(state="draft")

    statuses = {client.get(address).status_code for address in sitemap(client)}

    assert statuses == {200}


@pytest.mark.django_db
def test_sitemap_names_the_alternates(client: Client) -> None:
    cluster = make_cluster(slug="biopmed")

    url = sitemap(client)[f"http://testserver{cluster.get_absolute_url()}"]

    assert {
        link.attrib["hreflang"]: link.attrib["href"] for link in url.findall("x:link", SITEMAP)
    } == {
        "en": "http://testserver/en/clusters/biopmed/",
        "it": "http://testserver/it/clusters/biopmed/",
        "x-default": "http://testserver/clusters/biopmed/",
    }


@pytest.mark.django_db
def test_sitemap_names_an_announcement_by_its_address_in_each_language(client: Client) -> None:
    announcement = make_announcement(language="en", slug="the-gold")
    make_announcement_text(announcement, language="it", slug="l-oro")

    listed = sitemap(client)

    assert "http://testserver/en/news/2015/the-gold/" in listed
    assert "http://testserver/it/news/2015/l-oro/" in listed


@pytest.mark.django_db
def test_sitemap_tells_the_last_change_of_a_record(client: Client) -> None:
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC)):
        cluster = make_cluster()
    with time_machine.travel(datetime(2026, 2, 3, tzinfo=UTC)):
        cluster.save()

    url = sitemap(client)[f"http://testserver{cluster.get_absolute_url()}"]

    assert url.findtext("s:lastmod", "", SITEMAP)[:10] == "2026-02-03"


@pytest.mark.django_db
def test_sitemap_claims_no_change_that_nobody_noted(client: Client) -> None:
    cluster = make_cluster()
    Cluster.history.all().delete()

    url = sitemap(client)[f"http://testserver{cluster.get_absolute_url()}"]

    assert url.find("s:lastmod", SITEMAP) is None


@pytest.mark.django_db
def test_sitemap_takes_as_many_queries_for_three_of_each_as_for_one(
    count_queries: CountQueries,
) -> None:
    make_announcement(clusters=[make_label().cluster])
    one = count_queries("/sitemap.xml")
    for _ in range(2):
        make_announcement(clusters=[make_label().cluster])

    assert count_queries("/sitemap.xml") == one
