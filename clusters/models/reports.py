"""What readers report of a record, and what was answered."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clusters.fields import LongTextField, MomentField
from clusters.models.history import History
from clusters.models.people import Account
from clusters.models.reference import languages


class RecordKind(models.TextChoices):
    """The kinds of public records that a report may be about."""

    CLUSTER = "cluster", _("cluster")
    ORGANISATION = "organisation", _("organisation")
    PROGRAMME = "programme", _("programme")
    LABEL = "label", _("label")
    ANNOUNCEMENT = "announcement", _("announcement")


class ReportState(models.TextChoices):
    NEW = "new", _("new")
    OPEN = "open", _("being looked into")
    CORRECTED = "corrected", _("corrected")
    REFUSED = "refused", _("nothing to correct")


class ProblemReportQuerySet(models.QuerySet["ProblemReport"]):
    def waiting(self) -> Self:
        return self.filter(state__in=(ReportState.NEW, ReportState.OPEN))

    def corrections(self) -> Self:
        return self.filter(state=ReportState.CORRECTED, is_logged=True).order_by(
            "-closed_at", "-pk"
        )


class ProblemReport(models.Model):
    """A reader reported a problem of a public record."""

    kind = models.CharField(_("kind of record"), max_length=12, choices=RecordKind)
    # No foreign key: a report outlives its record. Name and address are those of its day.
    record_id = models.CharField(_("public id"), max_length=8)
    record_name = models.CharField(_("record"), max_length=300)
    path = models.CharField(
        _("address of the record"), max_length=300, help_text=_("As it was, without the language.")
    )
    text = LongTextField(_("what is wrong"), max_length=4000)
    # Emptied some time after the answer (config/privacy/retention.py).
    reply_address = models.EmailField(_("address for the answer"), blank=True)
    language = models.CharField(_("language"), max_length=2, choices=languages, default="en")
    state = models.CharField(_("state"), max_length=9, choices=ReportState, default=ReportState.NEW)
    answer = LongTextField(
        _("answer"),
        blank=True,
        help_text=_("Sent to the reader when the report is closed."),
        max_length=4_000,
    )
    is_logged = models.BooleanField(_("in the public log of corrections"), default=False)
    correction_en = models.CharField(_("what was corrected (English)"), max_length=300, blank=True)
    correction_it = models.CharField(_("what was corrected (Italian)"), max_length=300, blank=True)
    created_at = MomentField(_("received"), auto_now_add=True)
    closed_at = MomentField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        Account,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="closed_reports",
        verbose_name=_("closed by"),
    )

    objects = ProblemReportQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("reported problem")
        verbose_name_plural = _("reported problems")
        constraints = (
            models.CheckConstraint(
                name="report_is_closed_at_a_moment",
                condition=Q(state__in=("new", "open"), closed_at__isnull=True)
                | Q(state__in=("corrected", "refused"), closed_at__isnull=False),
                violation_error_message=_(
                    "A closed report needs its closing time, an open one has none."
                ),
            ),
            models.CheckConstraint(
                name="report_is_closed_with_an_answer",
                condition=Q(state__in=("new", "open")) | ~Q(answer=""),
                violation_error_message=_("Say in the answer what was done, or why nothing was."),
            ),
            models.CheckConstraint(
                name="logged_correction_says_what",
                condition=Q(is_logged=False)
                | (Q(state="corrected") & ~Q(correction_en="") & ~Q(correction_it="")),
                violation_error_message=_(
                    "The public log tells corrections only, in both languages."
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.record_name}: {self.text[:60]}"

    @property
    def correction(self) -> str:
        return self.correction_it if get_language() == "it" else self.correction_en
