"""Announcements as asked for by an address: the query behind list, feeds, calendar and API."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from heapq import nsmallest
from typing import NamedTuple, Self

from django.conf import settings
from django.http import QueryDict
from django.utils.dates import MONTHS
from django.utils.text import capfirst
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from clusters.dates import FIRST_YEAR, LAST_YEAR, PartialDate
from clusters.fulltext import records_matching
from clusters.http.faceted import Facet, FacetedList, FacetedQuery, QueryReader
from clusters.http.links import country_names
from clusters.models import Cluster
from clusters.models.organisations import MOST_FOUND
from clusters.templatetags.clusters_tags import date_in_words
from news.lists.found import FoundAnnouncements
from news.lists.index import NEWS, NewsIndex
from news.models import Announcement, AnnouncementKind, AnnouncementQuerySet, Topic

FILTERS = {
    "kind": _("Kind"),
    "topic": _("Topic"),
    "cluster": _("Cluster"),
    "country": _("Country"),
    "language": _("Language"),
    "year": _("Year"),
    "month": _("Month"),
}
# Of the clusters the column of filters has those with the most announcements.
CLUSTERS_OFFERED = 20
YEARS = [f"{year}" for year in range(FIRST_YEAR, LAST_YEAR + 1)]
KNOWN_MONTHS = {f"{year}-{month:02}" for year in YEARS for month in MONTHS}


class ClusterCount(NamedTuple):
    """How many announcements are about a cluster."""

    slug: str
    name: str
    number: int


@dataclass(frozen=True)
class AnnouncementQuery(FacetedQuery):
    """Clusters and topics are named by their addresses, months as in 2015-09."""

    choices = FILTERS

    kind: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    month: tuple[str, ...] = ()

    def of_period(self, period: PartialDate) -> Self:
        name = "year" if period.month is None else "month"
        return self.changed(**{name: (str(period),)})

    def announcements(self, now: datetime) -> AnnouncementQuerySet:
        # All of the list, in no order; for a page of it ask `AnnouncementList`.
        published = Announcement.objects.published(now).narrowed(
            kinds=self.kind,
            topics=self.topic,
            clusters=self.cluster,
            countries=self.country,
            languages=self.language,
            periods=[*map(PartialDate.parse, (*self.year, *self.month))],
        )
        if not self.words:
            return published
        return published.filter(pk__in=records_matching("announcement", self.words, MOST_FOUND))


def read_announcement_query(data: QueryDict, topics: Sequence[Topic]) -> AnnouncementQuery:
    """A cluster may be named by its number or a former address, too."""
    reader = QueryReader(data)
    clusters = clusters_named(data.getlist("cluster"))
    known: Mapping[str, Collection[str]] = {
        "kind": AnnouncementKind.values,
        "topic": {topic.slug for topic in topics},
        "cluster": clusters,
        "country": set(countries.countries),
        "language": dict(settings.LANGUAGES),
        "year": YEARS,
        "month": KNOWN_MONTHS,
    }
    values = reader.choices(FILTERS, known)
    values["cluster"] = tuple(sorted({clusters[text] for text in values["cluster"]}))
    return reader.with_problems(AnnouncementQuery(words=reader.words(), **values))


def clusters_named(texts: Sequence[str]) -> dict[str, str]:
    # By what names a published cluster, its address; two queries, none without a name.
    keys = Cluster.objects.published().keys_at({text.strip().lower() for text in texts} - {""})
    slugs = dict(Cluster.objects.filter(pk__in=keys.values()).values_list("pk", "slug"))
    return {text: slugs[key] for text, key in keys.items()}


@dataclass(frozen=True)
class AnnouncementList(FacetedList):
    """The list at a moment, and the values to choose with their counts: all from the index."""

    query: AnnouncementQuery
    now: datetime
    topics: Sequence[Topic]

    @cached_property
    def index(self) -> NewsIndex:
        return NEWS.current()

    @cached_property
    def announcements(self) -> FoundAnnouncements:
        return FoundAnnouncements(self.index, self.narrowed())

    def narrowed(self, without: str = "") -> int:
        # Those that meet every filter but the named one.
        found = self.index.appeared(self.now)
        for name, bits in self.conditions.items():
            if name != without:
                found &= bits
        names = [name for name in ("year", "month") if name != without]
        periods = [text for name in names for text in self.query.chosen(name)]
        return found & self.published_in(periods) if periods else found

    @cached_property
    def conditions(self) -> dict[str, int]:
        # Bits by filter, of those that are set; a year or a month, of which any will do, aside.
        query, index, found = self.query, self.index, {}
        if query.words:
            found["q"] = index.remember(("words", query.words), self.find_words)
        for name in ("kind", "country", "language"):
            if query.chosen(name):
                found[name] = index.with_any(name, query.chosen(name))
        if query.topic:
            chosen = [topic.pk for topic in self.topics if topic.slug in query.topic]
            found["topic"] = index.with_any("topic", chosen)
        if query.cluster:
            found["cluster"] = index.remember(("cluster", query.cluster), self.find_clusters)
        return found

    def find_words(self) -> int:
        return self.index.of_keys(records_matching("announcement", self.query.words, MOST_FOUND))

    def find_clusters(self) -> int:
        return self.index.of_keys(Announcement.objects.keys_of_clusters(self.query.cluster))

    def published_in(self, periods: Iterable[str]) -> int:
        found = 0
        for period in map(PartialDate.parse, periods):
            found |= self.index.within(period)
        return found

    def facets(self) -> list[Facet]:
        # Months only of years that are chosen: there are twelve times as many.
        has_months = self.query.year or self.query.month
        return [self.facet(name) for name in FILTERS if name != "month" or has_months]

    def names(self, name: str) -> Mapping[str, str]:
        if name == "kind":
            return {kind.value: capfirst(str(kind.label)) for kind in AnnouncementKind}
        if name == "topic":
            return {topic.slug: topic.name for topic in self.topics}
        if name == "cluster":
            return {cluster.slug: cluster.name for cluster in self.clusters}
        if name == "country":
            return country_names()
        if name == "language":
            codes = dict(settings.LANGUAGES)
            return {
                code: capfirst(str(get_language_info(code)["name_translated"])) for code in codes
            }
        if name == "year":
            return {year: year for year in reversed(YEARS)}
        return {month: date_in_words(PartialDate.parse(month)) for month in self.months}

    @cached_property
    def months(self) -> list[str]:
        # Those of the years that are chosen, and those that are chosen; the latest first.
        of_years = {f"{year}-{month:02}" for year in self.query.year for month in MONTHS}
        return sorted(of_years.union(self.query.month), reverse=True)

    @cached_property
    def clusters(self) -> list[ClusterCount]:
        others = self.narrowed("cluster")
        key = ("clusters", others, self.query.cluster)
        return self.index.remember(key, lambda: self.count_clusters(others))

    def count_clusters(self, others: int) -> list[ClusterCount]:
        # Those with the most, and those that are chosen, with none too; one query.
        numbers = self.index.count_by_cluster(others)
        most = nsmallest(CLUSTERS_OFFERED, numbers, key=lambda key: (-numbers[key], key))
        named = Cluster.objects.named(most, self.query.cluster)
        counted = [ClusterCount(slug, name, numbers[key]) for key, slug, name in named]
        return sorted(counted, key=lambda cluster: (-cluster.number, cluster.slug))

    def counts(self, name: str) -> Mapping[str, int]:
        others = self.narrowed(name)
        if name == "cluster":
            return {cluster.slug: cluster.number for cluster in self.clusters}
        if name == "topic":
            numbers = self.index.count_by("topic", others)
            return {topic.slug: numbers.get(topic.pk, 0) for topic in self.topics}
        if name == "year":
            return self.index.count_years(others)
        if name == "month":
            return self.index.count_periods(others, self.months)
        return self.index.count_by(name, others)

    def count_without(self, name: str) -> int:
        return self.narrowed(name).bit_count()
