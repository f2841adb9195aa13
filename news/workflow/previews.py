"""Links by which somebody without an account reads what is not published yet."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db.models import Max
from django.urls import reverse

from news.models import Announcement, AnnouncementState

SALT = "news.previews"
LIFETIME = timedelta(days=7)


def preview_link(announcement: Announcement) -> str:
    """The page in the active language, for seven days and until the next step is taken.

    Empty for what is withdrawn, of which nobody reads the text any more.
    """
    if announcement.state == AnnouncementState.WITHDRAWN:
        return ""
    return f"{settings.SITE_URL}{reverse('news:preview', args=[preview_token(announcement)])}"


def preview_token(announcement: Announcement) -> str:
    return signing.dumps([announcement.pk, last_step(announcement)], salt=SALT)


def announcement_of_preview(token: str) -> Announcement | None:
    try:
        key, step = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    found = Announcement.objects.with_clusters().with_relations().filter(pk=key).first()
    if found is None or found.state == AnnouncementState.WITHDRAWN or last_step(found) != step:
        return None
    return found


def last_step(announcement: Announcement) -> int:
    # The last version in another state: a link does not come to life again with an old state.
    others = announcement.history.exclude(state=announcement.state)
    last: int = others.aggregate(last=Max("history_id"))["last"] or 0
    return last
