"""The register, a label, how the scheme works, verification."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.contact.reports import describe_record
from clusters.formats.schema_org import breadcrumbs_data
from clusters.http.addresses import absolute
from clusters.http.asof import as_of, read_on
from clusters.http.links import Link
from clusters.http.paging import numbered_page
from clusters.http.responses import error_response, open_to_all, wrong_day
from clusters.models import Portfolio
from clusters.views.contact import cookieless_form, report_page
from labels.formats.records import certification_data, label_record_in_words, sources_of_labels
from labels.life.chronicle import steps_of
from labels.life.spans import timeline_of
from labels.models import IndicatorSet, IssuingBody, Label, LevelRule, Statement
from labels.proofs.seal import embeddings
from labels.register.holdings import level_options
from labels.register.queries import counts, coverage, labels_of
from labels.register.query import RegisterList, read_register_query
from labels.words import verdict
from news.queries import latest

PER_PAGE = 50
MOST_ANNOUNCEMENTS = 5


@require_safe
def label_list(request: HttpRequest) -> HttpResponse:
    levels, portfolios = level_options(), list(Portfolio.objects.all())
    shown = as_of(request.GET, request.path, timezone.localdate())
    query = read_register_query(request.GET, levels, portfolios)
    found = RegisterList(query, request.path, shown.day, levels, portfolios)
    page = numbered_page(query.labels(shown.day), request.GET, per_page=PER_PAGE)
    context = {
        "section": "labels",
        "as_of": shown,
        "query": query,
        "querystring": query.querystring(),
        "kept": query.pairs("q", "on"),
        "facets": found.facets(),
        "selected": found.number_of_filters,
        "chips": found.chips(),
        "ways_out": [] if page.object_list else found.ways_out(),
        "problems": query.problems,
        "counts": counts(shown.day, levels),
        "coverage": coverage(shown.day),
        "page_obj": page,
        "downloads": query.downloads("labels"),
    }
    return TemplateResponse(request, "labels/label_list.html", context)


@require_safe
def label_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    shown = as_of(request.GET, request.path, timezone.localdate())
    rows = Label.objects.for_pages(shown.day).with_certificate()
    label = rows.with_public_id(public_id).first()
    if label is None:
        return TemplateResponse(
            request,
            "labels/label_missing.html",
            {"section": "labels", "number": public_id},
            status=HTTPStatus.NOT_FOUND,
        )
    labels = labels_of([label.cluster], shown.day)[label.cluster_id]
    renewals = [other for other in labels if other.renews_id == label.pk]
    context = {
        "section": "labels",
        "as_of": shown,
        "label": label,
        "verdict": verdict(label, shown.day),
        "sources": label.sources.all(),
        "problems": shown.problems,
        "labels": labels,
        "renews": next((other for other in labels if other.pk == label.renews_id), None),
        "renewals": renewals,
        "steps": steps_of(label, renewals, shown.day),
        "timeline": timeline_of(labels, shown.day),
        "other_names": label.cluster.names.all(),
        "announcements": latest(timezone.now(), MOST_ANNOUNCEMENTS, labels=label),
        "address": absolute(label.get_absolute_url()),
        "seal_codes": embeddings(label),
        "cluster_seal_codes": embeddings(label.cluster),
        "certification": certification_data(label),
        "crumbs": crumbs(),
        "crumbs_data": breadcrumbs_data(crumbs()),
    }
    return TemplateResponse(request, "labels/label_detail.html", context)


@cookieless_form
def label_report(request: HttpRequest, public_id: str) -> HttpResponse:
    labels = Label.objects.published().with_holder()
    label = get_object_or_404(labels, public_id=public_id)
    return report_page(request, describe_record(label))


@require_safe
def label_json(request: HttpRequest, public_id: str) -> HttpResponse:
    # The label as data on a day, open to every origin; in English, one copy for all caches.
    wrong = wrong_day(request)
    if wrong:
        return error_response(request, wrong, 400)
    day = read_on(request.GET)[0] or timezone.localdate()
    labels = Label.objects.for_pages(day).with_certificate()
    label = labels.with_public_id(public_id).first()
    if label is None:
        return error_response(request, ["there is no label with this id"], 404)
    parameters = {"ensure_ascii": False, "indent": 2}
    with translation.override("en"):
        sources = {"sources": sources_of_labels([label.pk])[label.pk]}
        record = label_record_in_words(label, day) | sources
        return open_to_all(JsonResponse(record, json_dumps_params=parameters))


@require_safe
def label_scheme(request: HttpRequest) -> HttpResponse:
    shown = as_of(request.GET, request.path, timezone.localdate())
    levels = level_options()
    context = {
        "section": "labels",
        "as_of": shown,
        "problems": shown.problems,
        "levels": levels,
        "rules": LevelRule.objects.select_related("level").by_level(),
        "rules_in_force": LevelRule.objects.select_related("level").in_force(shown.day).by_level(),
        "indicator_sets": IndicatorSet.objects.with_indicators(),
        "bodies": IssuingBody.objects.prefetch_related("roles"),
        "statements": Statement.objects.latest_first(),
        "counts": counts(shown.day, levels),
        "coverage": coverage(shown.day),
        "crumbs": crumbs(),
    }
    return TemplateResponse(request, "labels/label_scheme.html", context)


def crumbs() -> list[Link]:
    return [Link(_("Labels"), reverse("labels:list"))]
