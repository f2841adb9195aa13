"""Dates in words, structured data, and the map."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Protocol

from babel.dates import format_date
from django import template
from django.core.paginator import Page
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from clusters.dates import PartialDate
from clusters.directory.query import DirectoryQuery
from clusters.directory.results import MapPoint
from clusters.fulltext import highlight
from clusters.http.links import country_names
from clusters.http.paging import page_numbers
from clusters.map.drawing import LARGE_MAP_WIDTH, MAP_WIDTH, NEAREST, Drawing, dot, name_and_url
from clusters.map.projection import SHEETS, Spot, frame_around, join_spots, project
from clusters.models import Cluster, CountQualifier, Organisation

register = template.Library()


class Counted(Protocol):
    @property
    def number(self) -> int | None: ...

    @property
    def qualifier(self) -> str: ...


PATTERNS = {"year": "y", "month": "LLLL y", "day": "d MMMM y"}


@register.filter
def partial_date(value: PartialDate | date | None) -> SafeString | str:
    # `<time datetime="2015-07">July 2015</time>` in the active language; None is empty.
    if value is None:
        return ""
    partial = value if isinstance(value, PartialDate) else PartialDate.from_date(value)
    return format_html('<time datetime="{}">{}</time>', str(partial), date_in_words(partial))


@register.filter
def counted(count: Counted) -> str:
    # “about 300”, “75 (firms only)”, “87”: a number of members as its source qualifies it.
    number, word = str(count.number), CountQualifier(count.qualifier).label
    if count.qualifier == CountQualifier.EXACT:
        return number
    is_of_firms = count.qualifier == CountQualifier.FIRMS
    return f"{number} ({word})" if is_of_firms else f"{word} {number}"


@register.simple_tag
def unconfirmed_mark(cluster: Cluster, fact: str, url: str = "") -> SafeString | str:
    # Behind a fact that no source was seen to tell; may lead to the sources.
    if fact not in cluster.unconfirmed:
        return ""
    if url:
        return format_html(' <a class="meta" href="{}">({})</a>', url, gettext("unconfirmed"))
    return format_html(' <span class="meta">({})</span>', gettext("unconfirmed"))


@register.filter(expects_localtime=True)
def day_in_words(value: date) -> str:
    # “8 September 2015” of a day, or of a moment in the portal's zone, as plain text.
    return date_in_words(PartialDate.from_date(value))


def date_in_words(partial: PartialDate) -> str:
    return format_date(
        partial.first_day, PATTERNS[partial.precision], locale=get_language() or "en"
    )


@register.filter
def name_of_day(record: Cluster | Organisation, day: date | None) -> str:
    return record.name_on(day) if day else record.name


@register.filter
def country_name(code: str) -> str:
    return country_names().get(code, "")


@register.filter
def numbers(page: Page) -> list[int | None]:  # type: ignore[type-arg]  # it is no generic
    # Of the pages to which links lead; None for those left out between.
    return page_numbers(page.number, page.paginator.num_pages)


@register.filter("marked")
def mark_words(text: str, words: str) -> SafeString | str:
    # The text with what was searched for in `<mark>`; without words as it is.
    return highlight(text, words) if words else text


@register.filter
def web_link(url: str, text: str = "") -> SafeString | str:
    # A link to a page of the web; any other address, as `javascript:`, stays text.
    if not url.lower().startswith(("http://", "https://")):
        return text or url
    return format_html('<a href="{}" rel="external">{}</a>', url, text or url)


@register.simple_tag
def json_ld(data: Mapping[str, Any]) -> SafeString:
    # A script element of structured data, whose texts cannot end the element.
    element = json_script({"@context": "https://schema.org", **data})
    return SafeString(element.replace("application/json", "application/ld+json", 1))


@register.inclusion_tag("clusters/_map.html")
def cluster_map(
    points: Iterable[MapPoint],
    total: int,
    query: DirectoryQuery | None = None,
    sheet: str = "europe",
    is_large: bool = False,
    is_close: bool = False,
) -> dict[str, Any]:
    """The map of `Directory.points()`, out of `total` clusters, with the list that says the same.

    A close map shows the part of the sheet where the clusters are.
    """
    shown = SHEETS[sheet]
    # Places of two names with the same coordinates are one, which one box can tell from others.
    places: dict[tuple[float, float], list[MapPoint]] = defaultdict(list)
    for point in points:
        places[point.latitude, point.longitude].append(point)
    by_key = {min(point.key for point in together): together for together in places.values()}
    spots = [
        Spot(key, position, sum(point.count for point in together))
        for key, together in by_key.items()
        if shown.has(position := project(shown, together[0].latitude, together[0].longitude))
    ]
    frame = frame_around(shown, [spot.point for spot in spots] if is_close else [])
    width = LARGE_MAP_WIDTH if is_large else MAP_WIDTH
    drawing = Drawing(f"{sheet}.svg", frame, width, round(width * shown.height / shown.width))
    dots = []
    for circle in join_spots(spots, NEAREST / drawing.scale):
        members = [point for key in circle.keys for point in by_key[key]]
        keys = set(circle.keys)
        others = [point for key in by_key.keys() - keys for point in by_key[key]]
        dots.append(dot(circle, drawing, name_and_url(members, others, query or DirectoryQuery())))
    return {
        "drawing": drawing,
        "dots": dots,
        "shown": sum(dot.count for dot in dots),
        "total": total,
        "is_large": is_large,
    }
