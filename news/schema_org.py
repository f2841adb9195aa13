"""What an announcement's page says to machines."""

from django.utils import timezone

from clusters.http.addresses import Data, absolute, without_empty
from news.models import Announcement, AnnouncementKind


def article_data(announcement: Announcement) -> Data:
    """https://schema.org/NewsArticle of the text that the page shows."""
    text, moment = announcement.text(), announcement.published_at
    assert text is not None
    assert moment is not None
    publisher = announcement.contact_organisation
    return without_empty(
        {
            "@type": "NewsArticle",
            "@id": absolute(announcement.get_absolute_url()),
            "identifier": announcement.public_id,
            "headline": text.title,
            "description": text.lead,
            "inLanguage": text.language,
            "datePublished": moment.isoformat(),
            "url": absolute(announcement.get_absolute_url()),
            "image": absolute(announcement.cover.image.url) if announcement.cover else "",
            "publisher": {"@type": "Organization", "name": publisher.name}
            if publisher and publisher.is_published
            else {},
            "about": [
                {
                    "@type": "Organization",
                    "@id": absolute(cluster.get_absolute_url()),
                    "name": cluster.name,
                }
                for cluster in announcement.clusters.all()
            ],
        }
    )


def event_data(announcement: Announcement) -> Data:
    """https://schema.org/Event of an announced event; empty for any other announcement."""
    text = announcement.text()
    if announcement.kind != AnnouncementKind.EVENT or text is None:
        return {}
    moments = {"startDate": announcement.begins_at, "endDate": announcement.ends_at}
    zone = timezone.get_default_timezone()
    place = {"name": announcement.place, "address": announcement.address}
    return without_empty(
        {
            "@type": "Event",
            "@id": f"{absolute(announcement.get_absolute_url())}#event",
            "name": text.title,
            "description": text.lead,
            "inLanguage": text.language,
            **{name: at.astimezone(zone).isoformat() for name, at in moments.items() if at},
            "location": {"@type": "Place", **without_empty(place)} if any(place.values()) else {},
            "url": absolute(announcement.get_absolute_url()),
        }
    )
