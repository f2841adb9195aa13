from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clusters.http.asof import midnight
from clusters.management.arguments import day
from news.subscriptions.digests import (
    Window,
    last_day_told,
    open_windows,
    stories_for,
    subscribers_of,
    write_digests,
)

TOLD_EVERY = 1_000


class Command(BaseCommand):
    help = (
        "Writes the news to those who follow them by mail: at once, for the week on Monday, for "
        "the month on the first. Run it every quarter of an hour: a missed run is caught up with, "
        "a second one tells nobody. The mails are written to the outbox, from which send_mail "
        "sends them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="count what is due; write nothing"
        )
        parser.add_argument(
            "--on", type=day, metavar="YYYY-MM-DD", help="as if it were the end of this day"
        )

    def handle(self, *args: Any, dry_run: bool, on: date | None, **options: Any) -> None:
        now = timezone.now()
        moment = midnight(on + timedelta(days=1)) if on else now
        if on == timezone.localdate(now):
            moment = now
        if moment > now and not dry_run:
            raise CommandError(
                "--on: this day is still to come, and nobody is told of what has not appeared. "
                "Add --dry-run to see what would be due."
            )
        verb, write = ("Due", self.count) if dry_run else ("Written", self.write)
        total = sum(map(write, open_windows(moment)))
        ending = " Nothing was written." if dry_run else ""
        self.stdout.write(f"{verb}: {total} mails.{ending}")

    def count(self, window: Window) -> int:
        number = sum(1 for one in subscribers_of(window) if stories_for(one, window))
        self.stdout.write(f"due: {window_line(window)}, mails: {number}")
        return number

    def write(self, window: Window) -> int:
        done = mails = 0
        for chunk in write_digests(window):
            mails += chunk.mails
            before, done = done, done + chunk.subscribers
            if done // TOLD_EVERY > before // TOLD_EVERY:
                self.stdout.write(f"{window.rhythm}: {done} of {window.subscribers}")
        self.stdout.write(f"told: {window_line(window)}, mails: {mails}")
        return mails


def window_line(window: Window) -> str:
    return (
        f"{window.rhythm}, up to {last_day_told(window.until)}, news: {len(window.stories)}, "
        f"subscribers: {window.subscribers}"
    )
