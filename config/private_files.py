"""Whether others on the machine may read what is the portal's alone."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning


def check_private_files(**_arguments: Any) -> list[CheckMessage]:
    # Of the signing keys labels/proofs/signing.py says so.
    return [
        Warning(
            f"{path} may be read by every user of this machine.",
            hint=f"chmod o= {path}",
            id="config.W001",
        )
        for path in private_files()
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO
    ]


def private_files() -> Iterator[Path]:
    for database in settings.DATABASES.values():
        if "sqlite" in database["ENGINE"]:
            yield from (Path(f"{database['NAME']}{end}") for end in ("", "-wal", "-shm"))
    yield settings.BASE_DIR / ".env"
    for folder in (settings.MEDIA_ROOT, settings.CERTIFICATES_ROOT, settings.IMPORTS_ROOT):
        yield Path(folder)
