"""Addresses that every page states about itself."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils.translation import get_language, get_language_info


@dataclass(frozen=True)
class Alternate:
    """This page in one language."""

    language: str
    name: str
    url: str
    is_current: bool

    @property
    def absolute(self) -> str:
        return f"{settings.SITE_URL}{self.url}"


def language_addresses(request: HttpRequest) -> dict[str, object]:
    """Canonical address, the same page in each language, the feedback address.

    A view whose slug differs by language sets `request.language_urls` (language to path).
    The language switch keeps the query string; the canonical address drops it.
    """
    given: dict[str, str] = getattr(request, "language_urls", {})
    query = f"?{request.META['QUERY_STRING']}" if request.META.get("QUERY_STRING") else ""
    alternates = [
        Alternate(
            language=language,
            name=get_language_info(language)["name_local"],
            url=(given.get(language) or translate_url(request.path, language)) + query,
            is_current=language == get_language(),
        )
        for language, _name in settings.LANGUAGES
    ]
    return {
        "alternates": alternates,
        "canonical_url": f"{settings.SITE_URL}{request.path}",
        "site_url": settings.SITE_URL,
        "contact_address": settings.CONTACT_ADDRESS,
    }
