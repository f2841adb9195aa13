from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from clusters.management.arguments import day
from clusters.people.confirmation import organisations_due, send_request


class Command(BaseCommand):
    help = (
        "Asks the team of every published organisation, once in half a year, whether its profile "
        "is right. Run it daily: a missed day catches up, a second run asks nobody. The mails are "
        "written to the outbox, from which send_mail sends them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="list who is due; write nothing")
        parser.add_argument("--on", type=day, metavar="YYYY-MM-DD", help="as if it were this day")

    def handle(self, *args: Any, dry_run: bool, on: date | None, **options: Any) -> None:
        day = on or timezone.localdate()
        due = organisations_due(day)
        if dry_run:
            for organisation in due:
                self.stdout.write(f"due: {organisation} ({organisation.public_id})")
            self.stdout.write(f"Due: {len(due)}. Nothing was written.")
            return
        total = 0
        for organisation in due:
            mails = send_request(organisation, day=day, now=timezone.now())
            total += mails
            self.stdout.write(f"asked: {organisation} ({organisation.public_id}), mails: {mails}")
        self.stdout.write(f"Mails written: {total}.")
