"""All published announcements in the memory of a process, as clusters are (decision 0014).

An announcement has a place, a number from 0, in the order of publication; those that wait for their
moment stand at the end. Each value of a filter is one integer with the bits of its places set: what
is public at a moment is the lowest bits, a month is some that follow one another, and a page deep
in the list costs no more than the first.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from heapq import nlargest
from itertools import chain
from math import inf
from threading import Lock
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString

from clusters.dates import PartialDate
from clusters.directory.changes import SeenChanges, read_changes
from clusters.directory.index import bits_of, slots_of
from clusters.directory.remembering import Remembering
from clusters.http.asof import midnight
from clusters.models import ChangeKind
from news.models import Announcement, AnnouncementState, AnnouncementText, links_to_public_clusters

Bits = Mapping[str, Mapping[Any, int]]
# The moment of publication in seconds, and the key.
Entry = tuple[float, int]

# More announcements changed than this are read with all the others; so it is where so many came,
# went or got another moment.
MAX_CHANGES, MAX_MOVED = 5_000, 200
# What a database takes in one condition.
KEYS_AT_ONCE = 1_000


class NewsRow(NamedTuple):
    """What the index knows of an announcement; clusters and topics by their keys."""

    moment: float
    kind: str
    topics: tuple[int, ...]
    clusters: tuple[int, ...]
    countries: frozenset[str]
    languages: tuple[str, ...]

    def values(self) -> Iterator[tuple[str, Any]]:
        yield "kind", self.kind
        yield from (("topic", topic) for topic in self.topics)
        yield from (("country", country) for country in self.countries)
        yield from (("language", language) for language in self.languages)


@dataclass(frozen=True)
class NewsIndex(Remembering):
    """What was published at one moment; never changed once it is there."""

    seen: SeenChanges = field(default_factory=SeenChanges)
    order: Sequence[Entry] = ()
    moments: Mapping[int, float] = field(default_factory=dict)
    clusters: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    bits: Bits = field(default_factory=dict)
    # By announcement, language and words: `render_announcements` keeps them.
    rows: "OrderedDict[tuple[int, str | None, str], SafeString]" = field(
        default_factory=OrderedDict
    )
    remembered: "OrderedDict[Hashable, Any]" = field(default_factory=OrderedDict)

    def appeared(self, now: datetime) -> int:
        return below(bisect_right(self.order, (now.timestamp(), inf)))

    def within(self, period: PartialDate) -> int:
        # In the portal's legal zone.
        first = midnight(period.first_day).timestamp()
        end = midnight(period.last_day + timedelta(days=1)).timestamp()
        start, stop = (bisect_left(self.order, (moment, -inf)) for moment in (first, end))
        return below(stop) & ~below(start)

    def with_any(self, facet: str, values: Iterable[Any]) -> int:
        found, bits = 0, self.bits.get(facet, {})
        for value in values:
            found |= bits.get(value, 0)
        return found

    def count_by(self, facet: str, found: int) -> dict[Any, int]:
        counts = {
            value: (bits & found).bit_count() for value, bits in self.bits.get(facet, {}).items()
        }
        return {value: number for value, number in counts.items() if number}

    def count_periods(self, found: int, periods: Iterable[str]) -> dict[str, int]:
        return {
            text: (self.within(PartialDate.parse(text)) & found).bit_count() for text in periods
        }

    def count_years(self, found: int) -> dict[str, int]:
        # From the first to the last.
        if not found:
            return {}
        ends = ((found & -found).bit_length() - 1, found.bit_length() - 1)
        zone = timezone.get_default_timezone()
        first, last = (datetime.fromtimestamp(self.order[end][0], zone).year for end in ends)
        return self.count_periods(found, map(str, range(first, last + 1)))

    def count_by_cluster(self, found: int) -> Counter[int]:
        keys = (self.order[place][1] for place in slots_of(found))
        return Counter(chain.from_iterable(map(self.clusters.__getitem__, keys)))

    def of_keys(self, keys: Iterable[int]) -> int:
        places = (self.place_of(key) for key in keys if key in self.moments)
        return bits_of(places, len(self.order))

    def latest(self, keys: Iterable[int], now: datetime, number: int) -> list[int]:
        # Of these keys those of the latest that have appeared.
        moment = now.timestamp()
        known = ((self.moments.get(key, inf), key) for key in keys)
        return [key for _at, key in nlargest(number, (one for one in known if one[0] <= moment))]

    def place_of(self, key: int) -> int:
        return bisect_left(self.order, (self.moments[key], key))

    def before(self, key: int) -> int:
        # Those that stand behind it where the latest come first.
        return below(self.place_of(key)) if key in self.moments else 0

    def keys(self, found: int, start: int, stop: int) -> list[int]:
        """Some of those found, the latest first; however deep, in the same time."""
        # The first place above which, itself included, no more than `start` of them are left.
        end = bisect_right(
            range(found.bit_length()), -(start + 1), key=lambda place: -(found >> place).bit_count()
        )
        rest = found & below(end)
        keys: list[int] = []
        while rest and len(keys) < stop - start:
            place = rest.bit_length() - 1
            keys.append(self.order[place][1])
            rest ^= 1 << place
        return keys


def below(place: int) -> int:
    # The bits of all lower places.
    return (1 << place) - 1


def read_rows(keys: set[int] | None) -> dict[int, NewsRow]:
    """Those with a text that is ready, by key: also those that wait for their moment."""
    chosen = of_announcements("pk", keys)
    published = (
        Announcement.objects.to_appear(AnnouncementState.PUBLISHED).filter(chosen).order_by()
    )
    rows: Any = published.values_list("pk", "published_at", "kind")
    columns = {key: (moment.timestamp(), kind) for key, moment, kind in rows.iterator()}
    of_these = of_announcements("announcement", keys)
    of_topics = Announcement.topics.through.objects.filter(of_these)
    of_clusters = links_to_public_clusters().filter(of_these)
    texts = AnnouncementText.objects.ready().filter(of_these)
    topics = together(of_topics, "topic")
    clusters = together(of_clusters, "cluster")
    countries = together(of_clusters, "cluster__country")
    languages = together(texts, "language")
    return {
        key: NewsRow(
            *columns[key],
            tuple(topics[key]),
            tuple(clusters[key]),
            frozenset(countries[key]),
            tuple(languages[key]),
        )
        for key in columns
    }


def together(rows: QuerySet[Any, Any], column: str) -> dict[int, list[Any]]:
    # By announcement what its rows have in the column.
    found: dict[int, list[Any]] = defaultdict(list)
    for key, value in rows.order_by().values_list("announcement", column).iterator():
        found[key].append(value)
    return found


def of_announcements(name: str, keys: set[int] | None) -> Q:
    return Q() if keys is None else Q((f"{name}__in", keys))


def built_of(rows: Mapping[int, NewsRow], seen: SeenChanges) -> NewsIndex:
    order = sorted((row.moment, key) for key, row in rows.items())
    empty = NewsIndex(seen=seen, order=order, moments={key: moment for moment, key in order})
    return with_values(empty, rows)


def with_values(index: NewsIndex, rows: Mapping[int, NewsRow]) -> NewsIndex:
    """With these as they are now, each in its place already."""
    size = len(index.order)
    places: dict[str, dict[Any, list[int]]] = defaultdict(lambda: defaultdict(list))
    for key, row in rows.items():
        place = index.place_of(key)
        for facet, value in row.values():
            places[facet][value].append(place)
    kept = ~index.of_keys(rows)
    bits = {
        facet: {
            value: found
            for value in {*index.bits.get(facet, {}), *places[facet]}
            if (
                found := index.bits.get(facet, {}).get(value, 0) & kept
                | bits_of(places[facet].get(value, ()), size)
            )
        }
        for facet in {*index.bits, *places}
    }
    clusters = {**index.clusters, **{key: row.clusters for key, row in rows.items()}}
    return replace(index, clusters=clusters, bits=bits, remembered=OrderedDict())


def patched(index: NewsIndex, keys: set[int], seen: SeenChanges) -> NewsIndex:
    """The index with these announcements as they are now."""
    rows = read_rows(keys)
    old = {(index.moments[key], key) for key in keys if key in index.moments}
    new = {(row.moment, key) for key, row in rows.items()}
    if len(old ^ new) > MAX_MOVED:
        return built_of(read_rows(None), seen)
    order, moments, bits = list(index.order), dict(index.moments), index.bits
    clusters = dict(index.clusters)
    for moment, key in old - new:
        place = bisect_left(order, (moment, key))
        del order[place], moments[key], clusters[key]
        bits = each_bits(bits, partial(taken_out, place=place))
    for moment, key in new - old:
        place = bisect_left(order, (moment, key))
        order.insert(place, (moment, key))
        moments[key] = moment
        bits = each_bits(bits, partial(put_in, place=place))
    moved = NewsIndex(
        seen=seen,
        order=order,
        moments=moments,
        clusters=clusters,
        bits=bits,
        rows=OrderedDict(
            (place, row) for place, row in list(index.rows.items()) if place[0] not in keys
        ),
    )
    return with_values(moved, rows)


def each_bits(bits: Bits, change: Callable[[int], int]) -> Bits:
    return {
        facet: {value: change(found) for value, found in values.items()}
        for facet, values in bits.items()
    }


def taken_out(bits: int, place: int) -> int:
    return bits & below(place) | (bits >> (place + 1)) << place


def put_in(bits: int, place: int) -> int:
    # An empty one.
    return bits & below(place) | (bits >> place) << (place + 1)


@dataclass
class NewsCache:
    """The index of this process, brought up to date by one statement when it is asked for."""

    index: NewsIndex | None = None
    lock: Any = field(default_factory=Lock)

    def current(self) -> NewsIndex:
        with self.lock:
            seen, changed = read_changes(self.index.seen if self.index else None)
            keys = None if changed is None else keys_of(changed)
            if self.index is None or keys is None or len(keys) > MAX_CHANGES:
                self.index = built_of(read_rows(None), seen)
            elif changed:
                self.index = patched(self.index, keys, seen)
            elif seen != self.index.seen:
                self.index = replace(self.index, seen=seen)
            return self.index

    def forget(self) -> None:
        self.index = None


def keys_of(changed: set[tuple[str, int]]) -> set[int]:
    """The announcements that changed, and those of clusters that did."""
    keys = {key for kind, key in changed if kind == ChangeKind.ANNOUNCEMENT}
    clusters = [key for kind, key in changed if kind == ChangeKind.CLUSTER]
    links = Announcement.clusters.through.objects
    for first in range(0, len(clusters), KEYS_AT_ONCE):
        some = clusters[first : first + KEYS_AT_ONCE]
        keys.update(links.filter(cluster__in=some).values_list("announcement", flat=True))
    return keys


NEWS = NewsCache()
