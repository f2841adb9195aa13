"""Every public record of every kind as data, for the archive of the whole register.

Each has an `id` that names it within its kind. They come sorted by it, few at a time in memory.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from clusters.formats.records import COLUMNS as CLUSTER_COLUMNS
from clusters.formats.records import Twin, cluster_twins
from clusters.http.addresses import absolute, iso
from clusters.models import (
    Cluster,
    Lineage,
    LineageKind,
    Management,
    MembershipCount,
    Organisation,
    Participation,
    Portfolio,
    Programme,
    Region,
    Shareholding,
)
from clusters.models.keys import KEYS_AT_ONCE, in_chunks
from labels.formats.records import COLUMNS as LABEL_COLUMNS
from labels.formats.records import headline_twins, twins
from labels.models import Label, Level, RequiredLevel
from news.models import Announcement

# What the page of a cluster tells of other days, by its name in the record.
OVER_TIME = ("managers_over_time", "participations", "membership_counts", "lineage")
# How the other cluster of a merger or split stands to this one.
INVERSE: Mapping[str, str] = {
    LineageKind.MERGED_INTO: "merged_from",
    LineageKind.SPLIT_FROM: "split_into",
}

Columns = Mapping[str, tuple[str, ...]]


def plain(*names: str) -> Columns:
    return {name: (name,) for name in names}


NAMES = plain("name_en", "name_it")
REGION = {"region_code": ("region", "code"), "region": ("region", "name")}
# As `clusters.twins.COLUMNS`, of the other kinds.
ORGANISATION_COLUMNS: Columns = {
    **plain("id", "url", "name"),
    "former_names": ("former_names", "name"),
    **plain("kind", "legal_form", "country"),
    **REGION,
    **plain("town", "website", "contact_address", "vat_number", "lei"),
    "clusters": ("clusters", "name"),
    "cluster_ids": ("clusters", "id"),
    "cluster_roles": ("clusters", "role"),
    "shareholders": ("shareholders", "name"),
    "shareholder_ids": ("shareholders", "id"),
    **plain("confirmed_on"),
}
PROGRAMME_COLUMNS: Columns = {
    **plain("id", "url"),
    **NAMES,
    "owner": ("owner", "name"),
    "owner_id": ("owner", "id"),
    **plain("country"),
    **REGION,
    **plain("description_en", "description_it", "website", "started_on", "ended_on"),
    "clusters": ("clusters", "name"),
    "cluster_ids": ("clusters", "id"),
    "required_levels": ("required_levels", "level"),
    "required_from": ("required_levels", "required_from"),
    "required_until": ("required_levels", "required_until"),
}
ANNOUNCEMENT_COLUMNS: Columns = {
    **plain("id", "url", "published_at"),
    "languages": ("texts", "language"),
    "titles": ("texts", "title"),
    "cluster_ids": ("clusters", "id"),
    "organisation_ids": ("organisations", "id"),
    "programme_ids": ("programmes", "id"),
    "label_ids": ("labels", "id"),
}
PORTFOLIO_COLUMNS: Columns = {**plain("id"), **NAMES}
REGION_COLUMNS = plain("id", "name", "other_names", "country")
LEVEL_COLUMNS: Columns = {
    **plain("id", "rank"),
    **NAMES,
    **plain("official_wording", "process_en", "process_it"),
}


@dataclass(frozen=True)
class Kind:
    """A kind of record: the name of its files, all its records, the columns of its table."""

    name: str
    records: Iterable[Twin]
    columns: Columns


def kinds(day: date, moment: datetime) -> list[Kind]:
    return [
        Kind("clusters", cluster_records(day), CLUSTER_COLUMNS),
        Kind("organisations", organisation_records(), ORGANISATION_COLUMNS),
        Kind("programmes", programme_records(), PROGRAMME_COLUMNS),
        Kind("labels", label_records(day), LABEL_COLUMNS),
        Kind("announcements", announcement_records(moment), ANNOUNCEMENT_COLUMNS),
        Kind("portfolios", portfolio_records(), PORTFOLIO_COLUMNS),
        Kind("regions", region_records(), REGION_COLUMNS),
        Kind("levels", level_records(), LEVEL_COLUMNS),
    ]


def cluster_records(day: date) -> Iterator[Twin]:
    """As in the directory's JSON, with what its page tells of other days."""
    found = Cluster.objects.published().order_by("public_id").values_list("pk", flat=True)
    for keys in in_chunks(found.iterator()):
        more: dict[str, dict[str, list[Twin]]] = {}
        for cluster, name, item in over_time(keys):
            more.setdefault(cluster, {name: [] for name in OVER_TIME})[name].append(item)
        for twin in cluster_twins(keys, day, headline_twins):
            yield twin | more.get(twin["id"], {name: [] for name in OVER_TIME})


def over_time(keys: list[int]) -> Iterator[tuple[str, str, Twin]]:
    """The number of a cluster, the name of a list in its record, an item of it. Four queries."""
    managements = Management.objects.filter(organisation__is_published=True, cluster__in=keys)
    for row in managements.select_related("cluster", "organisation"):
        item = named(row.organisation) | {"role": row.role} | period(row)
        yield row.cluster.public_id, "managers_over_time", item
    participations = Participation.objects.public().filter(cluster__in=keys)
    for part in participations.order_by("programme__public_id", "pk"):
        item = programme_named(part.programme) | period(part)
        yield part.cluster.public_id, "participations", item
    for count in MembershipCount.objects.filter(cluster__in=keys).select_related("cluster"):
        item = {
            "counted_on": iso(count.counted_on),
            "kind": count.kind,
            "number": count.count,
            "source": count.source or None,
        }
        yield count.cluster.public_id, "membership_counts", item
    yield from lineage(keys)


def lineage(keys: list[int]) -> Iterator[tuple[str, str, Twin]]:
    """Told of both clusters, where both are public."""
    found = Lineage.objects.filter(
        Q(cluster__in=keys) | Q(other__in=keys),
        cluster__is_published=True,
        other__is_published=True,
    )
    for row in found.select_related("cluster", "other").order_by("happened_on", "pk"):
        seen_from = (
            (row.cluster, row.other, row.kind),
            (row.other, row.cluster, INVERSE[row.kind]),
        )
        for cluster, other, relation in seen_from:
            if cluster.pk in keys:
                item = named(other) | {"relation": relation, "happened_on": iso(row.happened_on)}
                yield cluster.public_id, "lineage", item


def organisation_records() -> Iterator[Twin]:
    shares = Shareholding.objects.public()
    found = Organisation.objects.published().select_related("region")
    rows = found.prefetch_related(
        "former_names",
        Prefetch("managements", Management.objects.of_published_clusters()),
        Prefetch("shareholdings", shares),
        Prefetch("holdings", shares),
        Prefetch("programmes", Programme.objects.published().order_by("public_id")),
    )
    for row in sorted_rows(rows):
        yield {
            "id": row.public_id,
            "url": absolute(row.get_absolute_url()),
            "name": row.name,
            "former_names": [{"name": name.name} | period(name) for name in row.former_names.all()],
            "kind": row.kind,
            "legal_form": row.legal_form or None,
            "country": row.country.code or None,
            "region": region_named(row.region),
            "town": row.town or None,
            "website": row.website or None,
            "contact_address": row.role_address if row.is_address_shown else None,
            "vat_number": row.vat_number or None,
            "lei": row.lei or None,
            "clusters": [
                named(management.cluster) | {"role": management.role} | period(management)
                for management in row.managements.all()
            ],
            "shareholders": [
                named(share.shareholder) | period(share) for share in row.shareholdings.all()
            ],
            "shares": [named(share.organisation) | period(share) for share in row.holdings.all()],
            "programmes": [programme_named(programme) for programme in row.programmes.all()],
            "confirmed_on": iso(row.confirmed_on),
        }


def programme_records() -> Iterator[Twin]:
    rows = (
        Programme.objects.published()
        .with_place()
        .prefetch_related(
            Prefetch("participations", Participation.objects.public()),
            Prefetch("required_levels", RequiredLevel.objects.all()),
        )
    )
    for row in sorted_rows(rows):
        yield {
            "id": row.public_id,
            "url": absolute(row.get_absolute_url()),
            "name_en": row.name_en,
            "name_it": row.name_it,
            "owner": named(row.owner) if row.owner and row.owner.is_published else None,
            "country": row.country.code or None,
            "region": region_named(row.region),
            "description_en": row.description_en or None,
            "description_it": row.description_it or None,
            "website": row.website or None,
            **period(row),
            "clusters": [
                named(participation.cluster) | period(participation)
                for participation in row.participations.all()
            ],
            "required_levels": [
                {
                    "level": required.level_id,
                    "required_from": iso(required.required_from),
                    "required_until": iso(required.required_until),
                    "source": required.source or None,
                }
                for required in row.required_levels.all()
            ],
        }


def label_records(day: date) -> Iterator[Twin]:
    """As in the register's JSON."""
    return twins(Label.objects.published().with_state(day).order_by("public_id"), day)


def announcement_records(moment: datetime) -> Iterator[Twin]:
    """Those published by then. Pictures, whose rights differ, stay on their pages."""
    rows = Announcement.objects.for_page(moment).prefetch_related(
        Prefetch("labels", Label.objects.published().with_holder().order_by("public_id"))
    )
    for row in sorted_rows(rows):
        contact = row.contact_organisation
        yield {
            "id": row.public_id,
            "url": absolute(row.get_absolute_url()),
            "published_at": row.published_at.isoformat(),
            "texts": [
                {
                    "language": text.language,
                    "title": text.title,
                    "lead": text.lead,
                    "body": text.body,
                    "box_title": text.box_title,
                    "box": text.box,
                    "contact": text.contact_role,
                }
                for text in row.texts.all()
            ],
            "clusters": [named(cluster) for cluster in row.clusters.all()],
            "organisations": [named(organisation) for organisation in row.organisations.all()],
            "programmes": [programme_named(programme) for programme in row.programmes.all()],
            "labels": [
                {"id": label.public_id, "level": label.level_id, "cluster": label.cluster.name}
                for label in row.labels.all()
            ],
            "contact_organisation": named(contact) if contact and contact.is_published else None,
        }


def portfolio_records() -> Iterator[Twin]:
    for row in Portfolio.objects.order_by("code"):
        yield {"id": row.code, "name_en": row.name_en, "name_it": row.name_it}


def region_records() -> Iterator[Twin]:
    """By the code; one without has its key, as in the addresses of the directory."""
    for row in Region.objects.order_by("country", "code", "pk"):
        yield {
            "id": row.code or str(row.pk),
            "name": row.name,
            "other_names": [name.strip() for name in row.other_names.split("|") if name.strip()],
            "country": row.country.code,
        }


def level_records() -> Iterator[Twin]:
    for row in Level.objects.order_by("rank").prefetch_related("rules"):
        yield {
            "id": row.code,
            "rank": row.rank,
            "name_en": row.name_en,
            "name_it": row.name_it,
            "official_wording": row.official_wording,
            "process_en": row.process_en or None,
            "process_it": row.process_it or None,
            "rules": [
                {
                    "effective_from": iso(rule.effective_from),
                    "first_months": rule.first_months,
                    "renewal_months": rule.renewal_months,
                    "renewal_window_months": rule.renewal_window_months,
                    "ends_at_month_end": rule.ends_at_month_end,
                    "minimum_score": None
                    if rule.minimum_score is None
                    else float(rule.minimum_score),
                    "is_confirmed": rule.is_confirmed,
                }
                for rule in row.rules.all()
            ],
        }


def sorted_rows(rows: QuerySet[Any]) -> Iterator[Any]:
    return iter(rows.order_by("public_id").iterator(chunk_size=KEYS_AT_ONCE))


def named(row: Cluster | Organisation) -> Twin:
    return {"id": row.public_id, "name": row.name}


def programme_named(row: Programme) -> Twin:
    return {"id": row.public_id, "name_en": row.name_en, "name_it": row.name_it}


def region_named(row: Region | None) -> Twin | None:
    return {"code": row.code, "name": row.name} if row else None


def period(row: Any) -> Twin:
    return {"started_on": iso(row.started_on), "ended_on": iso(row.ended_on)}
