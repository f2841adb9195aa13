from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from clusters.tables.uploads import remove_old_uploads
from config.privacy.retention import purge


class Command(BaseCommand):
    help = "Removes what has been kept long enough (docs/privacy-data.md). Run it every night."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="tell, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        removed = purge(now=now, dry_run=options["dry_run"])
        if not options["dry_run"]:
            remove_old_uploads(now)
        would = "would be " if options["dry_run"] else ""
        for table, number in sorted(removed.items()):
            rows = "row" if number == 1 else "rows"
            self.stdout.write(f"{table}: {number} {rows} {would}deleted or emptied")
        if not removed:
            self.stdout.write("Nothing is due.")
