"""Levels, rules, bodies and indicators that every installation starts with (decision 0006)."""

import json
from pathlib import Path
from typing import Any

from django.utils import timezone

from clusters.triggers.definitions import is_migrated
from labels.models import Indicator, IndicatorSet, IssuingBody, IssuingBodyRole, Level, LevelRule
from labels.models.rule_changes import written_by_the_portal

DATA = Path(__file__).parent / "data"
FIRST_RULES = "The rules that every installation starts with."


def seed_rows(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def seed_rules() -> None:
    rows = seed_rows("level_rules")
    for level in Level.objects.filter(pk__in=[row["level"] for row in rows]):
        with written_by_the_portal(level, reason=FIRST_RULES, now=timezone.now()):
            LevelRule.objects.bulk_create(
                LevelRule(**row | {"level": level}) for row in rows if row["level"] == level.pk
            )


def seed_scheme(using: str, **_signal: object) -> None:
    # After `migrate`: fill tables that are empty; what an editor changed stays changed.
    if not is_migrated("labels", using):
        return
    if not Level.objects.exists():
        Level.objects.bulk_create(Level(**row) for row in seed_rows("levels"))
    if not LevelRule.objects.exists():
        seed_rules()
    if not IssuingBody.objects.exists():
        for row in seed_rows("issuing_bodies"):
            roles = row.pop("roles")
            body = IssuingBody.objects.create(**row)
            IssuingBodyRole.objects.bulk_create(IssuingBodyRole(body=body, **r) for r in roles)
    if not IndicatorSet.objects.exists():
        for row in seed_rows("indicators"):
            indicators = row.pop("indicators")
            indicator_set = IndicatorSet.objects.create(level_id=row.pop("level"), **row)
            Indicator.objects.bulk_create(
                Indicator(set=indicator_set, **indicator) for indicator in indicators
            )
