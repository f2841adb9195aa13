from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clusters.mail import MailResult
from clusters.management.arguments import day
from labels.models import Delivery
from labels.notices.digest import monday_of, readers, sections, tell_secretariat
from labels.notices.ledger import DeliveryOutcome, settle
from labels.notices.mails import Due, due, notify_addressees

ANSWERS = ("sent", "again")


class Command(BaseCommand):
    help = (
        "Tells teams of the end of their labels, 6, 3 and 1 months before, on the day, and 3 "
        "months before a renewal is too late; and the secretariat, once a week, of all of them. "
        "Run it daily: a missed day catches up, a failed mail is tried again, a second run sends "
        "nothing. The exit code is 1 when a mail failed, or was cut off and nobody settled it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="list what is due; send and write nothing"
        )
        parser.add_argument("--on", type=day, metavar="YYYY-MM-DD", help="as if it were this day")
        parser.add_argument(
            "--settle",
            nargs=2,
            metavar=("NUMBER", "sent|again"),
            help="say of a mail that was cut off that it was sent, or that it is to be sent again",
        )

    def handle(
        self, *args: Any, dry_run: bool, on: date | None, settle: list[str] | None, **options: Any
    ) -> None:
        if settle:
            self.settle(*settle)
            return
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
        told = readers(day).count() if sections(day, timezone.now()) else 0
        if told:
            self.stdout.write(f"due: digest of the week of {monday_of(day)}, recipients: {told}")
        self.stdout.write(f"Due: {number + told} mails. Nothing was sent.")

    def send(self, day: date) -> None:
        results: list[MailResult] = []
        for one in due(day):
            outcomes = notify_addressees(one, day=day, now=timezone.now())
            results += self.report(notice_line(one), outcomes)
            if one.has_nobody:
                self.stdout.write(f"nobody to tell: {notice_line(one)}")
        # After the notices, so that the digest tells of those that failed just now.
        content = sections(day, timezone.now())
        for account in readers(day) if content else ():
            outcome = tell_secretariat(account, content, day=day, now=timezone.now())
            results += self.report(f"digest of the week of {monday_of(day)}", [outcome])
        numbers = ", ".join(f"{result}: {results.count(result)}" for result in MailResult)
        cut_off = self.report_cut_off(timezone.now())
        self.stdout.write(f"{numbers}, cut off: {cut_off}.")
        # At the end: one mail that fails keeps no other from leaving.
        if MailResult.FAILED in results:
            raise CommandError("Mails failed. The next run sends them.")
        if cut_off:
            raise CommandError("Mails were cut off: nobody knows whether they left. Settle them.")

    def report(self, name: str, outcomes: list[DeliveryOutcome]) -> list[MailResult]:
        for outcome in outcomes:
            reason = f", {outcome.failure}" if outcome.failure else ""
            self.stdout.write(f"{outcome.result}: {name}{reason}")
        return [outcome.result for outcome in outcomes]

    def report_cut_off(self, now: datetime) -> int:
        rows = list(Delivery.objects.cut_off(now).with_notice())
        for delivery in rows:
            self.stdout.write(
                f"cut off: mail {delivery.pk}, {delivery}, begun {delivery.begun_at:%Y-%m-%d %H:%M}"
                f". Look into the mail server's log, then: send_notices --settle {delivery.pk} "
                "sent|again"
            )
        return len(rows)

    def settle(self, number: str, answer: str) -> None:
        if answer not in ANSWERS or not number.isdecimal():
            raise CommandError("Say --settle NUMBER sent, or --settle NUMBER again.")
        try:
            settle(int(number), was_sent=answer == "sent", now=timezone.now())
        except Delivery.DoesNotExist as error:
            raise CommandError(f"No mail that was cut off has the number {number}.") from error
        then = (
            "counts as sent" if answer == "sent" else "is sent by the next run, if it is still due"
        )
        self.stdout.write(f"Mail {number} {then}.")


def notice_line(due: Due) -> str:
    label = due.label
    return f"{due.deadline.stage}, {label.level} – {label.cluster} ({label.public_id})"
