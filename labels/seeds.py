"""Levels, rules, bodies and indicators that every installation starts with (decision 0006)."""

import json
from pathlib import Path
from typing import Any

from clusters.triggers.definitions import is_migrated
from labels.models import Indicator, IndicatorSet, IssuingBody, IssuingBodyRole, Level, LevelRule

DATA = Path(__file__).parent / "data"


def seed_rows(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def seed_scheme(using: str, **_signal: object) -> None:
    # After `migrate`: fill tables that are empty; what an editor changed stays changed.
    if not is_migrated("labels", using):
        return
    if not Level.objects.exists():
        Level.objects.bulk_create(Level(**row) for row in seed_rows("levels"))
    if not LevelRule.objects.exists():
        LevelRule.objects.bulk_create(
            LevelRule(level_id=row.pop("level"), **row) for row in seed_rows("level_rules")
        )
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
