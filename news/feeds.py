"""The Atom feed of announcements: all or one cluster's, in one language."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clusters.formats.atom import AtomFeed, tag_uri
from clusters.http.addresses import absolute
from clusters.models import Cluster
from news.models import Announcement, AnnouncementText
from news.queries import cluster_at

ENTRIES = 50


@dataclass(frozen=True)
class Channel:
    """What a feed was asked for."""

    language: str
    cluster: Cluster | None


@dataclass(frozen=True)
class AnnouncementEntry:
    announcement: Announcement
    text: AnnouncementText
    edited_at: datetime | None


class AnnouncementFeed(Feed):
    """Every address in it is absolute by `SITE_URL`; a text missing in the language is in the
    other one, as on the pages.
    """

    feed_type = AtomFeed

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        language = request.GET.get("lang", "en")
        if language not in dict(settings.LANGUAGES):
            return HttpResponseBadRequest(
                "lang: there is no feed in this language. Write en or it.",
                content_type="text/plain; charset=utf-8",
            )
        with translation.override(language):
            response = super().__call__(request, *args, **kwargs)
        # The latest entry's moment: it goes back when an announcement is withdrawn.
        del response["Last-Modified"]
        return response

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Channel:
        slug = request.GET.get("cluster", "").strip()
        cluster = cluster_at(slug) if slug else None
        if slug and cluster is None:
            raise Http404(_("There is no such cluster."))
        return Channel(translation.get_language() or "en", cluster)

    def title(self, channel: Channel) -> str:
        if channel.cluster:
            return _("Announcements of %(cluster)s") % {"cluster": channel.cluster.name}
        return _("Announcements")

    def subtitle(self, channel: Channel) -> str:
        return _("What clusters and the organisations that manage them make known.")

    def author_name(self, channel: Channel) -> str:
        return _("Cluster Register")

    def link(self, channel: Channel) -> str:
        query = f"?{urlencode({'cluster': channel.cluster.slug})}" if channel.cluster else ""
        return absolute(reverse("news:list") + query)

    def feed_url(self, channel: Channel) -> str:
        pairs = {"lang": channel.language}
        if channel.cluster:
            pairs["cluster"] = channel.cluster.slug
        return absolute(f"{reverse('news_feed')}?{urlencode(pairs)}")

    def feed_guid(self, channel: Channel) -> str:
        return self.feed_url(channel)

    def items(self, channel: Channel) -> list[AnnouncementEntry]:
        announcements = Announcement.objects.for_lists(timezone.now()).with_changes()
        if channel.cluster:
            announcements = announcements.of_cluster(channel.cluster)
        return [
            AnnouncementEntry(announcement, text, announcement.changed_at)  # type: ignore[attr-defined]
            for announcement in announcements[:ENTRIES]
            if (text := announcement.text())
        ]

    def item_title(self, item: AnnouncementEntry) -> str:
        return item.text.title

    def item_description(self, item: AnnouncementEntry) -> str:
        return item.text.lead

    def item_link(self, item: AnnouncementEntry) -> str:
        return absolute(item.announcement.get_absolute_url())

    def item_guid(self, item: AnnouncementEntry) -> str:
        # The same whatever slug or date becomes.
        return tag_uri(f"announcement/{item.announcement.public_id}/{item.text.language}")

    def item_pubdate(self, item: AnnouncementEntry) -> datetime | None:
        return item.announcement.published_at

    def item_updateddate(self, item: AnnouncementEntry) -> datetime | None:
        # An edit before the publication moment is no change.
        published_at = item.announcement.published_at
        return max(filter(None, (published_at, item.edited_at)), default=None)

    def item_categories(self, item: AnnouncementEntry) -> list[str]:
        return [cluster.name for cluster in item.announcement.clusters.all()]
