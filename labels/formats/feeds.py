"""What happened to labels as an Atom feed: awards, renewals, expiries, transfers, revocations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clusters.formats.atom import AtomFeed, tag_uri
from clusters.http.addresses import absolute
from labels.models import Label, LabelKind, LabelQuerySet
from labels.validity import GONE
from labels.words import start_in_short, verdict

ENTRIES = 100
ONE_DAY = timedelta(days=1)


class Occasion(StrEnum):
    """The last part of an entry's id: it never changes."""

    START = "start"
    END = "end"
    REVOCATION = "revocation"
    TRANSFER = "transfer"


@dataclass(frozen=True)
class LabelEvent:
    """What happened to a label, and the first day on which it holds."""

    change: Occasion
    day: date
    label: Label


def latest_events(labels: LabelQuerySet, until: date) -> list[LabelEvent]:
    """The last ones up to a day, the latest first.

    At most eight queries, and few rows, however many labels there are.
    """
    loaded = labels.with_succession()
    not_revoked_first = Q(revoked_on__isnull=True) | Q(revoked_on__gt=F("starts_on"))
    found = [
        *latest_of(
            loaded.started_by(until).filter(not_revoked_first).order_by("-starts_on", "-pk"),
            start_event,
        ),
        *latest_of(loaded.filter(ends_on__lt=until).order_by("-ends_on", "-pk"), end_event),
        *latest_of(
            loaded.filter(revoked_on__lte=until).order_by("-revoked_on", "-pk"), revocation_event
        ),
        *latest_of(
            loaded.filter(transferred_on__lte=until).order_by("-transferred_on", "-pk"),
            transfer_event,
        ),
    ]
    found.sort(key=lambda happening: (happening.day, happening.label.pk), reverse=True)
    return found[:ENTRIES]


def latest_of(
    labels: LabelQuerySet, happening: Callable[[Label], LabelEvent | None]
) -> list[LabelEvent]:
    found: Iterator[LabelEvent | None] = map(happening, labels.iterator(chunk_size=ENTRIES))
    return list(islice(filter(None, found), ENTRIES))


def start_event(label: Label) -> LabelEvent:
    assert label.starts_on is not None
    return LabelEvent(Occasion.START, label.starts_on, label)


def end_event(label: Label) -> LabelEvent | None:
    """None where a later label has followed without a gap, or the label was gone by then."""
    assert label.ends_on is not None
    day = label.ends_on + ONE_DAY
    is_followed = label.taken_over_on is not None and label.taken_over_on <= day
    is_gone = label.state_on(day) in GONE
    return None if is_followed or is_gone else LabelEvent(Occasion.END, day, label)


def revocation_event(label: Label) -> LabelEvent:
    assert label.revoked_on is not None
    return LabelEvent(Occasion.REVOCATION, label.revoked_on, label)


def transfer_event(label: Label) -> LabelEvent:
    assert label.transferred_on is not None
    return LabelEvent(Occasion.TRANSFER, label.transferred_on, label)


def feed_of(labels: LabelQuerySet, until: date, *, title: str, page: str, address: str) -> bytes:
    """In the active language; `page` and `address` are absolute."""
    feed = AtomFeed(
        title=title,
        subtitle=_("Awards, renewals, expiries, transfers and revocations, the latest first."),
        link=page,
        description=None,
        language=get_language() or "en",
        author_name=_("Cluster Register"),
        feed_url=address,
        feed_guid=address,
    )
    for happening in latest_events(labels, until):
        label, moment = happening.label, midnight(happening.day)
        feed.add_item(
            title=title_of_event(happening),
            link=absolute(label.get_absolute_url()),
            description=str(verdict(label, happening.day)),
            unique_id=id_of(happening),
            pubdate=moment,
            updateddate=moment,
            categories=(label.level.name, label.cluster.name),
        )
    text: str = feed.writeString("utf-8")
    return text.encode()


def title_of_event(happening: LabelEvent) -> str:
    label = happening.label
    titles = {
        Occasion.START: title_of_start(label),
        Occasion.END: _("%(cluster)s: %(level)s label expired"),
        Occasion.REVOCATION: _("%(cluster)s: %(level)s label revoked"),
        Occasion.TRANSFER: _("%(cluster)s: %(level)s label transferred"),
    }
    names = {"cluster": label.cluster.name, "level": label.level.name}
    # Of an entry whose day is the earliest possible one, the title says what is known.
    if happening.change == Occasion.START and not label.start_is_exact:
        names["period"] = start_in_short(label)
        return _("%(title)s (%(period)s)") % {"title": titles[Occasion.START] % names, **names}
    return titles[happening.change] % names


def title_of_start(label: Label) -> str:
    if label.transferred_from_id is not None:
        return _("%(cluster)s: %(level)s label taken over")
    if label.kind == LabelKind.RENEWAL:
        return _("%(cluster)s: %(level)s label renewed")
    return _("%(cluster)s: %(level)s label awarded")


def id_of(happening: LabelEvent) -> str:
    # The same in every language, whatever is corrected.
    return tag_uri(f"label/{happening.label.public_id}/{happening.change}")


def midnight(day: date) -> datetime:
    # The first moment of a day where the register is kept.
    return datetime.combine(day, time.min, timezone.get_default_timezone())
