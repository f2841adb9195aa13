"""Announcements as feeds: Atom, and JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Enclosure
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clusters.formats.atom import AtomFeed, tag_uri
from clusters.http.addresses import Data, absolute, without_empty
from news.lists.query import AnnouncementList, AnnouncementQuery
from news.markup import render
from news.models import Announcement, AnnouncementQuerySet, AnnouncementText

ENTRIES = 50
ATOM, JSON = "application/atom+xml", "application/feed+json"


@dataclass(frozen=True)
class Channel:
    """What a feed says of itself; the addresses are absolute."""

    title: str
    page: str
    address: str


@dataclass(frozen=True)
class FeedLink:
    """A feed of a list, by its format."""

    name: str
    url: str
    media_type: str
    title: str


def feed_links(found: AnnouncementList) -> list[FeedLink]:
    # In the active language.
    title = found.titled(_("Announcements"))
    return [
        FeedLink(_("Atom feed"), feed_address(found.query, "news_feed"), ATOM, title),
        FeedLink(_("JSON feed"), feed_address(found.query, "news_json"), JSON, title),
    ]


def feed_address(query: AnnouncementQuery, name: str) -> str:
    return query.url(reverse(name), lang=get_language() or "en")


def feed_entries(
    announcements: AnnouncementQuerySet,
) -> Iterator[tuple[Announcement, AnnouncementText]]:
    # Each with its text in the active language, else in the other one, as on the pages.
    found = announcements.in_list().prefetch_related("attachments")
    for announcement in found.with_changes():
        if text := announcement.text():
            yield announcement, text


def id_of_text(announcement: Announcement, text: AnnouncementText) -> str:
    # The same whatever slug or date becomes.
    return tag_uri(f"announcement/{announcement.public_id}/{text.language}")


def tags_of(announcement: Announcement) -> list[str]:
    return [cluster.name for cluster in announcement.clusters.all()]


def atom_feed(channel: Channel, announcements: AnnouncementQuerySet) -> bytes:
    feed = AtomFeed(
        title=channel.title,
        subtitle=subtitle(),
        link=channel.page,
        description=None,
        language=get_language() or "en",
        author_name=_("Cluster Register"),
        feed_url=channel.address,
        feed_guid=channel.address,
    )
    for announcement, text in feed_entries(announcements):
        feed.add_item(
            title=text.title,
            link=absolute(announcement.get_absolute_url()),
            description=text.lead,
            unique_id=id_of_text(announcement, text),
            pubdate=announcement.published_at,
            updateddate=announcement.updated_at,
            categories=tags_of(announcement),
            enclosures=[
                Enclosure(
                    absolute(attachment.file.url), str(attachment.size), attachment.kind.media_type
                )
                for attachment in announcement.attachments.all()
            ],
        )
    written: str = feed.writeString("utf-8")
    return written.encode()


def json_feed(channel: Channel, announcements: AnnouncementQuerySet) -> Data:
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": channel.title,
        "home_page_url": channel.page,
        "feed_url": channel.address,
        "description": subtitle(),
        "language": get_language() or "en",
        "authors": [{"name": _("Cluster Register")}],
        "items": [json_item(*entry) for entry in feed_entries(announcements)],
    }


def json_item(announcement: Announcement, text: AnnouncementText) -> Data:
    cover = announcement.cover
    # Always the portal’s zone, so that one moment has one text.
    zone = timezone.get_default_timezone()
    moments = {
        "date_published": announcement.published_at,
        "date_modified": announcement.updated_at,
    }
    return {
        **without_empty(
            {
                "id": id_of_text(announcement, text),
                "url": absolute(announcement.get_absolute_url()),
                "title": text.title,
                "summary": text.lead,
                "image": absolute(cover.image.url) if cover else "",
                "tags": tags_of(announcement),
                "language": text.language,
                "attachments": [
                    without_empty(
                        {
                            "url": absolute(attachment.file.url),
                            "mime_type": attachment.kind.media_type,
                            "title": attachment.words_in("title", text.language),
                            "size_in_bytes": attachment.size,
                        }
                    )
                    for attachment in announcement.attachments.all()
                ],
            }
        ),
        "content_html": render(text.body),
        **{name: moment.astimezone(zone).isoformat() for name, moment in moments.items() if moment},
    }


def subtitle() -> str:
    return _("What clusters and the organisations that manage them make known.")
