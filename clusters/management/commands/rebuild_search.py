from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clusters.fulltext import documents_that_differ, rebuild_documents


class Command(BaseCommand):
    help = "Makes the documents anew by which records are found. They keep themselves right."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="tell which are not right, and write nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            number = rebuild_documents()
            self.stdout.write(f"Documents made: {number}.")
            return
        wrong = documents_that_differ()
        for kind, key in wrong:
            self.stdout.write(f"{kind} {key}")
        if wrong:
            raise CommandError(f"Documents that differ from what they should be: {len(wrong)}.")
        self.stdout.write("All documents are right.")
