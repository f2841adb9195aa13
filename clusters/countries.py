"""The names of countries, each translated once: django-countries does it at every look."""

from collections.abc import Mapping
from functools import cache

from django.utils.translation import get_language, override
from django_countries import countries


def country_names() -> Mapping[str, str]:
    """By code, in the order of the names in the active language."""
    return names_in(get_language() or "en")


@cache
def names_in(language: str) -> Mapping[str, str]:
    with override(language):
        return {code: str(name) for code, name in countries}
