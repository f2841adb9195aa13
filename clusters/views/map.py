"""The clusters found, on a large map."""

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from clusters.directory.rows import render_part
from clusters.http.asof import as_of
from clusters.http.links import Link
from clusters.http.responses import cached_page
from clusters.map.projection import EUROPE, SHEETS, project
from clusters.views.directory import filters_of
from labels.register.holdings import directory


@require_safe
@cached_page
def map_page(request: HttpRequest) -> HttpResponse:
    """`?view=world` shows the world, which is also shown where nothing found lies in Europe.

    Without it, the map of a narrowed query shows the part where the clusters are.
    """
    today = timezone.localdate()
    found = directory(request.GET, request.path, today)
    points = found.points()
    outside = [
        point
        for point in points
        if not EUROPE.has(project(EUROPE, point.latitude, point.longitude))
    ]
    asked = request.GET.get("view", "")
    usual = "world" if points and len(outside) == len(points) else "europe"
    sheet = asked if asked in SHEETS else usual
    return TemplateResponse(
        request,
        "clusters/cluster_map.html",
        {
            "section": "clusters",
            "query": found.query,
            "problems": found.problems,
            "towns_meant": found.towns_meant(),
            "total": found.total,
            "points": points,
            "without_position": found.total - sum(point.count for point in points),
            "outside": sum(point.count for point in outside),
            "sheet": sheet,
            "is_close": asked not in SHEETS and not found.query.is_plain,
            "views": [Link(name, found.query.url(request.path, view=name)) for name in SHEETS],
            "filters": render_part(found, "clusters/_filters.html", lambda: filters_of(found)),
            "chips": found.chips(),
            "kept": found.query.pairs("q"),
            "list_url": found.query.url(reverse("clusters:list")),
            "ways_out": [] if found.total else found.ways_out(),
            "as_of": as_of(request.GET, request.path, today),
        },
    )
