"""Decisions on labels: who proposed what and why, and who approved it."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.fields import DayField, LongTextField
from clusters.models import Cluster, EventKind, Organisation
from clusters.models.history import History
from labels.models.labels import Label
from labels.models.proposals import DecisionState, Proposal, ProposalQuerySet


class DecisionKind(models.TextChoices):
    AWARD = "award", _("award")
    RENEWAL = "renewal", _("renewal")
    EXTENSION = "extension", _("extension")
    SUSPENSION = "suspension", _("suspension")
    REINSTATEMENT = "reinstatement", _("reinstatement")
    REVOCATION = "revocation", _("revocation")
    CORRECTION = "correction", _("correction")
    TRANSFER = "transfer", _("transfer")
    ANNULMENT = "annulment", _("annulment")


class DecisionQuerySet(ProposalQuerySet["Decision"]):
    def of_label(self, label: Label) -> Self:
        return self.filter(label=label)

    def with_holders(self) -> Self:
        return self.select_related("organisation_before", "organisation_after", "cluster_after")

    def latest_first(self) -> Self:
        return self.order_by("-takes_effect_on", "-pk")

    def with_label(self) -> Self:
        return self.select_related("label__level", "label__cluster")


class Decision(Proposal):
    """One step in the life of a label. Made, it is public with its reason; else only inside."""

    PROPOSED_AS = EventKind.LABEL_PROPOSED
    DECIDED_AS = EventKind.LABEL_DECIDED

    label = models.ForeignKey(
        Label, models.PROTECT, related_name="decisions", verbose_name=_("label")
    )
    kind = models.CharField(_("decision"), max_length=13, choices=DecisionKind)
    takes_effect_on = DayField(_("takes effect on"))
    reason = LongTextField(
        _("reason"), help_text=_("Public once the decision is made."), max_length=4_000
    )
    ends_on = DayField(_("new end"), null=True, blank=True)
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
    cluster_after = models.ForeignKey(
        Cluster,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("moves to the cluster"),
    )
    # By name of the field of the label, its text before and after (labels/life/changes.py).
    changes = models.JSONField(_("changes"), default=dict, blank=True, editable=False)
    undoes = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="undone_by",
        verbose_name=_("annuls the decision"),
    )

    objects = DecisionQuerySet.as_manager()
    history = History()

    class Meta(Proposal.Meta):
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = (
            *Proposal.Meta.constraints,
            models.CheckConstraint(
                name="decision_annuls_another",
                condition=Q(kind="annulment", undoes__isnull=False) & ~Q(undoes=F("pk"))
                | ~Q(kind="annulment") & Q(undoes__isnull=True),
                violation_error_message=_("Say which decision is annulled."),
            ),
            models.UniqueConstraint(
                fields=("undoes",),
                condition=Q(state="made"),
                name="decision_annulled_once",
                violation_error_message=_("This decision has been annulled already."),
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

    @property
    def short_name(self) -> str:
        return self.get_kind_display()

    @property
    def for_the_log(self) -> str:
        return f"{self.kind}, label {self.label.public_id}"


def corrected_by_the_portal(label: Label, *, reason: str, now: datetime) -> Decision:
    """A correction that nobody proposed and nobody decided, for the label to be saved with."""
    return Decision.objects.create(
        label=label,
        kind=DecisionKind.CORRECTION,
        state=DecisionState.MADE,
        takes_effect_on=timezone.localdate(now),
        reason=reason,
        needs_two=False,
        proposed_at=now,
        decided_at=now,
    )
