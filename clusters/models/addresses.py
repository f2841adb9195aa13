"""Readable addresses: whatever a row is called, it gets one that is free."""

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from anyascii import anyascii
from django.db import models
from django.db.models import Q
from django.urls import resolve
from django.utils.text import slugify

from clusters.names import normal_name


def slug_for(text: str, *, fallback: str) -> str:
    """ASCII words joined by hyphens, at most 80 characters; `fallback` where no letter is left."""
    return slugify(anyascii(normal_name(text)))[:80].strip("-") or fallback.lower()


class TakenSlugs:
    """Addresses that another row has or had, or that would be read as another's public id.

    Rows that `own` finds, by columns of the model and of its history, are the row's own. What is
    `likely` to be asked for is looked up at once.
    """

    def __init__(
        self, model: type[models.Model], likely: Iterable[str] = (), own: Q | None = None
    ) -> None:
        self.model, self.own = model, own or Q(id__in=[])
        self.known: dict[str, bool] = {}
        self.look_up({*likely})

    def __contains__(self, slug: object) -> bool:
        assert isinstance(slug, str)
        if slug not in self.known:
            self.look_up({slug})
        return self.known[slug]

    def add(self, slug: str) -> None:
        self.known[slug] = True

    def look_up(self, slugs: set[str]) -> None:
        if not slugs:
            return
        model: Any = self.model
        rows, past = model._base_manager, model.history
        found = {
            *rows.filter(slug__in=slugs).exclude(self.own).values_list("slug", flat=True),
            *past.filter(slug__in=slugs).exclude(self.own).values_list("slug", flat=True),
        }
        if any(field.name == "public_id" for field in self.model._meta.fields):
            numbered = rows.filter(public_id__in=[slug.upper() for slug in slugs])
            numbers = numbered.exclude(self.own).values_list("public_id", flat=True)
            found |= {number.lower() for number in numbers}
        self.known |= {slug: slug in found for slug in slugs}


def free_slug(
    model: type[models.Model], name: str, taken: Container[str], others: Sequence[str] = ()
) -> str:
    """An address made of the name that is not taken and not that of another page.

    `others` tell the row from others of the name, as its country and its public id: the first of
    them that makes a free address is added, else a number.
    """
    return next(
        slug
        for slug in slugs_of(model, name, others)
        if slug not in taken and not is_of_another_page(model, slug)
    )


def slugs_of(model: type[models.Model], name: str, others: Sequence[str]) -> Iterator[str]:
    # A name without a letter or digit is replaced by the last of the others.
    slug = slug_for(name, fallback=[model.__name__, *others][-1])
    yield slug
    yield from (f"{slug}-{other.lower()}" for other in others)
    yield from (f"{slug}-{number}" for number in count(2))


def is_of_another_page(model: type[models.Model], slug: str) -> bool:
    # Whether the URLconf leads elsewhere from where the page of such a row would be.
    row = model(**{"slug": slug})
    page = row.get_absolute_url() if hasattr(row, "get_absolute_url") else ""
    return bool(page) and resolve(page).kwargs.get("slug") != slug


class Addressed(models.Model):
    """A row with a readable address, its `slug`, which is made where none is given."""

    slug: Any

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.fill_address()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        # A form may have made the address of the name, too, without knowing of others.
        if self._state.adding and self.slug == slug_for(self.address_name(), fallback=""):
            self.slug = ""
        self.fill_address()

    def fill_address(self) -> None:
        if not self.slug:
            taken = TakenSlugs(type(self), own=self.own_addresses())
            self.slug = free_slug(type(self), self.address_name(), taken, self.address_others())

    def address_name(self) -> str:
        raise NotImplementedError

    def address_others(self) -> list[str]:
        # What is added to an address that is not free, in this order.
        raise NotImplementedError

    def own_addresses(self) -> Q:
        # Rows whose addresses are no hindrance, present and past.
        return Q(id=self.pk)
