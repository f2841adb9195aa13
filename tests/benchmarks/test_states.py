"""A million random cases of a label and a day: SQL and Python tell the same state."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection

from clusters.dates import PartialDate
from clusters.models import Cluster
from labels.models import Label, LabelKind, LevelRule, Suspension
from labels.validity import EndsBeforeItStarts, Rule, State, state_on
from tests.benchmarks.generated import public_id, resting_triggers

SEED = 11
LABELS, CLUSTERS, DAYS = 2000, 400, 500
FIRST, LAST = date(2008, 1, 1), date(2030, 12, 31)


class RandomRegister:
    """Labels with any dates that a source may print, renewed, suspended, revoked and moved on."""

    def __init__(self) -> None:
        self.random = Random(SEED)  # noqa: S311
        self.rules: dict[str, dict[Rule, LevelRule]] = {}
        for rule in LevelRule.objects.order_by("pk"):
            self.rules.setdefault(rule.level_id, {})[rule.as_rule()] = rule

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def day(self, first: date = FIRST, last: date = LAST) -> date:
        return first + timedelta(self.random.randint(0, max((last - first).days, 0)))

    def printed(self, day: date) -> PartialDate:
        precision = self.random.choice(("year", "month", "day"))
        month = None if precision == "year" else day.month
        return PartialDate(day.year, month, day.day if precision == "day" else None)

    def labels(self) -> Iterator[Label]:
        made: dict[tuple[int, str], Label] = {}
        number = 0
        while number < LABELS:
            cluster = self.random.randint(1, CLUSTERS)
            level = self.random.choice(sorted(self.rules))
            label = self.label(number + 1, cluster, level, made.get((cluster, level)))
            try:
                label.apply_validity(self.rules[level])
            except EndsBeforeItStarts:
                continue
            number += 1
            made[cluster, level] = label
            yield self.with_steps(label)

    def label(self, number: int, cluster: int, level: str, before: Label | None) -> Label:
        label = Label(
            pk=number,
            public_id=public_id("L", number),
            certificate_number=f"G-{number}",
            cluster_id=cluster,
            level_id=level,
            is_published=self.happens(0.9),
        )
        start = self.day(date(2009, 1, 1), date(2027, 12, 31))
        if self.happens(0.85):
            label.assessed_on = self.printed(start)
        if self.happens(0.35):
            label.valid_until = self.printed(start + timedelta(self.random.randint(0, 1400)))
        if before is not None and before.starts_on and self.happens(0.5):
            label.renews, label.kind = before, LabelKind.RENEWAL
        return label

    def with_steps(self, label: Label) -> Label:
        if label.starts_on is None or label.ends_on is None:
            return label
        if self.happens(0.05):
            label.revoked_on = self.day(label.starts_on, label.ends_on + timedelta(400))
            label.revocation_reason = "The jury took it back."
        elif label.starts_on < label.ends_on and self.happens(0.05):
            label.transferred_on = self.day(label.starts_on + timedelta(1), label.ends_on)
        return label

    def suspensions(self, labels: list[Label]) -> Iterator[Suspension]:
        for label in labels:
            if label.starts_on and label.ends_on and self.happens(0.15):
                since = self.day(label.starts_on, label.ends_on + timedelta(200))
                until = since + timedelta(self.random.randint(1, 300))
                yield Suspension(
                    label=label,
                    starts_on=since,
                    ends_on=until if self.happens(0.7) else None,
                    reason="Under review.",
                )

    def fill(self) -> None:
        Cluster.objects.bulk_create(
            Cluster(
                pk=number,
                public_id=public_id("C", number),
                slug=f"cluster-{number}",
                name=f"Cluster {number}",
                country="IT",
            )
            for number in range(1, CLUSTERS + 1)
        )
        labels = Label.objects.bulk_create(list(self.labels()))
        Suspension.objects.bulk_create(list(self.suspensions(labels)))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


@pytest.mark.benchmark
@pytest.mark.django_db
def test_a_million_states_agree() -> None:
    register = RandomRegister()
    with resting_triggers():
        register.fill()
    days = sorted(
        FIRST + timedelta(by) for by in register.random.sample(range((LAST - FIRST).days), DAYS)
    )
    begun = time.perf_counter()
    labels = {label.pk: label.days() for label in Label.objects.with_succession().order_by("pk")}
    loaded = time.perf_counter() - begun
    counted: Counter[str] = Counter()
    in_sql = in_python = 0.0
    for day in days:
        begun = time.perf_counter()
        rows: Any = Label.objects.with_state(day).order_by()
        asked = dict(rows.values_list("pk", "state"))
        between = time.perf_counter()
        told = {key: state_on(day, label).value for key, label in labels.items()}
        in_python += time.perf_counter() - between
        in_sql += between - begun
        differing = [key for key in told if told[key] != asked[key]]
        assert differing == [], day
        assert asked.keys() == told.keys()
        counted.update(told.values())
    print(
        f"\n{connection.vendor}: {counted.total():,} states agree; SQL {in_sql:.1f} s, "
        f"Python {in_python:.1f} s and {loaded:.1f} s to load"
    )
    print(", ".join(f"{state} {counted[state]:,}" for state in State))
    assert counted.total() == LABELS * DAYS
    assert counted.keys() == {state.value for state in State}
