"""Triggers, views and functions of the database, made from rows that each app registers.

Before migrations they are taken down: SQLite drops the triggers of a table that it builds anew and
refuses to rename one that a view or another trigger names; PostgreSQL refuses to change a column
that a view shows. After every `migrate` what is missing or different is put up again. Only for a
row that leaves an app a migration has to drop what was made of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import post_migrate, pre_migrate

# Kind, name and text of what a database has; the text is that of `Definition.stored`.
STORED = {
    "sqlite": "SELECT upper(type), name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')",
    "postgresql": """
        SELECT 'TRIGGER', tgname, pg_get_triggerdef(pg_trigger.oid, true) || prosrc
          FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
          WHERE NOT tgisinternal AND tgenabled = 'O'
        UNION ALL SELECT 'FUNCTION', proname, prosrc
          FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
        UNION ALL SELECT 'VIEW', relname, obj_description(oid, 'pg_class')
          FROM pg_class WHERE relkind = 'v' AND relnamespace = current_schema()::regnamespace
    """,
}


class Definition(NamedTuple):
    """A TRIGGER, VIEW or FUNCTION: the SQL that creates it, and what the database stores of it."""

    kind: str
    name: str
    create: str
    stored: str


class Row:
    """A row of an app's table: what it asks of either engine."""

    def on_sqlite(self) -> Iterable[Definition]:
        return ()

    def on_postgresql(self) -> Iterable[Definition]:
        return ()

    def refresh(self, vendor: str) -> str:
        # SQL that reports all records of the row as changed; "" where it has none.
        return ""


# By the label of the app, a lower app before those that rest on it.
ROWS: dict[str, Sequence[Row]] = {}


def register_rows(app: AppConfig, rows: Sequence[Row]) -> None:
    ROWS[app.label] = rows
    pre_migrate.connect(take_down, sender=app)
    post_migrate.connect(put_up, sender=app)


def take_down(sender: AppConfig, using: str, plan: Sequence[Any], **_signal: object) -> None:
    if plan:
        drop(sender.label, connections[using])


def put_up(sender: AppConfig, using: str, **_signal: object) -> None:
    # Where anything differs, all of the app is made anew, as one may rest on another.
    connection = connections[using]
    if not all(is_migrated(label, using) for label in apps_up_to(sender.label)):
        return
    if not any(differing(sender.label, connection)):
        return
    with transaction.atomic(using), connection.cursor() as cursor:
        drop(sender.label, connection)
        for definition in definitions(sender.label, connection.vendor):
            cursor.execute(definition.create)
        # Without its triggers nothing was reported of what has changed since.
        for statement in refreshing(sender.label, connection.vendor):
            cursor.execute(statement)


def drop(label: str, connection: BaseDatabaseWrapper) -> None:
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        for definition in reversed(definitions(label, connection.vendor)):
            cursor.execute(dropping(definition, connection.vendor))


def dropping(definition: Definition, vendor: str) -> str:
    if vendor == "sqlite":
        return f"DROP {definition.kind} IF EXISTS {definition.name}"
    # A trigger goes with its function, which has its name.
    kind = "VIEW" if definition.kind == "VIEW" else "FUNCTION"
    return f"DROP {kind} IF EXISTS {definition.name} CASCADE"


def definitions(label: str, vendor: str) -> list[Definition]:
    return [
        definition
        for row in ROWS[label]
        for definition in (row.on_sqlite() if vendor == "sqlite" else row.on_postgresql())
    ]


def refreshing(label: str, vendor: str) -> Iterator[str]:
    # SQL that reports all records of which triggers of the app report changes.
    for app in apps_up_to(label):
        yield from filter(None, (row.refresh(vendor) for row in ROWS[app]))


def apps_up_to(label: str) -> list[str]:
    labels = list(ROWS)
    return labels[: labels.index(label) + 1]


def stored(connection: BaseDatabaseWrapper) -> dict[tuple[str, str], str]:
    with connection.cursor() as cursor:
        cursor.execute(STORED[connection.vendor])
        return {(kind, name): text for kind, name, text in cursor.fetchall()}


def differing(label: str, connection: BaseDatabaseWrapper) -> Iterator[tuple[str, Definition]]:
    # What is "missing" in the database or "different" there.
    found = stored(connection)
    for definition in definitions(label, connection.vendor):
        text = found.get((definition.kind, definition.name))
        if text != definition.stored:
            yield ("missing" if text is None else "different"), definition


def is_migrated(label: str, using: str) -> bool:
    # Whether all migrations of the app are applied.
    loader = MigrationLoader(connections[using])
    leaves = loader.graph.leaf_nodes(label)
    return bool(leaves) and set(leaves) <= set(loader.applied_migrations)


def check_definitions(databases: Sequence[str] | None, **_options: Any) -> list[CheckMessage]:
    return [
        Warning(
            f"The {definition.kind.lower()} {definition.name} of {label} is {state} in the "
            f"database “{using}”.",
            hint="Run “manage.py migrate”, which puts it right.",
            id="clusters.W001",
        )
        for using in databases or ()
        for label in migrated_apps(using)
        for state, definition in differing(label, connections[using])
    ]


def migrated_apps(using: str) -> list[str]:
    # Those with rows of which any migration is applied: a new database has none.
    applied = {label for label, _name in MigrationRecorder(connections[using]).applied_migrations()}
    return [label for label in ROWS if label in applied]


def sqlite_trigger(name: str, event: str, body: str, condition: str = "") -> Definition:
    when = f"WHEN {condition} " if condition else ""
    text = f"CREATE TRIGGER {name} {event} {when}BEGIN {body}; END"
    return Definition("TRIGGER", name, text, text)


def postgresql_trigger(name: str, event: str, body: str) -> Definition:
    # Write the event as PostgreSQL stores it, and conditions into the body.
    trigger = f"TRIGGER {name} {event} EXECUTE FUNCTION {name}()"
    create = f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$;
        CREATE OR REPLACE {trigger}
    """
    return Definition("TRIGGER", name, create, f"CREATE {trigger}{body}")
