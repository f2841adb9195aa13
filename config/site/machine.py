from datetime import datetime, timedelta
from pathlib import PurePosixPath

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.db import Error, connection
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import last_modified, require_safe

from clusters.http.addresses import absolute
from clusters.http.asof import midnight

PICTURES = {".png", ".jpg", ".jpeg", ".webp"}
SECURITY_TXT_DAYS = 365


@require_safe
def opensearch(request: HttpRequest, language: str) -> HttpResponse:
    # By which a browser adds the search of the portal.
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        context = {"language": language, "url": absolute(reverse("search"))}
        return HttpResponse(
            render_to_string("opensearch.xml", context, request),
            content_type="application/opensearchdescription+xml",
            headers={"Cache-Control": "max-age=86400"},
        )


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    # 200 while the database answers, else 503.
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
    lines = [
        "User-agent: *",
        "Disallow: /admin/",
        "",
        f"Sitemap: {absolute(reverse('sitemap'))}",
        "",
    ]
    return plain_text(lines)


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116. It expires a year from today's first moment, so that a day has one text."""
    expires = midnight(timezone.localdate()) + timedelta(days=SECURITY_TXT_DAYS)
    return plain_text(
        [
            f"Contact: mailto:{settings.SECURITY_ADDRESS}",
            f"Expires: {expires.isoformat()}",
            "Preferred-Languages: en, it",
            f"Canonical: {absolute(reverse('security_txt'))}",
            "",
        ]
    )


def plain_text(lines: list[str]) -> HttpResponse:
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


def changed_at(request: HttpRequest, path: str) -> datetime | None:
    try:
        return default_storage.get_modified_time(path)
    except (OSError, SuspiciousFileOperation):
        return None


@require_safe
@last_modified(changed_at)
def media(request: HttpRequest, path: str) -> FileResponse:
    # An uploaded file that nothing in it can turn into a page: pictures shown, others saved.
    try:
        file = default_storage.open(path)
    except (OSError, SuspiciousFileOperation) as error:
        raise Http404 from error
    is_picture = PurePosixPath(path).suffix.lower() in PICTURES
    response = FileResponse(file, as_attachment=not is_picture)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    response["Cache-Control"] = "public, max-age=86400"
    return response
