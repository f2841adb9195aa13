"""Triggers by which the database itself refuses a write."""

from collections.abc import Iterator
from dataclasses import dataclass

from clusters.triggers.definitions import Definition, Row, postgresql_trigger, sqlite_trigger


@dataclass(frozen=True)
class Guard(Row):
    """Refuse `event`, as in BEFORE UPDATE ON a table, with a message.

    Conditions are about the row, OLD and NEW. An engine without a condition has no such trigger.
    On PostgreSQL `lock` is done before, so that of two transactions the later one sees the other.
    """

    name: str
    event: str
    message: str
    sqlite: str = ""
    postgresql: str = ""
    lock: str = ""
    level: str = "ROW"

    def on_sqlite(self) -> Iterator[Definition]:
        if self.sqlite:
            body = f"SELECT RAISE(ABORT, '{self.message}')"
            yield sqlite_trigger(self.name, self.event, body, self.sqlite)

    def on_postgresql(self) -> Iterator[Definition]:
        if self.postgresql:
            body = f"""
            BEGIN
              {self.lock}
              IF {self.postgresql} THEN
                RAISE EXCEPTION '{self.message}' USING ERRCODE = 'integrity_constraint_violation';
              END IF;
              RETURN coalesce(NEW, OLD);
            END """
            yield postgresql_trigger(self.name, f"{self.event} FOR EACH {self.level}", body)
