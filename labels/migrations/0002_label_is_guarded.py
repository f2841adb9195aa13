# ruff: noqa: S608 (the statements are put together from constants)
"""What the database itself refuses: a change to a revoked label, and two labels in force at once.

In force from the first day to the last, or to the day before a revocation or a transfer. Only
labels that the public sees and whose days are known to the day are compared. On PostgreSQL the
cluster's row is locked meanwhile, so that two transactions do not miss each other.
"""

from typing import Any

from django.db import migrations

COLUMNS = (
    "cluster_id, level_id, is_published, days_are_exact, starts_on, ends_on, revoked_on, "
    "transferred_on"
)
REVOKED = "this label was revoked; it does not change any more"
TWO_IN_FORCE = "the cluster has a label of this level in force at that time"


def in_force_together(later_of: str) -> str:
    """Whether another row shares a day with NEW: the later of both starts lies within both."""
    first = f"{later_of}(other.starts_on, NEW.starts_on)"
    bounds = " ".join(
        f"AND {first} <= {row}.ends_on "
        f"AND ({row}.revoked_on IS NULL OR {first} < {row}.revoked_on) "
        f"AND ({row}.transferred_on IS NULL OR {first} < {row}.transferred_on)"
        for row in ("other", "NEW")
    )
    return (
        "SELECT 1 FROM labels_label AS other WHERE other.cluster_id = NEW.cluster_id "
        "AND other.level_id = NEW.level_id AND other.id <> NEW.id "
        f"AND other.is_published AND other.days_are_exact {bounds}"
    )


SQLITE = (
    f"""
    CREATE TRIGGER label_revoked_stays BEFORE UPDATE ON labels_label
    WHEN OLD.revoked_on IS NOT NULL
    BEGIN SELECT RAISE(ABORT, '{REVOKED}'); END
    """,
    *(
        f"""
        CREATE TRIGGER suspension_of_revoked_{verb.lower()} BEFORE {verb} ON labels_suspension
        WHEN (SELECT revoked_on FROM labels_label WHERE id = NEW.label_id) IS NOT NULL
        BEGIN SELECT RAISE(ABORT, '{REVOKED}'); END
        """
        for verb in ("INSERT", "UPDATE")
    ),
    *(
        f"""
        CREATE TRIGGER label_in_force_once_{name} AFTER {verb} ON labels_label
        WHEN NEW.is_published AND NEW.days_are_exact AND EXISTS ({in_force_together("MAX")})
        BEGIN SELECT RAISE(ABORT, '{TWO_IN_FORCE}'); END
        """
        for name, verb in (("insert", "INSERT"), ("update", f"UPDATE OF {COLUMNS}"))
    ),
)
UNDO_SQLITE = (
    "DROP TRIGGER label_revoked_stays",
    "DROP TRIGGER suspension_of_revoked_insert",
    "DROP TRIGGER suspension_of_revoked_update",
    "DROP TRIGGER label_in_force_once_insert",
    "DROP TRIGGER label_in_force_once_update",
)

POSTGRESQL = (
    f"""
    CREATE FUNCTION label_is_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{REVOKED}' USING ERRCODE = 'integrity_constraint_violation'; END $$
    """,
    """
    CREATE TRIGGER label_revoked_stays BEFORE UPDATE ON labels_label
    FOR EACH ROW WHEN (OLD.revoked_on IS NOT NULL) EXECUTE FUNCTION label_is_revoked()
    """,
    f"""
    CREATE FUNCTION suspension_needs_a_label() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM labels_label
        WHERE id = NEW.label_id AND revoked_on IS NOT NULL FOR KEY SHARE;
      IF FOUND THEN
        RAISE EXCEPTION '{REVOKED}' USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER suspension_of_revoked BEFORE INSERT OR UPDATE ON labels_suspension
    FOR EACH ROW EXECUTE FUNCTION suspension_needs_a_label()
    """,
    f"""
    CREATE FUNCTION label_in_force_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM clusters_cluster WHERE id = NEW.cluster_id FOR NO KEY UPDATE;
      PERFORM 1 WHERE EXISTS ({in_force_together("GREATEST")});
      IF FOUND THEN
        RAISE EXCEPTION '{TWO_IN_FORCE}' USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      RETURN NULL;
    END $$
    """,
    f"""
    CREATE TRIGGER label_in_force_once AFTER INSERT OR UPDATE OF {COLUMNS} ON labels_label
    FOR EACH ROW WHEN (NEW.is_published AND NEW.days_are_exact)
    EXECUTE FUNCTION label_in_force_once()
    """,
)
UNDO_POSTGRESQL = (
    "DROP TRIGGER label_revoked_stays ON labels_label",
    "DROP TRIGGER suspension_of_revoked ON labels_suspension",
    "DROP TRIGGER label_in_force_once ON labels_label",
    "DROP FUNCTION label_is_revoked",
    "DROP FUNCTION suspension_needs_a_label",
    "DROP FUNCTION label_in_force_once",
)


def guard(apps: Any, schema_editor: Any) -> None:
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def release(apps: Any, schema_editor: Any) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in UNDO_SQLITE if is_sqlite else UNDO_POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("labels", "0001_initial")]
    operations = [migrations.RunPython(guard, release)]
