"""What happened to labels as an Atom feed: awards, renewals, expiries, transfers, revocations."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice

from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clusters.formats.atom import AtomFeed, tag_uri
from clusters.http.addresses import absolute
from clusters.http.asof import midnight
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
    by_day = {
        Occasion.START: ("starts_on", loaded.filter(not_revoked_first)),
        Occasion.REVOCATION: ("revoked_on", loaded),
        Occasion.TRANSFER: ("transferred_on", loaded),
    }
    found = [
        LabelEvent(occasion, getattr(label, name), label)
        for occasion, (name, rows) in by_day.items()
        for label in rows.filter(**{f"{name}__lte": until}).order_by(f"-{name}", "-pk")[:ENTRIES]
    ]
    # Not every end is told: they are looked at a few at a time until there are enough.
    ended = loaded.filter(ends_on__lt=until).order_by("-ends_on", "-pk")
    found += islice(filter(None, map(end_event, ended.iterator(chunk_size=ENTRIES))), ENTRIES)
    found.sort(key=lambda happening: (happening.day, happening.label.pk), reverse=True)
    return found[:ENTRIES]


def end_event(label: Label) -> LabelEvent | None:
    """None where a later label has followed without a gap, or the label was gone by then."""
    assert label.ends_on is not None
    day = label.ends_on + ONE_DAY
    is_followed = label.taken_over_on is not None and label.taken_over_on <= day
    is_gone = label.state_on(day) in GONE
    return None if is_followed or is_gone else LabelEvent(Occasion.END, day, label)


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
