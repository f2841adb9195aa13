"""What search engines are told: every public page in each language, and when it last changed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster, Organisation, Programme
from labels.models import Label
from news.models import Announcement

# No list with a filter in its address: search engines would find one page many times.
PAGES = (
    "home",
    "clusters:list",
    "clusters:compare",
    "clusters:organisation_list",
    "clusters:programme_list",
    "clusters:programme_compare",
    "labels:list",
    "labels:scheme",
    "labels:verify",
    "labels:figures",
    "news:list",
    "news:follow",
    "about",
    "accessibility",
    "privacy",
    "data",
    "corrections",
)


class PortalSitemap(Sitemap):
    """Absolute addresses come from the settings, never from the request."""

    i18n = True
    alternates = True
    x_default = True
    # Not the request’s: behind a proxy that is plain HTTP.
    protocol = urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: Any = None) -> str:
        return str(urlsplit(settings.SITE_URL).netloc)


class PageSitemap(PortalSitemap):
    """Their content depends on the day, so no last change is claimed."""

    def items(self) -> list[str]:
        return list(PAGES)

    def location(self, item: Any) -> str:
        return reverse(item)


class RecordSitemap(PortalSitemap):
    """Published rows; the last change is that of the row in its history, where it has one."""

    def __init__(self, rows: Callable[[], QuerySet[Any]]) -> None:
        # A function: a queryset made at the start would know the moment of the start for ever.
        self.rows = rows

    def items(self) -> QuerySet[Any]:
        return with_last_change(self.rows())

    def lastmod(self, item: Any) -> datetime | None:
        changed_at: datetime | None = item.changed_at
        return changed_at


def with_last_change(rows: QuerySet[Any]) -> QuerySet[Any]:
    history = rows.model.history.filter(id=OuterRef("pk")).order_by("-history_date")
    dated: QuerySet[Any] = rows.annotate(changed_at=Subquery(history.values("history_date")[:1]))
    return dated


SITEMAPS: dict[str, Sitemap] = {
    "pages": PageSitemap(),
    "clusters": RecordSitemap(Cluster.objects.published),
    "organisations": RecordSitemap(Organisation.objects.published),
    "programmes": RecordSitemap(Programme.objects.published),
    "labels": RecordSitemap(Label.objects.published),
    "news": RecordSitemap(lambda: Announcement.objects.for_lists(timezone.now())),
}
