"""Changes of a level and its rules: proposed by one person, looked at and approved by another.

One change re-dates many labels, so it is asked for, shown and decided as a decision on a label is
(labels/life/proposals.py). A trigger refuses a rule that changes by any other way.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.models import Account, Cluster
from labels.life.changes import json_of, read
from labels.life.days import apply_rules, hold
from labels.life.effects import refuse_no_reason
from labels.life.mails import tell_of_proposal
from labels.life.preview import Preview, preview_rules
from labels.life.proposals import (
    LOOK_AGAIN,
    decided,
    log_decided,
    log_proposed,
    refuse_own,
    save_proposal,
    undecided,
)
from labels.models import DecisionState, Level, LevelRule, RuleChange
from labels.models.rule_changes import being_put_into_effect

# A level and its rules, oldest first, as JSON takes them: each by the name of the field.
Scheme = dict[str, Any]


def scheme_fields(model: type[models.Model]) -> list[str]:
    # Every field that a person writes, without what says which level it is about.
    identity = ("code", "level")
    fields = model._meta.concrete_fields
    return [one.name for one in fields if one.editable and one.name not in (*identity, "id")]


def scheme_of(level: Level, rules: Iterable[LevelRule]) -> Scheme:
    written = [
        {"id": rule.pk} | {name: json_of(rule, name) for name in scheme_fields(LevelRule)}
        for rule in rules
    ]
    return {
        "level": {name: json_of(level, name) for name in scheme_fields(Level)},
        "rules": sorted(written, key=lambda rule: (rule["effective_from"], rule["id"] or 0)),
    }


def read_scheme(level: Level, scheme: Scheme) -> tuple[Level, list[LevelRule]]:
    # As rows that are not saved.
    for name, value in scheme["level"].items():
        setattr(level, name, read(Level, name, value))
    rules = [
        LevelRule(
            level=level, **{name: read(LevelRule, name, value) for name, value in given.items()}
        )
        for given in scheme["rules"]
    ]
    for rule in rules:
        rule._state.adding = rule.pk is None
    return level, rules


@dataclass(frozen=True)
class RuleProspect:
    """What a change of rules would do: the level and its rules, and the labels with other days."""

    change: RuleChange
    preview: Preview

    @property
    def digest(self) -> str:
        """Of all that a person is shown before they decide; equal twice where nothing changed."""
        change, preview = self.change, self.preview
        said = [change.reason, change.before, change.after, preview.number_of_labels]
        text = json.dumps([said, [repr(one) for one in preview.changes]], sort_keys=True)
        return sha256(text.encode()).hexdigest()


def locked_level(level: Level) -> Level:
    """The level as it is stored, locked to the end of the transaction with every cluster.

    A step in the life of a label holds its cluster, so none reads rules that are about to change.
    """
    hold(Cluster.objects.values("pk"))
    return Level.objects.select_for_update(no_key=True).get(pk=level.pk)


def tried_rules(change: RuleChange, *, now: datetime) -> RuleProspect:
    """Nothing is written. Raises ValidationError where the register would refuse it."""
    level = Level.objects.get(pk=change.level_id)
    if scheme_of(level, level.rules.all()) != change.before:
        raise ValidationError(
            _("The level or its rules changed after this was proposed: propose it anew.")
        )
    level, rules = read_scheme(level, change.after)
    if not rules:
        raise ValidationError(_("A level needs a rule."))
    level.full_clean()
    for rule in rules:
        rule.full_clean()
    kept = {rule.pk for rule in rules}
    for used in level.rules.exclude(pk__in=kept - {None}).filter(labels__isnull=False)[:1]:
        message = _("Labels count by the rule from %(day)s, so it stays.")
        raise ValidationError(message, params={"day": used.effective_from})
    return RuleProspect(change, preview_rules(level, rules, timezone.localdate(now)))


# Proposing


@transaction.atomic
def propose_rules(
    level: Level, rules: Sequence[LevelRule], *, reason: str, by: Account, now: datetime
) -> RuleChange:
    """The change, made at once where one person may: the first rules of a level that has none.

    `level` and `rules` are as they are wanted, not saved; a rule that is not among them goes.
    `prospect` is what the change does or did.
    """
    refuse_no_reason(reason)
    before = locked_level(level)
    old_rules = list(before.rules.all())
    change = RuleChange(
        level=before,
        before=scheme_of(before, old_rules),
        after=scheme_of(level, rules),
        reason=reason,
        needs_two=settings.REQUIRE_TWO_PERSONS and bool(old_rules),
        proposed_by=by,
        proposed_at=now,
    )
    if change.before == change.after:
        raise ValidationError(_("This changes nothing."))
    if before.rule_changes.filter(state=DecisionState.PROPOSED).exists():
        raise ValidationError(_("Another change of the rules of this level is waiting."))
    prospect = tried_rules(change, now=now)
    save_proposal(change)
    change.prospect = prospect
    if not change.needs_two:
        return make_rules(change, by=by, now=now)
    log_proposed(change, by=by, now=now)
    tell_of_proposal(change)
    return change


# Deciding


@transaction.atomic
def approve_rules(change: RuleChange, *, seen: str, by: Account, now: datetime) -> RuleChange:
    """Put into effect what somebody else proposed, as it was looked at.

    `seen`: the digest of what the person was shown; where that has changed they look again.
    """
    locked_level(change.level)
    change = undecided(change)
    refuse_own(change, by)
    if tried_rules(change, now=now).digest != seen:
        raise ValidationError(LOOK_AGAIN)
    return make_rules(change, by=by, now=now)


def make_rules(change: RuleChange, *, by: Account, now: datetime) -> RuleChange:
    decided(change, DecisionState.MADE, by=by, now=now)
    level, rules = read_scheme(locked_level(change.level), change.after)
    with being_put_into_effect(change):
        write_scheme(level, rules, by=by)
        apply_rules(level)
    log_decided(change, by=by, now=now)
    return change


def write_scheme(level: Level, rules: Sequence[LevelRule], *, by: Account) -> None:
    # What stays as it is gets no version in the history.
    stored_rules = {rule.pk: rule for rule in level.rules.all()}
    old = scheme_of(Level.objects.get(pk=level.pk), stored_rules.values())
    new = scheme_of(level, rules)
    for pk in stored_rules.keys() - {rule.pk for rule in rules}:
        stored_rules[pk]._history_user = by
        stored_rules[pk].delete()
    if new["level"] != old["level"]:
        level._history_user = by
        level.save()
    for rule in rules:
        if rule.pk is None or scheme_of(level, [rule])["rules"][0] not in old["rules"]:
            rule._history_user = by
            rule.save()
