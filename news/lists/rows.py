"""The rows and the filters of the list, rendered once as long as nothing changes."""

from collections.abc import Sequence

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from clusters.directory.index import MAX_CARDS
from news.lists.index import NewsIndex
from news.lists.query import AnnouncementList
from news.models import Announcement


def render_filters(found: AnnouncementList) -> SafeString:
    # What the query alone decides on, whatever the page: in the active language.
    appeared = found.index.appeared(found.now).bit_length()
    place = ("filters", get_language(), found.path, found.query, appeared)

    def made() -> SafeString:
        context = {"facets": found.facets(), "selected": found.number_of_filters}
        return SafeString(render_to_string("components/facets.html", context))

    return found.index.remember(place, made)


def render_announcements(
    index: NewsIndex, keys: Sequence[int], words: str = ""
) -> list[SafeString]:
    """Their rows in the active language; four queries for those not yet made.

    Whether they are public is the index’s to say.
    """
    language, kept = get_language(), index.rows
    missing = [key for key in keys if (key, language, words) not in kept]
    found = Announcement.objects.with_keys(missing).in_list() if missing else ()
    made = {row.pk: render_row(row, words) for row in found}
    rows = [made.get(key) or kept.get((key, language, words)) for key in keys]
    kept.update({(key, language, words): row for key, row in made.items()})
    while len(kept) > MAX_CARDS:
        kept.popitem(last=False)
    return [row for row in rows if row]


def render_row(announcement: Announcement, words: str) -> SafeString:
    context = {"announcement": announcement, "words": words}
    return SafeString(render_to_string("news/_item.html", context))
