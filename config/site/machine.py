from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from clusters.http.addresses import absolute
from clusters.http.asof import midnight

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
            content_type="application/opensearchdescription+xml; charset=utf-8",
            headers={"Cache-Control": "max-age=86400"},
        )


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
