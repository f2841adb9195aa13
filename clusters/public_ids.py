"""Permanent public identifiers and readable addresses."""

import secrets
from collections.abc import Collection
from typing import TypeVar

from anyascii import anyascii
from django.db.models import Max, Model, OuterRef, QuerySet, Subquery
from django.utils.text import slugify

AnyModel = TypeVar("AnyModel", bound=Model)

# No vowels (no words), no 0/O, 1/I: a person can read one out from a printed page.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
LENGTH = 8


def new_public_id() -> str:
    """Eight characters of 28: about 38 bits, unique by constraint."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def slug_for(text: str, *, fallback: str) -> str:
    """ASCII words joined by hyphens, at most 80 characters; `fallback` where no letter is left."""
    return slugify(anyascii(text))[:80].strip("-") or fallback.lower()


def formerly_at(rows: QuerySet[AnyModel], slug: str) -> AnyModel | None:
    """The one of `rows` that had this address, by its history; the last of several to have it."""
    past = rows.model.history.filter(slug=slug)  # type: ignore[attr-defined]
    last_there = past.filter(id=OuterRef("pk")).values("id").annotate(at=Max("history_date"))
    return (
        rows.filter(pk__in=past.values("id"))
        .alias(last_there_at=Subquery(last_there.values("at")))
        .order_by("-last_there_at", "-pk")
        .first()
    )


def last_at(rows: QuerySet[AnyModel], slugs: Collection[str]) -> dict[str, int]:
    """The keys of those of `rows` that had these addresses, as `formerly_at`; one query."""
    if not slugs:
        return {}
    past = rows.model.history.filter(slug__in=slugs, id__in=rows.order_by().values("pk"))  # type: ignore[attr-defined]
    # The last one to have an address stands last, and stays.
    return dict(past.order_by("history_date", "id").values_list("slug", "id"))
