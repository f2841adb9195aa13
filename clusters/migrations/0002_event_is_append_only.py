"""The log of events only grows: the database refuses to change a line, or to delete a young one."""

from typing import Any

from django.db import migrations

YEARS_KEPT = 2

SQLITE = (
    """
    CREATE TRIGGER event_is_not_changed BEFORE UPDATE ON clusters_event
    BEGIN SELECT RAISE(ABORT, 'a line of the event log is never changed'); END
    """,
    f"""
    CREATE TRIGGER event_is_not_deleted BEFORE DELETE ON clusters_event
    WHEN OLD.happened_at > datetime('now', '-{YEARS_KEPT} years')
    BEGIN SELECT RAISE(ABORT, 'a line of the event log is kept for two years'); END
    """,
)
UNDO_SQLITE = ("DROP TRIGGER event_is_not_changed", "DROP TRIGGER event_is_not_deleted")

POSTGRESQL = (
    """
    CREATE FUNCTION event_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'a line of the event log is neither changed nor deleted'
      USING ERRCODE = 'integrity_constraint_violation'; END $$
    """,
    """
    CREATE TRIGGER event_is_not_changed BEFORE UPDATE ON clusters_event
    FOR EACH ROW EXECUTE FUNCTION event_is_kept()
    """,
    f"""
    CREATE TRIGGER event_is_not_deleted BEFORE DELETE ON clusters_event
    FOR EACH ROW WHEN (OLD.happened_at > now() - interval '{YEARS_KEPT} years')
    EXECUTE FUNCTION event_is_kept()
    """,
    """
    CREATE TRIGGER event_is_not_truncated BEFORE TRUNCATE ON clusters_event
    FOR EACH STATEMENT EXECUTE FUNCTION event_is_kept()
    """,
)
UNDO_POSTGRESQL = (
    "DROP TRIGGER event_is_not_changed ON clusters_event",
    "DROP TRIGGER event_is_not_deleted ON clusters_event",
    "DROP TRIGGER event_is_not_truncated ON clusters_event",
    "DROP FUNCTION event_is_kept()",
)


def guard(apps: Any, schema_editor: Any) -> None:
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def release(apps: Any, schema_editor: Any) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in UNDO_SQLITE if is_sqlite else UNDO_POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("clusters", "0001_initial")]
    operations = [migrations.RunPython(guard, release)]
