"""Dates in words, structured data, and the map."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any

from babel.dates import format_date
from django import template
from django.urls import reverse
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from clusters.cartography import SHEETS, Circle, Spot, join_spots, project
from clusters.countries import country_names
from clusters.dates import PartialDate
from clusters.directory import Position
from clusters.fulltext import highlight
from clusters.index import distance
from clusters.search import DirectoryQuery

register = template.Library()

PATTERNS = {"year": "y", "month": "LLLL y", "day": "d MMMM y"}

# A map is drawn at about one unit to a pixel, so that text and strokes keep their size.
MAP_WIDTH, LARGE_MAP_WIDTH = 460, 900
# Two targets of 24 pixels stay apart at this distance.
NEAREST = 28
SMALLEST_TARGET = 14
KILOMETRES_BETWEEN = 2


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
    return country_names().get(code, "")


@register.filter
def marked(text: str, words: str) -> SafeString | str:
    """The text with what was searched for in `<mark>`; without words as it is."""
    return highlight(text, words) if words else text


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
    """A sheet at its drawn size; `scale` takes its outlines to it."""

    file: str
    width: int
    height: int
    scale: float


@register.inclusion_tag("clusters/_map.html")
def cluster_map(
    points: Iterable[Position],
    total: int,
    query: DirectoryQuery | None = None,
    sheet: str = "europe",
    width: int = MAP_WIDTH,
) -> dict[str, Any]:
    """The map of `Directory.points()`, out of `total` clusters, with the list that says the same.

    A circle of one cluster leads to its page; one of several to the list of `query` around its
    middle.
    """
    shown = SHEETS[sheet]
    scale = width / shown.width
    places = {point.key: point for point in points}
    spots = [
        Spot(key, position, point.count)
        for key, point in places.items()
        if shown.has(position := project(shown, point.latitude, point.longitude))
    ]
    dots = [
        dot(circle, [places[key] for key in circle.keys], query or DirectoryQuery(), scale)
        for circle in join_spots(spots, NEAREST / scale)
    ]
    return {
        "drawing": Drawing(f"{sheet}.svg", width, round(shown.height * scale), scale),
        "dots": dots,
        "shown": sum(dot.count for dot in dots),
        "total": total,
        "is_large": width > MAP_WIDTH,
    }


def dot(circle: Circle, points: Sequence[Position], query: DirectoryQuery, scale: float) -> Dot:
    return Dot(
        x=round(circle.centre.x * scale, 1),
        y=round(circle.centre.y * scale, 1),
        radius=round(circle.radius, 1),
        target=round(max(circle.radius, SMALLEST_TARGET), 1),
        count=circle.count,
        name=name_of(circle, points),
        url=url_of(points, query),
    )


def name_of(circle: Circle, points: Sequence[Position]) -> str:
    """The cluster where it is one, else how many and where: a town, the area, the countries."""
    countries_named = sorted({country_name(point.country) for point in points})
    middle = middle_of(points)
    if circle.count == 1:
        return ", ".join(filter(None, [middle.name, middle.town or countries_named[0]]))
    words = {"number": circle.count, "where": ", ".join(countries_named)}
    if middle.town and len(points) > 1:
        return _("%(number)s clusters around %(town)s (%(where)s)") % {
            **words,
            "town": middle.town,
        }
    return ngettext(
        "%(number)s cluster: %(where)s", "%(number)s clusters: %(where)s", circle.count
    ) % (words | {"where": middle.town or words["where"]})


def middle_of(points: Sequence[Position]) -> Position:
    """The town of most of them, if any is named."""
    return max(points, key=lambda point: (bool(point.town), point.count, -point.key))


def url_of(points: Sequence[Position], query: DirectoryQuery) -> str:
    """To the one cluster, or to the list around the town of most of them, as far as they reach."""
    directory = reverse("clusters:list")
    if len(points) == 1 and points[0].slug:
        return reverse("clusters:detail", args=[points[0].slug])
    middle = middle_of(points)
    if not middle.town:
        return query.choosing("country", {point.country for point in points}).url(directory)
    reach = max(
        distance(middle.latitude, middle.longitude, point.latitude, point.longitude)
        for point in points
    )
    within = ceil(reach) + KILOMETRES_BETWEEN
    return query.changed(near=middle.town, within=within).url(directory)
