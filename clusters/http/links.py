from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from typing import Any

from django.db.models import Q
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


@dataclass(frozen=True)
class Link:
    name: str
    url: str


@dataclass(frozen=True)
class Option:
    """A value to choose, the number of records that have it, the address that toggles it."""

    value: str
    label: str
    count: int
    url: str
    is_selected: bool


@dataclass(frozen=True)
class Facet:
    name: str
    title: str
    options: tuple[Option, ...]


def names_by_code(rows: Iterable[Any]) -> dict[str, str]:
    return {row.code: row.name for row in rows}


def contains_word(word: str) -> Callable[[str], Q]:
    """A condition on a column, in any case on either engine.

    SQLite knows the case of ASCII letters only, so the usual spellings of others are tried.
    """
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}

    def condition(column: str) -> Q:
        return reduce(or_, (Q((f"{column}__icontains", text)) for text in sorted(spellings)))

    return condition
