import os
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.snapshot.archive import write_snapshot
from labels.management.commands.register_counts import day

READABLE_BY_ALL = 0o644


class Command(BaseCommand):
    help = (
        "Writes everything public into one archive: JSON and CSV of all records, checksums, the "
        "licence. For the same records and the same day it is the same file to the byte."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.zip")
        parser.add_argument(
            "--on", type=day, metavar="YYYY-MM-DD", help="the day of the states, without it today"
        )
        parser.add_argument("--force", action="store_true", help="replace a file that is there")

    def handle(self, *args: Any, file: Path, on: date | None, force: bool, **options: Any) -> None:
        if file.is_dir():
            raise CommandError(f"{file} is a folder: give the name of a file.")
        if file.exists() and not force:
            raise CommandError(f"{file} exists already; --force replaces it.")
        now = timezone.now()
        today = timezone.localdate(now)
        on = on or today
        try:
            written = write_beside(file, on, min(now, end_of_path(min(on, today))))
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        numbers = ", ".join(f"{number} {name}" for name, number in written.items())
        self.stdout.write(f"{file}: {numbers}; as of {on}.")


def end_of_path(on: date) -> datetime:
    # The first moment of the next day.
    zone = timezone.get_default_timezone()
    return datetime.combine(on + timedelta(days=1), time.min, zone)


def write_beside(file: Path, on: date, moment: datetime) -> dict[str, int]:
    # Under another name in the same folder until it is whole: there is never half a file.
    output = NamedTemporaryFile(  # noqa: SIM115
        dir=file.parent, prefix=f".{file.name}.", delete=False
    )
    part = Path(output.name)
    try:
        with output:
            written = write_snapshot(output.file, day=on, moment=moment)
            output.flush()
            os.fsync(output.fileno())
        part.chmod(READABLE_BY_ALL)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return written
