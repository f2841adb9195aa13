"""Dates in words, structured data, and the map."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from babel.dates import format_date
from django import template
from django.urls import reverse
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django_countries import countries

from clusters.cartography import Circle, Place, join_points, outlines
from clusters.dates import PartialDate
from clusters.search import DirectoryQuery

register = template.Library()

PATTERNS = {"year": "y", "month": "LLLL y", "day": "d MMMM y"}

# The map is drawn at about one unit to a pixel, so that text and strokes keep their size.
MAP_WIDTH = 460
# Two targets of 24 pixels stay apart at this distance.
NEAREST = 28
SMALLEST_TARGET = 14


@register.filter
def partial_date(value: PartialDate | date | None) -> SafeString | str:
    """`<time datetime="2015-07">July 2015</time>` in the active language; None is empty."""
    if value is None:
        return ""
    partial = value if isinstance(value, PartialDate) else PartialDate.from_date(value)
    return format_html('<time datetime="{}">{}</time>', str(partial), date_in_words(partial))


@register.filter(expects_localtime=True)
def day_in_words(value: date) -> str:
    """“8 September 2015” of a day, or of a moment in the portal's zone, as plain text."""
    return date_in_words(PartialDate.from_date(value))


def date_in_words(partial: PartialDate) -> str:
    return format_date(
        partial.first_day, PATTERNS[partial.precision], locale=get_language() or "en"
    )


@register.filter
def country_name(code: str) -> str:
    return str(countries.name(code))


@register.filter
def web_link(url: str, text: str = "") -> SafeString | str:
    """A link to a page of the web; any other address, as `javascript:`, stays text."""
    if not url.lower().startswith(("http://", "https://")):
        return text or url
    return format_html('<a href="{}" rel="external">{}</a>', url, text or url)


@register.simple_tag
def json_ld(data: Mapping[str, Any]) -> SafeString:
    """A script element of structured data, whose texts cannot end the element."""
    element = json_script({"@context": "https://schema.org", **data})
    return SafeString(element.replace("application/json", "application/ld+json", 1))


@dataclass(frozen=True)
class Dot:
    """A circle on the map, what it stands for, and where it leads."""

    x: float
    y: float
    radius: float
    target: float
    count: int
    name: str
    url: str


@dataclass(frozen=True)
class Drawing:
    """The map at its drawn size; `scale` takes the outlines to it."""

    width: int
    height: int
    scale: float
    land: str


@register.inclusion_tag("clusters/_map.html")
def cluster_map(
    positions: Iterable[Mapping[str, Any]], total: int, query: DirectoryQuery | None = None
) -> dict[str, Any]:
    """The map of `Cluster.objects.counted_by_position()`, out of `total` clusters.

    A circle of one cluster leads to its page; one of several to the list of `query` in its
    countries.
    """
    rows = {str(number): row for number, row in enumerate(positions)}
    places = [
        Place(key, float(row["latitude"]), float(row["longitude"]), row["number"])
        for key, row in rows.items()
    ]
    dots = [
        dot(circle, [rows[key] for key in circle.keys], query or DirectoryQuery())
        for circle in join_points(places, NEAREST / drawing().scale)
    ]
    return {
        "drawing": drawing(),
        "dots": dots,
        "shown": sum(dot.count for dot in dots),
        "total": total,
    }


@cache
def drawing() -> Drawing:
    outline = outlines()
    scale = MAP_WIDTH / outline.width
    return Drawing(
        width=MAP_WIDTH,
        height=round(outline.height * scale),
        scale=scale,
        land="".join(outline.countries.values()),
    )


def dot(circle: Circle, rows: list[Mapping[str, Any]], query: DirectoryQuery) -> Dot:
    scale = drawing().scale
    return Dot(
        x=round(circle.centre.x * scale, 1),
        y=round(circle.centre.y * scale, 1),
        radius=round(circle.radius, 1),
        target=round(max(circle.radius, SMALLEST_TARGET), 1),
        count=circle.count,
        name=name_of(circle, rows),
        url=url_of(circle, rows, query),
    )


def name_of(circle: Circle, rows: list[Mapping[str, Any]]) -> str:
    """The cluster where it is one, else how many and where: the town, or the countries."""
    where = sorted({country_name(row["country"]) for row in rows})
    if len(rows) == 1 and rows[0]["town"]:
        where = [rows[0]["town"]]
    if circle.count == 1:
        where.insert(0, rows[0]["first_name"])
        return ", ".join(where)
    return ngettext(
        "%(number)s cluster: %(where)s", "%(number)s clusters: %(where)s", circle.count
    ) % {
        "number": circle.count,
        "where": ", ".join(where),
    }


def url_of(circle: Circle, rows: list[Mapping[str, Any]], query: DirectoryQuery) -> str:
    if circle.count == 1:
        return reverse("clusters:detail", args=[rows[0]["slug"]])
    return query.choosing("country", {row["country"] for row in rows}).url(reverse("clusters:list"))
