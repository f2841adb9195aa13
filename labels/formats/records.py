"""A label as data for machines: its record and its schema.org description."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Literal

from django.utils.translation import gettext_lazy as _

from clusters.dates import PartialDate
from clusters.formats.facts import (
    EXAMPLE_ID,
    EXAMPLE_PAGE,
    Fact,
    Record,
    attribute,
    facts_named,
    record_of_instance,
    record_of_row,
    sources_of,
    url_of,
    value_if_shown,
)
from clusters.http.addresses import Data, absolute, iso_text, page_address, without_empty
from labels.models import Label, LabelQuerySet, LabelSource
from labels.register.queries import headline
from labels.validity import State
from labels.words import reply_of, verdict

Words, Day = str | None, date | None
ROWS_AT_ONCE = 2000


def holder(public_id: str, name: str, slug: str, country: object, portfolio: str | None) -> Record:
    return {
        "id": public_id,
        "name": name,
        "url": page_address("clusters:detail", slug),
        "country": str(country),
        "portfolio": portfolio,
    }


OWN_FACTS = (
    Fact("id",
         _("The label’s number in this register: eight letters and digits that never change."),
         str, EXAMPLE_ID, "public_id"),
    Fact("url", _("The page of the label."), str, EXAMPLE_PAGE, "public_id",
         url_of("labels:detail")),
    Fact("on", _("The day for which the state is told."), date, "2015-09-08"),
    Fact("state",
         _("not_yet, valid (for certain), uncertain (it may be valid: its days are known to the"
           " month or year only), renewable (expired, may still be renewed), expired, suspended,"
           " revoked, transferred or undated.")),
    Fact("valid", _("yes, no or cannot_be_told: whether the label is valid that day."),
         Literal["yes", "no", "cannot_be_told"], "yes", "state",
         lambda state: reply_of(State(state)).value),
    Fact("level", _("bronze, silver or gold."), str, "gold", "level_id"),
    Fact("official_wording", _("What the certificate says of the level."), str,
         "Proven for Cluster Excellence", "level__official_wording"),
    Fact("cluster", _("The holder, under its present name."),
         source="cluster__public_id cluster__name cluster__slug cluster__country"
         " cluster__portfolio__code",
         read=holder,
         columns=(
             ("cluster_id", _("The number of the cluster that holds the label."), "id"),
             ("cluster", _("Its present name."), "name"),
             ("cluster_url", _("Its page."), "url"),
             ("country", _("Its country as two letters (ISO 3166)."), "country"),
             ("portfolio", _("The code of its portfolio, where it has one."), "portfolio"),
         )),
    Fact("managing_organisation",
         _("The legal entity that managed the cluster when the label was awarded, where known."),
         Words, "Bioindustry Park Silvano Fumero SpA",
         "managing_organisation__name managing_organisation__is_published", value_if_shown),
    Fact("kind", _("first or renewal, where the source says it.")),
    Fact("assessed_on", _("Assessed, as printed by the source."), Words, "2015-07"),
    Fact("awarded_on", _("Awarded, as printed by the source."), Words),
    Fact("announced_on", _("Announced, as printed by the source."), Words, "2015-09-08"),
    Fact("valid_until", _("The end as printed; empty where the source prints none."), Words),
    Fact("starts_on", _("The earliest day that can be the first of the label."), Day, "2015-07-01"),
    Fact("certain_from", _("The latest day that can be the first: from then on it is valid for"
                           " certain."), Day, "2015-07-31"),
    Fact("certain_until", _("The earliest day that can be the last: until then it is valid for"
                            " certain."), Day, "2017-07-31"),
    Fact("ends_on", _("The latest day that can be the last of the label."), Day, "2017-07-31"),
    Fact("renewable_until", _("The last day on which an expired label could still be renewed."),
         Day, "2018-07-31"),
    Fact("extended_until",
         _("The end as extended by a decision; it goes before the printed and the computed one."),
         Day),
    Fact("transferred_on",
         _("The day from which another label, of another cluster, stands in the place of this"
           " one."),
         Day),
    Fact("transferred_to", _("The page of the label in its place."), Words, None,
         "moved_to", url_of("labels:detail")),
    Fact("transferred_from", _("The page of the label in whose place this one stands."), Words,
         None, "moved_from", url_of("labels:detail")),
    Fact("valid_from_is_computed",
         _("true where the first day follows from a rule, an earlier end or a transfer, false where"
           " it is printed."),
         bool, source="start_is_computed"),
    Fact("valid_until_is_computed",
         _("true where the last day follows from a rule, false where it is printed or extended."),
         bool, source="end_is_computed"),
    Fact("rule_of", _("The day from which the rule behind these dates took effect."), Day,
         "2010-11-01", "rule__effective_from"),
    Fact("awarded_by", _("The body that awarded the label, in short."), Words, "ESCA",
         "awarded_by__short_name"),
    Fact("score", _("Percent of the possible score of a Gold, only where the holder published it."),
         float | None),
    Fact("certificate_number", _("The number on the certificate, where known."), Words,
         "G-2015/57"),
    Fact("source", _("The public address where the label was seen."), Words,
         "https://www.example.org/labels"),
)  # fmt: skip
# With what stands in other tables: in files, the API and the label’s own JSON.
FACTS = (
    *OWN_FACTS,
    Fact("sources", columns=(
        ("sources", _("Every source that tells of it."), "source"),
        ("source_confidences",
         _("How sure each is: seen in the source, reported (inferred from it) or doubtful."),
         "confidence"),
        ("source_notes", _("What each says, in English."), "note"),
    )),
)  # fmt: skip


def label_record(label: Label, day: date) -> Record:
    """What the page says, with partial dates as ISO prefixes. No query on a row of `for_pages`."""
    of_the_day = {"on": day, "state": label.state_on(day).value}
    row = {name: of_the_day.get(name) or attribute(label, name) for name in sources_of(OWN_FACTS)}
    return record_of_row(OWN_FACTS, row)


def label_record_in_words(label: Label, day: date) -> Record:
    said = verdict(label, day)
    in_words = {"state_in_words": said.sentence, "caveat": said.caveat or None}
    return label_record(label, day) | in_words


def label_records(labels: LabelQuerySet, day: date) -> Iterator[Record]:
    """`label_record` of many labels, with their sources; wants `with_state(day)`.

    One query, and one for 2000 labels.
    """
    # An instance for each row would take ten times as long.
    names = [name for name in sources_of(OWN_FACTS) if name != "on"]
    rows = labels.with_transfer().values("pk", *names).iterator(chunk_size=ROWS_AT_ONCE)
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        sources = sources_of_labels(row["pk"] for row in chunk)
        for row in chunk:
            record = record_of_row(OWN_FACTS, {**row, "on": day})
            yield record | {"sources": sources[row["pk"]]}


def sources_of_labels(labels: Iterable[int]) -> dict[int, list[Record]]:
    # By the key of each label. One query.
    found: dict[int, list[Record]] = {label: [] for label in labels}
    for row in LabelSource.objects.filter(label__in=list(found)).order_by("pk"):
        found[row.label_id].append(
            {"source": row.source or None, "confidence": row.confidence, "note": row.note or None}
        )
    return found


def certification_data(label: Label) -> Data:
    body = label.awarded_by
    return without_empty(
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
            "auditDate": iso_text(label.assessed_on),
            "datePublished": iso_text(label.announced_on),
            # Only days that a source prints: a program does not read what limits them.
            "validFrom": day_as_printed(label.start),
            "expires": iso_text(label.extended_until) or day_as_printed(label.valid_until),
        }
    )


def day_as_printed(printed: PartialDate | None) -> str | None:
    return str(printed) if printed is not None and printed.precision == "day" else None


DATED = "starts_on certain_from certain_until ends_on"
SHORT = facts_named(OWN_FACTS, f"id level state {DATED} valid_until_is_computed url")
HEADLINE = facts_named(
    OWN_FACTS, f"id url level state {DATED} valid_until_is_computed renewable_until"
)


def labels_in_short(clusters: Iterable[int], day: date) -> dict[int, list[Record]]:
    # What a cluster's record tells of its labels, by its key, in the order of `labels_of`.
    found: dict[int, list[Record]] = {cluster: [] for cluster in clusters}
    labels = Label.objects.published().of_clusters(found).with_state(day).highest_first()
    # One query, without an instance for each: that took half the time of a list.
    for row in labels.values("cluster", *sources_of(SHORT)):
        found[row["cluster"]].append(record_of_row(SHORT, row))
    return found


def headline_records(clusters: Collection[int], day: date) -> dict[int, Record]:
    """By cluster key the label of `headline`, where there is one. One query."""
    found: dict[int, list[Label]] = defaultdict(list)
    labels = Label.objects.published().of_clusters(clusters).with_state(day)
    names = {"cluster", "level__rank", *sources_of(HEADLINE)} - {"state"}
    for label in labels.select_related("level").only(*names).highest_first():
        found[label.cluster_id].append(label)
    first = {cluster: headline(held) for cluster, held in found.items()}
    return {
        cluster: record_of_instance(HEADLINE, label) for cluster, label in first.items() if label
    }


def certifications(labels: Iterable[Label]) -> list[Record]:
    return [certification_data(label) for label in labels]
