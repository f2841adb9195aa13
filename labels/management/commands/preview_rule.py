from argparse import ArgumentTypeError, BooleanOptionalAction
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clusters.formats.files import CSV_PARAMETERS, SPREADSHEETS
from clusters.formats.writers import FOR_PROGRAMS, FOR_SPREADSHEETS, csv_text
from clusters.management.arguments import day
from labels.life.preview import Preview, StateChange, preview_rule
from labels.models import Level, LevelRule
from labels.validity import rule_on

GIVEN = (
    "first_months",
    "renewal_months",
    "renewal_window_months",
    "ends_at_month_end",
    "minimum_score",
)
HEADER = (
    "label",
    "cluster",
    "is_published",
    "old_starts_on",
    "new_starts_on",
    "old_ends_on",
    "new_ends_on",
    "old_renewable_until",
    "new_renewable_until",
    "old_state",
    "new_state",
)
TITLES = ("label", "cluster", "from", "until", "renewable until", "state")


class Command(BaseCommand):
    help = (
        "Lists each label that a rule would change if it took effect on a day, with its end, "
        "renewal deadline and state before and after. Writes nothing. What is not given is as in "
        "the rule in force that day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--level", required=True, help="code of the level, such as gold")
        parser.add_argument(
            "--from",
            required=True,
            type=day,
            dest="effective_from",
            metavar="YYYY-MM-DD",
            help="the day on which the rule would take effect",
        )
        parser.add_argument("--first-months", type=int, help="months of a first label")
        parser.add_argument("--renewal-months", type=int, help="months of a renewal")
        parser.add_argument(
            "--renewal-window-months", type=int, help="months after the end to renew in"
        )
        parser.add_argument(
            "--ends-at-month-end", action=BooleanOptionalAction, help="a label ends with its month"
        )
        parser.add_argument("--minimum-score", type=percent, help="percent, of a level with scores")
        parser.add_argument(
            "--on", type=day, metavar="YYYY-MM-DD", help="the day of the states, without it today"
        )
        parser.add_argument("--format", choices=("text", "csv"), default="text")
        parser.add_argument(
            "--for",
            choices=CSV_PARAMETERS["for"],
            default="programs",
            help="who reads the CSV: a spreadsheet wants a mark, in Italian semicolons",
        )
        parser.add_argument("--lang", choices=CSV_PARAMETERS["lang"], default="en")

    def handle(self, *args: Any, level: str, on: date | None, format: str, **options: Any) -> None:
        rule = rule_with(level, options)
        on = on or timezone.localdate()
        try:
            found = preview_rule(rule, on)
        except ValidationError as error:
            lines = [f"  {message}" for message in error.messages]
            text = "\n".join(["The register would refuse this rule:", *lines])
            raise CommandError(text) from error
        if format == "csv":
            rows = map(csv_row, found.changes)
            is_for_people = options["for"] == SPREADSHEETS
            style = FOR_SPREADSHEETS[options["lang"]] if is_for_people else FOR_PROGRAMS
            self.stdout.write(csv_text(HEADER, rows, style), ending="")
            # Beside the file: the standard output holds CSV and nothing else.
            self.stderr.write(total(found))
        else:
            self.stdout.write(
                "\n".join([*heading(rule, on), *preview_table(found.changes), total(found)])
            )


def percent(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ArgumentTypeError(f"{text!r} is not a number such as 82.5") from error


def rule_with(code: str, options: dict[str, Any]) -> LevelRule:
    # The rule in force on its first day, with the options in place of its own; not saved.
    level = Level.objects.filter(pk=code).first()
    if level is None:
        known = ", ".join(Level.objects.order_by("rank").values_list("pk", flat=True))
        raise CommandError(f"There is no level “{code}”; there are: {known}.")
    effective_from = options["effective_from"]
    rules = {rule.as_rule(): rule for rule in level.rules.all()}
    if not rules:
        raise CommandError(f"{level} has no rule yet.")
    in_force = rules[rule_on(effective_from, list(rules))]
    values = {
        column.name: getattr(in_force, column.name)
        for column in LevelRule._meta.concrete_fields
        if not column.primary_key
    }
    given = {name: options[name] for name in GIVEN if options[name] is not None}
    rule = LevelRule(**values | given | {"level": level, "effective_from": effective_from})
    try:
        rule.full_clean()
    except ValidationError as error:
        raise CommandError("\n".join(messages_by_option(error))) from error
    return rule


def messages_by_option(error: ValidationError) -> list[str]:
    # Each message behind the option that it is about.
    return [
        f"--{name.replace('_', '-')}: {message}" if name in GIVEN else message
        for name, messages in error.message_dict.items()
        for message in messages
    ]


def heading(rule: LevelRule, on: date) -> list[str]:
    end = "at the end of the month" if rule.ends_at_month_end else "to the day"
    least = rule.minimum_score
    score = "" if least is None else f", at least {least.normalize():f} percent"
    return [
        f"{rule.level} from {rule.effective_from}: {rule.first_months} months, "
        f"renewed {rule.renewal_months} months, ending {end}, "
        f"renewable {rule.renewal_window_months} months longer{score}",
        f"States on {on}",
        "",
    ]


def total(found: Preview) -> str:
    return f"{len(found.changes)} of {found.number_of_labels} labels would change."


def pairs(change: StateChange) -> list[tuple[str, str]]:
    # First day, last day, last day to renew and state, each as it is and as it would be.
    before, after = change.label.before, change.label.after
    return [
        (printed_day(before.starts_on), printed_day(after.starts_on)),
        (printed_day(before.ends_on), printed_day(after.ends_on)),
        (printed_day(before.renewable_until), printed_day(after.renewable_until)),
        (change.state_before, change.state_after),
    ]


def printed_day(value: date | None) -> str:
    return value.isoformat() if value else ""


def csv_row(change: StateChange) -> list[str]:
    label = change.label
    is_published = "true" if label.is_published else "false"
    return [
        label.public_id,
        label.cluster,
        is_published,
        *(v for pair in pairs(change) for v in pair),
    ]


def preview_table(changes: Iterable[StateChange]) -> list[str]:
    rows = [text_row(change) for change in changes]
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(TITLES, *rows, strict=True)]
    return [*(aligned(row, widths) for row in (TITLES, *rows)), ""]


def text_row(change: StateChange) -> tuple[str, ...]:
    name = (
        change.label.cluster
        if change.label.is_published
        else f"{change.label.cluster} (not published)"
    )
    cells = (old if old == new else f"{old} → {new}" for old, new in pairs(change))
    return (change.label.public_id, name, *cells)


def aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
