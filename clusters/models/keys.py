"""Records by their keys, however many there are."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.models import BooleanField, F, Func

KEYS_AT_ONCE = 500


def in_chunks(keys: Iterable[int], size: int = KEYS_AT_ONCE) -> Iterator[list[int]]:
    remaining = iter(keys)
    while chunk := list(islice(remaining, size)):
        yield chunk


class Among(Func):
    """A condition: the column has one of these keys. They travel as one parameter.

    `IN` has a parameter for each, which neither engine takes without end.
    """

    output_field = BooleanField()

    def __init__(self, column: str, keys: Iterable[int]) -> None:
        super().__init__(F(column))
        self.keys = list(keys)

    def as_sqlite(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        sql = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608  # no value in it
        return sql, [*params, json.dumps(self.keys)]

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        return f"{column} = ANY(%s::bigint[])", [*params, self.keys]
