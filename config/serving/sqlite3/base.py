"""Django's SQLite, for which a web request waits seconds and a command longer.

Its file may be another one by now: a backup that was put in its place, or one that can be written
again. A connection that was opened before would go on with what it has opened.
"""

import os
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from config.serving.outage import WebDatabaseWrapper, waiting

FileState = tuple[int, int, bool] | None


def file_state(name: object) -> FileState:
    """Which file it is (device and number) and whether it can be written; None: there is none."""
    path = Path(str(name))
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, os.access(path, os.W_OK)


class DatabaseWrapper(WebDatabaseWrapper, base.DatabaseWrapper):
    opened: FileState = None

    def connect(self) -> None:
        name = self.settings_dict["NAME"]
        # SQLite would make an empty one.
        if waiting.is_web_request and file_state(name) is None:
            raise OperationalError("The file of the database is not there.")
        super().connect()
        self.opened = file_state(name)

    def _cursor(self, name: str | None = None) -> Any:
        is_idle = self.connection is not None and not self.in_atomic_block
        if is_idle and file_state(self.settings_dict["NAME"]) != self.opened:
            self.close()
        return super()._cursor(name)
