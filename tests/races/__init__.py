"""Calls at the same moment, each in a transaction of its own."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections

IS_LONG = "RACES" in os.environ
ROUNDS = int(os.environ.get("RACES", "3"))
PEOPLE = 8 if IS_LONG else 4

Made = TypeVar("Made")


def run_at_once(*calls: Callable[[], Any]) -> list[BaseException | None]:
    """Run each in its own thread and transaction; what each raised."""
    barrier = threading.Barrier(len(calls))
    raised: list[BaseException | None] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            wait_for_locks()
            barrier.wait()
            calls[number]()
        except (ValidationError, IntegrityError) as error:
            raised[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def wait_for_locks() -> None:
    # On a busy machine the last in the line waits longer than a person would; a deadlock is still
    # found.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '60s'; SET statement_timeout = '60s'")


def race(*calls: Callable[[], Any]) -> list[str]:
    """The words of those who were refused; anything else that is raised fails the test."""
    words = []
    for error in run_at_once(*calls):
        assert not isinstance(error, IntegrityError), error
        if isinstance(error, ValidationError):
            words.append(" ".join(error.messages))
    return words


def rounds(make: Callable[[], Made]) -> Iterator[Made]:
    """Something new to race for in each round."""
    for _number in range(ROUNDS):
        yield make()
