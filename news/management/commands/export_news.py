from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from news.inout.export import announcements_to_export, write_announcement

TOLD_EVERY = 500


class Command(BaseCommand):
    help = (
        "Writes the announcements that are public into an empty folder: Markdown with front "
        "matter, pictures and attachments, which import_news reads back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--all",
            action="store_true",
            dest="everything",
            help="also drafts, what is withdrawn, and texts that are not ready",
        )

    def handle(self, *args: Any, folder: Path, everything: bool, **options: Any) -> None:
        try:
            number = self.write(folder, everything)
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Written: {number} announcements.")

    def write(self, folder: Path, everything: bool) -> int:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty: name a folder that is, or a new one.")
        number = 0
        rows = announcements_to_export(timezone.now(), everything=everything)
        for number, announcement in enumerate(rows, start=1):
            for problem in write_announcement(folder, announcement, everything=everything):
                self.stdout.write(f"{announcement.public_id}: {problem}")
            if number % TOLD_EVERY == 0:
                self.stderr.write(f"{number} written")
        return number
