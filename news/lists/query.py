"""Announcements as asked for by an address: the query behind list, feeds, calendar and API."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Self

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
from news.models import Announcement, AnnouncementKind, AnnouncementQuerySet, ClusterCount, Topic

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
        # The published ones of the list, in no order.
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
    """The filters of the news at a moment; each is counted in a query or two."""

    query: AnnouncementQuery
    now: datetime
    topics: Sequence[Topic]

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
        others = self.query.without("cluster").announcements(self.now)
        return others.count_by_cluster_address(self.query.cluster, CLUSTERS_OFFERED)

    def counts(self, name: str) -> Mapping[str, int]:
        if name == "cluster":
            return {cluster.slug: cluster.number for cluster in self.clusters}
        others = self.query.without(name).announcements(self.now)
        if name == "year":
            return others.count_by_period([PartialDate(year) for year in others.years_spanned()])
        if name == "month":
            return others.count_by_period([*map(PartialDate.parse, self.months)])
        return others.count_by(name)

    def count_without(self, name: str) -> int:
        return self.query.without(name).announcements(self.now).count()
