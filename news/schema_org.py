"""What an announcement's page says to machines."""

from clusters.http.addresses import Data, absolute, without_empty
from news.models import Announcement


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
            "image": absolute(announcement.picture.url) if announcement.picture else "",
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
