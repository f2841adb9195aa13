"""Digests: who is due, and writing their mails together with the moment up to which they are told.

A subscriber is told of what became public after `told_at`, up to the end of the window: for who
wants it at once the present moment, else the last Monday or first of a month. A run that was missed
is caught up with by the next one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from clusters import mail
from clusters.http.asof import midnight
from clusters.mail.outbox import UNSUBSCRIBE, mails_of
from clusters.models import Mail
from news.models import Rhythm, Subscription
from news.subscriptions.links import manage_url, stop_url
from news.subscriptions.steps import DIGEST
from news.subscriptions.stories import NewsStory, stories_between

AT_ONCE = 200  # subscribers in one transaction
MAX_STORIES = 50
# A step carries the moment at which its transaction began, and others see it when that is over.
SETTLED = timedelta(minutes=5)
# What was missed for longer is not caught up with.
LONGEST_WINDOW = timedelta(days=62)


@dataclass(frozen=True)
class Window:
    """What a rhythm is due to be told: the stories up to a moment, and how many may want them."""

    rhythm: Rhythm
    until: datetime
    stories: Sequence[NewsStory]
    subscribers: int


@dataclass(frozen=True)
class WrittenChunk:
    """The last subscriber of a chunk, how many they were, and how many mails they got."""

    last: int
    subscribers: int
    mails: int


def window_end(rhythm: str, now: datetime) -> datetime:
    settled = now - SETTLED
    day = timezone.localdate(settled, timezone.get_default_timezone())
    if rhythm == Rhythm.WEEKLY:
        return midnight(day - timedelta(days=day.weekday()))
    return midnight(day.replace(day=1)) if rhythm == Rhythm.MONTHLY else settled


def open_windows(now: datetime) -> Iterator[Window]:
    """Those with something to tell; a query for each rhythm, and those of the stories."""
    for rhythm in Rhythm:
        until = window_end(rhythm, now)
        due = Subscription.objects.due(rhythm, until)
        since = due.order_by().aggregate(since=Min("told_at"))["since"]
        if since is not None:
            stories = stories_between(max(since, until - LONGEST_WINDOW), until)
            if stories:
                yield Window(rhythm, until, stories, due.count())


def write_digests(window: Window) -> Iterator[WrittenChunk]:
    """Write the mails of a window, a chunk of subscribers at a time.

    A chunk is one transaction of three queries, however many it holds.
    """
    last = 0
    while chunk := write_chunk(window, last):
        last = chunk.last
        yield chunk


@transaction.atomic
def write_chunk(window: Window, after: int) -> WrittenChunk | None:
    # Of two runs at the same moment the second finds nobody due; who changed their rhythm or
    # stopped meanwhile is left out.
    due = Subscription.objects.due(window.rhythm, window.until).filter(pk__gt=after)
    subscriptions = list(due.select_for_update()[:AT_ONCE])
    if not subscriptions:
        return None
    mails = [row for one in subscriptions for row in mails_for(one, window)]
    Mail.objects.bulk_create(mails)
    told = Subscription.objects.filter(pk__in=[one.pk for one in subscriptions])
    told.update(told_at=window.until)
    return WrittenChunk(subscriptions[-1].pk, len(subscriptions), len(mails))


def mails_for(subscription: Subscription, window: Window) -> list[Mail]:
    # One, or none where nothing is to be told.
    stories = stories_for(subscription, window)
    if not stories:
        return []
    language = subscription.language
    message = mail.compose(
        DIGEST,
        to=subscription.address,
        language=language,
        headers={UNSUBSCRIBE: f"<{stop_url(subscription)}>"},
        context={
            "rhythm": window.rhythm,
            "last_day": last_day_told(window.until),
            "number": len(stories),
            "first": stories[0].words[language],
            "stories": [(story, story.words[language]) for story in stories[:MAX_STORIES]],
            "more": max(0, len(stories) - MAX_STORIES),
            "manage_url": manage_url(subscription),
            "stop_url": stop_url(subscription),
        },
    )
    return mails_of(message, kind=DIGEST, language=language)


def stories_for(subscription: Subscription, window: Window) -> list[NewsStory]:
    return [
        story
        for story in window.stories
        if story.is_new_to(subscription, window.until) and story.fits(subscription)
    ]


def last_day_told(until: datetime) -> date:
    return timezone.localdate(until - timedelta(microseconds=1), timezone.get_default_timezone())


def subscribers_of(window: Window) -> Iterator[Subscription]:
    due = Subscription.objects.due(window.rhythm, window.until)
    return due.iterator(chunk_size=AT_ONCE)
