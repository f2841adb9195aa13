from django.db.models import Q

from clusters.models import Cluster, Programme
from clusters.public_ids import formerly_at
from labels.models import Label


def programme_known_as(text: str) -> Programme | None:
    """The published programme with this public id in any case, this address, or a former one."""
    published = Programme.objects.published()
    known = published.filter(Q(public_id=text.upper()) | Q(slug=text)).first()
    return known or formerly_at(published, text)


def cluster_known_as(text: str) -> Cluster | None:
    """The published cluster with this public id in any case, this address, or this former one."""
    published = Cluster.objects.published()
    known = published.filter(Q(public_id=text.upper()) | Q(slug=text)).first()
    return known or formerly_at(published, text)


def published_manager(label: Label) -> str | None:
    organisation = label.managing_organisation
    return organisation.name if organisation and organisation.is_published else None
