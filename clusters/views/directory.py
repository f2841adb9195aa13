"""The public pages of clusters, organisations and programmes."""

from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.compare.members import membership_table
from clusters.completeness import is_stale
from clusters.contact.messages import recipient_of_cluster
from clusters.directory.query import BOUNDS, Cursor, DirectoryQuery
from clusters.directory.results import Directory
from clusters.directory.rows import render_part, render_rows
from clusters.formats.schema_org import breadcrumbs_data, cluster_data, organisation_data
from clusters.http.asof import AsOf, as_of
from clusters.http.links import MAX_TEXT_LENGTH, Link
from clusters.http.paging import numbered_page
from clusters.http.responses import cached_page
from clusters.models import (
    Cluster,
    Lineage,
    Management,
    Organisation,
    Programme,
    PublicRecord,
    Shareholding,
)
from clusters.models.sources import by_source
from labels.formats.records import certifications
from labels.life.spans import timeline_of
from labels.register.holdings import directory
from labels.register.queries import coverage, headline, labels_of
from labels.register.requirements import announced, requirement_of
from news.queries import latest

PER_PAGE = 24
ANNOUNCEMENTS = 5
# A hidden cluster is not named on the page of who manages it.
CLUSTERS_MANAGED = Prefetch("managements", Management.objects.of_published_clusters())


@require_safe
@cached_page
def cluster_list(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    found = directory(request.GET, request.path, today)
    return TemplateResponse(
        request,
        "clusters/cluster_list.html",
        {
            "section": "clusters",
            "query": found.query,
            "is_first_page": found.cursor == Cursor(),
            "first_url": found.query.url(request.path),
            "problems": found.problems,
            "towns_meant": found.towns_meant(),
            "total": found.total,
            "page": found.page,
            "rows": render_rows(found, found.page.keys),
            "filters": render_part(found, "clusters/_filters.html", lambda: filters_of(found)),
            "chips": found.chips(),
            "sorts": found.sorts(),
            "ways_out": [] if found.total else found.ways_out(),
            "kept": found.query.pairs("q"),
            "downloads": found.query.downloads("clusters"),
            "map": render_part(found, "clusters/_list_map.html", lambda: map_of(found)),
            "map_url": found.query.url(reverse("clusters:map")),
            "as_of": as_of(request.GET, request.path, today),
        },
    )


def filters_of(found: Directory) -> dict[str, Any]:
    return {
        "facets": found.facets(),
        "selected": found.number_of_filters,
        "query": found.query,
        "kept": found.query.pairs(*BOUNDS),
        "kept_beside_day": found.query.pairs("on"),
        "towns": found.known_towns(),
        "action": found.path,
    }


def map_of(found: Directory) -> dict[str, Any]:
    return {"points": found.points(), "total": found.total, "query": found.query}


@require_safe
@cached_page
def cluster_detail(request: HttpRequest, slug: str) -> HttpResponse:
    cluster = Cluster.objects.published().with_profile().at(slug)
    if cluster is None or cluster.slug != slug:
        return moved(request, cluster)
    shown = as_of(request.GET, request.path, timezone.localdate())
    labels = labels_of([cluster], shown.day)[cluster.pk]
    managers = cluster.managers_on(shown.day)
    if not shown.is_today:
        prefetch_related_objects([one.organisation for one in managers], "former_names")
    counts = cluster.membership_counts.all()
    text = cluster.text()
    crumbs = crumbs_of(cluster)
    return TemplateResponse(
        request,
        "clusters/cluster_detail.html",
        {
            "section": "clusters",
            "cluster": cluster,
            "text": text,
            "summary": text.tagline if text and "tagline" not in cluster.unconfirmed else "",
            "labels": labels,
            "headline": headline(labels),
            "timeline": timeline_of(labels, shown.day),
            "managers": managers,
            # Of today, whatever day the page shows: a message goes out now.
            "recipient": recipient_of_cluster(cluster, timezone.localdate()),
            "other_managers": [m for m in cluster.managements.all() if m not in managers],
            "lineage": Lineage.objects.about(cluster),
            "is_stale": is_stale(cluster.confirmed_on, timezone.localdate()),
            "members": membership_table(counts),
            "members_then": membership_table(
                one for one in counts if one.counted_on.first_day <= shown.day
            ),
            "participations": cluster.participations.public(),
            "sources": by_source(cluster.fact_sources.all()),
            "announcements": latest(timezone.now(), ANNOUNCEMENTS, clusters=cluster),
            "crumbs": crumbs,
            "crumbs_data": breadcrumbs_data(crumbs),
            "cluster_data": cluster_data(cluster, certifications(labels)),
            "as_of": shown,
        },
    )


@require_safe
@cached_page
def organisation_list(request: HttpRequest) -> HttpResponse:
    words = " ".join(request.GET.get("q", "").split())[:MAX_TEXT_LENGTH]
    found = Organisation.objects.published().matching(words).in_directory_order()
    page = numbered_page(found.prefetch_related(CLUSTERS_MANAGED), request.GET, per_page=PER_PAGE)
    today = timezone.localdate()
    return TemplateResponse(
        request,
        "clusters/organisation_list.html",
        {
            "section": "organisations",
            "words": words,
            "querystring": urlencode({"q": words}) if words else "",
            "page_obj": page,
            "rows": [(row, [m for m in row.managements.all() if m.is_on(today)]) for row in page],
        },
    )


# Not `cached_page`: whether it has an owner follows from teams and claims, whose triggers tell
# nothing.
@require_safe
def organisation_detail(request: HttpRequest, slug: str) -> HttpResponse:
    rows = Organisation.objects.published().with_ownership().select_related("region")
    organisation = rows.at(slug)
    if organisation is None or organisation.slug != slug:
        return moved(request, organisation)
    today = timezone.localdate()
    shown = as_of(request.GET, request.path, today)
    crumbs = [Link(_("Organisations"), reverse("clusters:organisation_list"))]
    return TemplateResponse(
        request,
        "clusters/organisation_detail.html",
        {
            "section": "organisations",
            "organisation": organisation,
            "as_of": shown,
            "today": today,
            "is_stale": is_stale(organisation.confirmed_on, today),
            "former_names": organisation.former_names.all(),
            "managements": [
                (management, management.is_on(shown.day))
                for management in organisation.managements.of_published_clusters()
            ],
            "shareholders": [s for s in organisation.shareholdings.public() if is_shown(s, shown)],
            "holdings": [s for s in organisation.holdings.public() if is_shown(s, shown)],
            "programmes": organisation.programmes.published(),
            "labels": organisation.labels.for_pages(shown.day).in_register_order(shown.day),
            "announcements": latest(timezone.now(), ANNOUNCEMENTS, organisations=organisation),
            "crumbs": crumbs,
            "crumbs_data": breadcrumbs_data(crumbs),
            "organisation_data": organisation_data(organisation),
        },
    )


def is_shown(share: Shareholding, shown: AsOf) -> bool:
    # All of them today, with their periods; of another day those of that day.
    return shown.is_today or share.is_on(shown.day)


@require_safe
@cached_page
def programme_list(request: HttpRequest) -> HttpResponse:
    programmes = (
        Programme.objects.published().with_place().with_number_of_clusters().in_directory_order()
    )
    return TemplateResponse(
        request,
        "clusters/programme_list.html",
        {
            "section": "programmes",
            "page_obj": numbered_page(programmes, request.GET, per_page=PER_PAGE),
        },
    )


@require_safe
@cached_page
def programme_detail(request: HttpRequest, slug: str) -> HttpResponse:
    programme = Programme.objects.published().with_place().at(slug)
    if programme is None or programme.slug != slug:
        return moved(request, programme)
    today = timezone.localdate()
    shown = as_of(request.GET, request.path, today)
    participations = list(programme.participations.public())
    labels = labels_of([participation.cluster for participation in participations], shown.day)
    requirement = requirement_of(programme, shown.day, today)
    crumbs = [Link(_("Programmes"), reverse("clusters:programme_list"))]
    return TemplateResponse(
        request,
        "clusters/programme_detail.html",
        {
            "section": "programmes",
            "programme": programme,
            "participations": [
                (participation, headline(labels[participation.cluster_id]))
                for participation in participations
            ],
            "crumbs": crumbs,
            "crumbs_data": breadcrumbs_data(crumbs),
            "requirement": requirement,
            "announced": announced(programme, shown.day),
            "coverage": coverage(shown.day, [requirement.required.level_id]) if requirement else [],
            "as_of": shown,
        },
    )


def moved(request: HttpRequest, record: PublicRecord | None) -> HttpResponse:
    """Lead from a public id or a former address to today's one, with the query string; else 404."""
    if record is None:
        raise Http404
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"{record.get_absolute_url()}?{query}".rstrip("?"))


def crumbs_of(cluster: Cluster) -> list[Link]:
    # The directory, then the cluster's country in it.
    directory = reverse("clusters:list")
    in_country = DirectoryQuery(country=(cluster.country.code,)).url(directory)
    return [Link(_("Clusters"), directory), Link(cluster.country.name, in_country)]
