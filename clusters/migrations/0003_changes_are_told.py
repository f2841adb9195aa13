# ruff: noqa: S608 (the statements are put together from constants)
"""Each change of what the public may see leaves a row in clusters_change, whoever writes.

`TOLD` says of which records a row of a table tells. On SQLite a trigger runs for each row; on
PostgreSQL one for each statement, with all its rows, and a row of clusters_change has the number of
its transaction. `has_words` is off where no word has changed by which a record is found.

A later migration that makes SQLite build one of these tables anew drops its triggers, and where
another trigger names that table it fails: `keep_silent` before, `tell` after it.
"""

from typing import Any, NamedTuple

from django.db import migrations


class Tells(NamedTuple):
    """The key of the record that a column holds, or that other tables have beside it.

    With a `table`: `key` of its rows whose `reference` is what the column holds.
    """

    kind: str
    column: str
    table: str = ""
    key: str = ""
    reference: str = ""
    has_words: bool = True

    def of(self, row: str) -> str:
        """For one row, as SQLite's triggers call it."""
        if self.table:
            condition = f"{self.reference} = {row}.{self.column}"
            return f"{self.values(self.key)} FROM {self.table} WHERE {condition}"
        return self.values(self.value(row))

    def among(self, rows: str) -> str:
        """For a table of rows, as PostgreSQL's triggers have it."""
        if self.table:
            condition = f"{self.table}.{self.reference} = {rows}.{self.column}"
            key = f"{self.table}.{self.key}"
            return f"{self.values(key)} FROM {rows} JOIN {self.table} ON {condition}"
        return f"{self.values(self.value(rows))} FROM {rows}"

    def values(self, key: str) -> str:
        return f"SELECT '{self.kind}', {key}, {str(self.has_words).upper()}"

    def without_words(self) -> "Tells":
        return self._replace(has_words=False)

    def value(self, row: str) -> str:
        return f"{row}.{self.column}" if self.column else "0"


OTHER = Tells("other", "").without_words()
OF_CLUSTER = Tells("cluster", "cluster_id")

TOLD = {
    "clusters_cluster": [Tells("cluster", "id")],
    "clusters_clustername": [OF_CLUSTER],
    "clusters_clustertext": [OF_CLUSTER],
    "clusters_management": [OF_CLUSTER],
    "clusters_membershipcount": [OF_CLUSTER.without_words()],
    "clusters_lineage": [
        OF_CLUSTER.without_words(),
        Tells("cluster", "other_id").without_words(),
    ],
    "clusters_organisation": [
        Tells("organisation", "id"),
        Tells("cluster", "id", "clusters_management", "cluster_id", "organisation_id"),
    ],
    "clusters_organisationname": [
        Tells("organisation", "organisation_id"),
        Tells("cluster", "organisation_id", "clusters_management", "cluster_id", "organisation_id"),
    ],
    "clusters_shareholding": [
        Tells("organisation", "organisation_id").without_words(),
        Tells("organisation", "shareholder_id").without_words(),
    ],
    "clusters_region": [
        OTHER,
        Tells("cluster", "id", "clusters_cluster", "id", "region_id"),
        Tells("organisation", "id", "clusters_organisation", "id", "region_id"),
        Tells("programme", "id", "clusters_programme", "id", "region_id"),
    ],
    "clusters_portfolio": [OTHER, Tells("cluster", "id", "clusters_cluster", "id", "portfolio_id")],
    "clusters_programme": [
        OTHER,
        Tells("programme", "id"),
        Tells(
            "cluster", "id", "clusters_participation", "cluster_id", "programme_id"
        ).without_words(),
    ],
    "clusters_participation": [OF_CLUSTER.without_words()],
}

Told = dict[str, list[Tells]]
TELL = "INSERT INTO clusters_change (kind, key, has_words)"


def may_move(tells: list[Tells]) -> bool:
    """An update may take a row from one record to another: both have changed."""
    return any(one.column not in ("", "id") for one in tells)


def sqlite_triggers(told: Told) -> dict[str, str]:
    """By name: the statement that creates the trigger."""
    found = {}
    for table, tells in told.items():
        rows = {"insert": ["NEW"], "update": ["NEW"], "delete": ["OLD"]}
        if may_move(tells):
            rows["update"] = ["OLD", "NEW"]
        for verb, sides in rows.items():
            keys = " UNION ".join(one.of(side) for side in sides for one in tells)
            name = f"{table}_{verb}_is_told"
            found[name] = (
                f"CREATE TRIGGER {name} AFTER {verb.upper()} ON {table} BEGIN {TELL} {keys}; END"
            )
    return found


def postgresql_triggers(told: Told) -> dict[str, str]:
    """By name: the statements that create the trigger and its function of the same name."""
    found = {}
    for table, tells in told.items():
        sides = {"insert": ["new"], "update": ["old", "new"], "delete": ["old"]}
        for verb, names in sides.items():
            keys = " UNION ".join(one.among(f"{name}_rows") for name in names for one in tells)
            rows = " ".join(f"{name.upper()} TABLE AS {name}_rows" for name in names)
            name = f"{table}_{verb}_is_told"
            found[name] = f"""
                CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN {TELL} {keys}; RETURN NULL; END $$;
                CREATE TRIGGER {name} AFTER {verb.upper()} ON {table} REFERENCING {rows}
                FOR EACH STATEMENT EXECUTE FUNCTION {name}()
            """
    return found


def tell(told: Told, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        statements = sqlite_triggers(told)
    else:
        statements = postgresql_triggers(told)
    for statement in statements.values():
        schema_editor.execute(statement)


def keep_silent(told: Told, schema_editor: Any) -> None:
    for name in sqlite_triggers(told):
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER {name}")
        else:
            schema_editor.execute(f"DROP FUNCTION {name}() CASCADE")


def add_columns(apps: Any, schema_editor: Any) -> None:
    """What Django does not read of clusters_change."""
    alter = "ALTER TABLE clusters_change ADD COLUMN"
    schema_editor.execute(f"{alter} has_words boolean NOT NULL DEFAULT TRUE")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"{alter} xid xid8 NOT NULL DEFAULT pg_current_xact_id()")
        schema_editor.execute("CREATE INDEX change_by_transaction ON clusters_change (xid)")


def drop_columns(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("ALTER TABLE clusters_change DROP COLUMN has_words")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE clusters_change DROP COLUMN xid")


def forwards(apps: Any, schema_editor: Any) -> None:
    tell(TOLD, schema_editor)


def backwards(apps: Any, schema_editor: Any) -> None:
    keep_silent(TOLD, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("clusters", "0002_event_is_append_only")]
    operations = [
        migrations.RunPython(add_columns, drop_columns),
        migrations.RunPython(forwards, backwards),
    ]
