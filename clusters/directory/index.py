"""All published clusters in the memory of a process: any question is a few operations on integers.

A cluster has a slot, a number from 0. Each value of a filter is one integer with the bits of its
clusters set, so that a selection is `&` and `|` and a count is the number of its bits: exact for
every combination, in about a millisecond for 100,000 clusters. What holds on certain days only
(managers, programmes, labels) is kept as spells, and becomes bits for a day when it is asked for.

`IndexCache.current()` brings the index up to date before each use; decision 0014.
"""

import re
from array import array
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from itertools import chain
from math import inf
from sys import intern
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from django.db.models import CharField, Q
from django.db.models.functions import Cast
from django.utils.safestring import SafeString

from clusters.dates import PartialDate
from clusters.directory.changes import SeenChanges, read_changes
from clusters.directory.query import Box
from clusters.directory.remembering import Remembering
from clusters.directory.towns import Place, Town, great_circle_km, towns_by_name
from clusters.models import (
    ChangeKind,
    Cluster,
    Management,
    MemberKind,
    MembershipCount,
    Participation,
    Portfolio,
    Programme,
    Region,
)

Value = Hashable
Made = TypeVar("Made")

FIRST_DAY, LAST_DAY = date.min.toordinal(), date.max.toordinal()
UNKNOWN = -1
# More records changed than this are read with all the others.
MAX_CHANGES = 2000
MAX_DAYS = 6
MAX_CARDS = 5000

SET_BITS = tuple(tuple(bit for bit in range(8) if octet >> bit & 1) for octet in range(256))
NOT_EMPTY = re.compile(rb"[^\0]")


class Spell(NamedTuple):
    """A value of a facet that a cluster has from one day to another, as ordinals of days."""

    facet: str
    cluster: int
    value: Value
    first: int
    last: int


class Requirement(NamedTuple):
    """A programme asks for one of these levels in these days (ordinals)."""

    programme: str
    levels: frozenset[str]
    first: int
    last: int


@dataclass(frozen=True)
class ReferenceTables:
    """The small tables that filters name, in the order of a page."""

    portfolios: Sequence[Portfolio] = ()
    regions: Mapping[str, Region] = field(default_factory=dict)
    programmes: Mapping[str, Programme] = field(default_factory=dict)
    levels: Sequence[Any] = ()
    requirements: Sequence[Requirement] = ()


class Position(NamedTuple):
    latitude: float
    longitude: float
    country: str
    town: str


@dataclass(frozen=True)
class Spells:
    """Columns of equal length; `value` is a place in `values`."""

    values: list[Value] = field(default_factory=list)
    slot: "array[int]" = field(default_factory=lambda: array("I"))
    value: "array[int]" = field(default_factory=lambda: array("H"))
    first: "array[int]" = field(default_factory=lambda: array("i"))
    last: "array[int]" = field(default_factory=lambda: array("i"))

    def without(self, slots: set[int]) -> "Spells":
        kept = [place for place, slot in enumerate(self.slot) if slot not in slots]
        slot, value, first, last = (
            array(column.typecode, [column[place] for place in kept])
            for column in (self.slot, self.value, self.first, self.last)
        )
        return Spells(list(self.values), slot, value, first, last)

    def add(self, slot: int, spell: Spell, places: dict[Value, int]) -> None:
        place = places.setdefault(spell.value, len(places))
        if place == len(self.values):
            self.values.append(spell.value)
        self.slot.append(slot)
        self.value.append(place)
        self.first.append(spell.first)
        self.last.append(spell.last)

    def in_force(self, day: int) -> Iterator[tuple[int, int, int, int]]:
        # Slot, place of the value, first and last day.
        columns = zip(self.slot, self.value, self.first, self.last, strict=True)
        return (row for row in columns if row[2] <= day <= row[3])


@dataclass(frozen=True)
class Day:
    """What holds on a day: bits by facet and value; by slot the last award and the next end."""

    bits: Mapping[str, Mapping[Value, int]]
    awarded: "array[int]"
    ending: "array[int]"
    orders: dict[str, "array[int]"] = field(default_factory=dict)
    ranks: dict[str, "array[int]"] = field(default_factory=dict)


@dataclass(frozen=True)
class Index(Remembering):
    """What was published at one moment. Columns are by slot; never changed once it is there."""

    seen: SeenChanges = field(default_factory=SeenChanges)
    reference: ReferenceTables = field(default_factory=ReferenceTables)
    keys: "array[int]" = field(default_factory=lambda: array("q"))
    slots: dict[int, int] = field(default_factory=dict)
    public_ids: bytes = b""
    names: list[str] = field(default_factory=list)
    position: "array[int]" = field(default_factory=lambda: array("i"))
    positions: list[Position] = field(default_factory=list)
    founded: "array[int]" = field(default_factory=lambda: array("h"))
    members: "array[int]" = field(default_factory=lambda: array("i"))
    confirmed: "array[int]" = field(default_factory=lambda: array("i"))
    bits: Mapping[str, Mapping[Value, int]] = field(default_factory=dict)
    everything: int = 0
    spells: Mapping[str, Spells] = field(default_factory=dict)
    order: "array[int]" = field(default_factory=lambda: array("I"))
    # By cluster, language, day, words and place: `render_rows` keeps them.
    cards: "OrderedDict[tuple[int, str | None, date, str, str], SafeString]" = field(
        default_factory=OrderedDict
    )
    days: dict[date, Day] = field(default_factory=dict)
    remembered: "OrderedDict[Hashable, Any]" = field(default_factory=OrderedDict)

    def on(self, day: date) -> Day:
        if day not in self.days:
            if len(self.days) >= MAX_DAYS:
                self.days.clear()
            self.days[day] = self.day_from_spells(day.toordinal())
        return self.days[day]

    def day_from_spells(self, day: int) -> Day:
        size = len(self.keys)
        awarded, ending = array("i", [0]) * size, array("i", [LAST_DAY]) * size
        found: dict[str, dict[Value, int]] = {}
        for facet, spells in self.spells.items():
            if facet == "award":
                for slot, _value, first, _last in spells.in_force(day):
                    awarded[slot] = max(awarded[slot], first)
            elif facet == "end":
                for slot, _value, _first, last in spells.in_force(day):
                    ending[slot] = min(ending[slot], last)
            else:
                by_place: dict[int, list[int]] = defaultdict(list)
                for slot, place, _first, _last in spells.in_force(day):
                    by_place[place].append(slot)
                found[facet] = {
                    spells.values[place]: bits_of(slots, size) for place, slots in by_place.items()
                }
        return Day(found, awarded, ending)

    def values_of(self, facet: str, day: date) -> Mapping[Value, int]:
        # Bits by value, of a facet that holds for good or on the day.
        return self.bits.get(facet) or self.on(day).bits.get(facet, {})

    def ordered(self, sort: str, day: date) -> "array[int]":
        # All slots by name, members, confirmation, newest award or next end.
        if sort == "name":
            return self.order
        here = self.on(day)
        if sort not in here.orders:
            column = {
                "members": self.members,
                "confirmed": self.confirmed,
                "newest": here.awarded,
                "ending": here.ending,
            }[sort]
            # What is equal stays in the order of names; what is unknown comes last.
            is_descending = sort != "ending"
            slots = sorted(self.order, key=column.__getitem__, reverse=is_descending)
            here.orders[sort] = array("I", slots)
        return here.orders[sort]

    def ranks(self, sort: str, day: date) -> "array[int]":
        # The place of each slot in that order.
        ranks = self.on(day).ranks
        if sort not in ranks:
            ranks[sort] = places_in(self.ordered(sort, day))
        return ranks[sort]

    def slot_at(self, public_id: str) -> int | None:
        wanted = public_id.encode("ascii", "replace")
        place = self.public_ids.find(wanted) if len(wanted) == 8 else -1
        while place > 0 and place % 8:
            place = self.public_ids.find(wanted, place + 1)
        return place // 8 if place >= 0 else None

    def public_id(self, slot: int) -> str:
        return self.public_ids[slot * 8 : slot * 8 + 8].decode("ascii")

    def bits_of_keys(self, keys: Iterable[int]) -> int:
        slots = (self.slots[key] for key in keys if key in self.slots)
        return bits_of(slots, len(self.keys)) & self.everything

    def between(self, column: str, least: int | None, most: int | None) -> int:
        """Slots whose number is known and in these bounds, both included."""
        low, high = (0 if least is None else least), (2**31 if most is None else most)
        numbers: array[int] = getattr(self, column)

        def made() -> int:
            slots = (slot for slot, number in enumerate(numbers) if low <= number <= high)
            return bits_of(slots, len(numbers))

        return self.remember((column, low, high), made)

    def within(self, kilometres: int, latitude: float, longitude: float) -> int:
        return self.remember(
            ("within", kilometres, latitude, longitude),
            lambda: self.at_positions(
                lambda north, east: great_circle_km(latitude, longitude, north, east) <= kilometres
            ),
        )

    def inside(self, boxes: tuple[Box, ...]) -> int:
        # Slots whose position is in one of the boxes.
        return self.remember(
            ("inside", boxes),
            lambda: self.at_positions(
                lambda north, east: any(box.holds(north, east) for box in boxes)
            ),
        )

    def at_positions(self, condition: Callable[[float, float], bool]) -> int:
        wanted = {
            number
            for number, place in enumerate(self.positions)
            if condition(place.latitude, place.longitude)
        }
        slots = (slot for slot, number in enumerate(self.position) if number in wanted)
        return bits_of(slots, len(self.position))

    def count_positions(self, bits: int) -> Mapping[int, tuple[int, int]]:
        # How many of these slots have each position, and one of them, by place in `positions`.
        slots = list(slots_of(bits))
        places = list(map(self.position.__getitem__, slots))
        one = dict(zip(places, slots, strict=True))
        counts = Counter(places)
        return {place: (counts[place], one[place]) for place in counts if place != UNKNOWN}

    def towns(self) -> Mapping[str, Sequence[Town]]:
        # By normal name, the towns where clusters stand.
        def made() -> Mapping[str, Sequence[Town]]:
            regions = {
                slot: str(code)
                for code, bits in self.bits.get("region", {}).items()
                if "-" in str(code)
                for slot in slots_of(bits)
            }
            return towns_by_name(
                Place(*self.positions[number], regions.get(slot, ""), count)
                for number, (count, slot) in self.count_positions(self.everything).items()
            )

        return self.remember("towns", made)

    def distances(self, centres: Sequence[tuple[float, float]]) -> Sequence[float]:
        # By slot, the kilometres to the nearest of these; infinite where no position is known.
        def made() -> Sequence[float]:
            by_position = [
                min(great_circle_km(*centre, *place[:2]) for centre in centres)
                for place in self.positions
            ]
            return [inf if number == UNKNOWN else by_position[number] for number in self.position]

        return self.remember(("distances", tuple(centres)), made)

    def by_distance(
        self, centres: Sequence[tuple[float, float]]
    ) -> tuple["array[int]", "array[int]"]:
        """All slots, the nearest first, by name where equally far; the place of each slot in it."""

        def made() -> tuple["array[int]", "array[int]"]:
            distances = self.distances(centres)
            order = array("I", sorted(self.order, key=distances.__getitem__))
            return order, places_in(order)

        return self.remember(("by distance", tuple(centres)), made)


def places_in(order: "array[int]") -> "array[int]":
    places = array("I", [0]) * len(order)
    for place, slot in enumerate(order):
        places[slot] = place
    return places


def slots_of(bits: int) -> Iterator[int]:
    # The places of the bits that are set, ascending.
    octets = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    for match in NOT_EMPTY.finditer(octets):
        place = match.start()
        for bit in SET_BITS[octets[place]]:
            yield place * 8 + bit


def bits_of(slots: Iterable[int], size: int) -> int:
    octets = bytearray(size // 8 + 1)
    for slot in slots:
        octets[slot >> 3] |= 1 << (slot & 7)
    return int.from_bytes(octets, "little")


stored_date = lru_cache(maxsize=2**16)(PartialDate.stored)


@lru_cache(maxsize=2**16)
def ordinal(text: str | None, is_end: bool) -> int:
    # The first (or last) day of a partial date in the database; an unknown one does not bound.
    if not text:
        return LAST_DAY if is_end else FIRST_DAY
    partial = stored_date(text)
    return (partial.last_day if is_end else partial.first_day).toordinal()


def published_rows(keys: set[int] | None) -> Iterator[Any]:
    rows = Cluster.objects.published().filter(with_keys("pk", keys)).order_by("pk")
    own = (
        "pk",
        "public_id",
        "normal_name",
        "state",
        "country",
        "region",
        "town",
        "latitude",
        "longitude",
    )
    others = ("region__code", "portfolio__code", "confirmed_on", "founded")
    rows = rows.annotate(founded=stored_text("founded_on"))
    return rows.values_list(*own, *others, named=True).iterator()


def member_counts(keys: set[int] | None) -> Iterable[tuple[int, int]]:
    # The last count of all members of each cluster comes last.
    rows = MembershipCount.objects.filter(with_keys("cluster", keys), kind=MemberKind.TOTAL)
    return rows.order_by("counted_on", "pk").values_list("cluster", "count").iterator()


def with_keys(name: str, keys: set[int] | None) -> Q:
    return Q() if keys is None else Q((f"{name}__in", keys))


def stored_text(name: str) -> Cast:
    # Partial dates as they stand in the database: most rows share a few.
    return Cast(name, CharField())


def spells_of_clusters(keys: set[int] | None) -> Iterator[Spell]:
    # Kinds of published managing organisations, and published programmes.
    managements = Management.objects.filter(organisation__is_published=True)
    participations = Participation.objects.filter(programme__is_published=True)
    for facet, rows, value in (
        ("manager", managements, "organisation__kind"),
        ("programme", participations, "programme__slug"),
    ):
        found = (
            rows.filter(with_keys("cluster", keys))
            .order_by()
            .annotate(start=stored_text("started_on"), end=stored_text("ended_on"))
            .values_list("cluster", value, "start", "end")
        )
        for key, named, start, end in found.iterator():
            yield Spell(facet, key, named, ordinal(start, False), ordinal(end, True))


def patch_index(
    index: Index,
    keys: set[int] | None,
    spells: Iterable[Spell],
    seen: SeenChanges,
    reference: ReferenceTables,
) -> Index:
    """The index with these clusters as they are now; with None all, from an empty index.

    A cluster that is no longer public keeps its slot, with no bit set.
    """
    slots, names = dict(index.slots), list(index.names)
    numbers, positions = array("q", index.keys), list(index.positions)
    founded, members = array("h", index.founded), array("i", index.members)
    confirmed, position = array("i", index.confirmed), array("i", index.position)
    public_ids = bytearray(index.public_ids)
    places = {place: number for number, place in enumerate(positions)}
    changed = {slots[key] for key in keys or () if key in slots}
    added: dict[str, dict[Value, list[int]]] = defaultdict(lambda: defaultdict(list))
    alive: list[int] = []
    for row in published_rows(keys):
        slot = slots.setdefault(row.pk, len(numbers))
        if slot == len(numbers):
            numbers.append(row.pk)
            names.append("")
            public_ids += b" " * 8
            for column in (founded, members, confirmed, position):
                column.append(UNKNOWN)
        alive.append(slot)
        names[slot] = row.normal_name
        public_ids[slot * 8 : slot * 8 + 8] = row.public_id.encode("ascii")
        founded[slot] = stored_date(row.founded).year if row.founded else UNKNOWN
        members[slot] = UNKNOWN
        confirmed[slot] = row.confirmed_on.toordinal() if row.confirmed_on else UNKNOWN
        position[slot] = UNKNOWN
        if row.latitude is not None:
            country, town = intern(row.country), intern(row.town)
            place = Position(float(row.latitude), float(row.longitude), country, town)
            position[slot] = places.setdefault(place, len(places))
            if position[slot] == len(positions):
                positions.append(place)
        values = {
            "profile": row.state,
            "country": row.country,
            "region": row.region__code or (str(row.region) if row.region else ""),
            "portfolio": row.portfolio__code,
        }
        for facet, value in values.items():
            if value:
                added[facet][value].append(slot)
    for key, count in member_counts(keys):
        if key in slots:
            members[slots[key]] = count
    size = len(numbers)
    gone = ~bits_of(changed, size)
    everything = index.everything & gone | bits_of(alive, size)
    order = [slot for slot in index.order if slot not in changed]
    return Index(
        seen=seen,
        reference=reference,
        keys=numbers,
        slots=slots,
        public_ids=bytes(public_ids),
        names=names,
        position=position,
        positions=positions,
        founded=founded,
        members=members,
        confirmed=confirmed,
        bits=merge_bits(index.bits, added, gone, size),
        everything=everything,
        spells=with_spells(index.spells, spells, changed, slots, set(alive)),
        order=array("I", sorted([*order, *alive], key=lambda slot: (names[slot], numbers[slot]))),
        cards=OrderedDict(
            (key, card) for key, card in list(index.cards.items()) if key[0] not in (keys or ())
        ),
    )


def merge_bits(
    bits: Mapping[str, Mapping[Value, int]],
    added: Mapping[str, Mapping[Value, list[int]]],
    gone: int,
    size: int,
) -> dict[str, dict[Value, int]]:
    found: dict[str, dict[Value, int]] = {}
    for facet in {*bits, *added}:
        old, new = bits.get(facet, {}), added.get(facet, {})
        values = {
            value: old.get(value, 0) & gone | bits_of(new.get(value, ()), size)
            for value in {*old, *new}
        }
        found[facet] = {value: slots for value, slots in values.items() if slots}
    return found


def with_spells(
    spells: Mapping[str, Spells],
    added: Iterable[Spell],
    changed: set[int],
    slots: Mapping[int, int],
    alive: set[int],
) -> dict[str, Spells]:
    found = {facet: columns.without(changed) for facet, columns in spells.items()}
    places = {
        facet: {value: place for place, value in enumerate(columns.values)}
        for facet, columns in found.items()
    }
    for spell in added:
        slot = slots.get(spell.cluster)
        if slot is not None and slot in alive:
            columns = found.setdefault(spell.facet, Spells())
            columns.add(slot, spell, places.setdefault(spell.facet, {}))
    return found


@dataclass
class IndexCache:
    """The index of this process, brought up to date by one statement when it is asked for.

    `spells` and `reference` are what the apps above know of clusters: the spells of some clusters
    (of all with None), the levels and what programmes require.
    """

    spells: Callable[[set[int] | None], Iterable[Spell]]
    levels: Callable[[], Sequence[Any]]
    requirements: Callable[[], Sequence[Requirement]]
    index: Index | None = None
    lock: Any = field(default_factory=Lock)

    def current(self) -> Index:
        with self.lock:
            seen, changed = read_changes(self.index.seen if self.index else None)
            if self.index is None or changed is None or len(changed) > MAX_CHANGES:
                self.index = self.read(Index(), None, seen)
            elif changed:
                keys = {key for kind, key in changed if kind == ChangeKind.CLUSTER}
                self.index = self.read(self.index, keys, seen)
            elif seen != self.index.seen:
                self.index = replace(self.index, seen=seen)
            return self.index

    def read(self, index: Index, keys: set[int] | None, seen: SeenChanges) -> Index:
        reference = ReferenceTables(
            portfolios=list(Portfolio.objects.all()),
            regions={row.code or str(row.pk): row for row in Region.objects.all()},
            programmes={row.slug: row for row in Programme.objects.published()},
            levels=self.levels(),
            requirements=self.requirements(),
        )
        if keys is not None and not keys:
            return replace(index, seen=seen, reference=reference, remembered=OrderedDict())
        spells = chain(spells_of_clusters(keys), self.spells(keys))
        return patch_index(index, keys, spells, seen, reference)

    def forget(self) -> None:
        self.index = None
