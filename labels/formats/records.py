"""A label as data for machines: its JSON twin and its schema.org description."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date

from django.urls import reverse

from clusters.formats.writers import Value, value_at
from clusters.http.addresses import Data, absolute, filled, iso, page_addresses
from labels.models import Label, LabelQuerySet
from labels.register.facts import published_manager
from labels.register.queries import headline


def machine_twin(label: Label, day: date) -> dict[str, object]:
    """What the page says, with partial dates as ISO prefixes. No query on a row of `for_pages`."""
    cluster = label.cluster
    organisation = published_manager(label)
    return {
        "id": label.public_id,
        "url": absolute(label.get_absolute_url()),
        "on": day.isoformat(),
        "state": label.state_on(day).value,
        "level": label.level_id,
        "official_wording": label.level.official_wording,
        "cluster": {
            "id": cluster.public_id,
            "name": cluster.name,
            "url": absolute(cluster.get_absolute_url()),
            "country": str(cluster.country),
            "portfolio": cluster.portfolio.code if cluster.portfolio else None,
        },
        "managing_organisation": organisation,
        "kind": label.kind or None,
        "assessed_on": iso(label.assessed_on),
        "awarded_on": iso(label.awarded_on),
        "announced_on": iso(label.announced_on),
        "valid_until": iso(label.valid_until),
        "starts_on": iso(label.starts_on),
        "ends_on": iso(label.ends_on),
        "renewable_until": iso(label.renewable_until),
        "extended_until": iso(label.extended_until),
        "transferred_on": iso(label.transferred_on),
        "transferred_to": page_of(label.moved_to),
        "transferred_from": page_of(label.moved_from),
        "start_is_computed": label.start_is_computed,
        "end_is_computed": label.end_is_computed,
        "rule_of": iso(label.rule.effective_from) if label.rule else None,
        "awarded_by": label.awarded_by.short_name if label.awarded_by else None,
        "score": float(label.score) if label.score is not None else None,
        "certificate_number": label.certificate_number or None,
        "source": label.source or None,
    }


DAYS = (
    "assessed_on",
    "awarded_on",
    "announced_on",
    "valid_until",
    "starts_on",
    "ends_on",
    "renewable_until",
    "extended_until",
    "transferred_on",
)
# What `twins` reads of each label: a model's instance for each row would take ten times as long.
TWIN_COLUMNS = (
    "public_id", "state", "level_id", "level__official_wording", "cluster__public_id",
    "cluster__name", "cluster__slug", "cluster__country", "cluster__portfolio__code",
    "managing_organisation__name", "managing_organisation__is_published", "kind", "assessed_on",
    "awarded_on", "announced_on", "valid_until", "starts_on", "ends_on", "renewable_until",
    "extended_until", "transferred_on", "moved_to", "moved_from", "start_is_computed",
    "end_is_computed", "rule__effective_from", "awarded_by__short_name", "score",
    "certificate_number", "source",
)  # fmt: skip
ROWS_AT_ONCE = 2000


def twins(labels: LabelQuerySet, day: date) -> Iterator[dict[str, object]]:
    """`machine_twin` of many labels, a row at a time; wants `with_state(day)`. One query."""
    label_page, cluster_page = page_addresses("labels:detail"), page_addresses("clusters:detail")
    for row in labels.with_transfer().values(*TWIN_COLUMNS).iterator(chunk_size=ROWS_AT_ONCE):
        is_manager_public = row["managing_organisation__is_published"]
        yield {
            "id": row["public_id"],
            "url": label_page(row["public_id"]),
            "on": day.isoformat(),
            "state": row["state"],
            "level": row["level_id"],
            "official_wording": row["level__official_wording"],
            "cluster": {
                "id": row["cluster__public_id"],
                "name": row["cluster__name"],
                "url": cluster_page(row["cluster__slug"]),
                "country": row["cluster__country"],
                "portfolio": row["cluster__portfolio__code"],
            },
            "managing_organisation": (
                row["managing_organisation__name"] if is_manager_public else None
            ),
            "kind": row["kind"] or None,
            **{name: iso(row[name]) for name in DAYS},
            "transferred_to": label_page(row["moved_to"]) if row["moved_to"] else None,
            "transferred_from": label_page(row["moved_from"]) if row["moved_from"] else None,
            "start_is_computed": row["start_is_computed"],
            "end_is_computed": row["end_is_computed"],
            "rule_of": iso(row["rule__effective_from"]),
            "awarded_by": row["awarded_by__short_name"],
            "score": float(row["score"]) if row["score"] is not None else None,
            "certificate_number": row["certificate_number"] or None,
            "source": row["source"] or None,
        }


def page_of(public_id: str | None) -> str | None:
    return absolute(reverse("labels:detail", args=[public_id])) if public_id else None


def certification_data(label: Label) -> Data:
    """https://schema.org/Certification in the active language; only what is known."""
    body = label.awarded_by
    return filled(
        {
            "@type": "Certification",
            "@id": absolute(label.get_absolute_url()),
            "name": f"{label.level.name} – {label.level.official_wording}",
            "certificationIdentification": label.certificate_number or label.public_id,
            "url": absolute(label.get_absolute_url()),
            "about": {
                "@type": "Organization",
                "@id": absolute(label.cluster.get_absolute_url()),
                "name": label.cluster.name,
            },
            "issuedBy": {"@type": "Organization", "name": body.name} if body else {},
            "auditDate": iso(label.assessed_on),
            "datePublished": iso(label.announced_on),
            "validFrom": iso(label.starts_on),
            "expires": iso(label.ends_on),
        }
    )


# Each column and where its value stands in a label's JSON twin.
COLUMNS = {
    "id": ("id",),
    "url": ("url",),
    "on": ("on",),
    "state": ("state",),
    "level": ("level",),
    "official_wording": ("official_wording",),
    "cluster_id": ("cluster", "id"),
    "cluster": ("cluster", "name"),
    "cluster_url": ("cluster", "url"),
    "country": ("cluster", "country"),
    "portfolio": ("cluster", "portfolio"),
    "managing_organisation": ("managing_organisation",),
    "kind": ("kind",),
    "assessed_on": ("assessed_on",),
    "awarded_on": ("awarded_on",),
    "announced_on": ("announced_on",),
    "valid_until": ("valid_until",),
    "starts_on": ("starts_on",),
    "ends_on": ("ends_on",),
    "renewable_until": ("renewable_until",),
    "extended_until": ("extended_until",),
    "transferred_on": ("transferred_on",),
    "transferred_to": ("transferred_to",),
    "transferred_from": ("transferred_from",),
    "start_is_computed": ("start_is_computed",),
    "end_is_computed": ("end_is_computed",),
    "rule_of": ("rule_of",),
    "awarded_by": ("awarded_by",),
    "score": ("score",),
    "certificate_number": ("certificate_number",),
    "source": ("source",),
}


def row_of(twin: Mapping[str, object]) -> list[Value]:
    return [value_at(twin, path) for path in COLUMNS.values()]


# What `headline_twins` reads of each label.
HEADLINE = (
    "public_id", "cluster", "level", "level__rank", "starts_on", "ends_on", "renewable_until",
)  # fmt: skip


def labels_in_short(clusters: Iterable[int], day: date) -> dict[int, list[dict[str, object]]]:
    """What a cluster's record tells of its labels, by its key, in the order of `labels_of`.

    One query, without an instance for each: that took half the time of a list.
    """
    found: dict[int, list[dict[str, object]]] = {cluster: [] for cluster in clusters}
    page = page_addresses("labels:detail")
    labels = Label.objects.published().of_clusters(found).with_state(day).highest_first()
    names = ("cluster", "public_id", "level_id", "state", "starts_on", "ends_on")
    for cluster, public_id, level, state, starts_on, ends_on in labels.values_list(*names):
        found[cluster].append(
            {
                "id": public_id,
                "level": level,
                "state": state,
                "starts_on": starts_on,
                "ends_on": ends_on,
                "url": page(public_id),
            }
        )
    return found


def headline_twins(clusters: Collection[int], day: date) -> dict[int, dict[str, object]]:
    """By cluster key the label of `headline` for machines, where there is one. One query."""
    label_page = page_addresses("labels:detail")
    found: dict[int, list[Label]] = defaultdict(list)
    labels = Label.objects.published().of_clusters(clusters).with_state(day)
    for label in labels.select_related("level").only(*HEADLINE).highest_first():
        found[label.cluster_id].append(label)
    first = {cluster: headline(held) for cluster, held in found.items()}
    return {
        cluster: {
            "id": label.public_id,
            "url": label_page(label.public_id),
            "level": label.level_id,
            "state": str(label.state),
            "starts_on": iso(label.starts_on),
            "ends_on": iso(label.ends_on),
            "renewable_until": iso(label.renewable_until),
        }
        for cluster, label in first.items()
        if label
    }


def certifications(labels: Iterable[Label]) -> list[dict[str, object]]:
    """The labels as schema.org says it, for the description of their holder."""
    return [certification_data(label) for label in labels]
