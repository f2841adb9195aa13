from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clusters.directory.query import DirectoryQuery
from clusters.directory.results import MapPoint
from clusters.http.links import country_names
from clusters.map.boxes import boxes_around
from clusters.map.projection import Circle, Frame

# A map is drawn at about one unit to a pixel, so that text and strokes keep their size.
MAP_WIDTH, LARGE_MAP_WIDTH = 460, 900
# Two targets of 24 pixels stay apart at this distance.
NEAREST = 28
SMALLEST_TARGET = 14
# A circle with more is told by their number.
MOST_COUNTRIES = 3


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
    points: Sequence[MapPoint], others: Sequence[MapPoint], query: DirectoryQuery
) -> tuple[str, str]:
    # A circle of one cluster leads to its page, one of several to the list of just these.
    name = name_of(points)
    if sum(point.count for point in points) == 1 and points[0].slug:
        return name, reverse("clusters:detail", args=[points[0].slug])
    boxes = tuple(sorted(boxes_around(points, others, query.box)))
    return name, query.changed(box=boxes).url(reverse("clusters:list"))


def name_of(points: Sequence[MapPoint]) -> str:
    # The cluster where it is one, else how many and where: a town, the area, the countries.
    count = sum(point.count for point in points)
    countries = sorted({country_names().get(point.country, "") for point in points})
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
