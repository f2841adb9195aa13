import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.privacy.erasing import find_address

KEYS_SHOWN = 20


class Command(BaseCommand):
    help = "Lists every place where an e-mail address stands, and the rows of its account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument(
            "--format", choices=("text", "json"), default="text", help="json: for machines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["address"]
        places = find_address(address)
        if options["format"] == "json":
            report = {"address": address, "places": [asdict(place) for place in places]}
            self.stdout.write(json.dumps(report, default=str))
            return
        if not places:
            self.stdout.write(f"Nothing was found about {address}.")
        for place in places:
            keys = ", ".join(str(key) for key in place.keys[:KEYS_SHOWN])
            more = ", …" if len(place.keys) > KEYS_SHOWN else ""
            why = "holds the address" if place.is_mention else "belongs to its account"
            number = f"{len(place.keys)} {'row' if len(place.keys) == 1 else 'rows'}"
            self.stdout.write(f"{place.table}.{place.field}: {number} {why} ({keys}{more})")
