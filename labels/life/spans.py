from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain

from labels.life.timeline import Span, Timeline, time_scale_of, timeline
from labels.models import Label
from labels.validity import IN_FORCE, Interval, LabelSpell, State
from labels.words import end_in_short, in_words, start_in_short


def timeline_of(labels: Iterable[Label], day: date) -> Timeline | None:
    """The picture of labels loaded by `labels_of`; None where no label has dates."""
    return timeline(spans_of(labels), day)


def timelines_of(labels: Mapping[int, Sequence[Label]], day: date) -> dict[int, Timeline | None]:
    # The pictures of several clusters (by key, as `labels_of` has them) on one axis of years.
    scale = time_scale_of(spans_of(chain.from_iterable(labels.values())), day)
    return {key: timeline(spans_of(rows), day, scale) for key, rows in labels.items()}


def spans_of(labels: Iterable[Label]) -> list[Span]:
    return [span for label in labels if (span := span_of(label))]


def span_of(label: Label) -> Span | None:
    """None where it was never in force."""
    life = label.spells()
    in_force = [spell for spell in life if spell.state in IN_FORCE]
    if not in_force:
        return None
    last = in_force[-1].last
    return Span(
        level=label.level_id,
        name=label.level.name,
        starts_on=in_force[0].first,
        ends_on=last,
        renewable_until=max([last, *(one.last for one in life if one.state == State.RENEWABLE)]),
        suspensions=intervals_in(State.SUSPENDED, in_force),
        uncertain=intervals_in(State.UNCERTAIN, in_force),
        start_in_words=start_in_short(label),
        end_in_words=end_in_short(label) if last == label.ends_on else in_words(last),
        end_is_computed=label.end_is_computed and last == label.ends_on,
    )


def intervals_in(state: State, life: Iterable[LabelSpell]) -> list[Interval]:
    return [
        Interval(spell.first, spell.last + timedelta(days=1))
        for spell in life
        if spell.state == state
    ]
