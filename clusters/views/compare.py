"""Clusters side by side."""

from collections.abc import Iterable
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.compare.chart import common_scale, draw_growth
from clusters.compare.columns import (
    Choice,
    ComparedCluster,
    choose_clusters,
    comparison_rows,
    neighbours,
    suggest,
    total_counts,
)
from clusters.compare.members import membership_table
from clusters.completeness import is_stale
from clusters.formats.files import CSV_PARAMETERS, SPREADSHEETS, csv_answer
from clusters.http.addresses import absolute
from clusters.http.asof import AsOf, as_of
from clusters.http.links import Link
from clusters.http.responses import (
    cacheable,
    cached_page,
    conditional,
    error_response,
    wrong_choices,
    wrong_day,
)
from clusters.models import Cluster
from labels.life.spans import timelines_of
from labels.register.queries import headline, labels_of
from labels.words import label_lines, level_verdict
from news.queries import heard_of


@require_safe
@cached_page
def cluster_compare(request: HttpRequest) -> HttpResponse:
    """Show the clusters of `c`; redirect to one more, where the words of `add` mean only one."""
    now = timezone.now()
    shown = as_of(request.GET, request.path, timezone.localdate(now))
    choice = choose_clusters(request.GET.getlist("c"))
    meant = suggest(request.GET.get("add", ""), choice)
    if meant.only_one and not choice.is_full:
        slugs = dict.fromkeys([*choice.slugs, meant.only_one.slug])
        # Not permanent: tomorrow the words may mean another cluster.
        return HttpResponseRedirect(compare_address(slugs, shown))
    columns = table_columns(choice, shown, now) if len(choice.clusters) > 1 else []
    return TemplateResponse(
        request,
        "clusters/cluster_compare.html",
        {
            "section": "clusters",
            "columns": columns,
            "choice": choice,
            "chosen": [
                Link(c.name, compare_address(without(c, choice), shown)) for c in choice.clusters
            ],
            "meant": meant,
            "candidates": [link_with(cluster, choice, shown) for cluster in meant.clusters],
            "neighbours": [
                link_with(cluster, choice, shown)
                for cluster in (neighbours(*choice.clusters) if len(choice.clusters) == 1 else [])
            ],
            "clusters_kept": [{"name": "c", "value": slug} for slug in choice.slugs],
            "nearest_url": compare_address(choice.slugs, shown, add=meant.nearest),
            "csv_url": csv_address(choice, shown),
            "full_address": absolute(compare_address(choice.slugs, shown)),
            "as_of": shown,
            "crumbs": [Link(_("Clusters"), reverse("clusters:list"))],
        },
    )


@require_safe
@cached_page
def compare_csv(request: HttpRequest) -> HttpResponseBase:
    now = timezone.now()
    choice = choose_clusters(request.GET.getlist("c"))
    wrong = wrong_day(request) + wrong_choices(request, **CSV_PARAMETERS)
    # For programs, as every other error of a file.
    with translation.override("en"):
        wrong += [f"c: {problem}" for problem in choice.problems()]
    if wrong:
        return error_response(request, wrong, 400)
    with translation.override(request.GET.get("lang", "en")):
        shown = as_of(request.GET, request.path, timezone.localdate(now))
        header, *rows = comparison_rows(table_columns(choice, shown, now))
        answer = csv_answer(request, f"clusters-{shown.day}", header, rows)
    return conditional(request, cacheable(answer, now))


def table_columns(choice: Choice, shown: AsOf, now: datetime) -> list[ComparedCluster]:
    # Three queries, however many clusters.
    day = shown.day
    labels = labels_of(choice.clusters, day)
    timelines = timelines_of(labels, day)
    heard = heard_of(choice.clusters, now)
    members = {c.pk: membership_table(c.membership_counts.all()) for c in choice.clusters}
    counts = {key: total_counts(members_of_one) for key, members_of_one in members.items()}
    # One for all, else the drawings could not be compared.
    scale = common_scale(counts.values())
    return [
        ComparedCluster(
            cluster=cluster,
            text=cluster.text(),
            managers=cluster.managers_on(day),
            labels=labels[cluster.pk],
            headline=headline(labels[cluster.pk]),
            verdict=level_verdict(headline(labels[cluster.pk]), day),
            label_lines=label_lines(labels[cluster.pk]),
            timeline=timelines[cluster.pk],
            members=members[cluster.pk],
            counts=counts[cluster.pk],
            growth=draw_growth(counts[cluster.pk], scale) if scale else None,
            heard=heard.get(cluster.pk),
            # As of today, whatever day is shown.
            is_stale=is_stale(cluster.confirmed_on, timezone.localdate(now)),
            remove_url=compare_address(without(cluster, choice), shown),
        )
        for cluster in choice.clusters
    ]


def without(cluster: Cluster, choice: Choice) -> list[str]:
    return [slug for slug in choice.slugs if slug != cluster.slug]


def link_with(cluster: Cluster, choice: Choice, shown: AsOf) -> Link:
    name = ", ".join(filter(None, (cluster.name, cluster.town, str(cluster.country.name))))
    return Link(name, compare_address([*choice.slugs, cluster.slug], shown))


def compare_address(slugs: Iterable[str], shown: AsOf, **more: str) -> str:
    return f"{reverse('clusters:compare')}?{querystring(slugs, shown, **more)}".rstrip("?")


def csv_address(choice: Choice, shown: AsOf) -> str:
    more = {"for": SPREADSHEETS, "lang": get_language() or "en"}
    query = querystring(choice.slugs, shown, **more)
    return f"{reverse('compare_csv')}?{query}"


def querystring(slugs: Iterable[str], shown: AsOf, **more: str) -> str:
    # The day only where it is not today, so that there is one address for each page.
    pairs = [("c", slug) for slug in slugs]
    pairs += [] if shown.is_today else [("on", shown.day.isoformat())]
    return urlencode([*pairs, *more.items()])
