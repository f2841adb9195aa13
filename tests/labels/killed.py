"""A command that is killed at a point of its work, in a process of its own.

Events are counted: "before-commit", "after-commit", "before-mail", "after-mail", and
"after-insert TABLE". Mails are written to a folder, each at once.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from traceback import print_exc
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend
from django.db import DEFAULT_DB_ALIAS, connection, connections

FOLDER = "FOLDER_OF_MAILS"


class Store(BaseEmailBackend):
    """A line "recipient subject" for each mail, in the order of sending."""

    def send_messages(self, messages: Sequence[Any]) -> int:
        for message in messages:
            seen("before-mail")
            line = f"{message.to[0]} {message.subject}\n"
            file = os.open(
                Path(os.environ[FOLDER], "mails"), os.O_APPEND | os.O_CREAT | os.O_WRONLY
            )
            os.write(file, line.encode())
            os.close(file)
            seen("after-mail")
        return len(messages)


def mails(folder: Path) -> list[str]:
    file = folder / "mails"
    return file.read_text().splitlines() if file.exists() else []


counted: Counter[str] = Counter()
fatal: tuple[str, int] | None = None


def seen(event: str) -> None:
    counted[event] += 1
    if fatal == (event, counted[event]):
        os.kill(os.getpid(), signal.SIGKILL)


def count_inserts(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    result = execute(sql, params, many, context)
    if sql.startswith("INSERT INTO"):
        seen(f"after-insert {sql.split()[2].strip(chr(34))}")
    return result


def count_commits() -> None:
    wrapper: Any = type(connections[DEFAULT_DB_ALIAS])
    commit = wrapper._commit

    def counting(self: Any) -> None:
        seen("before-commit")
        commit(self)
        seen("after-commit")

    wrapper._commit = counting


def forked(call: Callable[[], object]) -> int:
    """The number of a process that does this and ends."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            call()
            code = 0
        except Exception:
            print_exc()
        finally:
            os._exit(code)
    return child


def run_in_a_child(call: Callable[[], object]) -> int:
    """How the process ended: the signal that killed it, 0 where it came to the end."""
    connections.close_all()  # A child that used its parent's would spoil it.
    _pid, status = os.waitpid(forked(call), 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def run_and_be_killed(call: Callable[[], object], event: str, number: int) -> None:
    def killed_at_the_event() -> None:
        global fatal
        fatal = (event, number)
        counted.clear()
        count_commits()
        with connection.execute_wrapper(count_inserts):
            call()

    assert run_in_a_child(killed_at_the_event) == signal.SIGKILL
