"""What one person proposes and another decides: on a label, or on the rules of a level."""

from typing import Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clusters.fields import LongTextField, MomentField
from clusters.models import EventKind


class DecisionState(models.TextChoices):
    PROPOSED = "proposed", pgettext_lazy("of a decision", "proposed")
    MADE = "made", pgettext_lazy("of a decision", "made")
    REFUSED = "refused", pgettext_lazy("of a decision", "refused")


Row = TypeVar("Row", bound=models.Model)


class ProposalQuerySet(models.QuerySet[Row]):
    def waiting(self) -> Self:
        return self.filter(state=DecisionState.PROPOSED)

    def made(self) -> Self:
        return self.filter(state=DecisionState.MADE)


class Proposal(models.Model):
    """Made by the person who proposed it only where one person may."""

    # What the log calls the two moments of it.
    PROPOSED_AS: ClassVar[EventKind]
    DECIDED_AS: ClassVar[EventKind]

    state = models.CharField(
        _("state"), max_length=8, choices=DecisionState, default=DecisionState.PROPOSED
    )
    reason = LongTextField(_("reason"), max_length=4_000)
    needs_two = models.BooleanField(_("needs two persons"), editable=False)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("proposed by"),
    )
    proposed_at = MomentField(_("proposed at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = MomentField(_("decided at"), null=True)
    answer = LongTextField(_("why it was refused"), blank=True, max_length=4_000)

    # What it would do; of one that was just proposed (labels/life).
    prospect: Any

    class Meta:
        abstract = True
        ordering = ("-proposed_at", "-pk")
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.CheckConstraint(
                name="%(class)s_has_a_reason",
                condition=~Q(reason=""),
                violation_error_message=_("Give the reason."),
            ),
            models.CheckConstraint(
                name="%(class)s_is_made_by_another_person",
                condition=Q(needs_two=False)
                | ~Q(state="made")
                | Q(proposed_by__isnull=True)
                | Q(decided_by__isnull=True)
                | ~Q(decided_by=F("proposed_by")),
                violation_error_message=_("Somebody else has to approve what you proposed."),
            ),
            models.CheckConstraint(
                name="%(class)s_is_dated_once_decided",
                condition=Q(state="proposed", decided_at__isnull=True, decided_by__isnull=True)
                | ~Q(state="proposed") & Q(decided_at__isnull=False),
                violation_error_message=_("A decision that waits has no day yet."),
            ),
            models.CheckConstraint(
                name="%(class)s_refused_with_a_word",
                condition=Q(state="refused") & ~Q(answer="") | ~Q(state="refused") & Q(answer=""),
                violation_error_message=_("Say why you refuse."),
            ),
        )

    @property
    def short_name(self) -> str:
        # Where it is plain what it is about.
        raise NotImplementedError

    @property
    def for_the_log(self) -> str:
        raise NotImplementedError
