"""Answers to "is this label valid?" for whatever somebody has in hand: a number, a name, an
address.
"""

import difflib
import re
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from clusters.models import Cluster, ClusterName
from labels.models import Label

LONGEST_QUESTION = 200
MOST_CLUSTERS = 10
MOST_NAMES = 5
# Comparing spellings is slow: about a millisecond for ten names.
MOST_CANDIDATES = 500
ADDRESS = re.compile(r"/labels/([2-9B-DF-HJ-NP-TV-Z]{8})(?:[/.?#]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """Labels found, clusters found that hold none, or else the nearest names."""

    asked: str
    labels: list[Label]
    clusters_without_labels: list[Cluster]
    nearest: list[Cluster]

    @property
    def is_unknown(self) -> bool:
        return not self.labels and not self.clusters_without_labels


def verify(asked: str, day: date) -> Answer:
    """A label's public id, page address or certificate number, else a cluster's name.

    A name counts whole, former and other names too; without case. At most seven queries.
    """
    key = key_of(asked)
    pages = Label.objects.for_pages(day)
    labels = list(pages.numbered(key).highest_first())
    if labels:
        return Answer(asked, labels, [], [])
    clusters = list(called(key)[:MOST_CLUSTERS])
    if not clusters:
        return Answer(asked, [], [], nearest(key))
    labels = list(pages.of_clusters([cluster.pk for cluster in clusters]).highest_first())
    holders = {label.cluster_id for label in labels}
    return Answer(asked, labels, [c for c in clusters if c.pk not in holders], [])


def key_of(asked: str) -> str:
    """One space between words; of the address of a label's page, the public id."""
    text = " ".join(asked.split())[:LONGEST_QUESTION]
    address = ADDRESS.search(text)
    return address.group(1) if address else text


def called(name: str) -> QuerySet[Cluster]:
    """Published clusters that bear or bore exactly this name."""
    others = ClusterName.objects.filter(name__iexact=name).values("cluster")
    return (
        Cluster.objects.published()
        .filter(Q(name__iexact=name) | Q(pk__in=others))
        .order_by("name", "pk")
    )


def nearest(name: str) -> list[Cluster]:
    """Clusters whose name, or another name of theirs, holds the text; else those spelt alike."""
    others = ClusterName.objects.filter(name__icontains=name).values("cluster")
    published = Cluster.objects.published().order_by("name", "pk")
    found = list(published.filter(Q(name__icontains=name) | Q(pk__in=others))[:MOST_NAMES])
    if found:
        return found
    candidates = published.filter(name__istartswith=name[:1])[:MOST_CANDIDATES]
    by_name = {cluster.name: cluster for cluster in candidates}
    alike = difflib.get_close_matches(name, by_name, n=MOST_NAMES, cutoff=0.5)
    return [by_name[match] for match in alike]
