"""Announcements found in the index: their rows are read for the page that is asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import overload

from news.lists.index import NewsIndex
from news.models import Announcement, AnnouncementQuerySet


@dataclass(frozen=True)
class FoundAnnouncements(Sequence[Announcement]):
    """Those whose bits are set, the latest first, with what a list shows of them."""

    news: NewsIndex
    bits: int
    now: datetime

    def __len__(self) -> int:
        return self.bits.bit_count()

    @overload
    def __getitem__(self, place: int) -> Announcement: ...
    @overload
    def __getitem__(self, place: slice) -> list[Announcement]: ...
    def __getitem__(self, place: int | slice) -> Announcement | list[Announcement]:
        if isinstance(place, slice):
            start, stop, _step = place.indices(len(self))
            return list(self.rows(start, stop).in_list())
        return self[place : place + 1][0]

    def among(self, keys: Iterable[int]) -> "FoundAnnouncements":
        return replace(self, bits=self.bits & self.news.of_keys(keys))

    def behind(self, announcement: Announcement) -> "FoundAnnouncements":
        # Those that follow it in the list, of which it need not be one.
        return replace(self, bits=self.bits & self.news.before(announcement.pk))

    def rows(self, start: int, stop: int) -> AnnouncementQuerySet:
        # Published at the moment also where the index has grown old meanwhile.
        keys = self.news.keys(self.bits, start, stop)
        return Announcement.objects.published(self.now).with_keys(keys)
