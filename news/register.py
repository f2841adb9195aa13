"""What other pages ask of the news: announcements of a cluster, an organisation, a label."""

from datetime import datetime

from clusters.models import Cluster, Organisation
from labels.models import Label
from news.models import Announcement


def latest(now: datetime, limit: int) -> list[Announcement]:
    """The latest published ones with texts and clusters; three queries."""
    return list(Announcement.objects.for_lists(now)[:limit])


def announcements_of(cluster: Cluster, now: datetime, limit: int) -> list[Announcement]:
    return list(Announcement.objects.of_cluster(cluster).for_lists(now)[:limit])


def announcements_of_organisation(
    organisation: Organisation, now: datetime, limit: int
) -> list[Announcement]:
    return list(Announcement.objects.of_organisation(organisation).for_lists(now)[:limit])


def announcements_of_label(label: Label, now: datetime, limit: int) -> list[Announcement]:
    return list(Announcement.objects.of_label(label).for_lists(now)[:limit])


def years(now: datetime) -> list[int]:
    """Years with a published announcement, the latest first."""
    return [
        moment.year
        for moment in Announcement.objects.published(now).datetimes(
            "published_at", "year", order="DESC"
        )
    ]
