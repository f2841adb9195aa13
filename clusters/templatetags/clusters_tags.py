"""Dates in words, structured data, and the map."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from django import template
from django.urls import reverse
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from clusters.cartography import (
    SHEETS,
    Circle,
    Frame,
    Spot,
    frame_around,
    join_spots,
    project,
)
from clusters.countries import country_names
from clusters.dates import PartialDate
from clusters.directory import Position
from clusters.fulltext import highlight
from clusters.narrowing import Ground, narrowing
from clusters.search import DirectoryQuery

register = template.Library()

PATTERNS = {"year": "y", "month": "LLLL y", "day": "d MMMM y"}

# A map is drawn at about one unit to a pixel, so that text and strokes keep their size.
MAP_WIDTH, LARGE_MAP_WIDTH = 460, 900
# Two targets of 24 pixels stay apart at this distance.
NEAREST = 28
SMALLEST_TARGET = 14
# A circle with more is told by their number.
MOST_COUNTRIES = 3


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
    """A part of a sheet at its drawn size: its outlines are moved, then scaled."""

    file: str
    frame: Frame
    width: int
    height: int

    @property
    def scale(self) -> float:
        return self.width / self.frame.width

    @property
    def left(self) -> float:
        return -self.frame.x

    @property
    def top(self) -> float:
        return -self.frame.y


@register.inclusion_tag("clusters/_map.html")
def cluster_map(
    points: Iterable[Position],
    total: int,
    query: DirectoryQuery | None = None,
    sheet: str = "europe",
    is_large: bool = False,
    is_close: bool = False,
) -> dict[str, Any]:
    """The map of `Directory.points()`, out of `total` clusters, with the list that says the same.

    A circle of one cluster leads to its page; one of several narrows the list of `query` to them,
    and says how many the list has where it has others, too. A close map shows the part of the
    sheet where the clusters are.
    """
    places = {point.key: point for point in points}
    shown = SHEETS[sheet]
    spots = [
        Spot(key, position, point.count)
        for key, point in places.items()
        if shown.has(position := project(shown, point.latitude, point.longitude))
    ]
    frame = frame_around(shown, [spot.point for spot in spots] if is_close else [])
    width = LARGE_MAP_WIDTH if is_large else MAP_WIDTH
    drawing = Drawing(f"{sheet}.svg", frame, width, round(width * shown.height / shown.width))
    ground = Ground(places.values(), total)
    dots = [
        dot(
            circle,
            drawing,
            name_and_url([places[key] for key in circle.keys], ground, query or DirectoryQuery()),
        )
        for circle in join_spots(spots, NEAREST / drawing.scale)
    ]
    return {
        "drawing": drawing,
        "dots": dots,
        "shown": sum(dot.count for dot in dots),
        "total": total,
        "is_large": is_large,
    }


def dot(circle: Circle, drawing: Drawing, name_and_url: tuple[str, str]) -> Dot:
    name, url = name_and_url
    return Dot(
        x=round((circle.centre.x - drawing.frame.x) * drawing.scale, 1),
        y=round((circle.centre.y - drawing.frame.y) * drawing.scale, 1),
        radius=round(circle.radius, 1),
        target=round(max(circle.radius, SMALLEST_TARGET), 1),
        count=circle.count,
        name=name,
        url=url,
    )


def name_and_url(
    points: Sequence[Position], ground: Ground, query: DirectoryQuery
) -> tuple[str, str]:
    name, count = name_of(points), sum(point.count for point in points)
    if count == 1 and points[0].slug:
        return name, reverse("clusters:detail", args=[points[0].slug])
    narrower = narrowing(points, ground, query)
    if narrower.count is None:
        name = _("%(circle)s; the list has others, too") % {"circle": name}
    elif narrower.count != count:
        name = _("%(circle)s; the list has %(number)s") % {
            "circle": name,
            "number": narrower.count,
        }
    return name, narrower.query.url(reverse("clusters:list"))


def name_of(points: Sequence[Position]) -> str:
    """The cluster where it is one, else how many and where: a town, the area, the countries."""
    count = sum(point.count for point in points)
    countries = sorted({country_name(point.country) for point in points})
    if len(countries) > MOST_COUNTRIES:
        return _("%(number)s clusters in %(countries)s countries") % {
            "number": count,
            "countries": len(countries),
        }
    where = ", ".join(countries)
    middle = max(points, key=lambda point: (bool(point.town), point.count, -point.key))
    if count == 1 and middle.name:
        return ", ".join(filter(None, [middle.name, middle.town or where]))
    if middle.town and len(points) > 1:
        return _("%(number)s clusters around %(town)s (%(where)s)") % {
            "number": count,
            "town": middle.town,
            "where": where,
        }
    return ngettext("%(number)s cluster: %(where)s", "%(number)s clusters: %(where)s", count) % {
        "number": count,
        "where": middle.town or where,
    }
