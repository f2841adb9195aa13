"""Portfolios and regions that every installation starts with (decision 0006)."""

import csv
import json
from pathlib import Path

from django.contrib.auth.models import Group

from clusters.models import Portfolio, Region, Role
from clusters.triggers.definitions import is_migrated

DATA = Path(__file__).parent / "data"


def seed(using: str, **_signal: object) -> None:
    """After `migrate`: fill tables that are empty; what an editor changed stays changed.

    The groups are the roles: they are always all there.
    """
    # Also called where a migration leads back to an earlier state.
    if not is_migrated("clusters", using):
        return
    for role in Role:
        if role != Role.TEAM:
            Group.objects.get_or_create(name=role)
    if not Portfolio.objects.exists():
        rows = json.loads((DATA / "portfolios.json").read_text(encoding="utf-8"))
        Portfolio.objects.bulk_create(Portfolio(**row) for row in rows)
    if not Region.objects.exists():
        with (DATA / "regions.csv").open(encoding="utf-8", newline="") as file:
            Region.objects.bulk_create(
                Region(
                    code=row["code"],
                    country=row["country"],
                    name=row["name"],
                    other_names=row["aliases"],
                )
                for row in csv.DictReader(file)
            )
