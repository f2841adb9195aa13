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
    hide,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_correction,
    make_label,
    make_organisation,
    make_programme,
    make_topic,
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
    found = Announcement.objects.in_bulk(list(response.context["page_obj"]))
    return [found[key] for key in response.context["page_obj"]]


# Lists


def test_announcement_list_shows_published_ones_the_latest_first(client: Client) -> None:
    early = make_announcement()
    late = make_announcement(published_at=MOMENT + timedelta(days=400))
    make_announcement(state="draft")
    make_announcement(published_at="2019-03-01T12:00:01Z")

    response = client.get(LIST)

    assert listed(response) == [late, early]
    (years,) = (facet for facet in response.context["facets"] if facet.name == "year")
    assert [option.value for option in years.options] == ["2016", "2015"]


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
    assert "<title>News: bioPmed · Cluster Register</title>" in text_of(response)


@pytest.mark.parametrize("slug", ["nobody", "hidden"])
def test_announcement_list_of_an_unknown_cluster_names_it(client: Client, slug: str) -> None:
    make_cluster(slug="hidden", is_published=False)
    announcement = make_announcement()

    response = client.get(LIST, {"cluster": slug})

    assert f"There is no cluster “{slug}”; it was left out." in text_of(response)
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
    make_announcement(published_at="2014-05-01T10:00Z", state="draft")
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


@pytest.fixture
def varied() -> dict[str, Announcement]:
    """Four announcements, of which each filter finds some."""
    italian = make_cluster(name="bioPmed", slug="biopmed", country="IT")
    norwegian = make_cluster(name="NCE Raufoss", slug="raufoss", country="NO")
    hidden = make_cluster(slug="hidden", country="PL", is_published=False)
    topic = make_topic(slug="funds")
    event: dict[str, Any] = {"kind": "event", "begins_at": MOMENT}
    news = make_announcement(title="Gold", clusters=[italian, norwegian], topics=[topic])
    both = make_announcement(
        title="Fair", clusters=[italian], published_at="2015-10-01T10:00Z", **event
    )
    make_announcement_text(both, language="it", title="Fiera", slug="fiera")
    call = make_announcement(
        title="Bandi", language="it", clusters=[norwegian, hidden], topics=[topic],
        kind="call", deadline_at=MOMENT, published_at="2016-12-31T23:00Z",
    )  # fmt: skip
    draft = make_announcement(title="Draft", clusters=[italian], topics=[topic], state="draft")
    make_announcement_text(news, language="it", title="Bozza", slug="bozza", state="draft")
    return {"news": news, "event": both, "call": call, "draft": draft}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("kind=event", ["event"]),
        ("kind=event&kind=call", ["call", "event"]),
        ("topic=funds", ["call", "news"]),
        ("cluster=biopmed", ["event", "news"]),
        ("cluster=BIOPMED&cluster=raufoss", ["call", "event", "news"]),
        ("country=no", ["call", "news"]),
        ("country=PL", []),
        ("language=it", ["call", "event"]),
        ("language=en&kind=call", []),
        ("year=2015", ["event", "news"]),
        ("year=2017", ["call"]),  # by the clock of Rome
        ("month=2015-09", ["news"]),
        ("month=2015-09&month=2017-01", ["call", "news"]),
        ("q=fair", ["event"]),
        ("q=fier", ["event"]),
        ("q=draft", []),
        ("q=bozza", []),
        ("topic=funds&country=IT", ["news"]),
    ],
)
def test_announcement_list_is_narrowed(
    client: Client, varied: dict[str, Announcement], query: str, names: list[str]
) -> None:
    response = client.get(f"{LIST}?{query}")

    assert listed(response) == [varied[name] for name in names]
    assert '<meta name="robots" content="noindex">' in text_of(response)


@pytest.mark.usefixtures("varied")
def test_announcement_list_counts_what_each_option_leads_to(client: Client) -> None:
    response = client.get(f"{LIST}?topic=funds&year=2015")

    facets = {facet.name: facet.options for facet in response.context["facets"]}
    assert facets.keys() == {"kind", "topic", "cluster", "country", "language", "year", "month"}
    for name, options in facets.items():
        alone = client.get(LIST)
        for option in options:
            others = response.context["query"].without(name).choosing(name, [option.value])
            alone = client.get(others.url(LIST))
            assert alone.context["page_obj"].paginator.count == option.count, option
    counts = {option.value: option.count for option in facets["cluster"]}
    assert counts == {"biopmed": 1, "raufoss": 1}


@pytest.mark.usefixtures("varied")
def test_announcement_list_marks_what_was_searched_for(client: Client) -> None:
    assert "<mark>Fai</mark>r" in text_of(client.get(f"{LIST}?q=fai"))


@pytest.mark.usefixtures("varied")
def test_announcement_list_where_nothing_fits_tells_the_ways_out(client: Client) -> None:
    text = text_of(client.get(f"{LIST}?kind=event&country=NO"))

    assert "No announcement fits" in text
    assert "without Event: 2" in text
    assert "without Norway: 1" in text


@pytest.mark.parametrize("query", ["kind=x", "topic=x", "language=xx", "year=15", "month=2015-13"])
def test_announcement_list_leaves_out_what_does_not_exist(client: Client, query: str) -> None:
    announcement = make_announcement()

    response = client.get(f"{LIST}?{query}")

    assert listed(response) == [announcement]
    assert "it was left out" in text_of(response)


def test_announcement_list_finds_a_cluster_at_its_former_address(client: Client) -> None:
    cluster = make_cluster(slug="biopmed")
    announcement = make_announcement(clusters=[cluster])
    make_announcement()
    cluster.slug = "biopmed-2"
    cluster.save()

    response = client.get(f"{LIST}?cluster=biopmed")

    assert listed(response) == [announcement]
    assert response.context["querystring"] == "cluster=biopmed-2"


def test_announcement_month_shows_that_month(
    client: Client, varied: dict[str, Announcement]
) -> None:
    response = client.get("/en/news/2015/09/")

    assert listed(response) == [varied["news"]]
    assert "<h1>News of September 2015</h1>" in text_of(response)
    assert [str(month) for month in response.context["archive"].months] == ["2015-10", "2015-09"]
    assert [client.get(f"/en/news/2015/{month}/").status_code for month in ("08", "13")] == [
        404
    ] * 2


def test_announcement_that_is_called_as_a_month_is_found(client: Client) -> None:
    announcement = make_announcement(title="12", slug="12")

    assert client.get("/en/news/2015/12/").context["announcement"] == announcement


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
    make_announcement(slug="draft", state="draft")
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
    announcement = make_gold(state="draft")
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
    hide(*Cluster.objects.all())

    assert client.get(GOLD).status_code == 200


def test_announcement_detail_takes_as_many_queries_for_three_rows(
    count_queries: Callable[..., int],
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

    one, three = (count_queries(path, most=15) for path in (GOLD, "/en/news/2015/silver/"))
    assert one == three


def test_announcement_detail_names_related_ones(client: Client) -> None:
    cluster, hidden = make_cluster(), make_cluster(is_published=False)
    topic = make_topic()
    make_gold(clusters=[cluster, hidden], topics=[topic])
    of_cluster = make_announcement(clusters=[cluster], topics=[topic])
    of_topic = make_announcement(topics=[topic], published_at="2016-01-02T10:00Z")
    make_announcement(clusters=[hidden])
    make_announcement(clusters=[cluster], state="draft")
    make_announcement(clusters=[cluster], published_at="2030-01-02T10:00Z")
    make_announcement()

    response = client.get(GOLD)

    places = [text_of(response).find(f"> {row} </a>") for row in (of_topic, of_cluster)]
    assert -1 < places[0] < places[1]
    assert len(response.context["related"]) == 2
    assert "Related announcements" in text_of(response)


def test_announcement_detail_of_an_event_gives_it_to_calendars_and_machines(client: Client) -> None:
    event = make_gold(kind="event", begins_at=MOMENT, place="Bioindustry Park", lead="All.")

    response = client.get(GOLD)

    assert response.context["event_data"] == {
        "@type": "Event",
        "@id": f"http://testserver{GOLD}#event",
        "name": "bioPmed reaches Gold",
        "description": "All.",
        "inLanguage": "en",
        "startDate": MOMENT.isoformat(),
        "location": {"@type": "Place", "name": "Bioindustry Park"},
        "url": f"http://testserver{GOLD}",
    }
    assert f'href="/news/{event.public_id}/event.ics?lang=en"' in text_of(response)


def test_announcement_detail_shows_its_address_where_no_script_copies_it(client: Client) -> None:
    make_gold()

    text = text_of(client.get(GOLD))

    assert f'<li hidden data-copy="http://testserver{GOLD}">' in text
    assert f"<code>http://testserver{GOLD}</code>" in text


# What became of it


EVENT = {"kind": "event", "begins_at": "2019-04-01T07:00Z", "place": "Lingotto, Torino"}
CALL = {"kind": "call", "deadline_at": "2019-04-01T10:00Z"}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({}, [], id="news"),
        pytest.param(EVENT, ["Event", "Lingotto, Torino", "1 April 2019, 09:00"], id="event"),
        pytest.param(CALL, ["Call", "Deadline", "1 April 2019, 12:00"], id="call"),
    ],
)
def test_announcement_tells_its_kind(
    client: Client, fields: dict[str, Any], told: list[str]
) -> None:
    make_gold(**fields)
    page, row = text_of(client.get(GOLD)), text_of(client.get(LIST))

    assert [words for words in told if words not in page] == []
    assert ("<strong>" in row, "<dl" in page) == (bool(told), bool(told))


def test_announcement_tells_topics_and_corrections(client: Client) -> None:
    announcement = make_gold(topics=[make_topic(name_en="Research", name_it="Ricerca")])
    make_correction(announcement, text_en="It was 60 points.", text_it="Erano 60 punti.")

    assert {"Research", "It was 60 points."} <= {*found_in(client.get(GOLD), WORDS)}
    italian = client.get("/it/news/2015/gold/")
    assert {"Ricerca", "Erano 60 punti."} <= {*found_in(italian, WORDS)}


WORDS = ("Research", "Ricerca", "It was 60 points.", "Erano 60 punti.")


def found_in(response: Any, words: tuple[str, ...]) -> list[str]:
    text = text_of(response)
    return [word for word in words if word in text]


@pytest.mark.parametrize("language", ["en", "it"])
def test_address_of_what_is_withdrawn_tells_when_and_why(client: Client, language: str) -> None:
    announcement = make_gold(
        title="Gold for all",
        state="withdrawn",
        withdrawn_at="2016-02-01T10:00Z",
        withdrawal_reason="The level was Silver.",
    )
    text = announcement.texts.get()
    text.slug = "gold-for-all"
    text.save()

    for slug in ("gold", "gold-for-all"):
        response = client.get(f"/{language}/news/2015/{slug}/")
        page = text_of(response)
        assert response.status_code == 410
        assert "The level was Silver." in page
        assert "2016" in page
        assert "Gold for all" not in page
    assert client.get("/en/news/2015/gold/contact/").status_code == 404
    assert listed(client.get(LIST)) == []


def test_what_is_archived_is_read_and_in_no_list(client: Client) -> None:
    make_gold(state="archived", archived_at=MOMENT)

    assert "This announcement is archived" in text_of(client.get(GOLD))
    assert listed(client.get(LIST)) == []
    assert client.get("/en/news/2015/").status_code == 404
    assert "gold" not in text_of(client.get("/news.atom"))
    assert "gold" not in text_of(client.get("/sitemap-news.xml"))


def test_topic_leads_to_its_news(client: Client) -> None:
    announcement = make_announcement(topics=[make_topic(slug="funds", name_en="Funds")])

    page = client.get(announcement.get_absolute_url()).content.decode()

    assert f'<a href="{LIST}?topic=funds">Funds</a>' in page
