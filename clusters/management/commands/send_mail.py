import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, close_old_connections, connection

from clusters.mail.sender import MailRound, send_due_mails

PAUSE = 2.0
# After trouble with the mail server or the database; each time twice as long.
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0


class Command(BaseCommand):
    help = (
        "Sends the mails that wait in the outbox and are due. --loop goes on until it is told to "
        "stop (SIGTERM): a mail leaves within seconds. --once ends with exit code 1 when a mail "
        "failed for good; one that is refused for now is tried again later."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--once", action="store_true", help="send what is due, and end (default)")
        how.add_argument("--loop", action="store_true", help="send what is due, again and again")

    def handle(self, *args: Any, loop: bool, **options: Any) -> None:
        if loop:
            self.send_until_stopped()
            return
        done = send_due_mails()
        self.stdout.write(counts_line(done))
        if done.failed:
            raise CommandError("Mails failed for good. Admin lists them under Mails.")

    def send_until_stopped(self) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_signal: stop.set())
        pause = PAUSE
        while not stop.is_set():
            done = self.try_round(stop)
            if done != MailRound():
                self.stdout.write(counts_line(done))
                self.stdout.flush()
            # An answer of the server ends the trouble.
            in_trouble = max(FIRST_PAUSE, min(2 * pause, LONGEST_PAUSE))
            pause = in_trouble if done.trouble else PAUSE
            stop.wait(pause)

    def try_round(self, stop: Event) -> MailRound:
        close_old_connections()
        try:
            return send_due_mails(stop.is_set)
        except Error as error:
            # The database is away, or another process holds it for long.
            connection.close()
            return MailRound(trouble=type(error).__name__)


def counts_line(done: MailRound) -> str:
    counts = f"sent: {done.sent}, postponed: {done.postponed}, failed: {done.failed}"
    trouble = f"; the round ended early: {done.trouble}" if done.trouble else ""
    return f"{counts}{trouble}."
