from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from clusters.models import Cluster
from labels.models import Statement
from news.models import Announcement
from tests.factories import (
    MOMENT,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_organisation,
    make_programme,
)

pytestmark = pytest.mark.django_db

LIST = "/en/news/"
GOLD = "/en/news/2015/gold/"


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel("2019-03-01T12:00Z", tick=False):
        yield


def text_of(response: Any) -> str:
    return " ".join(str(response.content, "utf-8").split())


def listed(response: Any) -> list[Announcement]:
    return list(response.context["page_obj"].object_list)


# Lists


def test_announcement_list_shows_published_ones_the_latest_first(client: Client) -> None:
    early = make_announcement()
    late = make_announcement(published_at=MOMENT + timedelta(days=400))
    make_announcement(is_published=False)
    make_announcement(published_at="2019-03-01T12:00:01Z")

    response = client.get(LIST)

    assert listed(response) == [late, early]
    assert response.context["years"] == [2016, 2015]


def test_announcement_list_without_news_says_so(client: Client) -> None:
    assert "No news yet" in text_of(client.get(LIST))


def test_announcement_list_names_the_cluster(client: Client) -> None:
    cluster = make_cluster(name="bioPmed", slug="biopmed")
    make_announcement(clusters=[make_cluster(name="A hidden one", is_published=False), cluster])

    text = text_of(client.get(LIST))

    assert '<a href="/en/clusters/biopmed/">bioPmed</a>' in text
    assert "A hidden one" not in text


def test_announcement_list_of_a_cluster(client: Client) -> None:
    cluster = make_cluster(name="bioPmed", slug="biopmed")
    announcement = make_announcement(clusters=[cluster])
    make_announcement()

    response = client.get(LIST, {"cluster": "biopmed"})

    assert listed(response) == [announcement]
    assert "<h1>News of bioPmed</h1>" in text_of(response)
    assert "/news.atom?lang=en&amp;cluster=biopmed" in text_of(response)


@pytest.mark.parametrize("slug", ["nobody", "hidden"])
def test_announcement_list_of_an_unknown_cluster_names_it(client: Client, slug: str) -> None:
    make_cluster(slug="hidden", is_published=False)
    announcement = make_announcement()

    response = client.get(LIST, {"cluster": slug})

    assert f"There is no cluster “{slug}”; all news is shown." in text_of(response)
    assert listed(response) == [announcement]


def test_announcement_list_marks_a_text_of_the_other_language(client: Client) -> None:
    make_announcement(title="Gold")

    assert '<h3 lang="en">' in text_of(client.get("/it/news/"))
    assert "<h3> <a" in text_of(client.get(LIST))


def test_announcement_list_is_paged(client: Client) -> None:
    cluster = make_cluster(slug="biopmed")
    for _ in range(21):
        make_announcement(clusters=[cluster])

    response = client.get(f"{LIST}?cluster=biopmed")

    assert len(listed(response)) == 20
    assert "?cluster=biopmed&amp;page=2" in text_of(response)
    assert client.get(f"{LIST}?page=3").status_code == 404


def test_announcement_list_takes_as_many_queries_for_three_rows(
    count_queries: Callable[[str], int],
) -> None:
    make_announcement(clusters=[make_cluster()])
    for_one = count_queries(LIST)
    make_announcement(clusters=[make_cluster()])
    make_announcement(clusters=[make_cluster()])

    assert count_queries(LIST) == for_one


def test_announcement_year_shows_that_year(client: Client) -> None:
    announcement = make_announcement()
    make_announcement(published_at="2016-05-01T10:00Z")

    response = client.get("/en/news/2015/")

    assert listed(response) == [announcement]
    assert "<h1>News of 2015</h1>" in text_of(response)


@pytest.mark.parametrize("year", ["2014", "2019", "0001", "99999"])
def test_announcement_year_without_news_is_not_found(client: Client, year: str) -> None:
    make_announcement()
    make_announcement(published_at="2014-05-01T10:00Z", is_published=False)
    make_announcement(published_at="2019-05-01T10:00Z")

    assert client.get(f"/en/news/{year}/").status_code == 404


def test_announcement_year_takes_as_many_queries_for_three_rows(
    count_queries: Callable[[str], int],
) -> None:
    make_announcement(clusters=[make_cluster()])
    for_one = count_queries("/en/news/2015/")
    make_announcement(clusters=[make_cluster()])
    make_announcement(clusters=[make_cluster()])

    assert count_queries("/en/news/2015/") == for_one


# An announcement


def make_gold(**fields: Any) -> Announcement:
    return make_announcement(**({"slug": "gold", "title": "bioPmed reaches Gold"} | fields))


def test_announcement_detail_shows_the_text(client: Client) -> None:
    make_gold(lead="The first.", body="## What\n\n- one", box_title="About ESCA", box="*Who.*")

    text = text_of(client.get(GOLD))

    assert "<h1>bioPmed reaches Gold</h1>" in text
    assert '<p class="lede">The first.</p>' in text
    assert '<div class="prose"><h2>What</h2> <ul> <li>one</li> </ul> </div>' in text
    assert '<h2>About ESCA</h2> <div class="prose"><p><em>Who.</em></p> </div>' in text
    assert '<time datetime="2015-09-08T14:38:00+02:00">8 September 2015, 14:38</time>' in text


def test_announcement_detail_without_a_box_has_none(client: Client) -> None:
    make_gold()

    assert "aside-box" not in text_of(client.get(GOLD))


def test_announcement_detail_gives_each_label_its_state_then_and_today(client: Client) -> None:
    make_gold(labels=[make_label(), make_label(is_published=False)])

    response = client.get(GOLD)

    assert [(row.then, row.today) for row in response.context["labels"]] == [("valid", "expired")]
    assert 'on 8 September 2015: <span class="state is-valid">valid</span>' in text_of(response)
    assert 'today: <span class="state is-expired">expired</span>' in text_of(response)


def test_announcement_detail_names_published_relations_only(client: Client) -> None:
    make_gold(
        clusters=[make_cluster(name="Cluster A"), make_cluster(name="No A", is_published=False)],
        organisations=[
            make_organisation(name="Park B"),
            make_organisation(name="No B", is_published=False),
        ],
        programmes=[
            make_programme(name_en="Programme C"),
            make_programme(name_en="No C", is_published=False),
        ],
    )

    text = text_of(client.get(GOLD))

    assert [name in text for name in ("Cluster A", "Park B", "Programme C")] == [True] * 3
    assert [name in text for name in ("No A", "No B", "No C")] == [False] * 3


def test_announcement_detail_quotes_counts_with_their_source(client: Client) -> None:
    statement = Statement.objects.create(
        as_of_on="2015-09-08",
        definition_en="clusters analysed",
        definition_it="cluster analizzati",
        count=800,
        is_more_than=True,
        source="example.org/800",
    )
    make_gold(statements=[statement])

    text = text_of(client.get(GOLD))

    assert "<dt>more than 800</dt>" in text
    assert 'Source: <a href="https://example.org/800"' in text


@pytest.mark.parametrize(
    ("fields", "is_shown"),
    [
        pytest.param({"is_address_shown": True}, True, id="shown"),
        pytest.param({"is_address_shown": False}, False, id="kept"),
        pytest.param({"is_address_shown": True, "is_published": False}, False, id="unpublished"),
    ],
)
def test_announcement_detail_shows_an_address_only_where_opted_in(
    client: Client, fields: dict[str, Any], is_shown: bool
) -> None:
    organisation = make_organisation(role_address="press@example.org", **fields)
    make_gold(contact_role="Communication office", contact_organisation=organisation)

    text = text_of(client.get(GOLD))

    assert "Communication office" in text
    assert ("press@example.org" in text) is is_shown


def test_announcement_detail_is_sent_on_by_mail(client: Client) -> None:
    make_gold(title="Gold & more")

    assert (
        'href="mailto:?subject=Gold%20%26%20more&amp;body=http%3A//testserver/en/news/2015/gold/"'
        in text_of(client.get(GOLD))
    )


def test_announcement_detail_shows_print_only_where_script_runs(client: Client) -> None:
    make_gold()

    text = text_of(client.get(GOLD))

    assert "<li hidden data-print><button" in text
    assert '<script type="module" src="/static/print.js"></script>' in text


def test_announcement_detail_describes_itself_to_machines(client: Client) -> None:
    announcement = make_gold(
        lead="The first.",
        contact_organisation=make_organisation(name="Bioindustry Park"),
        clusters=[make_cluster(name="bioPmed", slug="biopmed")],
    )

    assert client.get(GOLD).context["article_data"] == {
        "@type": "NewsArticle",
        "@id": f"http://testserver{GOLD}",
        "identifier": announcement.public_id,
        "headline": "bioPmed reaches Gold",
        "description": "The first.",
        "inLanguage": "en",
        "datePublished": "2015-09-08T12:38:00+00:00",
        "url": f"http://testserver{GOLD}",
        "publisher": {"@type": "Organization", "name": "Bioindustry Park"},
        "about": [
            {
                "@type": "Organization",
                "@id": "http://testserver/en/clusters/biopmed/",
                "name": "bioPmed",
            }
        ],
    }


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/en/news/2014/gold/", id="wrong year"),
        pytest.param("/en/news/2015/silver/", id="unknown"),
        pytest.param("/en/news/2015/draft/", id="draft"),
        pytest.param("/en/news/2030/future/", id="future"),
    ],
)
def test_announcement_detail_is_not_found(client: Client, path: str) -> None:
    make_gold()
    make_announcement(slug="draft", is_published=False)
    make_announcement(slug="future", published_at="2030-01-02T10:00Z")

    assert client.get(path).status_code == 404


def test_announcement_detail_in_two_languages_links_each_other(client: Client) -> None:
    announcement = make_gold()
    make_announcement_text(announcement, language="it", slug="oro")

    text = text_of(client.get(GOLD))

    assert '<link rel="alternate" hreflang="it" href="http://testserver/it/news/2015/oro/">' in text
    assert (
        '<link rel="alternate" hreflang="en" href="http://testserver/en/news/2015/gold/">' in text
    )


def test_announcement_detail_by_the_slug_of_the_other_language_leads_to_this_one(
    client: Client,
) -> None:
    announcement = make_gold()
    make_announcement_text(announcement, language="it", slug="oro")

    response = client.get("/en/news/2015/oro/")

    assert (response.status_code, response["Location"]) == (302, GOLD)


def test_announcement_detail_without_a_translation_shows_the_other_text(client: Client) -> None:
    make_gold()

    text = text_of(client.get("/it/news/2015/gold/"))

    assert '<article lang="en">' in text
    assert 'class="notice"' in text


def test_announcement_detail_with_a_translation_has_no_notice(client: Client) -> None:
    make_gold()

    text = text_of(client.get(GOLD))

    assert "<article>" in text
    assert 'class="notice"' not in text


def test_announcement_detail_at_an_old_address_leads_to_the_new_one(client: Client) -> None:
    text = make_gold().texts.get()
    text.slug = "better"
    text.save()

    response = client.get(GOLD)

    assert (response.status_code, response["Location"]) == (301, "/en/news/2015/better/")


def test_announcement_detail_at_the_old_address_of_a_draft_is_not_found(client: Client) -> None:
    announcement = make_gold(is_published=False)
    text = announcement.texts.get()
    text.slug = "better"
    text.save()

    assert client.get(GOLD).status_code == 404


def test_announcement_detail_prefers_its_own_language_where_two_share_a_slug(
    client: Client,
) -> None:
    make_announcement(slug="gold", language="it", title="Oro di un altro")
    english = make_gold()

    assert client.get(GOLD).context["announcement"] == english


def test_announcement_detail_of_an_unpublished_cluster_stays(client: Client) -> None:
    make_gold(clusters=[make_cluster()])
    Cluster.objects.update(is_published=False)

    assert client.get(GOLD).status_code == 200


def test_announcement_detail_takes_as_many_queries_for_three_rows(
    count_queries: Callable[[str], int],
) -> None:
    def relations(number: int) -> dict[str, Any]:
        return {
            "clusters": [make_cluster() for _ in range(number)],
            "organisations": [make_organisation() for _ in range(number)],
            "labels": [make_label() for _ in range(number)],
            "programmes": [make_programme() for _ in range(number)],
        }

    make_gold(**relations(1))
    make_announcement(slug="silver", **relations(3))

    assert count_queries("/en/news/2015/silver/") == count_queries(GOLD)
