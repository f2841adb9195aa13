import json
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import translation

from clusters.dates import PartialDate
from clusters.directory.query import DirectoryQuery
from clusters.directory.results import MapPoint
from clusters.templatetags.clusters_tags import (
    cluster_map,
    json_ld,
    mark_words,
    partial_date,
    web_link,
)


@pytest.mark.parametrize(
    ("language", "value", "expected"),
    [
        ("en", PartialDate(2013), '<time datetime="2013">2013</time>'),
        ("en", PartialDate(2015, 7), '<time datetime="2015-07">July 2015</time>'),
        ("en", PartialDate(2012, 4, 18), '<time datetime="2012-04-18">18 April 2012</time>'),
        ("it", PartialDate(2015, 7), '<time datetime="2015-07">luglio 2015</time>'),
        ("it", PartialDate(2012, 4, 18), '<time datetime="2012-04-18">18 aprile 2012</time>'),
        ("en", date(2015, 9, 8), '<time datetime="2015-09-08">8 September 2015</time>'),
        ("en", None, ""),
    ],
)
def test_partial_date_is_shown_with_its_precision(language: str, value: Any, expected: str) -> None:
    with translation.override(language):
        assert partial_date(value) == expected


@pytest.mark.parametrize("url", ["http://example.org/", "HTTPS://example.org/?a=1&b=2"])
def test_web_link_leads_to_the_web(url: str) -> None:
    shown = url.replace("&", "&amp;")

    assert web_link(url) == f'<a href="{shown}" rel="external">{shown}</a>'
    assert web_link(url, "A & B") == f'<a href="{shown}" rel="external">A &amp; B</a>'


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:x",
        "data:text/html,x",
        "//x.org",
    ],
)
def test_web_link_leads_nowhere_else(url: str) -> None:
    assert web_link(url) == url
    assert web_link(url, "its site") == "its site"


def test_json_ld_cannot_end_its_script() -> None:
    element = json_ld({"@type": "Organization", "name": "</script><b>&\u2028"})

    assert element.count("<") == 2


def test_json_ld_says_what_was_given() -> None:
    element = json_ld({"@type": "Organization", "name": "A & B <C>"})

    match = re.fullmatch(r'<script type="application/ld\+json">(.*)</script>', element)
    assert match
    assert json.loads(match[1]) == {
        "@context": "https://schema.org",
        "@type": "Organization",
        "name": "A & B <C>",
    }


def position(
    latitude: float, longitude: float, number: int = 1, country: str = "IT", town: str = "Torino"
) -> MapPoint:
    single = ("bioPmed", "biopmed") if number == 1 else ("", "")
    key = hash((latitude, longitude)) % 1000
    return MapPoint(latitude, longitude, country, town, number, key, *single)


TORINO = (45.07, 7.69)
IVREA = (45.47, 7.88)
GENEVE = (46.20, 6.15)
ROMA = (41.89, 12.48)
LISBOA = (38.72, -9.14)
QUERETARO = (20.59, -100.39)


def drawn(*points: MapPoint, query: DirectoryQuery | None = None) -> list[Any]:
    total = sum(point.count for point in points)
    return [(dot.name, dot.url) for dot in cluster_map(points, total, query)["dots"]]


def test_map_leads_from_one_cluster_to_its_page() -> None:
    assert drawn(position(*TORINO)) == [("bioPmed, Torino", "/en/clusters/biopmed/")]


def test_map_leads_from_several_in_a_town_to_the_list_of_its_place() -> None:
    assert drawn(position(*TORINO, number=3)) == [
        ("3 clusters: Torino", "/en/clusters/?box=7.69,45.07,7.69,45.07")
    ]


def test_map_joins_what_is_close_in_a_box() -> None:
    dots = drawn(
        position(*TORINO, number=2),
        position(*IVREA, town="Ivrea"),
        position(*GENEVE, country="CH", town="Genève"),
    )

    assert dots == [
        ("4 clusters around Torino (Italy, Switzerland)", "/en/clusters/?box=6.15,45.07,7.88,46.2")
    ]


def test_map_counts_many_countries_instead_of_naming_them() -> None:
    countries = enumerate(("AT", "CH", "FR", "IT"))
    points = [position(45 + n / 10, 7, country=code, town="") for n, code in countries]

    assert [name for name, _url in drawn(*points)] == ["4 clusters in 4 countries"]


def test_map_keeps_apart_what_is_far() -> None:
    assert len(drawn(position(*TORINO), position(*LISBOA, country="PT"))) == 2


def test_map_keeps_the_other_filters() -> None:
    query = DirectoryQuery(words="bio", country=("IT", "NO"), level=("gold",))

    assert drawn(position(*TORINO, number=2), query=query) == [
        (
            "2 clusters: Torino",
            "/en/clusters/?q=bio&level=gold&country=IT&country=NO&box=7.69,45.07,7.69,45.07",
        )
    ]


@pytest.mark.parametrize(("sheet", "shown"), [("europe", 2), ("world", 3)])
def test_map_counts_only_what_it_shows(sheet: str, shown: int) -> None:
    points = [position(*TORINO, number=2), position(*QUERETARO)]

    context = cluster_map(points, 9, sheet=sheet)

    assert (context["shown"], context["total"]) == (shown, 9)


def render_map(*points: MapPoint) -> str:
    template = Template("{% load clusters_tags %}{% cluster_map points 9 %}")
    return template.render(Context({"points": points}))


def test_map_says_the_same_as_a_list() -> None:
    html = render_map(position(*TORINO, number=3), position(*LISBOA, country="PT"))

    links = re.findall(r'<a href="([^"]+)"', html)
    assert links[:2] == links[2:]


def test_map_writes_numbers_as_svg_does_in_every_language() -> None:
    with translation.override("it"):
        html = render_map(position(*TORINO))

    assert re.findall(r'(?:cx|cy|r|transform)="[^"]*,', html) == []


def test_map_escapes_names() -> None:
    html = render_map(replace(position(*TORINO), name='<script>"'))

    assert "<script>" not in html


@pytest.mark.parametrize(
    ("text", "words", "html"),
    [("bioPmed <b>", "BIO", "<mark>bio</mark>Pmed &lt;b&gt;"), ("bioPmed <b>", "", "bioPmed <b>")],
)
def test_marked_marks_what_was_searched_for(text: str, words: str, html: str) -> None:
    assert mark_words(text, words) == html
