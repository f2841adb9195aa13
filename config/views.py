"""Home, the statements, and what machines ask of the site as a whole."""

import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.db import DatabaseError, Error, InterfaceError, OperationalError, connection
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    QueryDict,
)
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import last_modified, require_safe

from clusters.models import Cluster, Organisation, ProblemReport, Programme, RecordKind
from clusters.paging import page_of
from clusters.problems import is_for_the_api, problem
from clusters.reports import Record, record_of
from clusters.search import Link
from config.middleware import is_machine_address
from config.search import found, words_asked
from labels.models import Label
from labels.register import directory, figures, latest_awards
from news.models import Announcement
from news.register import latest

ANNOUNCEMENTS = 3
AWARDS = 4
CORRECTIONS = 50

PICTURES = {".png", ".jpg", ".jpeg", ".webp"}
SECURITY_TXT_DAYS = 365
RETRY_SECONDS = 60


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
    """Searches to try, each an address that anybody could type."""
    clusters, labels = reverse("clusters:list"), reverse("labels:list")
    asked: list[tuple[str, str, dict[str, str]]] = [
        (_("Gold in Italy"), clusters, {"country": "IT", "level": "gold"}),
        (_("health clusters"), clusters, {"portfolio": "health-and-medical-science"}),
        (_("labels that may still be renewed"), labels, {"state": "renewable"}),
        (_("valid on 8 September 2015"), labels, {"state": "valid", "on": "2015-09-08"}),
    ]
    return [Link(name, f"{path}?{urlencode(query)}") for name, path, query in asked]


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    words = words_asked(request.GET)
    groups = found(words, today=timezone.localdate(), now=timezone.now()) if words else []
    return TemplateResponse(
        request,
        "search.html",
        {
            "words": words,
            "groups": groups,
            "number": sum(group.number for group in groups),
        },
    )


@require_safe
def opensearch(request: HttpRequest, language: str) -> HttpResponse:
    """By which a browser adds the search of the portal."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        context = {"language": language, "url": f"{settings.SITE_URL}{reverse('search')}"}
        return HttpResponse(
            render_to_string("opensearch.xml", context, request),
            content_type="application/opensearchdescription+xml",
            headers={"Cache-Control": "max-age=86400"},
        )


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "about.html")


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "accessibility.html")


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "privacy.html")


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "data.html")


@require_safe
def corrections(request: HttpRequest) -> HttpResponse:
    page = page_of(ProblemReport.objects.corrections(), request.GET, per_page=CORRECTIONS)
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
) -> dict[tuple[str, str], Record]:
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
        (kind, public_id): record_of(kind, row)
        for kind, rows in published.items()
        for public_id, row in rows.in_bulk(ids[kind], field_name="public_id").items()
    }


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return uncached(JsonResponse({"status": "database unavailable"}, status=503))
    return uncached(JsonResponse({"status": "ok"}))


def uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", "Disallow: /admin/", "", f"Sitemap: {absolute('sitemap')}", ""]
    return plain_text(lines)


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116. It expires a year from today's first moment, so that a day has one text."""
    midnight = datetime.combine(timezone.localdate(), time.min, timezone.get_default_timezone())
    expires = midnight + timedelta(days=SECURITY_TXT_DAYS)
    return plain_text(
        [
            f"Contact: mailto:{settings.SECURITY_ADDRESS}",
            f"Expires: {expires.isoformat()}",
            "Preferred-Languages: en, it",
            f"Canonical: {absolute('security_txt')}",
            "",
        ]
    )


def plain_text(lines: list[str]) -> HttpResponse:
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


def absolute(name: str) -> str:
    return f"{settings.SITE_URL}{reverse(name)}"


def changed_at(request: HttpRequest, path: str) -> datetime | None:
    try:
        return default_storage.get_modified_time(path)
    except (OSError, SuspiciousFileOperation):
        return None


@require_safe
@last_modified(changed_at)
def media(request: HttpRequest, path: str) -> FileResponse:
    """An uploaded file that nothing in it can turn into a page: pictures shown, others saved."""
    try:
        file = default_storage.open(path)
    except (OSError, SuspiciousFileOperation) as error:
        raise Http404 from error
    is_picture = PurePosixPath(path).suffix.lower() in PICTURES
    response = FileResponse(file, as_attachment=not is_picture)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    response["Cache-Control"] = "public, max-age=86400"
    return response


@csrf_exempt
def api(request: HttpRequest, path: str) -> HttpResponseBase:
    """Everything under /api/. Loaded when first asked for: no page waits for it, or pays for it."""
    from config.api import answer

    return answer(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django calls it a bad request when a session cannot be saved: look behind it."""
    if is_outage(exception):
        return unavailable(request)
    if is_for_the_api(request):
        return problem(HTTPStatus.BAD_REQUEST, "This request cannot be read.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if is_outage(sys.exception()):
        return unavailable(request)
    if is_for_the_api(request):
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "A mistake of ours. It is in our log.")
    return defaults.server_error(request)


def is_outage(error: BaseException | None) -> bool:
    """Whether the database failed, rather than what it was asked, at the root of an error.

    Of a damaged file SQLite says `DatabaseError` itself.
    """
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError:
            return True
        error = error.__cause__ or error.__context__
    return False


def unavailable(request: HttpRequest) -> HttpResponse:
    """503, made without the database: no session, no context processor."""
    if is_machine_address(request):
        response = unavailable_to_machines(request)
    else:
        language = get_language_from_request(request, check_path=True)
        with translation.override(language):
            response = HttpResponse(render_to_string("503.html"), status=503)
        response["Content-Language"] = language
    response["Retry-After"] = str(RETRY_SECONDS)
    return uncached(response)


def unavailable_to_machines(request: HttpRequest) -> HttpResponse:
    message = "The database does not answer. Try again in a minute."
    if is_for_the_api(request):
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, message)
    if request.path.endswith(".json"):
        response: HttpResponse = JsonResponse({"error": message}, status=503)
    else:
        response = plain_text([message, ""])
        response.status_code = 503
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
