"""What pages ask of the news: announcements of a cluster, an organisation, a label, an address."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import get_language

from clusters.contact.messages import (
    MessageRecipient,
    recipient_of_cluster,
    recipient_of_organisation,
)
from clusters.models import Cluster, Organisation
from labels.models import Label
from labels.validity import State
from news.models import Announcement


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
    for draft in Announcement.objects.drafts().filter(written_by__in=drafts).with_texts():
        assert draft.written_by_id is not None
        drafts[draft.written_by_id].append(draft)
    return drafts


def cluster_at(slug: str) -> Cluster | None:
    # The published cluster at this address or once there, in any case.
    return Cluster.objects.published().at(slug.lower())


def years(now: datetime) -> list[int]:
    # Years with a published announcement, the latest first.
    return [
        moment.year
        for moment in Announcement.objects.published(now).datetimes(
            "published_at", "year", order="DESC"
        )
    ]


def announcement_at(slug: str, year: int, now: datetime) -> Announcement | None:
    # The published announcement at this address, in the active language before the others.
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
    # The published announcement of the year that had this address once, the latest of several.
    return Announcement.objects.for_lists(now).formerly_at(slug, year).first()


def labels_then_and_today(announcement: Announcement, today: date) -> list[LabelThenAndToday]:
    """Two queries."""
    assert announcement.published_at is not None
    then = timezone.localdate(announcement.published_at)
    return [
        LabelThenAndToday(label, label.state_on(then), label.state_on(today))
        for label in announcement.labels.for_pages(today).highest_first()
    ]


def recipient_of(announcement: Announcement, day: date) -> MessageRecipient | None:
    """Whom to write to about it: the contact, else its writer, else the first of its clusters.

    At most three queries, none where the contact has an address.
    """
    return (
        recipient_of_organisation(announcement.contact_organisation)
        or recipient_of_organisation(announcement.written_by)
        or next(
            (
                recipient
                for cluster in announcement.clusters.published().with_managers()
                if (recipient := recipient_of_cluster(cluster, day))
            ),
            None,
        )
    )
