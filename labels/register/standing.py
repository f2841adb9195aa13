"""How a label stands among the labels of its level: who else held it, who had it first.

Everything is said of this register only, and of a day. Where dates are unknown or too coarse to
decide, the clusters in question are counted apart: nothing is rounded into a certainty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.db.models.expressions import Case, Value, When

from clusters.dates import PartialDate, add_months
from labels.models import Label, LabelKind, LabelQuerySet

# No rule lets a label last longer.
LONGEST_YEARS = 10


@dataclass(frozen=True)
class Holders:
    """Other clusters with a valid label of the level on a day.

    `rough`: those of them whose dates, known to the month or the year only, leave it open.
    `undated`: further clusters, with a label of the level whose dates are unknown.
    """

    number: int
    rough: int
    in_portfolio: int
    without_portfolio: int
    undated: int


@dataclass(frozen=True)
class Precedence:
    """Other clusters of the same country and portfolio that had a label of the level before.

    `undecided`: those of which it cannot be said, as a date or the portfolio is not known.
    """

    earlier: int
    undecided: int


@dataclass(frozen=True)
class Start:
    """The days between which a label began."""

    earliest: date
    latest: date


def holders_beside(label: Label, day: date) -> Holders:
    """Two queries."""
    others = Label.objects.published().of_levels([label.level_id]).exclude(cluster=label.cluster_id)
    portfolios: dict[int, int | None] = {}
    certain: set[int] = set()
    for cluster, portfolio, is_rough in with_roughness(others.valid_on(day), day):
        portfolios[cluster] = portfolio
        if not is_rough:
            certain.add(cluster)
    undated = set(others.undated_on(day).order_by().values_list("cluster", flat=True))
    own = label.cluster.portfolio_id
    return Holders(
        number=len(portfolios),
        rough=len(portfolios.keys() - certain),
        in_portfolio=sum(own is not None and found == own for found in portfolios.values()),
        without_portfolio=sum(found is None for found in portfolios.values()),
        undated=len(undated - portfolios.keys()),
    )


def with_roughness(labels: LabelQuerySet, day: date) -> list[tuple[int, int | None, bool]]:
    """Of valid labels the cluster, its portfolio, and whether the day may lie outside after all.

    The register reckons from the first day of a start's period, and from a start known by its
    year to the end of a year. A month printed as the end is its last day, as on certificates.
    """
    this_year, this_month = PartialDate(day.year), PartialDate(day.year, day.month)
    to_come = [period for period in (this_year, this_month) if period.last_day > day]
    years = [PartialDate(day.year - ago) for ago in range(LONGEST_YEARS + 1)]
    may_begin_later = started_in(to_come) & Q(renews=None)
    may_end_before = Q(started_in(years), end_is_computed=True, ends_on__lt=add_months(day, 12))
    ends_this_year = Q(valid_until=this_year, extended_until=None)
    is_rough = Case(
        When(may_begin_later | may_end_before | ends_this_year, then=Value(True)),
        default=Value(False),
    )
    found = labels.order_by().annotate(is_rough=is_rough)
    return list(found.values_list("cluster", "cluster__portfolio", "is_rough"))


def started_in(periods: Sequence[PartialDate]) -> Q:
    # Labels whose start is printed as one of these periods.
    return Q(assessed_on__in=periods) | Q(assessed_on=None, awarded_on__in=periods)


def precedence(label: Label) -> Precedence:
    """Wants a cluster with a portfolio. One query."""
    cluster = label.cluster
    peers = (
        Label.objects.published()
        .of_levels([label.level_id])
        .exclude(cluster=cluster.pk)
        .filter(
            Q(cluster__portfolio=cluster.portfolio_id) | Q(cluster__portfolio=None),
            cluster__country=cluster.country,
        )
        .select_related("cluster")
    )
    own = start_of(label)
    earlier: set[int] = set()
    undecided: set[int] = set()
    for peer in peers:
        start = start_of(peer)
        had_one_before = peer.kind == LabelKind.RENEWAL and peer.renews_id is None
        if start.earliest > own.latest and not had_one_before:
            continue
        is_earlier = start.latest < own.earliest and peer.cluster.portfolio_id is not None
        (earlier if is_earlier else undecided).add(peer.cluster_id)
    return Precedence(earlier=len(earlier), undecided=len(undecided - earlier))


def earlier_labels(label: Label) -> list[Label]:
    """The cluster's published labels that certainly began before, the oldest first. One query."""
    own = start_of(label)
    others = Label.objects.published().of_clusters([label.cluster_id]).exclude(pk=label.pk)
    found = [other for other in others.select_related("level") if is_before(other, own)]
    return sorted(found, key=lambda other: (start_of(other).latest, other.pk))


def is_before(label: Label, start: Start) -> bool:
    return start_of(label).latest < start.earliest


def start_of(label: Label) -> Start:
    # As far as its dates tell; a start computed from the printed end lies before that end.
    if label.start is None:
        return Start(date.min, label.ends_on or date.max)
    return Start(label.start.first_day, label.start.last_day)
