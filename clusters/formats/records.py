"""Clusters as data for machines: what the public may know of each on a day, and as a row."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language

from clusters.formats.writers import Value, value_at
from clusters.http.addresses import iso, page_addresses
from clusters.models import (
    Cluster,
    ClusterName,
    ClusterText,
    Management,
    MemberKind,
    MembershipCount,
    Participation,
)
from clusters.models.keys import in_chunks

Twin = dict[str, Any]
# By the key of a cluster, the label to name first on a day: what the register of labels answers.
Headlines = Callable[[Collection[int], date], Mapping[int, Twin]]

# Each column of a table and where its value stands in a cluster's twin; of a list, all values.
COLUMNS = {
    "id": ("id",),
    "url": ("url",),
    "on": ("on",),
    "name": ("name",),
    "other_names": ("other_names", "name"),
    "state": ("state",),
    "country": ("country",),
    "region_code": ("region", "code"),
    "region": ("region", "name"),
    "town": ("town",),
    "latitude": ("latitude",),
    "longitude": ("longitude",),
    "portfolio": ("portfolio",),
    "managers": ("managers", "name"),
    "manager_roles": ("managers", "role"),
    "manager_ids": ("managers", "id"),
    "founded_on": ("founded_on",),
    "members": ("members", "number"),
    "members_counted_on": ("members", "counted_on"),
    "label": ("label", "id"),
    "level": ("label", "level"),
    "label_state": ("label", "state"),
    "label_starts_on": ("label", "starts_on"),
    "label_ends_on": ("label", "ends_on"),
    "label_renewable_until": ("label", "renewable_until"),
    "programmes": ("programmes", "name"),
    "programme_ids": ("programmes", "id"),
    "website": ("website",),
    "eccp_url": ("eccp_url",),
    "contact_address": ("contact_address",),
    "confirmed_on": ("confirmed_on",),
}
PROGRAMME = ("public_id", "slug", "name_en", "name_it")
FACTS = (
    "pk", "public_id", "slug", "name", "state", "country", "region__code", "region__name", "town",
    "latitude", "longitude", "portfolio__code", "founded_on", "website", "eccp_url",
    "contact_address", "is_contact_shown", "confirmed_on",
)  # fmt: skip


def row_of(twin: Twin) -> list[Value]:
    return [value_at(twin, path) for path in COLUMNS.values()]


def cluster_twins(keys: Iterable[int], day: date, headlines: Headlines) -> Iterator[Twin]:
    """In the order of the keys, without those that are not public.

    In the active language. Seven queries for 500 keys, and no more of them in memory.
    """
    for chunk in in_chunks(keys):
        yield from twins_of(chunk, day, headlines)


def twins_of(keys: list[int], day: date, headlines: Headlines) -> Iterator[Twin]:
    pages = Pages()
    facts = Cluster.objects.published().filter(pk__in=keys).order_by().values(*FACTS)
    rows = {row["pk"]: row for row in facts}
    parts = {
        name: by_cluster(found.filter(cluster__in=keys)) for name, found in parts_on(day).items()
    }
    labels = headlines(keys, day)
    for key in keys:
        if row := rows.get(key):
            own = {name: found[key] for name, found in parts.items()}
            yield twin_of(row, own, labels.get(key), day, pages)


class Pages:
    """Absolute addresses in the active language."""

    def __init__(self) -> None:
        self.cluster = page_addresses("clusters:detail")
        self.organisation = page_addresses("clusters:organisation_detail")
        self.programme = page_addresses("clusters:programme_detail")


def parts_on(day: date) -> dict[str, QuerySet[Any, Any]]:
    """What the public may know beside a cluster's own row, by its name in the twin."""
    return {
        "other_names": ClusterName.objects.values("cluster", "name", "kind"),
        "managers": Management.objects.on(day)
        .filter(organisation__is_published=True)
        .values(
            "cluster", "role", "organisation__public_id", "organisation__slug", "organisation__name"
        ),
        "members": MembershipCount.objects.filter(kind=MemberKind.TOTAL)
        .order_by("counted_on", "pk")
        .values("cluster", "count", "counted_on"),
        "programmes": Participation.objects.on(day)
        .filter(programme__is_published=True)
        .order_by("programme__name_en", "pk")
        .values("cluster", *(f"programme__{name}" for name in PROGRAMME)),
        "texts": ClusterText.objects.values("cluster", "language", "tagline", "description"),
    }


def by_cluster(rows: Iterable[Twin]) -> defaultdict[int, list[Twin]]:
    found: defaultdict[int, list[Twin]] = defaultdict(list)
    for row in rows:
        found[row.pop("cluster")].append(row)
    return found


def twin_of(
    row: Twin, own: dict[str, list[Twin]], label: Twin | None, day: date, pages: Pages
) -> Twin:
    last_count = own["members"][-1] if own["members"] else None
    return {
        "id": row["public_id"],
        "url": pages.cluster(row["slug"]),
        "on": day.isoformat(),
        "name": row["name"],
        "other_names": own["other_names"],
        "state": row["state"],
        "country": row["country"],
        "region": {"code": row["region__code"], "name": row["region__name"]}
        if row["region__name"]
        else None,
        "town": row["town"] or None,
        "latitude": number(row["latitude"]),
        "longitude": number(row["longitude"]),
        "portfolio": row["portfolio__code"],
        "managers": [
            {
                "id": manager["organisation__public_id"],
                "name": manager["organisation__name"],
                "url": pages.organisation(manager["organisation__slug"]),
                "role": manager["role"],
            }
            for manager in own["managers"]
        ],
        "founded_on": iso(row["founded_on"]),
        "members": last_count
        and {"number": last_count["count"], "counted_on": iso(last_count["counted_on"])},
        "label": label,
        "programmes": [
            {
                "id": programme["programme__public_id"],
                "name": programme[f"programme__name_{get_language() or 'en'}"],
                "url": pages.programme(programme["programme__slug"]),
            }
            for programme in own["programmes"]
        ],
        "texts": own["texts"],
        "website": row["website"] or None,
        "eccp_url": row["eccp_url"] or None,
        "contact_address": row["contact_address"] if row["is_contact_shown"] else None,
        "confirmed_on": iso(row["confirmed_on"]),
    }


def number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
