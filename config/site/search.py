"""One question over all that the register has: what was found, by kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from clusters.fulltext import records_matching
from clusters.models import Cluster, Organisation, Programme
from clusters.models.organisations import MOST_FOUND
from labels.models import Label
from labels.register.holdings import directory
from news.models import Announcement

# Of a kind that has a list of its own to lead on to, and of the others.
SHOWN, MOST_SHOWN = 5, 20


@dataclass(frozen=True)
class ResultGroup:
    """Records of a kind: how many were found, the first of them, and where all are."""

    name: str
    title: str
    number: int
    rows: Sequence[Any]
    url: str
    # What was searched for, and why that instead where nothing has the words.
    words: str
    note: str = ""


def found(words: str, *, today: date, now: datetime) -> list[ResultGroup]:
    # The kinds of which there is a record with all words; of labels by number.
    asked = urlencode({"q": words})
    groups = [
        clusters(words, asked, today),
        organisations(words, asked),
        labels(words, asked, today),
        announcements(words, now),
        programmes(words),
    ]
    return [group for group in groups if group.number]


def clusters(words: str, asked: str, today: date) -> ResultGroup:
    url = reverse("clusters:list")
    answer = directory(QueryDict(asked), url, today)
    keys = answer.page.keys[:SHOWN]
    rows = Cluster.objects.published().select_related("region", "portfolio")
    return ResultGroup(
        "clusters",
        _("Clusters"),
        answer.total,
        in_order(rows, keys),
        f"{url}?{asked}",
        answer.words,
        " ".join(answer.problems),
    )


def organisations(words: str, asked: str) -> ResultGroup:
    keys = records_matching("organisation", words, MOST_FOUND)
    rows = in_order(Organisation.objects.published(), keys[:SHOWN])
    url = f"{reverse('clusters:organisation_list')}?{asked}"
    return ResultGroup("organisations", _("Organisations"), len(keys), rows, url, words)


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
