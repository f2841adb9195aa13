import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from clusters.tables.reader import grouped_findings
from labels.importing.lines import Outcome, Report, open_register
from labels.importing.writer import import_register


class Command(BaseCommand):
    help = (
        "Adds the labels of a CSV file, with their clusters, organisations and regions. "
        "With one bad line nothing is written. Running it twice adds nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, UTF-8, with commas or semicolons")
        parser.add_argument(
            "--dry-run", action="store_true", help="do the whole work, then take it back"
        )
        parser.add_argument(
            "--skip-bad", action="store_true", help="leave bad lines out and write the others"
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    # A report is in English, as the file's columns are.
    @no_translations
    def handle(
        self, *args: Any, file: Path, dry_run: bool, skip_bad: bool, format: str, **options: Any
    ) -> None:
        try:
            with open_register(file) as content:
                report = import_register(content, dry_run=dry_run, skip_bad=skip_bad)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        self.stdout.write(report_as_json(report) if format == "json" else report_as_text(report))
        if report.outcome == Outcome.UNREADABLE:
            raise CommandError("Nothing was written: the file has no usable header.")
        if report.outcome == Outcome.REFUSED:
            raise CommandError(
                f"Nothing was written; bad lines: {report.bad_lines}. "
                "Correct them, or write the others with --skip-bad."
            )


def report_as_json(report: Report) -> str:
    content = {
        "created": report.created,
        "unchanged": report.unchanged,
        "repeated": report.repeated,
        "notices": [asdict(finding) for finding in report.notices],
        "errors": [asdict(finding) for finding in report.errors],
        "written": report.outcome == Outcome.WRITTEN,
    }
    return json.dumps(content, ensure_ascii=False, indent=2)


def report_as_text(report: Report) -> str:
    lines = []
    heading = "Bad lines"
    if report.outcome in (Outcome.WRITTEN, Outcome.DRY_RUN):
        heading = "Bad lines, left out"
        verb = "Created" if report.outcome == Outcome.WRITTEN else "Dry run; would create"
        numbers = ", ".join(f"{number} {name}" for name, number in report.created.items())
        lines = [
            f"{verb}: {numbers}.",
            f"Labels there before: {report.unchanged}. Repeated lines: {report.repeated}.",
        ]
    if report.notices:
        lines += ["Notices:", *(f"  {text}" for text in grouped_findings(report.notices))]
    if report.errors:
        lines += [
            f"{heading}: {report.bad_lines}",
            *(f"  {text}" for text in grouped_findings(report.errors)),
        ]
    return "\n".join(lines)
