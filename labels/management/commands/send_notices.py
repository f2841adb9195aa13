from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from clusters.management.arguments import day
from labels.notices.digest import monday_of, readers, sections, tell_secretariat
from labels.notices.mails import Due, due, notify_addressees


class Command(BaseCommand):
    help = (
        "Tells teams of the end of their labels, 6, 3 and 1 months before, on the day, and 3 "
        "months before a renewal is too late; and the secretariat, once a week, of all of them. "
        "Run it daily: a missed day catches up, a second run tells nobody. The mails are written "
        "to the outbox, from which send_mail sends them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="list what is due; write nothing"
        )
        parser.add_argument("--on", type=day, metavar="YYYY-MM-DD", help="as if it were this day")

    def handle(self, *args: Any, dry_run: bool, on: date | None, **options: Any) -> None:
        day = on or timezone.localdate()
        if dry_run:
            self.rehearse(day)
        else:
            self.send(day)

    def rehearse(self, day: date) -> None:
        number = 0
        for one in due(day):
            number += len(one.addressees)
            self.stdout.write(f"due: {notice_line(one)}, recipients: {len(one.addressees)}")
        told = readers(day).count() if sections(day) else 0
        if told:
            self.stdout.write(f"due: digest of the week of {monday_of(day)}, recipients: {told}")
        self.stdout.write(f"Due: {number + told} mails. Nothing was written.")

    def send(self, day: date) -> None:
        total = 0
        for one in due(day):
            mails = notify_addressees(one, day=day, now=timezone.now())
            total += mails
            self.stdout.write(
                f"nobody to tell: {notice_line(one)}"
                if one.has_nobody
                else f"told: {notice_line(one)}, mails: {mails}"
            )
        # After the notices, so that the digest tells of those for which there is nobody.
        content = sections(day)
        digests = sum(
            tell_secretariat(account, content, day=day, now=timezone.now())
            for account in (readers(day) if content else ())
        )
        if digests:
            self.stdout.write(f"told: digest of the week of {monday_of(day)}, mails: {digests}")
        self.stdout.write(f"Mails written: {total + digests}.")


def notice_line(due: Due) -> str:
    label = due.label
    return f"{due.deadline.stage}, {label.level} – {label.cluster} ({label.public_id})"
