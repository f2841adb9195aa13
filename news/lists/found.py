"""Announcements found in the index: only the keys of the page that is asked for are made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import overload

from news.lists.index import NewsIndex
from news.models import Announcement, AnnouncementQuerySet


@dataclass(frozen=True)
class FoundAnnouncements(Sequence[int]):
    """The keys of those whose bits are set, the latest first."""

    news: NewsIndex
    bits: int

    def __len__(self) -> int:
        return self.bits.bit_count()

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> list[int]: ...
    def __getitem__(self, place: int | slice) -> int | list[int]:
        if isinstance(place, slice):
            start, stop, _step = place.indices(len(self))
            return self.news.keys(self.bits, start, stop)
        return self[place : place + 1][0]

    def among(self, keys: Iterable[int]) -> "FoundAnnouncements":
        return replace(self, bits=self.bits & self.news.of_keys(keys))

    def behind(self, announcement: Announcement) -> "FoundAnnouncements":
        # Those that follow it in the list, of which it need not be one.
        return replace(self, bits=self.bits & self.news.before(announcement.pk))

    def latest(self, number: int) -> AnnouncementQuerySet:
        return Announcement.objects.with_keys(self[:number]).latest_first()
