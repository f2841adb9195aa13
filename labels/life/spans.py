from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain

from labels.life.timeline import Span, Timeline, scale_of, timeline
from labels.models import Label
from labels.validity import Interval


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
