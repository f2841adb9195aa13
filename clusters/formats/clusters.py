"""Clusters as data for machines: what the public may know of each on a day."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clusters.formats.facts import (
    EXAMPLE_ID,
    EXAMPLE_PAGE,
    Fact,
    Record,
    record_of_row,
    region_of,
    sources_of,
    url_of,
    value_if_shown,
)
from clusters.http.addresses import iso_text, page_address
from clusters.models import (
    Cluster,
    ClusterName,
    ClusterState,
    ClusterText,
    Confidence,
    FactSource,
    Management,
    MemberKind,
    MembershipCount,
    Participation,
)
from clusters.models.keys import in_chunks

# By the key of a cluster, the label to name first on a day: what the register of labels answers.
Headlines = Callable[[Collection[int], date], Mapping[int, Record]]
SOURCE = ("fact", "confidence", "source", "note")
PROGRAMME = ("public_id", "slug", "name_en", "name_it")


def _managers(rows: Iterable[Record]) -> list[Record]:
    return [
        {
            "id": row["organisation__public_id"],
            "name": row["organisation__name"],
            "url": page_address("clusters:organisation_detail", row["organisation__slug"]),
            "role": row["role"],
        }
        for row in rows
    ]


def _last_count(rows: list[Record]) -> Record | None:
    if not rows:
        return None
    # `_parts_on` has them by date: the last is the latest.
    return {
        "number": rows[-1]["count"],
        "qualifier": rows[-1]["qualifier"] or None,
        "counted_on": iso_text(rows[-1]["counted_on"]),
    }


def sources_in_short(rows: Iterable[Record]) -> list[Record]:
    return [
        {
            "fact": row["fact"],
            "confidence": row["confidence"],
            "source": row["source"] or None,
            "note": row["note"] or None,
        }
        for row in rows
    ]


def unconfirmed(rows: Iterable[Record]) -> list[str]:
    return [row["fact"] for row in rows if row["confidence"] != Confidence.SEEN]


def _programmes(rows: Iterable[Record]) -> list[Record]:
    return [
        {
            "id": row["programme__public_id"],
            "name": row[f"programme__name_{get_language() or 'en'}"],
            "url": page_address("clusters:programme_detail", row["programme__slug"]),
        }
        for row in rows
    ]


FACTS = (
    Fact("id",
         _("The cluster’s number in this register: eight letters and digits that never change."),
         str, EXAMPLE_ID, "public_id"),
    Fact("url", _("The page of the cluster."), str, EXAMPLE_PAGE, "slug",
         url_of("clusters:detail")),
    Fact("on", _("The day for which managers, programmes and the label are told.")),
    Fact("name", _("Its present name."), str, "bioPmed"),
    Fact("other_names", columns=(
        ("other_names",
         _("Former and parallel names; in JSON each with its kind, former or other."), "name"),
    )),
    Fact("state", _("provisional, active, merged or closed."), ClusterState, "active"),
    Fact("country", _("Its country as two letters (ISO 3166)."), str, "IT", read=str),
    Fact("region", type=dict, source="region__code region__name", read=region_of, columns=(
        ("region_code", _("The code of its region (ISO 3166-2), where there is one."), "code"),
        ("region", _("The name of its region."), "name"),
    )),
    Fact("town", _("The town."), str | None, "Colleretto Giacosa"),
    Fact("latitude", _("Degrees north; often of the town’s centre."), float | None, 45.4326),
    Fact("longitude", _("Degrees east; often of the town’s centre."), float | None, 7.8103),
    Fact("portfolio", _("The code of its portfolio, where it has one."), source="portfolio__code"),
    Fact("managers", read=_managers, columns=(
        ("managers", _("The organisations that manage it on the day, the lead first."), "name"),
        ("manager_roles", _("The role of each: lead, joint or association."), "role"),
        ("manager_ids", _("The number of each in this register."), "id"),
    )),
    Fact("founded_on", _("Founded, as precise as it is known."), str | None, "2013"),
    Fact("members", read=_last_count, columns=(
        ("members", _("The last count of all members by the day."), "number"),
        ("members_qualifier",
         _("about, more_than, almost or firms (firms only), where the source says so."),
         "qualifier"),
        ("members_counted_on", _("The date of that count."), "counted_on"),
    )),
    Fact("label", columns=(
        ("label",
         _("The number of the label to name first: the highest valid one on the day, else one that"
           " may become valid again, else the highest."), "id"),
        ("level", _("Its level: bronze, silver or gold."), "level"),
        ("label_state", _("Its state on the day, as in the register’s files."), "state"),
        ("label_starts_on", _("The earliest day that can be its first."), "starts_on"),
        ("label_certain_from", _("The day from which it is valid for certain."), "certain_from"),
        ("label_certain_until", _("The day until which it is valid for certain."), "certain_until"),
        ("label_ends_on", _("The latest day that can be its last."), "ends_on"),
        ("label_valid_until_is_computed", _("true where no source prints the end."),
         "valid_until_is_computed"),
        ("label_renewable_until",
         _("The last day on which an expired label could still be renewed."), "renewable_until"),
    )),
    Fact("programmes", read=_programmes, columns=(
        ("programmes", _("The programmes in which it takes part on the day."), "name"),
        ("programme_ids", _("The number of each in this register."), "id"),
    )),
    Fact("texts", columns=()),
    Fact("website", _("Its web site."), str | None, "https://www.example.org/"),
    Fact("eccp_url", _("Its page on the European Cluster Collaboration Platform."), str | None,
         is_detail=True),
    Fact("contact_address", _("An address of a function, where the cluster shows one."),
         str | None, "info@example.org", "contact_address is_contact_shown", value_if_shown,
         is_detail=True),
    Fact("unconfirmed",
         _("The facts, by name, that were inferred or that no source was seen to tell."),
         source="sources", read=unconfirmed),
    Fact("sources", read=sources_in_short, columns=(
        ("source_facts", _("The facts that have a source, by their names here."), "fact"),
        ("source_confidences",
         _("How sure each is: seen in the source, reported (inferred from it) or doubtful."),
         "confidence"),
        ("sources", _("Where each was read; of several addresses one at least tells it."),
         "source"),
        ("source_notes", _("What there is to say of it, in English."), "note"),
    )),
    Fact("confirmed_on", _("The day on which its team last confirmed these facts."), date | None,
         "2026-03-10"),
)  # fmt: skip


def _parts_on(day: date) -> dict[str, QuerySet[Any, Any]]:
    # What stands beside a cluster's own row, by the source of a fact.
    return {
        "other_names": ClusterName.objects.values("cluster", "name", "kind"),
        "managers": Management.objects.on(day)
        .filter(organisation__is_published=True)
        .values(
            "cluster", "role", "organisation__public_id", "organisation__slug", "organisation__name"
        ),
        "members": MembershipCount.objects.filter(kind=MemberKind.TOTAL, counted_on__begun_by=day)
        .order_by("counted_on", "pk")
        .values("cluster", "count", "qualifier", "counted_on"),
        "programmes": Participation.objects.on(day)
        .filter(programme__is_published=True)
        .order_by("programme__name_en", "pk")
        .values("cluster", *(f"programme__{name}" for name in PROGRAMME)),
        "sources": FactSource.objects.order_by("pk").values("cluster", *SOURCE),
        "texts": ClusterText.objects.values("cluster", "language", "tagline", "description"),
    }


def cluster_records(keys: Iterable[int], day: date, headlines: Headlines) -> Iterator[Record]:
    """In the order of the keys, without those that are not public.

    In the active language. Eight queries for 500 keys, and no more of them in memory.
    """
    for chunk in in_chunks(keys):
        yield from _records_of_chunk(chunk, day, headlines)


def _records_of_chunk(keys: list[int], day: date, headlines: Headlines) -> Iterator[Record]:
    parts = {
        name: _by_cluster(rows.filter(cluster__in=keys)) for name, rows in _parts_on(day).items()
    }
    # What is left are columns of the cluster’s own row.
    own = set(sources_of(FACTS)) - {*parts, "on", "label"}
    found = Cluster.objects.published().filter(pk__in=keys).order_by().values("pk", *own)
    rows = {row["pk"]: row for row in found}
    labels = headlines(keys, day)
    for key in keys:
        if row := rows.get(key):
            row |= {name: of_clusters[key] for name, of_clusters in parts.items()}
            yield record_of_row(FACTS, {**row, "on": day, "label": labels.get(key)})


def _by_cluster(rows: Iterable[Record]) -> defaultdict[int, list[Record]]:
    found: defaultdict[int, list[Record]] = defaultdict(list)
    for row in rows:
        found[row.pop("cluster")].append(row)
    return found
