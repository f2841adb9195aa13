from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import QueryDict
from django.utils.translation import get_language, override
from django_countries import countries


def country_names() -> Mapping[str, str]:
    # By code, in the order of the names in the active language.
    return names_in(get_language() or "en")


@cache
def names_in(language: str) -> Mapping[str, str]:
    with override(language):
        return {code: str(name) for code, name in countries}


MAX_TEXT_LENGTH = 200
MAX_WORDS = 8


def words_asked(data: QueryDict) -> str:
    return " ".join(data.get("q", "").split()[:MAX_WORDS])[:MAX_TEXT_LENGTH].strip()


@dataclass(frozen=True)
class Link:
    name: str
    url: str


def names_by_code(rows: Iterable[Any]) -> dict[str, str]:
    return {row.code: row.name for row in rows}
