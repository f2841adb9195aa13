"""What a digest may tell: what appeared, was corrected or withdrawn, and what labels became."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, get_language_info, override
from django.utils.translation import gettext as _

from clusters.http.addresses import absolute
from clusters.models.keys import in_chunks
from clusters.templatetags.clusters_tags import day_in_words
from labels.formats.changes import LabelChange, label_changes_between
from labels.words import verdict
from news.models import (
    Announcement,
    AnnouncementQuerySet,
    AnnouncementState,
    Correction,
    FollowedKind,
    Subscription,
)

# What was dated back by more when it was published comes from an archive, and is no news.
MOST_BACKDATED = timedelta(days=31)
AT_ONCE = 200


class StoryKind(StrEnum):
    APPEARED = "appeared"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    LABEL = "label"


@dataclass(frozen=True)
class StoryWords:
    """In one language of mails; `other_language` names that of a text that is in another one."""

    title: str
    text: str
    url: str
    language: str
    other_language: str = ""


@dataclass(frozen=True)
class NewsStory:
    """`moment`: from when on it may be told; `appeared_at`: of what it corrects or withdraws."""

    event: StoryKind
    kind: str
    moment: datetime
    appeared_at: datetime
    day: date
    clusters: Mapping[str, str]  # names by public id
    topics: frozenset[int]
    countries: frozenset[str]
    words: Mapping[str, StoryWords]

    @property
    def cluster_names(self) -> str:
        return ", ".join(self.clusters.values())

    def fits(self, subscription: Subscription) -> bool:
        # Label changes have no topic: those are narrowed by clusters and countries only.
        of_topics = self.event == StoryKind.LABEL or fits_any(subscription.topics, self.topics)
        return (
            self.kind in subscription.kinds
            and of_topics
            and fits_any(subscription.clusters, self.clusters.keys())
            and fits_any(subscription.countries, self.countries)
        )

    def is_new_to(self, subscription: Subscription, until: datetime) -> bool:
        told_at, confirmed_at = subscription.told_at, subscription.confirmed_at
        assert told_at is not None
        assert confirmed_at is not None
        if not told_at < self.moment <= until:
            return False
        # Corrected or withdrawn is told to those who were sent it.
        is_about_it = self.event in (StoryKind.CORRECTED, StoryKind.WITHDRAWN)
        return not is_about_it or confirmed_at < self.appeared_at <= told_at


def fits_any(chosen: list[Any], values: Iterable[Any]) -> bool:
    return not chosen or not set(chosen).isdisjoint(values)


def stories_between(since: datetime, until: datetime) -> list[NewsStory]:
    """After the first moment, up to the second, the latest first.

    What is public at the second only; at most 28 queries where few happened.
    """
    found = [
        *appeared_between(since, until),
        *corrected_between(since, until),
        *withdrawn_between(since, until),
        *map(label_story, label_changes_between(since, until)),
    ]
    return sorted(found, key=lambda story: story.moment, reverse=True)


def appeared_between(since: datetime, until: datetime) -> Iterator[NewsStory]:
    recent = Announcement.objects.published(until).filter(published_at__gt=since - MOST_BACKDATED)
    moments = moments_of(recent)
    new = [key for key, moment in moments.items() if since < moment <= until]
    for announcement in loaded(new):
        moment = moments[announcement.pk]
        yield announcement_story(announcement, StoryKind.APPEARED, moment, moment)


def corrected_between(since: datetime, until: datetime) -> Iterator[NewsStory]:
    """One story for each announcement, of its last note."""
    notes = Correction.objects.filter(corrected_at__gt=since, corrected_at__lte=until)
    last = {note.announcement_id: note for note in notes.order_by("corrected_at", "pk")}
    moments = moments_of(Announcement.objects.published(until).filter(pk__in=last))
    for announcement in loaded(moments):
        note = last[announcement.pk]
        appeared_at = moments[announcement.pk]
        yield announcement_story(
            announcement, StoryKind.CORRECTED, note.corrected_at, appeared_at, note
        )


def withdrawn_between(since: datetime, until: datetime) -> Iterator[NewsStory]:
    moments = moments_of(
        Announcement.objects.withdrawn(until).filter(
            withdrawn_at__gt=since, withdrawn_at__lte=until
        )
    )
    for announcement in loaded(moments):
        assert announcement.withdrawn_at is not None
        appeared_at = moments[announcement.pk]
        yield announcement_story(
            announcement, StoryKind.WITHDRAWN, announcement.withdrawn_at, appeared_at
        )


def moments_of(rows: AnnouncementQuerySet) -> dict[int, datetime]:
    """By key the moment from which on it was public; two queries.

    That is when it was published, or what it was published for if that lay ahead: it may have been
    dated back. What came back after a withdrawal appeared once more. Rows that were stored without
    a version appeared when they say so.
    """
    found = [(row.pk, row.published_at) for row in rows.only("pk", "published_at")]
    keys = [key for key, _printed in found]
    steps: dict[int, datetime] = {}
    was_public: dict[int, bool] = {}
    versions = Announcement.history.filter(id__in=keys).order_by("history_id")
    for key, state, moment in versions.values_list("id", "state", "history_date").iterator():
        is_public = state == AnnouncementState.PUBLISHED
        if is_public and not was_public.get(key):
            steps[key] = moment
        was_public[key] = is_public
    return {key: max(filter(None, (printed, steps.get(key)))) for key, printed in found}


def loaded(keys: Iterable[int]) -> Iterator[Announcement]:
    # As the public sees them; four queries for each chunk.
    for chunk in in_chunks(keys, AT_ONCE):
        yield from Announcement.objects.filter(pk__in=chunk).with_texts().prefetch_related("topics")


def announcement_story(
    announcement: Announcement,
    event: StoryKind,
    moment: datetime,
    appeared_at: datetime,
    note: Correction | None = None,
) -> NewsStory:
    assert announcement.published_at is not None
    clusters = announcement.clusters.all()
    return NewsStory(
        event=event,
        kind=announcement.kind,
        moment=moment,
        appeared_at=appeared_at,
        day=timezone.localdate(announcement.published_at),
        clusters={cluster.public_id: cluster.name for cluster in clusters},
        topics=frozenset(topic.pk for topic in announcement.topics.all()),
        countries=frozenset(str(cluster.country) for cluster in clusters),
        words=in_each_language(lambda: announcement_words(announcement, event, note)),
    )


def announcement_words(
    announcement: Announcement, event: StoryKind, note: Correction | None
) -> StoryWords:
    # In the active language. Of what is withdrawn nothing of its text.
    text = announcement.text()
    assert text is not None
    url = absolute(announcement.get_absolute_url())
    language = get_language() or "en"
    if event == StoryKind.WITHDRAWN:
        assert announcement.published_at is not None
        day = day_in_words(announcement.published_at)
        title = _("Withdrawn: the announcement of %(day)s") % {"day": day}
        return StoryWords(title, announcement.withdrawal_reason, url, language)
    is_other = text.language != language
    other = str(get_language_info(text.language)["name_translated"]) if is_other else ""
    if note is not None:
        title = _("Corrected: %(title)s") % {"title": text.title}
        return StoryWords(title, note.text, url, language, other)
    return StoryWords(text.title, text.lead, url, text.language, other)


def label_story(change: LabelChange) -> NewsStory:
    label = change.label
    return NewsStory(
        event=StoryKind.LABEL,
        kind=FollowedKind.LABELS,
        moment=change.moment,
        appeared_at=change.moment,
        day=change.day,
        clusters={label.cluster.public_id: label.cluster.name},
        topics=frozenset(),
        countries=frozenset([str(label.cluster.country)]),
        words=in_each_language(lambda: label_words(change)),
    )


def label_words(change: LabelChange) -> StoryWords:
    return StoryWords(
        title=change.title,
        text=str(verdict(change.label, change.day)),
        url=absolute(change.label.get_absolute_url()),
        language=get_language() or "en",
    )


def in_each_language(make: Callable[[], StoryWords]) -> dict[str, StoryWords]:
    found = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            found[language] = make()
    return found
