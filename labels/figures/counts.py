"""Holders, awards and renewals, counted in the database: a statement each, however many labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    Value,
    When,
)
from django.db.models.lookups import Exact, In

from labels.models import MAY_HOLD, Label, LabelQuerySet, later_labels
from labels.validity import State

# The latest years that a figure shows.
MAX_YEARS = 30
OF_A_CLUSTER = ("cluster__country", "cluster__portfolio__code")


@dataclass(frozen=True)
class Basis:
    """What the figures rest on: how many labels, whose clusters, and how their days are known."""

    labels: int
    clusters: int
    exact: int
    undated: int
    first_on: date | None


def basis_of(labels: LabelQuerySet) -> Basis:
    return Basis(
        **labels.aggregate(
            labels=Count("pk"),
            clusters=Count("cluster", distinct=True),
            exact=Count("pk", filter=Q(days_are_exact=True)),
            undated=Count("pk", filter=Q(starts_on__isnull=True)),
            first_on=Min("starts_on"),
        )
    )


def days_to_show(first_on: date | None, day: date) -> list[date]:
    """The last day of each year since the first label, and in the year of the day that day."""
    if first_on is None or first_on > day:
        return []
    first = max(first_on.year, day.year - MAX_YEARS + 1)
    return [*(date(year, 12, 31) for year in range(first, day.year)), day]


# Holders


class HolderCell(NamedTuple):
    """How many clusters hold a level for certain, and how many further ones may.

    `level` is empty where any level counts, and each cluster once.
    """

    year: int
    level: str
    country: str
    portfolio: str | None
    certain: int
    more: int


def holder_cells(labels: LabelQuerySet, days: Sequence[date]) -> list[HolderCell]:
    """By year, level, country and portfolio; one statement, and none for no day."""
    if not days:
        return []
    first, *others = (cells_on(labels, day, "level_id", *OF_A_CLUSTER) for day in days)
    return [
        HolderCell(year, level, country, portfolio, certain, possible - certain)
        for year, level, country, portfolio, certain, possible in first.union(*others, all=True)
    ]


def holder_cells_of_any_level(labels: LabelQuerySet, day: date) -> list[HolderCell]:
    return [
        HolderCell(year, "", country, portfolio, certain, possible - certain)
        for year, country, portfolio, certain, possible in cells_on(labels, day, *OF_A_CLUSTER)
    ]


def cells_on(labels: LabelQuerySet, day: date, *columns: str) -> Any:
    is_valid = Q(Exact(F("state"), State.VALID.value))
    # Few labels are asked for their state: one that may be valid has begun and has not ended.
    begun = labels.started_by(day).filter(ends_on__gte=day).with_state(day)
    return (
        begun.filter(In(F("state"), MAY_HOLD))
        .order_by()
        .annotate(year=Value(day.year))
        .values_list("year", *columns)
        .annotate(
            certain=Count("cluster", distinct=True, filter=is_valid),
            possible=Count("cluster", distinct=True),
        )
    )


# Awards


class AwardCell(NamedTuple):
    """How many labels began in a year; None where the year is not known for certain."""

    year: int | None
    level: str
    country: str
    portfolio: str | None
    kind: str
    number: int


def award_cells(labels: LabelQuerySet, day: date) -> list[AwardCell]:
    """Labels that have begun by the day, or may have, and those without days.

    A label that took the place of another by transfer is no award.
    """
    has_begun = Case(When(certain_from__lte=day, then=True), default=False)
    rows = (
        labels.filter(Q(starts_on__lte=day) | Q(starts_on__isnull=True), transferred_from=None)
        .order_by()
        .annotate(has_begun=ExpressionWrapper(has_begun, BooleanField()))
        .values_list(
            "has_begun", "starts_on__year", "certain_from__year", "level_id", *OF_A_CLUSTER, "kind"
        )
        .annotate(number=Count("pk"))
    )
    return [
        AwardCell(first if has_begun and first == last else None, *values)
        for has_begun, first, last, *values in rows
    ]


# Renewals


class RenewalOutcome(StrEnum):
    """What came after a label that ended, as far as this register shows."""

    RENEWED = "renewed"
    NONE_KNOWN = "none_known"
    CANNOT_BE_TOLD = "cannot_be_told"


class RenewalCell(NamedTuple):
    """How many labels ended in a year; None where the year is not known for certain."""

    year: int | None
    level: str
    country: str
    portfolio: str | None
    outcome: str
    number: int


def renewal_cells(labels: LabelQuerySet, day: date) -> list[RenewalCell]:
    """Labels that have run out by the day; those that were revoked or transferred have not.

    One is renewed where the cluster's next label of the level began before the last day to renew
    it. It cannot be told while that day is to come, or where a label of the level has no dates.
    """
    next_label = later_labels().filter(
        Q(starts_on__lte=OuterRef("renewable_until")), starts_on__lte=day
    )
    undated = Label.objects.published().filter(
        cluster=OuterRef("cluster"), level=OuterRef("level"), starts_on__isnull=True
    )
    outcome = Case(
        When(
            Exact(F("state"), State.RENEWABLE.value),
            then=Value(RenewalOutcome.CANNOT_BE_TOLD.value),
        ),
        When(Exists(next_label), then=Value(RenewalOutcome.RENEWED.value)),
        When(Exists(undated), then=Value(RenewalOutcome.CANNOT_BE_TOLD.value)),
        default=Value(RenewalOutcome.NONE_KNOWN.value),
        output_field=CharField(),
    )
    ran_out = (State.RENEWABLE.value, State.EXPIRED.value)
    rows = (
        labels.filter(ends_on__lt=day)
        .with_state(day)
        .filter(In(F("state"), ran_out))
        .order_by()
        .annotate(outcome=outcome)
        .values_list("certain_until__year", "ends_on__year", "level_id", *OF_A_CLUSTER, "outcome")
        .annotate(number=Count("pk"))
    )
    return [RenewalCell(first if first == last else None, *values) for first, last, *values in rows]


def count_that_may_have_ended(labels: LabelQuerySet, day: date) -> int:
    return labels.in_state(State.UNCERTAIN, day).filter(certain_until__lt=day).count()
