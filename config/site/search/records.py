"""One question over all that the portal has: what was found, by kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from clusters.directory.results import Directory
from clusters.directory.rows import render_rows
from clusters.fulltext import records_matching
from clusters.http.links import Link
from clusters.models import ClusterName, Organisation, OrganisationName, Programme
from clusters.models.organisations import MOST_FOUND
from clusters.names import normal_name
from clusters.templatetags.clusters_tags import day_in_words
from config.site.search.reading import read_words
from config.site.search.site_pages import pages_matching
from labels.models import Label
from labels.register.holdings import directory
from news.models import Announcement

# Of a kind that has a list of its own to lead on to, and of the others.
SHOWN, MOST_SHOWN = 5, 20


@dataclass(frozen=True)
class ResultGroup:
    """Records of a kind: how many were found, the first of them, and where all are.

    `rows` are records; of clusters their rows as in the directory. `formerly`: by the key of a
    record, the other name by which it was found.
    """

    name: str
    title: str
    number: int
    rows: Sequence[Any]
    url: str
    # What was searched for, and why that instead where nothing has the words.
    words: str
    note: str = ""
    keys: Sequence[int] = ()
    formerly: Mapping[int, str] = field(default_factory=dict)

    @property
    def results(self) -> list[tuple[Any, str]]:
        return [
            (row, self.formerly.get(key, ""))
            for row, key in zip_longest(self.rows, self.keys[: len(self.rows)])
        ]


@dataclass(frozen=True)
class SearchAnswer:
    """`read_as`: what was understood of the words, where the clusters were found by that."""

    groups: Sequence[ResultGroup]
    read_as: str = ""
    # Where no cluster is what was understood.
    ways_out: Sequence[Link] = ()

    @property
    def number(self) -> int:
        return sum(group.number for group in self.groups)

    @property
    def has_clusters(self) -> bool:
        return any(group.name == "clusters" for group in self.groups)


def found(words: str, *, today: date, now: datetime, is_literal: bool = False) -> SearchAnswer:
    """The kinds of which there is a record with all words; of labels by number.

    `is_literal`: also of clusters, where the words would be understood.
    """
    asked = urlencode({"q": words})
    answer, read_as = clusters_asked(words, asked, today, is_literal=is_literal)
    pages = pages_matching(words)
    groups = [
        ResultGroup("pages", _("Pages"), len(pages), pages, "", words),
        clusters(answer),
        organisations(words, asked),
        labels(words, asked, today),
        announcements(words, now),
        programmes(words),
    ]
    ways_out = answer.ways_out() if read_as and not answer.total else ()
    return SearchAnswer([group for group in groups if group.number], read_as, ways_out)


def clusters_asked(
    words: str, asked: str, today: date, *, is_literal: bool
) -> tuple[Directory, str]:
    # What is called so is what was meant; else what the words say, where they are understood.
    url = reverse("clusters:list")
    answer, read_as = directory(QueryDict(asked), url, today), ""
    is_named = any(answer.tiers[:1]) and not answer.corrected_to
    reading = [] if is_literal or is_named else read_words(words, answer.index, today)
    if reading:
        answer = directory(QueryDict(urlencode(reading)), url, today)
        read_as = answer.in_words()
        if answer.query.on:
            day = day_in_words(answer.query.on)
            read_as = _("%(asked)s, as it stood on %(day)s") % {"asked": read_as, "day": day}
    return answer, read_as


def clusters(answer: Directory) -> ResultGroup:
    keys = answer.page.keys[:SHOWN]
    names = {key: answer.index.names[answer.index.slots[key]] for key in keys}
    return ResultGroup(
        "clusters",
        _("Clusters"),
        answer.total,
        render_rows(answer, keys),
        answer.query.url(answer.path),
        answer.words,
        " ".join(answer.problems),
        keys,
        other_names(ClusterName, "cluster", names, answer.words),
    )


def organisations(words: str, asked: str) -> ResultGroup:
    found = records_matching("organisation", words, MOST_FOUND)
    rows = in_order(Organisation.objects.published(), found[:SHOWN])
    names = {row.pk: row.name for row in rows}
    return ResultGroup(
        "organisations",
        _("Organisations"),
        len(found),
        rows,
        f"{reverse('clusters:organisation_list')}?{asked}",
        words,
        keys=[*names],
        formerly=other_names(OrganisationName, "organisation", names, words),
    )


def other_names(
    model: type[Model], owner: str, names: Mapping[int, str], words: str
) -> dict[int, str]:
    """By key, the other name that has all the words, where the name of today has not.

    A query where there is such a record, else none.
    """
    unnamed = [key for key, name in names.items() if not has_words(name, words)]
    if not unnamed or not words:
        return {}
    found = model._default_manager.filter(**{f"{owner}__in": unnamed}).values_list(owner, "name")
    return {key: name for key, name in found if has_words(name, words)}


def has_words(name: str, words: str) -> bool:
    known = normal_name(name).split()
    together = "".join(known)
    return all(
        any(one.startswith(word) for one in (*known, together))
        for word in normal_name(words).split()
    )


def labels(words: str, asked: str, today: date) -> ResultGroup:
    rows = list(Label.objects.for_pages(today).numbered(words)[:MOST_SHOWN])
    return ResultGroup(
        "labels", _("Labels"), len(rows), rows, f"{reverse('labels:verify')}?{asked}", words
    )


def announcements(words: str, now: datetime) -> ResultGroup:
    keys = records_matching("announcement", words, MOST_FOUND)
    published = Announcement.objects.for_lists(now).filter(pk__in=keys)
    rows = list(published[:MOST_SHOWN])
    number = len(rows) if len(rows) < MOST_SHOWN else published.count()
    return ResultGroup(
        "announcements", _("Announcements"), number, rows, reverse("news:list"), words
    )


def programmes(words: str) -> ResultGroup:
    keys = records_matching("programme", words, MOST_FOUND)
    rows = in_order(Programme.objects.published(), keys[:MOST_SHOWN])
    url = reverse("clusters:programme_list")
    return ResultGroup("programmes", _("Programmes"), len(keys), rows, url, words)


def in_order(rows: QuerySet[Any], keys: Sequence[int]) -> list[Any]:
    found = rows.in_bulk(keys)
    return [found[key] for key in keys if key in found]
