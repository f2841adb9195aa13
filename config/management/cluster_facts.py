"""The file of facts about the demo's clusters: what a row says, and where each fact was read."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clusters.models import Cluster, ClusterFact, Confidence, FactSource, ManagementRole

# The columns that tell a fact; all of them share its source.
COLUMNS = {
    ClusterFact.TAGLINE: ("tagline_en", "tagline_it"),
    ClusterFact.PORTFOLIO: ("portfolio",),
    ClusterFact.REGION: ("region",),
    ClusterFact.TOWN: ("town",),
    ClusterFact.MANAGERS: ("managing_organisation", "other_managing_organisations"),
    ClusterFact.MANAGED_SINCE: ("managing_since",),
    ClusterFact.FOUNDED: ("founded",),
    ClusterFact.MEMBERS: ("members_total",),
    ClusterFact.WEBSITE: ("website",),
}


class ManagerOfCluster(NamedTuple):
    """`since` and `until` are partial dates, `kind` a value of OrganisationKind; or empty."""

    name: str
    role: str
    since: str
    until: str
    kind: str


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Facts(dict[str, str]):
    """A row of the file, by its columns."""

    def managers(self) -> Iterator[ManagerOfCluster]:
        if self["managing_organisation"]:
            yield ManagerOfCluster(
                self["managing_organisation"],
                ManagementRole.LEAD,
                self["managing_since"],
                self["managed_until"],
                self["managing_organisation_kind"],
            )
        for text in filter(None, self["other_managing_organisations"].split("; ")):
            yield ManagerOfCluster(*text.split("|"))

    def sources(self, cluster: Cluster) -> Iterator[FactSource]:
        # Unsaved ones, of each fact that the row tells; a note alone tells one, too.
        notes = dict(text.split(": ", 1) for text in self["note"].split(" | ") if text)
        for fact, columns in COLUMNS.items():
            if fact in notes or any(self[column] for column in columns):
                confidence = self.confidence(fact)
                has_source = confidence != Confidence.DOUBTFUL or self.columns_in(
                    "seen_fields", fact
                )
                yield FactSource(
                    cluster=cluster,
                    fact=fact,
                    confidence=confidence,
                    source=self["source_url"] if has_source else "",
                    note=notes.get(fact, ""),
                )

    def confidence(self, fact: ClusterFact) -> Confidence:
        # The taglines are the register's own words, of what all the sources say.
        if fact == ClusterFact.TAGLINE:
            is_seen = self["confidence"] == Confidence.SEEN
            return Confidence.SEEN if is_seen else Confidence.DOUBTFUL
        # Else as sure as its least sure column.
        told = {column for column in COLUMNS[fact] if self[column]} or set(COLUMNS[fact])
        seen = self.columns_in("seen_fields", fact)
        if told <= seen:
            return Confidence.SEEN
        is_inferred = told <= seen | self.columns_in("inferred_fields", fact)
        return Confidence.REPORTED if is_inferred else Confidence.DOUBTFUL

    def columns_in(self, fields: str, fact: ClusterFact) -> set[str]:
        return set(COLUMNS[fact]) & set(self[fields].split())
