"""A process that runs a command of the portal and kills itself at a point of its work.

    python -m tests.labels.killed FOLDER EVENT NUMBER MOMENT COMMAND ARGUMENT…

Events are counted: "before-commit", "after-commit", "before-mail", "after-mail", and
"after-insert TABLE". Mails are written to the folder, each at once.
"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import time_machine
from django.core.mail.backends.base import BaseEmailBackend

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
    from django.db import connections

    wrapper: Any = type(connections["default"])
    commit = wrapper._commit

    def counting(self: Any) -> None:
        seen("before-commit")
        commit(self)
        seen("after-commit")

    wrapper._commit = counting


def main(folder: str, event: str, number: str, moment: str, *command: str) -> None:
    global fatal
    os.environ[FOLDER] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    settings.EMAIL_BACKEND = "tests.labels.killed.Store"
    fatal = (event, int(number))
    count_commits()
    with time_machine.travel(moment), connection.execute_wrapper(count_inserts):
        call_command(*command)


if __name__ == "__main__":
    from tests.labels import killed  # the module that Django imports, not this script

    killed.main(*sys.argv[1:])
