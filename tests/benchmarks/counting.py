# ruff: noqa: S608 (the statements are put together from constants)
"""Counts of all facets from the index against one GROUP BY per facet; run by test_directory.py."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import django

ROUNDS = 7
TODAY = "2026-11-22"
BROAD = "cluster"

VALID = f"""
    label.is_published AND label.starts_on <= '{TODAY}' AND label.ends_on >= '{TODAY}'
    AND label.revoked_on IS NULL AND label.transferred_on IS NULL
"""
# What a page without an index would ask, with the joins that each facet needs and no more.
FACETS = {
    "country": ("cluster.country", ""),
    "region": ("cluster.region_id", ""),
    "portfolio": ("cluster.portfolio_id", ""),
    "profile": ("cluster.state", ""),
    "level": (
        "label.level_id",
        f"JOIN labels_label AS label ON label.cluster_id = cluster.id AND {VALID}",
    ),
    "state": (
        "CASE WHEN label.revoked_on IS NOT NULL THEN 'revoked' "
        "WHEN label.starts_on IS NULL THEN 'undated' "
        f"WHEN label.ends_on >= '{TODAY}' THEN 'valid' "
        f"WHEN label.renewable_until >= '{TODAY}' THEN 'renewable' ELSE 'expired' END",
        "JOIN labels_label AS label ON label.cluster_id = cluster.id AND label.is_published",
    ),
    "programme": (
        "participation.programme_id",
        "JOIN clusters_participation AS participation ON participation.cluster_id = cluster.id",
    ),
    "manager": (
        "organisation.kind",
        "JOIN clusters_management AS management ON management.cluster_id = cluster.id "
        "JOIN clusters_organisation AS organisation "
        "ON organisation.id = management.organisation_id",
    ),
}  # fmt: skip


def grouped(condition: str = "") -> Callable[[], None]:
    from django.db import connection

    statements = [
        f"SELECT {value}, count(DISTINCT cluster.id) FROM clusters_cluster AS cluster {joined} "
        f"WHERE cluster.is_published {condition} GROUP BY 1"
        for value, joined in FACETS.values()
    ]

    def ask() -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                cursor.fetchall()

    return ask


def counted(query: str) -> Callable[[], None]:
    """The counts anew, with the words searched anew, from an index that is up to date."""
    from datetime import date

    from django.http import QueryDict

    from clusters.directory.query import CHOICES
    from labels.register.holdings import INDEX, directory

    def ask() -> None:
        answer = directory(QueryDict(query), "/en/clusters/", date.fromisoformat(TODAY))
        remembered = INDEX.index.remembered  # type: ignore[union-attr]
        for key in [key for key in remembered if "words" in key]:  # type: ignore[operator]
            del remembered[key]
        for name in CHOICES:
            answer.counts(name)
        answer.profile_facet()

    return ask


def main() -> None:
    from django.db import connection

    from clusters.models import Cluster

    found = f"SELECT rowid FROM cluster_document WHERE cluster_document MATCH '{BROAD}*'"
    if connection.vendor == "postgresql":
        asked = f"to_tsquery('simple', '{BROAD}:*')"
        found = f"SELECT key FROM cluster_document WHERE whole @@ {asked}"
    cases: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "all facets": (counted(""), grouped()),
        "one filter": (counted("country=IT"), grouped("AND cluster.country = 'IT'")),
        "broad search": (counted(f"q={BROAD}"), grouped(f"AND cluster.id IN ({found})")),
    }
    print(f"{Cluster.objects.count():,} clusters: counts of all facets, GROUP BY against the index")
    for name, (index, sql) in cases.items():
        index(), sql()
        ratios, fast = [], []
        for _turn in range(ROUNDS):
            begun = time.perf_counter()
            index()
            between = time.perf_counter()
            sql()
            fast.append(between - begun)
            ratios.append((time.perf_counter() - between) / (between - begun))
        middle, faster = statistics.median(fast) * 1000, statistics.median(ratios)
        print(f"  {name}: {middle:.2f} ms, {faster:.0f} × faster")


if __name__ == "__main__":
    django.setup()
    main()
