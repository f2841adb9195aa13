# ruff: noqa: S608 (the statements are put together from names of the schema)
"""What the database keeps as it is, it keeps from SQLite's REPLACE, too."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from clusters.models import EventKind
from clusters.people.log import record
from labels.models import DecisionKind, IssuedCredential, Level, LevelRule, RuleChange
from tests.factories import made_decision, make_label, make_management, make_suspension

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="REPLACE is SQLite's alone"),
]

# A row that is kept, by its table.
KEPT: dict[str, Callable[[], Any]] = {
    "clusters_event": lambda: record(EventKind.EXPORTED, now=timezone.now()),
    "labels_label": lambda: make_label(revoked_on=date(2017, 1, 1), revocation_reason="Audit."),
    "labels_suspension": lambda: make_suspension(make_label(), starts_on=date(2016, 1, 1)),
    "labels_decision": lambda: made_decision(make_label(), DecisionKind.AWARD, date(2016, 1, 1)),
    "clusters_cluster": lambda: make_label().cluster,
    "clusters_organisation": lambda: make_management(cluster=make_label().cluster).organisation,
    "labels_issuedcredential": lambda: IssuedCredential.objects.create(
        label=make_label(), digest="x"
    ),
    "labels_level": lambda: Level.objects.earliest("pk"),
    "labels_levelrule": lambda: LevelRule.objects.earliest("pk"),
    "labels_rulechange": lambda: RuleChange.objects.made().earliest("pk"),
}
# What another row says, so that it is none that the table would take in place of the kept one.
OTHERWISE: dict[str, dict[str, Any]] = {
    "clusters_cluster": {"is_published": False},
    "clusters_organisation": {"is_published": False},
    "labels_suspension": {"starts_on": "2016-02-01"},
    "labels_decision": {"kind": "renewal"},
    "labels_issuedcredential": {"digest": "another"},
    "labels_level": {"official_wording": "Another"},
    "labels_levelrule": {"first_months": 7},
    "labels_rulechange": {"reason": "Another."},
}
KEPT_WORDS = (
    r"not change|never changed|kept for two years|a public label changes|withdraw them first"
    r"|by a change of rules|given once|manages or managed"
)
OTHERS: dict[str, Any] = {
    "id": 1_000_000,
    "public_id": "22222222",
    "status_index": 1_000_000,
    "slug": "another",
    "code": "another",
    "rank": 999,
    "transferred_from_id": None,
}
WITH_KEYS_OF_SEVERAL = ("labels_label", "labels_suspension")


def keeping_triggers() -> dict[str, list[str]]:
    """The triggers that refuse a write for what a row was, by table, as the database has them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
        found: dict[str, list[str]] = {}
        for table, name, sql in cursor.fetchall():
            refuses = re.search(r" (UPDATE|DELETE) .*WHEN (TRUE|.*OLD\.).*RAISE\(ABORT", sql)
            if refuses:
                found.setdefault(table, []).append(name)
    return found


def unique_columns(table: str) -> list[Any]:
    [model] = (model for model in apps.get_models() if model._meta.db_table == table)
    return [field.column for field in model._meta.concrete_fields if field.unique]


def key_of(table: str) -> str:
    [model] = (model for model in apps.get_models() if model._meta.db_table == table)
    return str(model._meta.pk.column)


def stored_row(table: str, pk: Any) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE {key_of(table)} = %s", [pk])
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


def replace_row(table: str, row: dict[str, Any]) -> None:
    marks = ", ".join(["%s"] * len(row))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT OR REPLACE INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()]
        )


def replacements(table: str, row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Rows that take one key of this one and no other, by that key."""
    keys = [name for name in unique_columns(table) if row[name] is not None]
    another = row | OTHERWISE.get(table, {}) | {name: OTHERS[name] for name in keys}
    found = {name: another | {name: row[name]} for name in keys}
    return found | ({"columns together": another} if table in WITH_KEYS_OF_SEVERAL else {})


def test_every_table_whose_rows_are_kept_is_looked_at() -> None:
    assert keeping_triggers().keys() == KEPT.keys()


@pytest.mark.parametrize("table", KEPT)
def test_kept_row_is_not_replaced_by_any_of_its_keys(table: str) -> None:
    row = stored_row(table, KEPT[table]().pk)
    tried = replacements(table, row)
    assert key_of(table) in tried

    for replacement in tried.values():
        with pytest.raises(DatabaseError, match=KEPT_WORDS):
            replace_row(table, replacement)

    assert stored_row(table, row[key_of(table)]) == row


def test_kept_row_is_not_replaced_by_a_change_of_another() -> None:
    revoked = KEPT["labels_label"]()
    other = make_label()

    for column in ("id", "public_id"):
        key = getattr(revoked, column)
        with (
            pytest.raises(DatabaseError, match=KEPT_WORDS),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                f"UPDATE OR REPLACE labels_label SET {column} = %s WHERE id = %s", [key, other.pk]
            )


@pytest.mark.parametrize("table", KEPT)
def test_without_its_guards_a_kept_row_would_be_replaced(table: str) -> None:
    row = stored_row(table, KEPT[table]().pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' "
            "AND (name LIKE %s OR name IN (%s, %s))",
            ["%or_replaced%", "suspension_begins", "rule_by_change_insert"],
        )
        for [name] in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")

    replace_row(table, row | OTHERWISE.get(table, {}))


def test_row_that_may_change_may_be_replaced() -> None:
    row = stored_row("labels_label", make_label(is_published=False).pk)

    replace_row("labels_label", row | {"certificate_number": "17"})

    assert stored_row("labels_label", row["id"])["certificate_number"] == "17"
