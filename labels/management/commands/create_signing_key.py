from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from labels.proofs.signing import NoSigningKey, keyring, write_new_key


class Command(BaseCommand):
    help = "Make the key that signs the labels' credentials, where there is none yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--new",
            action="store_true",
            help="Make a new one all the same; of those before, the public half stays.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.SIGNING_KEYS_FILE)
        try:
            if keyring().private is not None and not options["new"]:
                self.stdout.write("There is a key already.")
                return
            if settings.SIGNING_KEYS:
                raise CommandError("The keys are in SIGNING_KEYS: put a new one first there.")
            write_new_key(path)
        except FileExistsError as error:
            raise CommandError(f"{error.filename} is there: is another run under way?") from error
        except (NoSigningKey, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"A new key is in {path}. Keep a copy where only you can read it.")
