"""Small tables that the rest refers to, and what several models share."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Substr
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from clusters.fields import NameField, NormalNameField
from clusters.models.history import History
from clusters.models.records import NamedQuerySet


def languages() -> list[tuple[str, Any]]:
    # Asked whenever they are needed: a further one needs no migration.
    return [*settings.LANGUAGES]


class TwoNames(models.Model):
    """A name in each language of the portal; `name` is the one to show."""

    name_en = NameField(_("name (English)"), max_length=200)
    name_it = NameField(_("name (Italian)"), max_length=200)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_it if get_language() == "it" else self.name_en


def ends_after_it_starts(model: str) -> models.CheckConstraint:
    """For a model with partial `started_on` and `ended_on`: the last day is not before the first.

    The start is cut to the precision of the end, so "July 2015 until 2015" is allowed.
    """
    return models.CheckConstraint(
        name=f"{model}_ends_after_it_starts",
        condition=Q(started_on__isnull=True)
        | Q(ended_on__isnull=True)
        | Q(GreaterThanOrEqual(F("ended_on"), Substr("started_on", 1, Length("ended_on")))),
        violation_error_message=_("The end lies before the start."),
    )


def is_in_force(row: Any, day: date) -> bool:
    # The Python twin of `in_force_on`.
    return (row.started_on is None or row.started_on.first_day <= day) and (
        row.ended_on is None or row.ended_on.last_day >= day
    )


def name_used_on(day: date, present: str, former: Iterable[Any]) -> str:
    """Of names with `started_on` and `ended_on`, the one whose end is known to lie after the day.

    Where none is, the present name.
    """
    used = [row for row in former if row.ended_on and is_in_force(row, day)]
    first = min(used, key=lambda row: row.ended_on.last_day, default=None)
    return present if first is None else str(first.name)


def in_force_on(day: date) -> Q:
    # For a model with partial `started_on` and `ended_on`; an unknown one does not bound.
    return Q(Q(started_on__isnull=True) | Q(started_on__begun_by=day)) & Q(
        Q(ended_on__isnull=True) | Q(ended_on__lasting_on=day)
    )


class Portfolio(TwoNames):
    """One of ESCA's comparative portfolios, its classification of sectors."""

    code = models.SlugField(_("code"), unique=True)
    other_names = NameField(
        _("other names"),
        max_length=600,
        blank=True,
        help_text=_(
            "Words by which a search finds this portfolio, in any language, separated by a "
            "vertical bar."
        ),
    )

    history = History()

    class Meta:
        ordering = ("name_en", "pk")
        verbose_name = _("comparative portfolio")
        verbose_name_plural = _("comparative portfolios")


class Region(models.Model):
    """A first-level subdivision of a country; without a code where ISO 3166-2 has none."""

    # NULL, as two empty texts would count as the same code.
    code = models.CharField(
        _("ISO 3166-2 code"), max_length=6, unique=True, null=True, blank=True, default=None
    )
    name = NameField(_("name"), max_length=120)
    normal_name = NormalNameField("name")
    other_names = NameField(
        _("other names"), max_length=300, blank=True, help_text=_("Separated by a vertical bar.")
    )
    country = CountryField(_("country"))

    objects = NamedQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("country", "name", "pk")
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        constraints = (
            models.UniqueConstraint(
                fields=("country", "name"),
                name="region_name_once_per_country",
                violation_error_message=_("This country has a region of that name already."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        # The constraint knows the spelling only.
        others = Region.objects.exclude(pk=self.pk).filter(country=self.country)
        if others.filter(normal_name=self.name).exists():
            raise ValidationError({"name": _("This country has a region of that name already.")})
