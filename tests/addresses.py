"""Every public address of the URLconf, with the rows that it is about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from clusters.models import Cluster
from labels.models import Label, RequiredLevel
from news.models import Announcement
from news.queries import labels_then_and_today
from news.sharing.open_graph import drawn_picture
from tests.factories import (
    MOMENT,
    make_announcement,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
)

# Of somebody’s own: an account, an invitation, a preview, an upload, admin, what a mail links to by
# a token; and the API, whose addresses are walked for themselves.
NOT_PUBLIC = re.compile(r"^(admin|account|invitations|confirm|notices|previews|media|api)\b")


class Address(NamedTuple):
    name: str
    route: str  # without a language
    arguments: tuple[str, ...]


def walk(patterns: Any, namespace: str = "", route: str = "") -> Iterator[Address]:
    for pattern in patterns:
        here = route + str(getattr(pattern.pattern, "_route", ""))
        if isinstance(pattern, URLResolver):
            inside = f"{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, inside, here)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield Address(f"{namespace}{pattern.name}", here, tuple(pattern.pattern.converters))


ADDRESSES = [
    address
    for address in walk(get_resolver("config.urls").url_patterns)
    if address.name != "api"
    and not NOT_PUBLIC.match(address.route)
    and not address.name.startswith(("admin:", "account", "mfa_"))
    and "token" not in address.arguments
]
PAGES = [address for address in ADDRESSES if address.route.endswith("/") or not address.route]
MACHINES = [address for address in ADDRESSES if address not in PAGES]
FEEDS = [address for address in ADDRESSES if address.route.endswith(".atom")]
CALENDARS = [address for address in ADDRESSES if address.route.endswith(".ics")]
CSV_FILES = [address for address in ADDRESSES if address.route.endswith(".csv")]
SPREADSHEETS = [address for address in ADDRESSES if address.route.endswith(".xlsx")]
API = [
    address
    for address in walk(get_resolver("config.api.urls").url_patterns)
    if not address.name.endswith("verify")
]
NAMING_A_RECORD = [address for address in ADDRESSES if {"slug", "public_id"} & {*address.arguments}]


@dataclass(frozen=True)
class Rows:
    """One of each kind that has a page, tied to one another."""

    cluster: Cluster
    label: Label
    announcement: Announcement
    organisation: Any
    programme: Any

    def path(self, address: Address) -> str:
        record: Any = {
            "clusters": self.cluster,
            "organisations": self.organisation,
            "programmes": self.programme,
            "labels": self.label,
            "news": self.announcement,
        }.get(address.route.partition("/")[0])
        text = self.announcement.texts.get()
        values = {
            "slug": getattr(record, "slug", text.slug),
            "public_id": getattr(record, "public_id", ""),
            "year": self.announcement.year,
            "month": timezone.localtime(self.announcement.published_at).month,
            "language": "en",
            "purpose": "revocation",
            "version": version_of(self.announcement),
        }
        return reverse(address.name, kwargs={name: values[name] for name in address.arguments})

    def api_path(self, address: Address) -> str:
        resource = address.route.split("/")[2]
        record = getattr(self, resource.removesuffix("s"), None)
        return "/" + re.sub(r"<(\w+:)?id>", getattr(record, "public_id", ""), address.route)


def version_of(announcement: Announcement) -> str:
    """Of the picture that is drawn for it today."""
    text = announcement.text()
    assert text is not None
    return drawn_picture(
        Announcement.objects.with_texts().get(pk=announcement.pk),
        text,
        labels_then_and_today(announcement, timezone.localdate()),
    ).version


def make_rows(name: str = "bioPmed") -> Rows:
    cluster = make_cluster(name=name, slug="biopmed")
    organisation = make_organisation(
        name=name, slug="bioindustry-park", role_address="info@example.org", is_address_shown=True
    )
    make_management(cluster=cluster, organisation=organisation)
    programme = make_programme(name_en=name, name_it=name, slug="poli")
    make_participation(cluster=cluster, programme=programme)
    RequiredLevel.objects.create(programme=programme, level_id="gold")
    label = make_label(cluster=cluster)
    announcement = make_announcement(
        title=name,
        lead=name,
        slug="gold-for-biopmed",
        clusters=[cluster],
        labels=[label],
        kind="event",
        begins_at=MOMENT,
    )
    return Rows(cluster, label, announcement, organisation, programme)
