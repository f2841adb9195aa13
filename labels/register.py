"""What other pages ask the register: labels of clusters, current levels, figures, awards."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain

from babel.dates import format_date
from django.db.models import Count, F, Min, Q
from django.db.models.lookups import Exact
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clusters.models import Cluster
from clusters.structured import iso, page_addresses
from labels.holdings import directory as directory
from labels.holdings import level_options as level_options
from labels.models import STATE_NAMES, Label, Level
from labels.requirements import announced as announced
from labels.requirements import requirement_of as requirement_of
from labels.structured import certification_data
from labels.timeline import Span, Timeline, scale_of, timeline
from labels.validity import Interval, State, naming_order

# What `headline_twins` reads of each label.
HEADLINE = (
    "public_id", "cluster", "level", "level__rank", "starts_on", "ends_on", "renewable_until",
)  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """The register in four numbers on a day."""

    valid_gold_holders: int
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


def labels_in_short(clusters: Iterable[int], day: date) -> dict[int, list[dict[str, object]]]:
    """What a cluster's record tells of its labels, by its key, in the order of `labels_of`.

    One query, without an instance for each: that took half the time of a list.
    """
    found: dict[int, list[dict[str, object]]] = {cluster: [] for cluster in clusters}
    page = page_addresses("labels:detail")
    labels = Label.objects.published().of_clusters(found).with_state(day).highest_first()
    names = ("cluster", "public_id", "level_id", "state", "starts_on", "ends_on")
    for cluster, public_id, level, state, starts_on, ends_on in labels.values_list(*names):
        found[cluster].append(
            {
                "id": public_id,
                "level": level,
                "state": state,
                "starts_on": starts_on,
                "ends_on": ends_on,
                "url": page(public_id),
            }
        )
    return found


def current_level(labels: Iterable[Label]) -> Label | None:
    """The label of the highest level among those whose annotated `state` is valid."""
    label = headline(labels)
    return label if label and label.state == State.VALID else None  # type: ignore[attr-defined]


def headline(labels: Iterable[Label]) -> Label | None:
    """The label to name first: the highest valid one, else one that may become valid again.

    Each wants the annotated `state`.
    """
    return min(
        labels,
        key=lambda label: naming_order(label.level.rank, State(label.state), label.starts_on),  # type: ignore[attr-defined]
        default=None,
    )


def headline_twins(clusters: Collection[int], day: date) -> dict[int, dict[str, object]]:
    """By cluster key the label of `headline` for machines, where there is one. One query."""
    label_page = page_addresses("labels:detail")
    found: dict[int, list[Label]] = defaultdict(list)
    labels = Label.objects.published().of_clusters(clusters).with_state(day)
    for label in labels.select_related("level").only(*HEADLINE).highest_first():
        found[label.cluster_id].append(label)
    first = {cluster: headline(held) for cluster, held in found.items()}
    return {
        cluster: {
            "id": label.public_id,
            "url": label_page(label.public_id),
            "level": label.level_id,
            "state": str(label.state),  # type: ignore[attr-defined]
            "starts_on": iso(label.starts_on),
            "ends_on": iso(label.ends_on),
            "renewable_until": iso(label.renewable_until),
        }
        for cluster, label in first.items()
        if label
    }


def certifications(labels: Iterable[Label]) -> list[dict[str, object]]:
    """The labels as schema.org says it, for the description of their holder."""
    return [certification_data(label) for label in labels]


def figures(day: date) -> Figures:
    """One query."""
    is_valid_gold = Q(Exact(F("state"), State.VALID.value), level="gold")
    counted = (
        Label.objects.published()
        .with_state(day)
        .aggregate(
            valid_gold_holders=Count("cluster", distinct=True, filter=is_valid_gold),
            renewable=Count("pk", filter=Q(Exact(F("state"), State.RENEWABLE.value))),
            labels=Count("pk"),
            first_on=Min("starts_on"),
        )
    )
    first_on = counted.pop("first_on")
    return Figures(first_year=first_on.year if first_on else None, **counted)


@dataclass(frozen=True)
class LevelCount:
    """How many published labels of a level are in each state on a day, and who holds it."""

    level: Level
    states: dict[str, int]
    holders: int

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
            holders=holders.get(level.code, 0),
        )
        for level in levels
    ]


def latest_awards(day: date, limit: int) -> list[Label]:
    """The labels that started last by the day, with holder and `state`; two queries.

    A label that took the place of another by transfer is no award.
    """
    labels = Label.objects.started_by(day).filter(transferred_from=None)
    return list(labels.for_pages(day).in_register_order(day)[:limit])


def timeline_of(labels: Iterable[Label], day: date) -> Timeline | None:
    """The picture of labels loaded by `labels_of`; None where no label has dates."""
    return timeline(spans_of(labels), day)


def timelines_of(labels: Mapping[int, Sequence[Label]], day: date) -> dict[int, Timeline | None]:
    """The pictures of several clusters (by key, as `labels_of` has them) on one axis of years."""
    scale = scale_of(spans_of(chain.from_iterable(labels.values())), day)
    return {key: timeline(spans_of(rows), day, scale) for key, rows in labels.items()}


def spans_of(labels: Iterable[Label]) -> list[Span]:
    return [span for label in labels if (span := span_of(label))]


def span_of(label: Label) -> Span | None:
    """A revoked or transferred label ends the day before; one taken over loses its tail then."""
    if label.starts_on is None or label.ends_on is None or label.renewable_until is None:
        return None
    last, renewable_until = label.ends_on, label.renewable_until
    for gone_on in (label.revoked_on, label.transferred_on):
        if gone_on is not None:
            last = min(last, gone_on - timedelta(days=1))
            renewable_until = min(renewable_until, last)
    taken_over_on: date | None = label.taken_over_on  # type: ignore[attr-defined]
    if taken_over_on is not None:
        renewable_until = max(last, min(renewable_until, taken_over_on - timedelta(days=1)))
    if last < label.starts_on:
        return None
    return Span(
        level=label.level_id,
        name=label.level.name,
        starts_on=label.starts_on,
        ends_on=last,
        renewable_until=renewable_until,
        suspensions=[
            Interval(suspension.starts_on, suspension.ends_on)
            for suspension in label.suspensions.all()
        ],
    )


def verdict(label: Label | None, day: date) -> str:
    """The level and the state in words; empty where there is no label."""
    return f"{label.level.name}: {state_sentence(label, day)}" if label else ""


def label_lines(labels: Iterable[Label]) -> list[str]:
    """“Gold, 2015-07-31–2017-07-31, expired” for each, with the days from which and until it holds.

    Wants `with_state()`.
    """
    return [
        ", ".join(
            [
                label.level.name,
                *([f"{label.starts_on}–{label.ends_on}"] if label.ends_on else []),
                str(STATE_NAMES[State(label.state)]),  # type: ignore[attr-defined]
            ]
        )
        for label in labels
    ]


def state_sentence(label: Label, day: date) -> str:
    """The state on a day in plain words, as a stranger with a certificate in hand needs it.

    Without a query on a row loaded by `with_succession()`.
    """
    state = label.state_on(day)
    if state == State.REVOKED:
        return _("Revoked on %(day)s: %(reason)s") % {
            "day": in_words(label.revoked_on),
            "reason": label.revocation_reason,
        }
    if state == State.TRANSFERRED:
        return transfer_sentence(label)
    if state == State.SUSPENDED:
        suspension = next(
            suspension
            for suspension in label.suspensions.all()
            if day in Interval(suspension.starts_on, suspension.ends_on)
        )
        return _("Suspended since %(day)s: %(reason)s") % {
            "day": in_words(suspension.starts_on),
            "reason": suspension.reason,
        }
    sentences = {
        State.NOT_YET: _("Not valid yet: valid from %(start)s."),
        State.VALID: _("Valid until %(end)s."),
        State.RENEWABLE: _("Expired on %(end)s; may still be renewed until %(renewable)s."),
        State.EXPIRED: _("Expired on %(end)s."),
        State.UNDATED: _("The dates of this label are not known, so it is not counted as valid."),
    }
    return sentences[state] % {
        "start": in_words(label.starts_on),
        "end": in_words(label.ends_on),
        "renewable": in_words(label.renewable_until),
    }


def transfer_sentence(label: Label) -> str:
    """Wants `with_transfer()`; a label that the public does not see is not named."""
    words = {
        "day": in_words(label.transferred_on),
        "cluster": label.moved_to_holder,  # type: ignore[attr-defined]
        "label": label.moved_to,  # type: ignore[attr-defined]
    }
    if words["label"] is None:
        return _("Transferred on %(day)s.") % words
    return _("Transferred on %(day)s to %(cluster)s: label %(label)s.") % words


def in_words(day: date | None) -> str:
    return words_of(day, get_language() or "en") if day else ""


@lru_cache(maxsize=4096)
def words_of(day: date, language: str) -> str:
    return format_date(day, "d MMMM y", locale=language)
