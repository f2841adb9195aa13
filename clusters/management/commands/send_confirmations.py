from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clusters.mail import MailResult
from clusters.management.arguments import day
from clusters.models import Organisation
from clusters.people.confirmation import RequestOutcome, organisations_due, send_request


class Command(BaseCommand):
    help = (
        "Asks the team of every published organisation, once in half a year, whether its profile "
        "is right. Run it daily: a missed day catches up, a failed mail is tried again, a second "
        "run sends nothing. The exit code is 1 when a mail failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="list who is due; send and write nothing"
        )
        parser.add_argument("--on", type=day, metavar="YYYY-MM-DD", help="as if it were this day")

    def handle(self, *args: Any, dry_run: bool, on: date | None, **options: Any) -> None:
        day = on or timezone.localdate()
        due = organisations_due(day)
        if dry_run:
            for organisation in due:
                self.stdout.write(f"due: {organisation} ({organisation.public_id})")
            self.stdout.write(f"Due: {len(due)}. Nothing was sent.")
            return
        results = []
        for organisation in due:
            outcome = send_request(organisation, day=day, now=timezone.now())
            self.stdout.write(line_about(organisation, outcome))
            results.append(outcome.result)
        numbers = ", ".join(f"{result}: {results.count(result)}" for result in MailResult)
        self.stdout.write(f"{numbers}.")
        # At the end: one mail that fails keeps no other from leaving.
        if MailResult.FAILED in results:
            raise CommandError("Mails failed. Who got none is asked again by the next run.")


def line_about(organisation: Organisation, outcome: RequestOutcome) -> str:
    name = f"{outcome.result}: {organisation} ({organisation.public_id})"
    if outcome.result == MailResult.SKIPPED:
        return f"{name}, another run was faster"
    reasons = f", failed: {', '.join(outcome.failures)}" if outcome.failures else ""
    return f"{name}, mails: {outcome.mails}{reasons}"
