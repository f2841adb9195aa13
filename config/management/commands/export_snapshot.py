from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clusters.formats.files import replaced_as_a_whole
from clusters.http.asof import midnight
from clusters.management.arguments import day
from config.snapshot.archive import write_snapshot

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
            # Announcements of the day itself are in it.
            moment = min(now, midnight(min(on, today) + timedelta(days=1)))
            with replaced_as_a_whole(file) as output:
                written = write_snapshot(output, day=on, moment=moment)
            # A temporary file is its owner’s alone.
            file.chmod(READABLE_BY_ALL)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        numbers = ", ".join(f"{number} {name}" for name, number in written.items())
        self.stdout.write(f"{file}: {numbers}; as of {on}.")
