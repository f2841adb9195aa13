"""What other pages ask the register: labels of clusters, current levels, figures, awards."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Min, Q
from django.db.models.lookups import Exact

from clusters.models import Cluster
from labels.models import Label, Level, Statement
from labels.validity import State, naming_order


@dataclass(frozen=True)
class Figures:
    """The register in numbers on a day; `possible` holders are further ones, who may hold it."""

    valid_gold_holders: int
    possible_gold_holders: int
    renewable: int
    labels: int
    first_year: int | None


def labels_of(clusters: Iterable[Cluster], day: date) -> dict[int, list[Label]]:
    """Published labels by cluster key, the highest level and the latest start first.

    Each carries `state` (on the day) and what `state_on` needs. Every cluster has a list.
    Two queries, however many clusters.
    """
    found: dict[int, list[Label]] = {cluster.pk: [] for cluster in clusters}
    if found:
        for label in Label.objects.of_clusters(found).for_pages(day).highest_first():
            found[label.cluster_id].append(label)
    return found


def headline(labels: Iterable[Label]) -> Label | None:
    """The label to name first: the highest valid one, else one that may become valid again.

    Each wants the annotated `state`.
    """
    return min(
        labels,
        key=lambda label: naming_order(label.level.rank, State(label.state), label.starts_on),
        default=None,
    )


def figures(day: date) -> Figures:
    """Two queries."""
    counted = (
        Label.objects.published()
        .with_state(day)
        .aggregate(
            renewable=Count("pk", filter=Q(Exact(F("state"), State.RENEWABLE.value))),
            labels=Count("pk"),
            first_on=Min("starts_on"),
        )
    )
    first_on = counted.pop("first_on")
    certain, possible = Label.objects.published().count_holders(day).get("gold", (0, 0))
    return Figures(
        valid_gold_holders=certain,
        possible_gold_holders=possible,
        first_year=first_on.year if first_on else None,
        **counted,
    )


@dataclass(frozen=True)
class LevelCount:
    """How many published labels of a level are in each state on a day, and who holds it.

    `possible_holders` are further clusters: of their labels it cannot be told.
    """

    level: Level
    states: dict[str, int]
    holders: int
    possible_holders: int

    @property
    def valid(self) -> int:
        return self.states.get(State.VALID, 0)

    @property
    def total(self) -> int:
        return sum(self.states.values())


def counts(day: date, levels: Iterable[Level]) -> list[LevelCount]:
    """Counts in this register; two queries."""
    published = Label.objects.published()
    by_state, holders = published.count_by_state(day), published.count_holders(day)
    return [
        LevelCount(
            level=level,
            states={
                state: number for (code, state), number in by_state.items() if code == level.code
            },
            holders=holders.get(level.code, (0, 0))[0],
            possible_holders=holders.get(level.code, (0, 0))[1],
        )
        for level in levels
    ]


@dataclass(frozen=True)
class Coverage:
    """How much of a level this register holds: what a source counted, and what is counted here.

    `holders` and `possible_holders` are those of the last day of the source's count.
    """

    statement: Statement
    holders: int
    possible_holders: int


def coverage(day: date, levels: Collection[str] = ()) -> list[Coverage]:
    """Of each level (all without `levels`) that a source counted, the count nearest before the day.

    Where there is none before, the first one after. A query, and one for each level.
    """
    statements = Statement.objects.filter(level__isnull=False).select_related("level")
    nearest: dict[str, Statement] = {}
    for statement in statements.order_by("-level__rank", "as_of_on"):
        code = str(statement.level_id)
        if (not levels or code in levels) and (
            code not in nearest or statement.as_of_on.first_day <= day
        ):
            nearest[code] = statement
    return [
        Coverage(statement, *holders_on(statement.as_of_on.last_day).get(code, (0, 0)))
        for code, statement in nearest.items()
    ]


def holders_on(day: date) -> dict[str, tuple[int, int]]:
    return Label.objects.published().count_holders(day)


def latest_awards(day: date, limit: int) -> list[Label]:
    """The labels that started last by the day, with holder and `state`; two queries.

    A label that took the place of another by transfer is no award.
    """
    labels = Label.objects.started_by(day).filter(transferred_from=None)
    return list(labels.for_pages(day).in_register_order(day)[:limit])


def published_manager(label: Label) -> str | None:
    organisation = label.managing_organisation
    return organisation.name if organisation and organisation.is_published else None
