"""Calls at the same moment, each in a transaction of its own."""

import threading
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections


def run_at_once(*calls: Callable[[], Any]) -> list[BaseException | None]:
    """Run each in its own thread and transaction; what each raised."""
    barrier = threading.Barrier(len(calls))
    raised: list[BaseException | None] = [None] * len(calls)

    def run(number: int) -> None:
        try:
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
