"""What the pages say to machines, as schema.org dictionaries for the tag `json_ld`."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.urls import reverse

from clusters.dates import PartialDate
from clusters.models import Cluster, Organisation
from clusters.search import Link

Data = dict[str, Any]


def cluster_data(cluster: Cluster, certifications: Sequence[Data]) -> Data:
    text = cluster.text()
    return filled(
        {
            "@type": "Organization",
            "@id": absolute(cluster.get_absolute_url()),
            "identifier": cluster.public_id,
            "name": cluster.name,
            "alternateName": [name.name for name in cluster.names.all()],
            "description": text.tagline if text else "",
            "url": cluster.website or absolute(cluster.get_absolute_url()),
            "sameAs": [cluster.eccp_url] if cluster.eccp_url else [],
            "foundingDate": str(cluster.founded_on or ""),
            "address": address(cluster),
            "hasCertification": certifications,
        }
    )


def organisation_data(organisation: Organisation) -> Data:
    return filled(
        {
            "@type": "Organization",
            "@id": absolute(organisation.get_absolute_url()),
            "identifier": organisation.public_id,
            "name": organisation.name,
            "url": organisation.website or absolute(organisation.get_absolute_url()),
            "vatID": organisation.vat_number,
            "leiCode": organisation.lei,
            "address": address(organisation),
        }
    )


def breadcrumbs_data(crumbs: Iterable[Link]) -> Data:
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": position,
                "name": crumb.name,
                "item": absolute(crumb.url),
            }
            for position, crumb in enumerate(crumbs, start=1)
        ],
    }


def address(place: Cluster | Organisation) -> Data:
    """Without a country there is nothing to say: a town alone would mislead."""
    if not place.country:
        return {}
    return filled(
        {
            "@type": "PostalAddress",
            "addressCountry": place.country.code,
            "addressRegion": place.region.name if place.region else "",
            "addressLocality": place.town,
        }
    )


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def page_addresses(name: str) -> Callable[[str], str]:
    """Absolute addresses of pages with one argument, in the active language, looked up once."""
    before, _mark, after = absolute(reverse(name, args=["MARK"])).rpartition("MARK")
    return lambda argument: f"{before}{argument}{after}"


def iso(day: date | PartialDate | None) -> str | None:
    return str(day) if day is not None else None


def filled(data: Data) -> Data:
    return {key: value for key, value in data.items() if value}
