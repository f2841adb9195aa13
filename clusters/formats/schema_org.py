"""What the pages say to machines, as schema.org dictionaries for the tag `json_ld`."""

from collections.abc import Collection, Iterable, Sequence

from clusters.http.addresses import Data, absolute, without_empty
from clusters.http.links import Link
from clusters.models import Cluster, ClusterFact, Organisation


def cluster_data(cluster: Cluster, certifications: Sequence[Data]) -> Data:
    # A machine takes what it finds for certain: what is unconfirmed is left out.
    text = cluster.text()
    unconfirmed = cluster.unconfirmed
    has_website = cluster.website and ClusterFact.WEBSITE not in unconfirmed
    is_dated = ClusterFact.FOUNDED not in unconfirmed
    return without_empty(
        {
            "@type": "Organization",
            "@id": absolute(cluster.get_absolute_url()),
            "identifier": cluster.public_id,
            "name": cluster.name,
            "alternateName": [name.name for name in cluster.names.all()],
            "description": text.tagline if text and ClusterFact.TAGLINE not in unconfirmed else "",
            "url": cluster.website if has_website else absolute(cluster.get_absolute_url()),
            "sameAs": [cluster.eccp_url] if cluster.eccp_url else [],
            "foundingDate": str(cluster.founded_on or "") if is_dated else "",
            "address": postal_address(cluster, unconfirmed),
            "hasCertification": certifications,
        }
    )


def organisation_data(organisation: Organisation) -> Data:
    return without_empty(
        {
            "@type": "Organization",
            "@id": absolute(organisation.get_absolute_url()),
            "identifier": organisation.public_id,
            "name": organisation.name,
            "url": organisation.website or absolute(organisation.get_absolute_url()),
            "vatID": organisation.vat_number,
            "leiCode": organisation.lei,
            "address": postal_address(organisation),
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


def postal_address(place: Cluster | Organisation, unconfirmed: Collection[str] = ()) -> Data:
    # Without a country there is nothing to say: a town alone would mislead.
    if not place.country:
        return {}
    return without_empty(
        {
            "@type": "PostalAddress",
            "addressCountry": place.country.code,
            "addressRegion": place.region.name
            if place.region and ClusterFact.REGION not in unconfirmed
            else "",
            "addressLocality": "" if ClusterFact.TOWN in unconfirmed else place.town,
        }
    )
