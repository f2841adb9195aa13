"""From where an item had its page to where it has it now, as a line of a `map` of nginx."""

import re
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils import translation

from news.inout.items import Item
from news.models import Announcement, AnnouncementText
from news.models.announcements import READABLE

# Nothing that means something to nginx.
PATH = re.compile(r"/[A-Za-z0-9/._~%+-]+")


def leads_on(item: Item, announcement: Announcement, texts: list[AnnouncementText]) -> str:
    """Empty for a draft, and where the old address has no path of its own, as `/?p=101`."""
    try:
        path = urlsplit(item.link).path
    except ValueError:
        return ""
    if announcement.state not in READABLE or not PATH.fullmatch(path) or not texts:
        return ""
    text = texts[0]
    with translation.override(text.language):
        return f"{path} {reverse('news:detail', args=[announcement.year, text.slug])};"
