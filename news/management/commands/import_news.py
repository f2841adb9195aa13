from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.db import transaction
from django.utils import timezone

from clusters.models import EventKind
from clusters.names import without_invisible
from clusters.people.log import record
from news.inout.feeds import read_feed
from news.inout.frontmatter import read_folder
from news.inout.items import Item, Unreadable
from news.inout.writer import Fate, Told, write_items

TOLD_EVERY = 500


class Command(BaseCommand):
    help = (
        "Takes announcements from an Atom or RSS file, an export of WordPress (WXR), or a folder "
        "of Markdown files as export_news writes them. Each is taken whole or not at all, and "
        "once: a second run takes what changed at the source and was not edited here. Pictures "
        "and attachments are read from the folder of the file; nothing is fetched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, metavar="FILE|FOLDER")
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would become of each; write nothing"
        )
        parser.add_argument(
            "--language",
            choices=[code for code, _name in settings.LANGUAGES],
            default="",
            help="of the items that do not say theirs",
        )
        parser.add_argument(
            "--credit", default="", help="whose the pictures of a feed are, which it does not say"
        )

        parser.add_argument(
            "--redirects",
            type=Path,
            metavar="FILE",
            help="a new file, for a map of nginx: the old address of each item and the new one",
        )

    # A report is in English, as the names in the files are.
    @no_translations
    def handle(
        self, *args: Any, source: Path, language: str, credit: str, dry_run: bool, **options: Any
    ) -> None:
        items = items_of(source, language, credit)
        whole: Any = transaction.atomic() if dry_run else nullcontext()
        with new_file(options["redirects"]) as redirects, whole:
            counts = self.write(items, redirects, dry_run=dry_run)
            if dry_run:
                transaction.set_rollback(True)
        told = ", ".join(f"{counts[fate]} {fate}" for fate in Fate)
        self.stdout.write(f"{told}.{' Nothing was written.' if dry_run else ''}")
        if not dry_run and counts[Fate.CREATED] + counts[Fate.UPDATED]:
            detail = f"news from {source.name}: {told}"
            record(EventKind.IMPORTED, now=timezone.now(), detail=detail)
        if counts[Fate.REFUSED]:
            raise CommandError(f"Not taken: {counts[Fate.REFUSED]}; each is told above.")

    def write(
        self, items: Iterator[Item | Unreadable], redirects: TextIO | None, *, dry_run: bool
    ) -> Counter[Fate]:
        counts: Counter[Fate] = Counter()
        for outcome in write_items(items, dry_run=dry_run):
            counts[outcome.fate] += 1
            self.tell(outcome)
            if redirects and outcome.leads_on:
                redirects.write(f"{outcome.leads_on}\n")
            if counts.total() % TOLD_EVERY == 0:
                self.stderr.write(f"{counts.total()} read")
        return counts

    def tell(self, outcome: Told) -> None:
        if outcome.fate in (Fate.REFUSED, Fate.EDITED) or outcome.messages:
            line = f"{outcome.place}: {outcome.fate}: {' '.join(outcome.messages)}"
            # What was read may hold signs that a terminal obeys.
            self.stdout.write(without_invisible(line).replace("\n", " "))


def new_file(path: Path | None) -> AbstractContextManager[TextIO | None]:
    try:
        return path.open("x", encoding="ascii") if path else nullcontext()
    except OSError as error:
        raise CommandError(f"{path} cannot be made: {error.strerror}.") from error


def items_of(source: Path, language: str, credit: str) -> Iterator[Item | Unreadable]:
    if source.is_dir():
        return read_folder(source, language)
    if not source.is_file():
        raise CommandError(f"{source} is no file and no folder.")
    try:
        source.open("rb").close()
    except OSError as error:
        raise CommandError(f"{source} cannot be read: {error.strerror}.") from error
    return read_feed(source, language, credit)
