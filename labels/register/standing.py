"""How a label stands among the labels of its level: who else held it, who had it first.

Everything is said of this register only, and of a day. Where dates are unknown or too coarse to
decide, the clusters in question are counted apart: nothing is rounded into a certainty.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q

from labels.models import Label, LabelKind
from labels.validity import State


@dataclass(frozen=True)
class Holders:
    """Other clusters with a valid label of the level on a day.

    `uncertain`: further clusters, whose dates are known to the month or the year only and leave it
    open. `undated`: further ones still, whose dates are unknown.
    """

    number: int
    uncertain: int
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
    """One query."""
    others = Label.objects.published().of_levels([label.level_id]).exclude(cluster=label.cluster_id)
    found = others.with_state(day).order_by()
    portfolios: dict[State, dict[int, int | None]] = {state: {} for state in State}
    rows = found.values_list("cluster", "cluster__portfolio", F("state"))
    for cluster, portfolio, state in rows:
        portfolios[State(state)][cluster] = portfolio
    valid, uncertain = portfolios[State.VALID], portfolios[State.UNCERTAIN]
    own = label.cluster.portfolio_id
    return Holders(
        number=len(valid),
        uncertain=len(uncertain.keys() - valid.keys()),
        in_portfolio=sum(own is not None and found == own for found in valid.values()),
        without_portfolio=sum(found is None for found in valid.values()),
        undated=len(portfolios[State.UNDATED].keys() - valid.keys() - uncertain.keys()),
    )


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
