"""Home, the statements, and what machines ask of the site as a whole."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from clusters.contact.reports import ReportedRecord, describe_record
from clusters.formats.clusters import FACTS as CLUSTER
from clusters.formats.facts import columns_of
from clusters.formats.organisations import ORGANISATION, PROGRAMME
from clusters.http.asof import as_of
from clusters.http.links import Link, words_asked
from clusters.http.paging import numbered_page
from clusters.models import Cluster, Organisation, ProblemReport, Programme, RecordKind
from config.site.search.records import SearchAnswer, found
from config.snapshot.records import ANNOUNCEMENT, LEVEL, PORTFOLIO, REGION
from labels.formats.records import FACTS as LABEL
from labels.models import Label
from labels.register.holdings import directory
from labels.register.queries import coverage, figures, latest_awards
from news.models import Announcement
from news.queries import latest

ANNOUNCEMENTS = 3
AWARDS = 4
CORRECTIONS = 50


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    clusters = Cluster.objects.published()
    return TemplateResponse(
        request,
        "home.html",
        {
            "day": today,
            "clusters": clusters.count(),
            "countries": clusters.count_countries(),
            "points": directory(QueryDict(), reverse("clusters:list"), today).points(),
            "figures": figures(today),
            "coverage": coverage(today, ["gold"]),
            "examples": examples(),
            "announcements": latest(timezone.now(), ANNOUNCEMENTS),
            "awards": latest_awards(today, AWARDS),
            "site_data": {
                "@type": "WebSite",
                "name": _("Cluster Register"),
                "url": f"{settings.SITE_URL}{request.path}",
            },
        },
    )


def examples() -> list[Link]:
    # Searches to try, each an address that anybody could type.
    clusters, labels = reverse("clusters:list"), reverse("labels:list")
    asked: list[tuple[str, str, dict[str, str]]] = [
        (_("Gold in Italy"), clusters, {"level": "gold", "held": "ever", "country": "IT"}),
        (_("health clusters"), clusters, {"portfolio": "health-and-medical-science"}),
        (_("labels that may still be renewed"), labels, {"state": "renewable"}),
        (_("valid on 8 September 2015"), labels, {"state": "valid", "on": "2015-09-08"}),
    ]
    return [Link(name, f"{path}?{urlencode(query)}") for name, path, query in asked]


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    words = words_asked(request.GET)
    is_literal = request.GET.get("literally") == "yes"
    today, now = timezone.localdate(), timezone.now()
    answer = (
        found(words, today=today, now=now, is_literal=is_literal) if words else SearchAnswer(())
    )
    return TemplateResponse(
        request,
        "search.html",
        {
            "words": words,
            "answer": answer,
            "as_of": as_of(QueryDict(), request.path, today),
            "literal_url": f"{request.path}?{urlencode({'q': words, 'literally': 'yes'})}",
        },
    )


about = require_safe(TemplateView.as_view(template_name="about.html"))
accessibility = require_safe(TemplateView.as_view(template_name="accessibility.html"))
privacy = require_safe(TemplateView.as_view(template_name="privacy.html"))


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    archive = (
        (_("Organisations"), ORGANISATION),
        (_("Programmes"), PROGRAMME),
        (_("Announcements"), ANNOUNCEMENT),
        (_("Portfolios"), PORTFOLIO),
        (_("Regions"), REGION),
        (_("Levels"), LEVEL),
    )
    context = {
        "label_columns": columns_of(LABEL),
        "cluster_columns": columns_of(CLUSTER),
        "archive_columns": [(title, columns_of(facts)) for title, facts in archive],
    }
    return TemplateResponse(request, "data.html", context)


@require_safe
def corrections(request: HttpRequest) -> HttpResponse:
    page = numbered_page(ProblemReport.objects.corrections(), request.GET, per_page=CORRECTIONS)
    records = public_records(page, timezone.now())
    return TemplateResponse(
        request,
        "corrections.html",
        {
            "page_obj": page,
            "rows": [(report, records.get((report.kind, report.record_id))) for report in page],
        },
    )


def public_records(
    reports: Iterable[ProblemReport], now: datetime
) -> dict[tuple[str, str], ReportedRecord]:
    """What the reports are about, by kind and public id, as far as it is public now.

    At most a query for each kind, and one for the texts of announcements.
    """
    ids: dict[str, set[str]] = defaultdict(set)
    for report in reports:
        ids[report.kind].add(report.record_id)
    published: dict[RecordKind, QuerySet[Any]] = {
        RecordKind.CLUSTER: Cluster.objects.published(),
        RecordKind.ORGANISATION: Organisation.objects.published(),
        RecordKind.PROGRAMME: Programme.objects.published(),
        RecordKind.LABEL: Label.objects.published().with_holder(),
        RecordKind.ANNOUNCEMENT: Announcement.objects.published(now).prefetch_related("texts"),
    }
    return {
        (kind, public_id): describe_record(row)
        for kind, rows in published.items()
        # What is hidden or gone by now is not found, and gets no link.
        for public_id, row in rows.in_bulk(ids[kind], field_name="public_id").items()
    }


# No session is looked at, so there is nothing to forge; a POST only asks.
@csrf_exempt
def api(request: HttpRequest, path: str) -> HttpResponseBase:
    # Everything under /api/. Loaded when first asked for: no page waits for it, or pays for it.
    from config.api.requests import answer_request

    return answer_request(request)
