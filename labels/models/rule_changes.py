"""Changes of the rules of a level, and of what the level is called: proposed, and decided."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clusters.models import EventKind
from clusters.models.history import History
from labels.models.proposals import DecisionState, Proposal, ProposalQuerySet
from labels.models.scheme import Level


class RuleChangeQuerySet(ProposalQuerySet["RuleChange"]):
    def with_level(self) -> Self:
        return self.select_related("level")


class RuleChange(Proposal):
    """A level and all its rules before and after, as `labels/life/rules.py` writes them.

    The database lets them change only while a change of the level is made and not yet in effect,
    so it serves once. Both are empty where the portal itself writes.
    """

    PROPOSED_AS = EventKind.RULES_PROPOSED
    DECIDED_AS = EventKind.RULES_DECIDED

    level = models.ForeignKey(
        Level, models.PROTECT, related_name="rule_changes", verbose_name=_("level")
    )
    before = models.JSONField(_("before"), default=dict, blank=True, editable=False)
    after = models.JSONField(_("after"), default=dict, blank=True, editable=False)
    is_in_effect = models.BooleanField(_("in effect"), default=False, editable=False)

    objects = RuleChangeQuerySet.as_manager()
    history = History(excluded_fields=["is_in_effect"])

    class Meta(Proposal.Meta):
        verbose_name = _("change of rules")
        verbose_name_plural = _("changes of rules")
        constraints = (
            *Proposal.Meta.constraints,
            models.CheckConstraint(
                name="rulechange_in_effect_once_made",
                condition=Q(is_in_effect=False) | Q(state="made"),
                violation_error_message=_("Only what was decided is in effect."),
            ),
            models.UniqueConstraint(
                fields=("level",),
                condition=Q(state="proposed"),
                name="rulechange_waits_once",
                violation_error_message=_("Another change of the rules of this level is waiting."),
            ),
        )

    def __str__(self) -> str:
        return gettext("rules of %(level)s") % {"level": self.level}

    @property
    def short_name(self) -> str:
        return str(self)

    @property
    def for_the_log(self) -> str:
        return f"rules of {self.level_id}"


@contextmanager
def being_put_into_effect(change: RuleChange) -> Iterator[None]:
    # Only so long does the database let the rows of the level change.
    yield
    RuleChange.objects.filter(pk=change.pk).update(is_in_effect=True)
    change.is_in_effect = True


@contextmanager
def written_by_the_portal(level: Level, *, reason: str, now: datetime) -> Iterator[None]:
    """The rows of a level may be written inside; nobody proposed it and nobody decided."""
    with transaction.atomic():
        made = RuleChange.objects.create(
            level=level,
            state=DecisionState.MADE,
            reason=reason,
            needs_two=False,
            proposed_at=now,
            decided_at=now,
        )
        with being_put_into_effect(made):
            yield
