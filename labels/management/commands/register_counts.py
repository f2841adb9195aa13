import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from clusters.management.arguments import day
from labels.models import Label, Level
from labels.validity import State


class Command(BaseCommand):
    help = (
        "Counts the published labels of each level by their state on a day, the clusters that "
        "hold a valid one, and further ones of whose labels it cannot be told."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on", type=day, metavar="YYYY-MM-DD", help="the day, without it today"
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, on: date | None, format: str, **options: Any) -> None:
        counts = register_counts(on or timezone.localdate())
        self.stdout.write(json.dumps(counts) if format == "json" else counts_as_text(counts))


def register_counts(on: date) -> dict[str, Any]:
    labels = Label.objects.published()
    by_state, holders = labels.count_by_state(on), labels.count_holders(on)
    levels = Level.objects.order_by("rank").values_list("code", flat=True)
    return {
        "on": on.isoformat(),
        "labels": {
            level: {state.value: by_state.get((level, state.value), 0) for state in State}
            for level in levels
        },
        "holders": {level: holders.get(level, (0, 0))[0] for level in levels},
        "possible_holders": {level: holders.get(level, (0, 0))[1] for level in levels},
    }


def counts_as_text(counts: dict[str, Any]) -> str:
    titles = ["level", *(state.value for state in State), "holders", "possible"]
    rows = [
        [
            level,
            *map(str, states.values()),
            str(counts["holders"][level]),
            str(counts["possible_holders"][level]),
        ]
        for level, states in counts["labels"].items()
    ]
    lines = [
        "  ".join([row[0].ljust(6), *map(str.rjust, row[1:], map(len, titles[1:]))])
        for row in [titles, *rows]
    ]
    return "\n".join(
        [f"Labels by state on {counts['on']}, and clusters that hold or may hold one", *lines]
    )
