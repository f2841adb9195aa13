"""What pages ask of the news: announcements of a cluster, an organisation, a label, an address."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Model, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import get_language

from clusters.contact.messages import (
    MessageRecipient,
    recipient_of_cluster,
    recipient_of_organisation,
)
from clusters.dates import FIRST_YEAR, LAST_YEAR, PartialDate
from clusters.models import Cluster, Organisation, published_managers
from labels.models import Label
from labels.validity import State
from news.lists.found import FoundAnnouncements
from news.lists.index import NEWS
from news.models import Announcement

MAX_RELATED = 4


@dataclass(frozen=True)
class LabelThenAndToday:
    """A label that an announcement speaks of: its state when it was published, and today."""

    label: Label
    then: State
    today: State


def latest(now: datetime, limit: int, **about: Model) -> list[Announcement]:
    """The latest published ones with texts and clusters; three queries.

    Of what they are about: `clusters=` a cluster, likewise `organisations` and `labels`.
    """
    return list(Announcement.objects.filter(**about).for_lists(now)[:limit])


@dataclass(frozen=True)
class Heard:
    """How many announcements tell of a cluster, and the day of the latest."""

    number: int
    latest_on: date


def heard_of(clusters: Iterable[Cluster], now: datetime) -> dict[int, Heard]:
    """By cluster key; those of which nothing was announced are left out. One query."""
    rows = Announcement.objects.published(now).count_by_cluster(clusters)
    return {key: Heard(number, timezone.localdate(latest)) for key, number, latest in rows}


def drafts_of(organisations: Iterable[Organisation]) -> dict[int, list[Announcement]]:
    """Unpublished announcements by the organisation whose team writes them; two queries."""
    drafts: dict[int, list[Announcement]] = {row.pk: [] for row in organisations}
    unpublished = Announcement.objects.unpublished()
    for draft in unpublished.filter(written_by__in=drafts).prefetch_related("texts"):
        assert draft.written_by_id is not None
        drafts[draft.written_by_id].append(draft)
    return drafts


def cluster_at(slug: str) -> Cluster | None:
    # The published cluster at this address or once there, in any case.
    return Cluster.objects.published().at(slug.lower())


@dataclass(frozen=True)
class Archive:
    """The published announcements of a year or a month, and the months of that year with some."""

    announcements: FoundAnnouncements
    months: list[PartialDate]


def archive_of(period: PartialDate, now: datetime) -> Archive | None:
    """None where nothing was published then; one query and those of the announcements."""
    if not FIRST_YEAR <= period.year <= LAST_YEAR:
        return None
    index = NEWS.current()
    appeared = index.appeared(now)
    counts = index.count_periods(appeared, (f"{period.year}-{n:02}" for n in range(12, 0, -1)))
    months = [PartialDate.parse(text) for text, number in counts.items() if number]
    found = FoundAnnouncements(index, appeared & index.within(period))
    return Archive(found, months) if found else None


def announcement_at(slug: str, year: int, now: datetime) -> Announcement | None:
    # The readable announcement at this address, in the active language before the others.
    found = list(Announcement.objects.for_page(now).at_address(slug, year).latest_first())
    language = get_language()
    spoken = (
        announcement
        for announcement in found
        for text in announcement.texts.all()
        if (text.language, text.slug) == (language, slug)
    )
    return next(spoken, None) or next(iter(found), None)


def announcement_formerly_at(slug: str, year: int, now: datetime) -> Announcement | None:
    # The readable announcement of the year that had this address once, the latest of several.
    readable = Announcement.objects.readable(now).with_texts().latest_first()
    return readable.formerly_at(slug, year).first()


def withdrawn_at_address(slug: str, year: int, now: datetime) -> Announcement | None:
    # What had its page at this address, last or once, and is withdrawn.
    withdrawn = Announcement.objects.withdrawn(now).latest_first()
    return withdrawn.at_address(slug, year).first() or withdrawn.formerly_at(slug, year).first()


def labels_then_and_today(announcement: Announcement, today: date) -> list[LabelThenAndToday]:
    """Two queries; what waits for its moment speaks of today."""
    moment = announcement.published_at
    then = timezone.localdate(moment) if moment else today
    return [
        LabelThenAndToday(label, label.state_on(then), label.state_on(today))
        for label in announcement.labels.for_pages(today).highest_first()
    ]


def related_to(announcement: Announcement, now: datetime) -> FoundAnnouncements:
    """Published ones of a label, a cluster or a topic of it; two queries. Wants `topics`."""
    index = NEWS.current()
    appeared = index.appeared(now)
    keys = Announcement.objects.keys_with_a_cluster_or_label_of(announcement)
    found = index.with_any("topic", (topic.pk for topic in announcement.topics.all()))
    found |= index.of_keys(index.latest(keys, now, MAX_RELATED + 1))
    found &= appeared & ~index.of_keys([announcement.pk])
    return FoundAnnouncements(index, found)


def recipient_of(announcement: Announcement, day: date) -> MessageRecipient | None:
    """Whom to write to about it: the contact, else its writer, else the first of its clusters.

    One query, none where the contact has an address; wants the clusters of `with_clusters`.
    """
    return (
        recipient_of_organisation(announcement.contact_organisation)
        or recipient_of_organisation(announcement.written_by)
        or next(
            (
                recipient
                for cluster in with_managers(announcement.clusters.all())
                if (recipient := recipient_of_cluster(cluster, day))
            ),
            None,
        )
    )


def with_managers(clusters: Iterable[Cluster]) -> Iterable[Cluster]:
    # Only as far as somebody asks for them.
    found = list(clusters)
    prefetch_related_objects(found, published_managers())
    yield from found
