"""One box over all that the register has."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from config.site.search.records import ResultGroup
from config.site.search.site_pages import PAGES, pages_matching
from tests.factories import (
    make_announcement,
    make_cluster,
    make_label,
    make_organisation,
    make_programme,
    update_labels,
)

pytestmark = pytest.mark.django_db


def shown(group: ResultGroup) -> list[object]:
    return list(group.keys if group.name == "clusters" else group.rows)


def test_search_finds_every_kind(client: Client) -> None:
    make_cluster(name="Torino Mobility", is_published=False)
    cluster = make_cluster(name="Torino Health")
    organisation = make_organisation(name="Finpiemonte", town="Torino")
    programme = make_programme(name_en="Poles of Torino", name_it="Poli")
    announcement = make_announcement(title="Gold for Torino")
    make_announcement(title="Torino tomorrow", published_at=datetime(2099, 1, 1, tzinfo=UTC))
    groups = client.get("/en/search/?q=torin").context["answer"].groups
    assert [(group.name, group.number, shown(group)) for group in groups] == [
        ("clusters", 1, [cluster.pk]),
        ("organisations", 1, [organisation]),
        ("announcements", 1, [announcement]),
        ("programmes", 1, [programme]),
    ]


@pytest.mark.parametrize("number", ["public_id", "certificate_number"])
def test_search_finds_a_label_by_its_number(client: Client, number: str) -> None:
    label = make_label(certificate_number="G-2015/57")
    [group] = (
        client.get("/en/search/", {"q": getattr(label, number).lower()}).context["answer"].groups
    )
    assert (group.name, list(group.rows)) == ("labels", [label])
    update_labels(is_published=False)
    assert client.get("/en/search/", {"q": getattr(label, number)}).context["answer"].groups == []


def test_search_leads_on_to_lists_of_the_same_length(client: Client) -> None:
    for number in range(7):
        make_cluster(name=f"Torino {number}")
        make_organisation(name=f"Torino {number}")
    clusters, organisations = client.get("/en/search/?q=torino").context["answer"].groups
    assert (clusters.number, len(clusters.rows)) == (7, 5)
    assert client.get(clusters.url).context["total"] == 7
    assert (organisations.number, len(organisations.rows)) == (7, 5)
    assert client.get(organisations.url).context["page_obj"].paginator.count == 7


def test_search_says_what_was_found_instead(client: Client) -> None:
    cluster = make_cluster(name="bioPmed")
    [group] = client.get("/en/search/?q=biomped").context["answer"].groups
    assert group.keys == (cluster.pk,)
    assert group.note == "Nothing has “biomped”; this was found for “biopmed”."


@pytest.mark.parametrize(
    "query", ["", "?q=", "?q=%22", "?q=%F0%9F%98%80", "?q=a&q=b", f"?q={'a+' * 300}"]
)
def test_search_answers_whatever_is_asked(client: Client, query: str) -> None:
    make_cluster(name="<script>alert(1)</script> A")
    response = client.get(f"/en/search/{query}")
    assert response.status_code == 200
    assert b"<script>alert" not in response.content


def test_search_costs_the_same_for_one_and_for_three(
    client: Client, count_queries: Callable[[str], int]
) -> None:
    def make() -> None:
        make_cluster(name="Torino")
        make_organisation(name="Torino")
        make_programme(name_en="Torino")
        make_announcement(title="Torino").clusters.add(make_cluster(name="Torino"))

    make()
    client.get("/en/search/?q=torino")
    one = count_queries("/en/search/?q=torino")
    make()
    make()
    client.get("/en/search/?q=torino")
    assert count_queries("/en/search/?q=torino") == one


@pytest.mark.parametrize("words", ["how to get the label", "ESCA", "come ottenere il label"])
def test_page_of_the_label_is_told_first(client: Client, words: str) -> None:
    make_announcement(title="How ESCA got its label")
    first = client.get("/en/search/", {"q": words}).context["answer"].groups[0]
    assert (first.name, first.rows[0].url) == ("pages", "/en/labels/how-it-works/")


def test_every_page_of_the_portal_that_is_named_is_there(client: Client) -> None:
    for page in PAGES:
        [found] = [one for one in pages_matching(page.words) if one.name == str(page.title)]
        assert client.get(found.url).status_code == 200


def test_words_that_name_filters_are_understood_and_told(client: Client) -> None:
    held = make_label(level="gold", assessed_on="2013-07", cluster=make_cluster(name="Torino Wood"))
    make_label(level="bronze", assessed_on="2013-07")
    make_label(level="gold", assessed_on="2013-07", cluster=make_cluster(country="NO"))

    response = client.get("/en/search/?q=gold+clusters+in+italy")

    answer = response.context["answer"]
    [group] = [one for one in answer.groups if one.name == "clusters"]
    assert group.keys == (held.cluster.pk,)
    assert answer.read_as == "Gold, Italy, held at any time"
    assert client.get(group.url).context["total"] == 1
    literal = client.get(response.context["literal_url"]).context["answer"]
    assert (literal.read_as, literal.number) == ("", 0)


def test_what_is_understood_and_not_there_leads_on(client: Client) -> None:
    make_label(level="gold", assessed_on="2013-07")

    response = client.get("/en/search/?q=gold+norway+today")

    answer = response.context["answer"]
    assert answer.read_as == "Gold, Norway, held at any time"
    urls = [way.url for way in answer.ways_out]
    assert urls == ["/en/clusters/?level=gold&held=ever"]
    assert "No cluster fits" in response.content.decode()


def test_day_in_the_words_is_told(client: Client) -> None:
    make_label(level="gold", assessed_on="2013-07")
    answer = client.get("/en/search/?q=gold+2014").context["answer"]
    assert answer.read_as == "Gold, as it stood on 31 December 2014"


def test_name_goes_before_what_its_words_say(client: Client) -> None:
    cluster = make_cluster(name="Gold Italy", country="NO")
    answer = client.get("/en/search/?q=gold+italy").context["answer"]
    assert (answer.read_as, answer.groups[0].keys) == ("", (cluster.pk,))


def test_record_found_by_another_name_tells_it(client: Client) -> None:
    cluster = make_cluster(name="Polo del Piemonte")
    cluster.names.create(name="Torino Wireless")
    organisation = make_organisation(name="Fondazione Piemonte Innova")
    organisation.former_names.create(name="Fondazione Torino Wireless")

    response = client.get("/en/search/?q=torino+wireless")

    clusters, organisations = response.context["answer"].groups
    assert clusters.formerly == {cluster.pk: "Torino Wireless"}
    assert organisations.formerly == {organisation.pk: "Fondazione Torino Wireless"}
    assert "Found by its other name <mark>Torino</mark>" in response.content.decode()


@pytest.mark.parametrize(
    ("language", "address"),
    [("en", "http://testserver/en/search/"), ("it", "http://testserver/it/search/")],
)
def test_browser_is_told_of_the_search(client: Client, language: str, address: str) -> None:
    link = f'type="application/opensearchdescription+xml" href="/opensearch.{language}.xml"'
    assert link in client.get(f"/{language}/").content.decode()
    response = client.get(f"/opensearch.{language}.xml")
    url = ElementTree.fromstring(response.content).find("{*}Url")  # noqa: S314
    assert response["Content-Type"] == "application/opensearchdescription+xml; charset=utf-8"
    assert url is not None
    assert url.get("template") == f"{address}?q={{searchTerms}}"


def test_browser_is_told_in_languages_of_the_portal_alone(client: Client) -> None:
    assert client.get("/opensearch.de.xml").status_code == 404
