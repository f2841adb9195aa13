"""Triggers that leave a row in clusters_change for each public record that a write changes.

On SQLite a trigger runs for each row; on PostgreSQL one for each statement, with all its rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from clusters.triggers.definitions import Definition, Row, postgresql_trigger, sqlite_trigger

INSERT = "INSERT INTO clusters_change (kind, key, has_words)"


@dataclass(frozen=True)
class Record:
    """The record whose key a column holds, or that other tables have beside it.

    With a `table`: `key` of its rows whose `reference` is what the column holds. `has_words` is off
    where no word has changed by which the record is found.
    """

    kind: str
    column: str = ""
    table: str = ""
    key: str = ""
    reference: str = ""
    has_words: bool = True

    def without_words(self) -> "Record":
        return replace(self, has_words=False)

    def of_row(self, row: str) -> str:
        if self.table:
            condition = f"{self.reference} = {row}.{self.column}"
            return f"{self.values(self.key)} FROM {self.table} WHERE {condition}"
        return self.values(self.value(row))

    def of_rows(self, rows: str) -> str:
        if self.table:
            condition = f"{self.table}.{self.reference} = {rows}.{self.column}"
            key = f"{self.table}.{self.key}"
            return f"{self.values(key)} FROM {rows} JOIN {self.table} ON {condition}"
        return f"{self.values(self.value(rows))} FROM {rows}"

    def values(self, key: str) -> str:
        return f"SELECT '{self.kind}', {key}, {str(self.has_words).upper()}"

    def value(self, row: str) -> str:
        return f"{row}.{self.column}" if self.column else "0"


OTHER = Record("other").without_words()
OF_CLUSTER = Record("cluster", "cluster_id")


class Changes(Row):
    """A write to the table changes these records."""

    def __init__(self, table: str, *records: Record) -> None:
        self.table = table
        self.records = records

    def on_sqlite(self) -> Iterator[Definition]:
        for verb, sides in {"insert": ["NEW"], "update": self.updated, "delete": ["OLD"]}.items():
            keys = " UNION ".join(one.of_row(side) for side in sides for one in self.records)
            event = f"AFTER {verb.upper()} ON {self.table}"
            yield sqlite_trigger(f"{self.table}_{verb}_is_told", event, f"{INSERT} {keys}")

    @property
    def updated(self) -> list[str]:
        # An update may take a row from one record to another: both have changed.
        may_move = any(one.column not in ("", "id") for one in self.records)
        return ["OLD", "NEW"] if may_move else ["NEW"]

    def on_postgresql(self) -> Iterator[Definition]:
        for verb, sides in {"insert": ["new"], "update": ["old", "new"], "delete": ["old"]}.items():
            keys = " UNION ".join(
                one.of_rows(f"{side}_rows") for side in sides for one in self.records
            )
            rows = " ".join(f"{side.upper()} TABLE AS {side}_rows" for side in sides)
            yield postgresql_trigger(
                f"{self.table}_{verb}_is_told",
                f"AFTER {verb.upper()} ON {self.table} REFERENCING {rows} FOR EACH STATEMENT",
                f"BEGIN {INSERT} {keys}; RETURN NULL; END",
            )
