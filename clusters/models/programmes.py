"""Public policies that support clusters."""

from collections.abc import Iterable
from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from clusters.fields import LongTextField, PartialDateField
from clusters.models.clusters import Cluster
from clusters.models.history import History
from clusters.models.organisations import Organisation
from clusters.models.records import PublicRecord, PublicRecordQuerySet
from clusters.models.reference import TwoNames, ends_after_it_starts, in_force_on

# Pages that stand where a programme's would.
PAGES_OF_PROGRAMMES = ("compare",)


class ProgrammeQuerySet(PublicRecordQuerySet["Programme"]):
    def in_directory_order(self) -> Self:
        return self.order_by("name_en", "pk")

    def with_place(self) -> Self:
        return self.select_related("owner", "region")

    def with_names_of_owners(self) -> Self:
        # For `owner.name_on()`.
        return self.prefetch_related("owner__former_names")

    def with_number_of_clusters(self) -> Self:
        # Annotate `number`: the published clusters that take or took part.
        return self.annotate(number=models.Count("clusters", filter=Q(clusters__is_published=True)))


class Programme(PublicRecord, TwoNames):
    """A policy of a region, ministry or agency."""

    owner = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="programmes",
        verbose_name=_("programme owner"),
        help_text=_("The region, ministry or agency behind the programme, or its coordinator."),
    )
    country = CountryField(_("country"), blank=True)
    description_en = LongTextField(_("description (English)"), blank=True, max_length=10_000)
    description_it = LongTextField(_("description (Italian)"), blank=True, max_length=10_000)
    started_on = PartialDateField(_("from"), null=True, blank=True)
    ended_on = PartialDateField(_("until"), null=True, blank=True)
    clusters = models.ManyToManyField(Cluster, through="Participation", related_name="programmes")

    objects = ProgrammeQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("name_en", "pk")
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        constraints = (
            ends_after_it_starts("programme"),
            models.CheckConstraint(
                name="programme_address_is_not_of_a_page",
                condition=~Q(slug__in=PAGES_OF_PROGRAMMES),
                violation_error_message=_("This address is that of another page."),
            ),
        )

    def get_absolute_url(self) -> str:
        return reverse("clusters:programme_detail", args=[self.slug])

    def address_name(self) -> str:
        return self.name_en or self.name_it

    @property
    def description(self) -> str:
        return self.description_it if get_language() == "it" else self.description_en


class ParticipationQuerySet(models.QuerySet["Participation"]):
    def public(self) -> Self:
        # Of a published cluster in a published programme, both loaded.
        return self.filter(cluster__is_published=True, programme__is_published=True).select_related(
            "cluster__region", "cluster__portfolio", "programme"
        )

    def on(self, day: date) -> Self:
        # Participations in force on a day.
        return self.filter(in_force_on(day))

    def of_programmes(self, programmes: Iterable[int]) -> Self:
        return self.filter(programme__in=list(programmes))

    def count_by_programme(self) -> dict[int, int]:
        rows = self.order_by().values_list("programme").annotate(number=models.Count("pk"))
        return dict(rows)

    def in_programmes(self, programmes: "models.QuerySet[Programme]") -> Self:
        return self.filter(programme__in=programmes).select_related("programme")


class Participation(models.Model):
    """A cluster takes part in a programme."""

    programme = models.ForeignKey(
        Programme, models.CASCADE, related_name="participations", verbose_name=_("programme")
    )
    cluster = models.ForeignKey(
        Cluster, models.CASCADE, related_name="participations", verbose_name=_("cluster")
    )
    started_on = PartialDateField(_("from"), null=True, blank=True)
    ended_on = PartialDateField(_("until"), null=True, blank=True)

    objects = ParticipationQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("programme", "cluster__name", "pk")
        verbose_name = _("participating cluster")
        verbose_name_plural = _("participating clusters")
        constraints = (
            ends_after_it_starts("participation"),
            models.UniqueConstraint(
                fields=("programme", "cluster"), name="participation_once_per_cluster"
            ),
        )

    def __str__(self) -> str:
        return str(self.cluster)
