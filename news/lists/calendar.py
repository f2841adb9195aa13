"""Events of announcements as entries of a calendar."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from django.conf import settings

from clusters.http.addresses import absolute
from labels.formats.calendar import CalendarEntry
from news.models import Announcement


def event_entries(announcements: Iterable[Announcement]) -> Iterator[CalendarEntry]:
    """In the active language, else in the other one; wants rows of `events()`."""
    for announcement in announcements:
        text = announcement.text()
        assert announcement.begins_at is not None
        if text is None:
            continue
        yield CalendarEntry(
            uid=f"{announcement.public_id}-event@{urlsplit(settings.SITE_URL).hostname}",
            day=announcement.begins_at,
            ends_at=announcement.ends_at,
            place=", ".join(filter(None, (announcement.place, announcement.address))),
            summary=text.title,
            description=text.lead,
            url=absolute(announcement.get_absolute_url()),
            changed_at=max(filter(None, (announcement.updated_at, announcement.saved_at))),
            changes=announcement.versions,
        )
