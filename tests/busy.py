"""A database that is busy: somebody else holds its file, or its table of counters."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection

WAIT = {"sqlite": "PRAGMA busy_timeout = {}", "postgresql": "SET lock_timeout = {}"}
LOCK = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN; LOCK TABLE cache IN SHARE MODE"}
MILLISECONDS = 300


@contextmanager
def busy_counters() -> Iterator[list[OperationalError]]:
    """Each statement of this connection that waited in vain, after a shorter wait than usual.

    For tests in real transactions.
    """
    refused = []

    def remember(execute: Any, *args: Any) -> Any:
        try:
            return execute(*args)
        except OperationalError as error:
            refused.append(error)
            raise

    holder: Any = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute(LOCK[connection.vendor])
        set_wait(MILLISECONDS)
        with connection.execute_wrapper(remember):
            yield refused
    finally:
        holder.close()
        set_wait(5000)


def set_wait(milliseconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(WAIT[connection.vendor].format(milliseconds))
