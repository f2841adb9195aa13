"""The level that a programme requires of its clusters."""

from collections.abc import Iterable
from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clusters.fields import DayField
from clusters.models import Programme
from clusters.models.history import History
from labels.models.scheme import Level


class RequiredLevelQuerySet(models.QuerySet["RequiredLevel"]):
    def in_force(self, day: date) -> Self:
        # A requirement without a first day was in force always, without a last day it lasts.
        return self.filter(
            Q(required_from__isnull=True) | Q(required_from__lte=day),
            Q(required_until__isnull=True) | Q(required_until__gte=day),
        )

    def of_programme(self, programme: Programme) -> Self:
        return self.of_programmes([programme])

    def of_programmes(self, programmes: Iterable[Programme]) -> Self:
        keys = [programme.pk for programme in programmes]
        return self.filter(programme__in=keys).select_related("level")

    def of_published(self) -> Self:
        return self.filter(programme__is_published=True)

    def after(self, day: date) -> Self:
        # What begins later, the next first.
        return self.filter(required_from__gt=day).order_by("required_from", "pk")

    def highest_by_programme(self) -> "dict[int, RequiredLevel]":
        # The lowest first, so that the highest stays; of two the one that was entered first.
        return {row.programme_id: row for row in self.order_by("level__rank", "-pk")}


class RequiredLevel(models.Model):
    """A level that a programme's clusters must hold, or a higher one, in these days."""

    programme = models.ForeignKey(
        Programme, models.CASCADE, related_name="required_levels", verbose_name=_("programme")
    )
    level = models.ForeignKey(
        Level, models.PROTECT, related_name="+", verbose_name=_("required level")
    )
    required_from = DayField(
        _("required from"), null=True, blank=True, help_text=_("Empty: not known since when.")
    )
    required_until = DayField(_("required until"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=500, blank=True)

    objects = RequiredLevelQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("programme", F("required_from").asc(nulls_first=True), "pk")
        verbose_name = _("required level")
        verbose_name_plural = _("required levels")
        constraints = (
            models.CheckConstraint(
                name="required_level_ends_after_it_starts",
                condition=Q(required_from__isnull=True)
                | Q(required_until__isnull=True)
                | Q(required_until__gte=F("required_from")),
                violation_error_message=_("The requirement ends before it starts."),
            ),
            models.UniqueConstraint(
                fields=("programme",),
                condition=Q(required_until__isnull=True),
                name="required_level_open_once",
                violation_error_message=_(
                    "The programme requires a level already: give that one its last day first."
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.programme}: {self.level}"
