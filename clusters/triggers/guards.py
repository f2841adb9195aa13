"""Triggers by which the database itself refuses a write."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models.sql import Query

from clusters.triggers.definitions import Definition, Row, postgresql_trigger, sqlite_trigger

KEEPS_A_ROW = re.compile(r"BEFORE (?:UPDATE|DELETE) ON (\w+)")


@dataclass(frozen=True)
class Guard(Row):
    """Refuse `event`, as in BEFORE UPDATE ON a table, with a message.

    Conditions are about the row, OLD and NEW. An engine without a condition has no such trigger.
    On PostgreSQL `lock` is done before, so that of two transactions the later one sees the other.
    On SQLite, what keeps a row as it is also refuses to replace it (INSERT OR REPLACE, UPDATE OR
    REPLACE): the row in the way goes there without any trigger that sees it deleted.
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
            if table := self.kept_table:
                in_the_way = self.row_in_the_way(table)
                yield sqlite_trigger(
                    f"{self.name}_or_replaced",
                    f"BEFORE INSERT ON {table}",
                    body,
                    f"EXISTS ({in_the_way})",
                )
                yield sqlite_trigger(
                    f"{self.name}_or_replaced_by_another",
                    f"BEFORE UPDATE ON {table}",
                    body,
                    f"EXISTS ({in_the_way} AND kept.rowid <> OLD.rowid)",
                )

    @property
    def kept_table(self) -> str:
        # The table whose rows stay as they are, where the condition is about the row as it was.
        found = KEEPS_A_ROW.fullmatch(self.event)
        is_about_the_row = self.sqlite == "TRUE" or "OLD." in self.sqlite
        return found[1] if found and is_about_the_row else ""

    def row_in_the_way(self, table: str) -> str:
        # A kept row with a key of NEW.
        [model] = (model for model in apps.get_models() if model._meta.db_table == table)
        same_key = " OR ".join(same_keys(model))
        condition = self.sqlite.replace("OLD.", "kept.")
        return f"SELECT 1 FROM {table} AS kept WHERE ({same_key}) AND ({condition})"  # noqa: S608

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


def same_keys(model: type[models.Model]) -> Iterator[str]:
    """By key of the table, the condition on which the rows `kept` and NEW have the same."""
    for field in model._meta.concrete_fields:
        if field.unique:
            yield f"kept.{field.column} = NEW.{field.column}"
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            keys = [*map(models.F, constraint.fields), *constraint.expressions]
            texts = [as_sql(model, key) for key in keys]
            same = [f"{of_row('kept', text)} = {of_row('NEW', text)}" for text in texts]
            if constraint.condition:
                condition = as_sql(model, constraint.condition)
                same += [of_row("kept", condition), of_row("NEW", condition)]
            yield f"({' AND '.join(same)})"


def as_sql(model: type[models.Model], expression: Any) -> str:
    query = Query(model, alias_cols=False)
    is_condition = isinstance(expression, models.Q)
    resolved = (
        query.build_where(expression) if is_condition else expression.resolve_expression(query)
    )
    text, values = query.get_compiler(connection=connection).compile(resolved)
    quote = connection.schema_editor().quote_value
    return str(text) % tuple(map(quote, values))


def of_row(row: str, text: str) -> str:
    return re.sub(r'"(\w+)"', rf"{row}.\1", text)
