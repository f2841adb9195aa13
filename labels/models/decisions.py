"""Decisions on labels: who proposed what and why, and who approved it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clusters.models import Organisation
from clusters.models.history import History
from labels.models.labels import Label


class DecisionKind(models.TextChoices):
    AWARD = "award", _("award")
    RENEWAL = "renewal", _("renewal")
    EXTENSION = "extension", _("extension")
    SUSPENSION = "suspension", _("suspension")
    REINSTATEMENT = "reinstatement", _("reinstatement")
    REVOCATION = "revocation", _("revocation")
    CORRECTION = "correction", _("correction")
    TRANSFER = "transfer", _("transfer")


class DecisionState(models.TextChoices):
    PROPOSED = "proposed", pgettext_lazy("of a decision", "proposed")
    MADE = "made", pgettext_lazy("of a decision", "made")
    REFUSED = "refused", pgettext_lazy("of a decision", "refused")


class DecisionQuerySet(models.QuerySet["Decision"]):
    def waiting(self) -> Self:
        return self.filter(state=DecisionState.PROPOSED)

    def made(self) -> Self:
        return self.filter(state=DecisionState.MADE)

    def of_label(self, label: Label) -> Self:
        return self.filter(label=label)

    def with_organisations(self) -> Self:
        return self.select_related("organisation_before", "organisation_after")

    def latest_first(self) -> Self:
        return self.order_by("-takes_effect_on", "-pk")

    def with_label(self) -> Self:
        return self.select_related("label__level", "label__cluster")


class Decision(models.Model):
    """One step in the life of a label. Made, it is public with its reason; else only inside."""

    label = models.ForeignKey(
        Label, models.PROTECT, related_name="decisions", verbose_name=_("label")
    )
    kind = models.CharField(_("decision"), max_length=13, choices=DecisionKind)
    state = models.CharField(
        _("state"), max_length=8, choices=DecisionState, default=DecisionState.PROPOSED
    )
    takes_effect_on = models.DateField(_("takes effect on"))
    reason = models.TextField(_("reason"), help_text=_("Public once the decision is made."))
    ends_on = models.DateField(_("new end"), null=True, blank=True)
    organisation_before = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("managing organisation before"),
    )
    organisation_after = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("managing organisation after"),
    )
    needs_two = models.BooleanField(_("needs two persons"), editable=False)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("proposed by"),
    )
    proposed_at = models.DateTimeField(_("proposed at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    answer = models.TextField(_("why it was refused"), blank=True)

    objects = DecisionQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("-proposed_at", "-pk")
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = (
            models.CheckConstraint(
                name="decision_has_a_reason",
                condition=~Q(reason=""),
                violation_error_message=_("Give the reason."),
            ),
            models.CheckConstraint(
                name="decision_is_made_by_another_person",
                condition=Q(needs_two=False)
                | ~Q(state="made")
                | Q(proposed_by__isnull=True)
                | Q(decided_by__isnull=True)
                | ~Q(decided_by=F("proposed_by")),
                violation_error_message=_("Somebody else has to approve what you proposed."),
            ),
            models.CheckConstraint(
                name="decision_is_dated_once_decided",
                condition=Q(state="proposed", decided_at__isnull=True, decided_by__isnull=True)
                | ~Q(state="proposed") & Q(decided_at__isnull=False),
                violation_error_message=_("A decision that waits has no day yet."),
            ),
            models.CheckConstraint(
                name="decision_refused_with_a_word",
                condition=Q(state="refused") & ~Q(answer="") | ~Q(state="refused") & Q(answer=""),
                violation_error_message=_("Say why you refuse."),
            ),
            models.UniqueConstraint(
                fields=("label",),
                condition=Q(state="proposed"),
                name="decision_waits_once",
                violation_error_message=_("Another decision on this label is waiting."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.label}"
