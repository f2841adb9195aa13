"""Every public record of every kind as data, for the archive of the whole register.

Each has an `id` that names it within its kind. They come sorted by it, few at a time in memory.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from clusters.formats.clusters import FACTS as CLUSTER
from clusters.formats.clusters import cluster_records
from clusters.formats.facts import Fact, Facts, Record, json_value, period, record_of_instance
from clusters.formats.organisations import (
    ORGANISATION,
    PROGRAMME,
    id_and_name,
    id_and_name_if_public,
    id_and_names,
    records_of_related,
)
from clusters.http.addresses import absolute, iso_text
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
from labels.formats.records import FACTS as LABEL
from labels.formats.records import headline_records, label_records
from labels.models import Label, Level, RequiredLevel
from news.models import Announcement

# What the page of a cluster tells of other days, by its name in the record.
OVER_TIME = ("managers_over_time", "participations", "membership_counts", "lineage")
# How the other cluster of a merger or split stands to this one.
INVERSE: Mapping[str, str] = {
    LineageKind.MERGED_INTO: "merged_from",
    LineageKind.SPLIT_FROM: "split_into",
}


def read_other_names(names: str) -> list[str]:
    return [name.strip() for name in names.split("|") if name.strip()]


def moment_text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


NAMES = (Fact("name_en", _("Its name in English.")), Fact("name_it", _("Its name in Italian.")))
ANNOUNCEMENT = (
    Fact("id", _("Its number in this register: eight letters and digits that never change."),
         source="public_id"),
    Fact("url", _("Its page."), source="get_absolute_url", read=lambda path: absolute(path())),
    Fact("kind", _("News, an event or a call.")),
    Fact("published_at", _("When it was published."), read=moment_text),
    Fact("begins_at", _("When the event begins."), read=moment_text),
    Fact("ends_at", _("When the event ends."), read=moment_text),
    Fact("place", _("Where the event takes place.")),
    Fact("address", _("The address of that place.")),
    Fact("deadline_at", _("Until when one may answer the call."), read=moment_text),
    Fact("texts",
         read=records_of_related(lambda text: {
             "language": text.language,
             "title": text.title,
             "lead": text.lead,
             "body": text.body,
             "box_title": text.box_title,
             "box": text.box,
             "contact": text.contact_role,
         }),
         columns=(
             ("languages", _("The languages in which it is told."), "language"),
             ("titles", _("Its title in each of them."), "title"),
         )),
    Fact("topics",
         read=records_of_related(lambda topic: {
             "id": topic.slug, "name_en": topic.name_en, "name_it": topic.name_it,
         }),
         columns=(("topic_ids", _("Its topics, as in the addresses of the list."), "id"),)),
    Fact("corrections",
         read=records_of_related(lambda correction: {
             "corrected_at": moment_text(correction.corrected_at),
             "text_en": correction.text_en,
             "text_it": correction.text_it,
         }),
         columns=()),
    Fact("clusters", read=records_of_related(id_and_name),
         columns=(("cluster_ids", _("The numbers of the clusters that it is about."), "id"),)),
    Fact("organisations", read=records_of_related(id_and_name),
         columns=(("organisation_ids", _("The numbers of the organisations."), "id"),)),
    Fact("programmes", read=records_of_related(id_and_names),
         columns=(("programme_ids", _("The numbers of the programmes."), "id"),)),
    Fact("labels",
         read=records_of_related(lambda label: {
             "id": label.public_id, "level": label.level_id, "cluster": label.cluster.name,
         }),
         columns=(("label_ids", _("The numbers of the labels."), "id"),)),
    Fact("contact_organisation", read=id_and_name_if_public, columns=()),
)  # fmt: skip
OTHER_NAMES = Fact("other_names", _("Other names by which it is found."), read=read_other_names)
PORTFOLIO = (Fact("id", _("Its code."), source="code"), *NAMES, OTHER_NAMES)
REGION = (
    Fact("id", _("Its code (ISO 3166-2), or its key in this register."), source="code pk",
         read=lambda code, key: code or str(key)),
    Fact("name", _("Its name.")),
    OTHER_NAMES,
    Fact("country", _("Its country as two letters (ISO 3166).")),
)  # fmt: skip
LEVEL = (
    Fact("id", _("Its code."), source="code"),
    Fact("rank", _("The highest valid level of a cluster is its current one.")),
    *NAMES,
    Fact("official_wording", _("What the certificate says of the level.")),
    Fact("process_en", _("How it is reached, in English.")),
    Fact("process_it", _("How it is reached, in Italian.")),
    Fact("rules",
         read=records_of_related(lambda rule: {
             "effective_from": iso_text(rule.effective_from),
             "first_months": rule.first_months,
             "renewal_months": rule.renewal_months,
             "renewal_window_months": rule.renewal_window_months,
             "ends_at_month_end": rule.ends_at_month_end,
             "minimum_score": json_value(rule.minimum_score),
             "is_confirmed": rule.is_confirmed,
         }),
         columns=()),
)  # fmt: skip


class SnapshotKind(NamedTuple):
    """A kind of record: the name of its files, its table of facts, all its records."""

    name: str
    facts: Facts
    records: Iterable[Record]


def snapshot_kinds(day: date, moment: datetime) -> list[SnapshotKind]:
    # States are those of the day, announcements those published by the moment.
    labels = Label.objects.published().with_state(day).order_by("public_id")

    def kind(name: str, facts: Facts, rows: QuerySet[Any]) -> SnapshotKind:
        found = rows.iterator(chunk_size=KEYS_AT_ONCE)
        return SnapshotKind(name, facts, (record_of_instance(facts, row) for row in found))

    return [
        SnapshotKind("clusters", CLUSTER, _clusters(day)),
        kind("organisations", ORGANISATION, _organisations()),
        kind("programmes", PROGRAMME, _programmes()),
        SnapshotKind("labels", LABEL, label_records(labels, day)),
        kind("announcements", ANNOUNCEMENT, _announcements(moment)),
        kind("portfolios", PORTFOLIO, Portfolio.objects.order_by("code")),
        # One without a code has its key, as in the addresses of the directory.
        kind("regions", REGION, Region.objects.order_by("country", "code", "pk")),
        kind("levels", LEVEL, Level.objects.order_by("rank").prefetch_related("rules")),
    ]


def _organisations() -> QuerySet[Organisation]:
    shares = Shareholding.objects.public()
    found = Organisation.objects.published().select_related("region").order_by("public_id")
    return found.prefetch_related(
        "former_names",
        Prefetch("managements", Management.objects.of_published_clusters()),
        Prefetch("shareholdings", shares),
        Prefetch("holdings", shares),
        Prefetch("programmes", Programme.objects.published().order_by("public_id")),
    )


def _programmes() -> QuerySet[Programme]:
    found = Programme.objects.published().with_place().order_by("public_id")
    return found.prefetch_related(
        Prefetch("participations", Participation.objects.public()),
        Prefetch("required_levels", RequiredLevel.objects.all()),
    )


def _announcements(moment: datetime) -> QuerySet[Announcement]:
    # Pictures, whose rights differ, stay on their pages.
    labels = Label.objects.published().with_holder().order_by("public_id")
    found = Announcement.objects.published(moment).for_page(moment).order_by("public_id")
    return found.prefetch_related(Prefetch("labels", labels))


def _clusters(day: date) -> Iterator[Record]:
    found = Cluster.objects.published().order_by("public_id").values_list("pk", flat=True)
    for keys in in_chunks(found.iterator()):
        more: dict[str, dict[str, list[Record]]] = {}
        for cluster, name, item in _over_time(keys):
            more.setdefault(cluster, {name: [] for name in OVER_TIME})[name].append(item)
        for record in cluster_records(keys, day, headline_records):
            yield record | more.get(record["id"], {name: [] for name in OVER_TIME})


def _over_time(keys: list[int]) -> Iterator[tuple[str, str, Record]]:
    # Four queries for all keys.
    managements = Management.objects.filter(organisation__is_published=True, cluster__in=keys)
    for row in managements.select_related("cluster", "organisation"):
        item = id_and_name(row.organisation) | {"role": row.role} | period(row)
        yield row.cluster.public_id, "managers_over_time", item
    participations = Participation.objects.public().filter(cluster__in=keys)
    for part in participations.order_by("programme__public_id", "pk"):
        item = id_and_names(part.programme) | period(part)
        yield part.cluster.public_id, "participations", item
    for count in MembershipCount.objects.filter(cluster__in=keys).select_related("cluster"):
        item = {
            "counted_on": iso_text(count.counted_on),
            "kind": count.kind,
            "number": count.count,
            "qualifier": count.qualifier or None,
            "source": count.source or None,
        }
        yield count.cluster.public_id, "membership_counts", item
    yield from _lineage(keys)


def _lineage(keys: list[int]) -> Iterator[tuple[str, str, Record]]:
    # Of both clusters, where both are public.
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
                happened = {"relation": relation, "happened_on": iso_text(row.happened_on)}
                item = id_and_name(other) | happened
                yield cluster.public_id, "lineage", item
