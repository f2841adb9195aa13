from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.privacy.erasing import Erasure, erase_address


class Command(BaseCommand):
    help = (
        "Makes the account of an e-mail address nameless and takes the address out of every row, "
        "earlier versions included. Without --yes it tells what it would do and writes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("--yes", action="store_true", help="do it; it cannot be taken back")
        parser.add_argument(
            "--leave-without-owner",
            action="store_true",
            help="also where the account is the last active owner of an organisation",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address, now = options["address"], timezone.now()
        plan = erase_address(address, now=now, dry_run=True)
        for organisation in plan.orphaned:
            self.stdout.write(f"Nobody else owns the profile of {organisation}.")
        if not options["yes"]:
            self.report(plan, address, "would be ")
            if plan.found_anything:
                self.stdout.write("Nothing was written. Repeat with --yes to do it.")
            return
        if plan.orphaned and not options["leave_without_owner"]:
            raise CommandError(
                "Nothing was written: the profiles above would be left without an owner. Invite "
                "another owner first, or repeat with --leave-without-owner: then the profiles are "
                "open to claims."
            )
        self.report(erase_address(address, now=now), address, "")

    def report(self, erasure: Erasure, address: str, would: str) -> None:
        if not erasure.found_anything:
            self.stdout.write(f"Nothing was found about {address}.")
        for verb, numbers in (("deleted", erasure.deleted), ("changed", erasure.changed)):
            for table, number in sorted(numbers.items()):
                rows = "row" if number == 1 else "rows"
                self.stdout.write(f"{table}: {number} {rows} {would}{verb}")
