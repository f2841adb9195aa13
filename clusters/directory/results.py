"""The answer to a query: list, counts, map, and the way out of an empty list, from one index."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from heapq import nsmallest
from itertools import islice
from typing import Any, cast

from django.utils.translation import gettext as _

from clusters.completeness import stale_before
from clusters.directory.index import UNKNOWN, Index, Requirement, Value, slots_of
from clusters.directory.query import (
    CHOICES,
    DEFAULT_DISTANCE,
    EVER,
    FLAGS,
    HELD,
    RANGES,
    SORTS,
    Cursor,
    DirectoryQuery,
)
from clusters.directory.towns import Town, great_circle_km
from clusters.fulltext import nearest, tiers_of_clusters
from clusters.http.faceted import NOT_RECORDED, Facet, FacetedList, Option
from clusters.http.links import Link, country_names, names_by_code, names_in
from clusters.models import Cluster, OrganisationKind
from clusters.names import normal_name

PER_PAGE = 24
VALID = "valid"
# Filters that have the value `NOT_RECORDED`, beside the level.
MAY_BE_UNKNOWN = ("region", "portfolio", "manager")
# More single clusters on a map are told by their town.
MAX_NAMED = 500
# More towns are not offered to choose from.
MAX_TOWNS = 300
# A selection smaller than one cluster in so many is sorted; a larger one is met on the way.
SPARSE = 32


@dataclass(frozen=True)
class MapPoint:
    """How many of the clusters found stand at a place; `key` is one of them.

    `name` and `slug` are those of a single one, where it was asked for.
    """

    latitude: float
    longitude: float
    country: str
    town: str
    count: int
    key: int
    name: str = ""
    slug: str = ""


@dataclass(frozen=True)
class ResultPage:
    """A page of the list: the clusters' keys, and the addresses of the pages around it."""

    keys: tuple[int, ...]
    previous_url: str
    next_url: str


@dataclass(frozen=True)
class Directory(FacetedList):
    """`states` are the states of a label in words, by value.

    `once_held` are those of a label that was held, whatever became of it. `first_named` is the
    label to name first, of pairs of a level and the state of a label of it.
    """

    told_whole = ("level",)

    query: DirectoryQuery
    index: Index
    cursor: Cursor
    today: date
    states: Mapping[str, Any]
    once_held: Sequence[str]
    first_named: Callable[[Iterable[tuple[Any, str]]], tuple[Any, str] | None]
    per_page: int = PER_PAGE

    @property
    def day(self) -> date:
        return self.query.on or self.today

    @cached_property
    def found(self) -> int:
        return self.narrowed()

    @cached_property
    def total(self) -> int:
        return self.found.bit_count()

    # --- What narrows -----------------------------------------------------------------------

    def narrowed(self, without: str = "") -> int:
        # The clusters that meet every filter but the named one; `label` is level and state.
        found = self.index.everything
        for name, bits in self.conditions.items():
            if name != without:
                found &= bits
        levels = self.query.level if without not in ("level", "label") else ()
        states = self.states_asked if without not in ("state", "held", "label") else ()
        return found & self.held(levels, states)

    @property
    def states_asked(self) -> Sequence[str]:
        return self.query.state or (self.once_held if self.query.held else ())

    @cached_property
    def conditions(self) -> dict[str, int]:
        # Bits by filter, of those that are set; level and state of a label aside.
        query, index = self.query, self.index
        found: dict[str, int] = {}
        if query.words:
            found["q"] = self.tiers[0] | self.tiers[1] | self.tiers[2]
        for name in CHOICES:
            if name not in ("level", "state") and query.chosen(name):
                found[name] = union_of(self.values_of(name), query.chosen(name))
        for name in RANGES:
            if query.bounds(name) != (None, None):
                found[name] = index.between(name, *query.bounds(name))
        if self.centres:
            found["near"] = 0
            for centre in self.centres:
                found["near"] |= index.within(query.within or DEFAULT_DISTANCE, *centre)
        if query.box:
            found["box"] = index.inside(query.box)
        found |= {name: self.flagged(name) for name in query.flags}
        return found

    @property
    def tiers(self) -> tuple[int, int, int]:
        # What the words find: in names, in what belongs to them, in texts.
        return self.matches[1]

    @property
    def words(self) -> str:
        # What was searched for: the words, or the nearest known ones where they find nothing.
        return self.matches[0]

    @cached_property
    def matches(self) -> tuple[str, tuple[int, int, int]]:
        def made() -> tuple[str, tuple[int, int, int]]:
            words = self.query.words
            tiers = tiers_of_clusters(words)
            if not any(tiers) and (mended := nearest(words)):
                mended_tiers = tiers_of_clusters(mended)
                words, tiers = (mended, mended_tiers) if any(mended_tiers) else (words, tiers)
            names, about, texts = (self.index.bits_of_keys(keys) for keys in tiers)
            about &= ~names
            texts &= ~(names | about)
            return words, (names, about, texts)

        return self.index.remember(("words", self.query.words), made)

    @cached_property
    def towns(self) -> Sequence[Town]:
        # Those that `near` may mean: by a name, else by a name, a comma and a country or region.
        towns = self.index.towns()
        if found := towns.get(normal_name(self.query.near)):
            return found
        name, _comma, where = self.query.near.rpartition(",")
        here, where = towns.get(normal_name(name), ()), normal_name(where)
        return [town for town in here if where in self.whereabouts(town)]

    def whereabouts(self, town: Town) -> set[str]:
        names = {town.country, town.region}
        names |= {names_in(language)[town.country] for language in ("en", "it")}
        if region := self.index.reference.regions.get(town.region):
            names |= {region.name, *region.other_names.split("|")}
        return {normal_name(name) for name in names} - {""}

    @cached_property
    def centres(self) -> Sequence[tuple[float, float]]:
        # Of the towns that `near` may mean, or of the cluster at that address.
        if not self.query.near:
            return ()
        if self.towns:
            return [town.position for town in self.towns]
        centre = self.index.remember(
            ("near", self.query.near), lambda: Cluster.objects.position_of(self.query.near)
        )
        return [centre] if centre else ()

    def towns_meant(self) -> list[Link]:
        # Where the name is that of several towns: each, with the address that asks for it alone.
        if len(self.towns) < 2 or not self.query.near:
            return []
        keys = Counter(town.key for town in self.towns)
        return [
            Link(self.name_of_town(town), self.query.changed(near=town.key).url(self.path))
            for town in self.towns
            if keys[town.key] == 1
        ]

    def name_of_town(self, town: Town) -> str:
        region = self.index.reference.regions.get(town.region)
        where = country_names()[town.country]
        return f"{town.name}, {where} ({region.name})" if region else f"{town.name}, {where}"

    def known_towns(self) -> list[Option]:
        # The largest towns, to choose from, by name; of several of one name each by its key.
        by_name = self.index.towns()
        towns = {town for named in by_name.values() for town in named}
        largest = nsmallest(MAX_TOWNS, towns, key=lambda town: (-town.count, town.key))
        return [
            Option(
                value=town.name if len(by_name[normal_name(town.name)]) == 1 else town.key,
                label=self.name_of_town(town),
                count=town.count,
                url="",
                is_selected=False,
            )
            for town in sorted(largest, key=lambda town: (normal_name(town.name), town.key))
        ]

    def distance_of(self, key: int) -> str:
        # How far the cluster is from what `near` asks; "" where nothing is asked or known.
        slot = self.index.slots[key]
        if not self.centres or self.index.position[slot] == UNKNOWN:
            return ""
        number = round(self.index.distances(self.centres)[slot])
        if len(self.towns) < 2:
            return _("%(number)s km") % {"number": number}
        place = self.index.positions[self.index.position[slot]]
        nearest_town = min(
            self.towns,
            key=lambda town: great_circle_km(
                town.latitude, town.longitude, place.latitude, place.longitude
            ),
        )
        texts = {"number": number, "town": self.name_of_town(nearest_town)}
        return _("%(number)s km from %(town)s") % texts

    @property
    def corrected_to(self) -> str:
        # The words searched for in the place of those that nothing has; empty where there are none.
        return self.words if self.words != self.query.words else ""

    @property
    def wrong_values(self) -> list[str]:
        unknown = _("No cluster stands in “%(place)s”; the distance was left out.")
        wrong = list(self.query.problems)
        if self.query.near and not self.centres:
            wrong.append(unknown % {"place": self.query.near[:60]})
        return wrong

    @property
    def problems(self) -> list[str]:
        problems = self.wrong_values
        if self.corrected_to:
            mended = _("Nothing has “%(words)s”; this was found for “%(nearest)s”.")
            words = {"words": self.query.words[:60], "nearest": self.corrected_to}
            problems.append(mended % words)
        return problems

    def in_words(self) -> str:
        words = super().in_words()
        if not self.corrected_to:
            return words
        corrected = _("%(filter)s (found for “%(nearest)s”)")
        return corrected % {"filter": words, "nearest": self.corrected_to}

    def flagged(self, name: str) -> int:
        if name == "meets":
            return self.meeting
        if name == "provisional":
            return ~self.values_of("profile").get("provisional", 0)
        # Confirmed by their teams in the last 12 months.
        since = stale_before(self.day).toordinal()
        return self.index.between("confirmed", since, self.day.toordinal())

    @cached_property
    def meeting(self) -> int:
        # Those that hold what a programme requires that day, of the programmes chosen or any.
        day = self.day.toordinal()
        by_programme: dict[str, list[Requirement]] = {}
        for row in self.index.reference.requirements:
            if row.first <= day <= row.last:
                by_programme.setdefault(row.programme, []).append(row)
        found = 0
        for programme, rows in by_programme.items():
            if not self.query.programme or programme in self.query.programme:
                bits = self.values_of("programme").get(programme, 0)
                for row in rows:
                    bits &= self.held(tuple(row.levels), (VALID,))
                found |= bits
        return found

    def held(self, levels: Sequence[str], states: Sequence[str]) -> int:
        # With a label of one of the levels in one of the states; without states a valid one.
        if not levels and not states:
            return self.index.everything
        states = states or (VALID,)
        found = 0
        if NOT_RECORDED in levels:
            found = self.index.everything & ~union_of(self.labels, self.labels)
        for (level, state), bits in self.labels.items():
            if (not levels or level in levels) and state in states:
                found |= bits
        return found

    @property
    def labels(self) -> Mapping[tuple[str, str], int]:
        # Bits by level and state on the day.
        return cast("Mapping[tuple[str, str], int]", self.values_of("label"))

    def values_of(self, facet: str) -> Mapping[Value, int]:
        values = self.index.values_of(facet, self.day)
        if facet not in MAY_BE_UNKNOWN:
            return values
        return {**values, NOT_RECORDED: self.index.everything & ~union_of(values, values)}

    # --- The list ---------------------------------------------------------------------------

    @property
    def usual_sort(self) -> str:
        if self.centres:
            return "distance"
        return "relevance" if self.query.words else "name"

    @property
    def sort(self) -> str:
        asked = self.query.sort
        return asked if asked and self.has_sort(asked) else self.usual_sort

    def has_sort(self, name: str) -> bool:
        needed = {"relevance": bool(self.query.words), "distance": bool(self.centres)}
        return needed.get(name, True)

    @cached_property
    def segments(self) -> list[int]:
        # What is found, cut into the parts that follow one another.
        if self.sort == "relevance":
            return [self.found & bits for bits in self.tiers]
        return [self.found]

    def slots(self, *, after: int | None = None, backwards: bool = False) -> Iterator[int]:
        # All slots found in the order asked for, from behind a slot on.
        sort = "name" if self.sort == "relevance" else self.sort
        if sort == "distance":
            order, ranks = self.index.by_distance(self.centres)
        else:
            order, ranks = self.index.ordered(sort, self.day), self.index.ranks(sort, self.day)
        segments = self.segments[::-1] if backwards else self.segments
        rank = None if after is None else ranks[after]
        if after is not None:
            holding = [place for place, bits in enumerate(segments) if bits >> after & 1]
            segments = segments[holding[0] if holding else 0 :]
        for bits in segments:
            yield from walk(bits, order, ranks, rank, backwards)
            rank = None

    def keys(self) -> Iterator[int]:
        return (self.index.keys[slot] for slot in self.slots())

    @cached_property
    def page(self) -> ResultPage:
        # The part of the list that the address asks for; the first where it names no record.
        start = self.index.slot_at(self.cursor.after or self.cursor.before)
        backwards = start is not None and not self.cursor.after
        slots = list(islice(self.slots(after=start, backwards=backwards), self.per_page + 1))
        is_cut = len(slots) > self.per_page
        slots = slots[: self.per_page]
        has_previous, has_next = start is not None and bool(slots), is_cut
        if backwards:
            slots.reverse()
            has_previous, has_next = has_next, has_previous
        return ResultPage(
            keys=tuple(self.index.keys[slot] for slot in slots),
            previous_url=self.page_url(before=slots[0]) if has_previous else "",
            next_url=self.page_url(after=slots[-1]) if has_next else "",
        )

    def page_url(self, **cursor: int) -> str:
        places = {name: self.index.public_id(slot) for name, slot in cursor.items()}
        return self.query.url(self.path, **places)

    def headline_of(self, key: int) -> tuple[Any, str] | None:
        # The level and the state of the label of a cluster to name first on the day, if any.
        slot = self.index.slots[key]
        levels = {level.code: level for level in self.index.reference.levels}
        held: Any = self.values_of("headline")
        return self.first_named(
            (levels[level], state) for (level, state), bits in held.items() if bits >> slot & 1
        )

    def sorts(self) -> list[Option]:
        # The orders that there are, with the addresses that choose them.
        return [
            Option(
                value=name,
                label=str(text),
                count=self.total,
                url=self.sorted_url(name),
                is_selected=name == self.sort,
            )
            for name, text in SORTS.items()
            if self.has_sort(name)
        ]

    def sorted_url(self, sort: str) -> str:
        return self.query.changed(sort="" if sort == self.usual_sort else sort).url(self.path)

    # --- Beside the list --------------------------------------------------------------------

    def facets(self) -> list[Facet]:
        # Those with an option to choose: that all is unknown is none. Regions are told where a
        # country is chosen.
        facets = [
            self.facet(name)
            for name in CHOICES
            if name != "region" or self.query.country or self.query.region
        ]
        facets.insert(1, self.held_facet())
        return [
            facet
            for facet in [*facets, self.profile_facet()]
            if any(
                one.is_selected or (one.count and one.value != NOT_RECORDED)
                for one in facet.options
            )
        ]

    def counts(self, name: str) -> dict[str, int]:
        base = self.narrowed(without="label" if name in ("level", "state") else name)
        if name == "level":
            found = {
                code: base & self.held((code,), self.states_asked) for code in self.names("level")
            }
        elif name == "state":
            found = {state: base & self.held(self.query.level, (state,)) for state in self.states}
        else:
            found = {str(value): base & bits for value, bits in self.values_of(name).items()}
        return {value: bits.bit_count() for value, bits in found.items() if bits}

    def count_without(self, name: str) -> int:
        return self.narrowed(without=name).bit_count()

    def held_facet(self) -> Facet:
        # Nothing to ask where the state of the label is asked for.
        if self.query.state:
            return Facet("held", "", ())
        base, is_selected = self.narrowed(without="label"), bool(self.query.held)
        count = (base & self.held(self.query.level, self.once_held)).bit_count()
        url = self.query.changed(held="" if is_selected else EVER).url(self.path)
        option = Option(EVER, str(HELD), count, url, is_selected)
        return Facet("held", _("Held when"), (option,) if count or is_selected else ())

    def ways_out(self) -> list[Link]:
        # First what the same clusters held at another time.
        facet = self.held_facet() if self.query.level else Facet("held", "", ())
        earlier = [
            Link(f"{option.label}: {option.count}", option.url)
            for option in facet.options
            if option.count and not option.is_selected
        ]
        return [*earlier, *super().ways_out()]

    def profile_facet(self) -> Facet:
        # What one may ask of a profile, where it tells clusters apart.
        options = []
        for name, label in FLAGS.items():
            base, is_selected = self.narrowed(without=name), name in self.query.flags
            count = (base & self.flagged(name)).bit_count()
            if is_selected or 0 < count < base.bit_count():
                query = self.query.changed(**{name: not getattr(self.query, name)})
                options.append(Option(name, str(label), count, query.url(self.path), is_selected))
        return Facet("profile", _("Profile"), tuple(options))

    def names(self, name: str) -> Mapping[str, str]:
        reference = self.index.reference
        if name == "level":
            return {**names_by_code(reference.levels), NOT_RECORDED: _("no label in this register")}
        if name == "state":
            return {state: str(text) for state, text in self.states.items()}
        if name == "country":
            return country_names()
        if name == "region":
            regions = {
                code: region.name
                for code, region in reference.regions.items()
                if not self.query.country
                or region.country in self.query.country
                or code in self.query.region
            }
            return {**regions, NOT_RECORDED: _("not recorded")}
        if name == "portfolio":
            return {**names_by_code(reference.portfolios), NOT_RECORDED: _("not recorded")}
        if name == "programme":
            return {slug: row.name for slug, row in reference.programmes.items()}
        kinds = {kind.value: str(kind.label) for kind in OrganisationKind}
        return {**kinds, NOT_RECORDED: _("not recorded")}

    def asked(self) -> list[tuple[str, str]]:
        query, asked = self.query, super().asked()
        if query.held:
            asked.append(("held", str(HELD)))
        for name, title in RANGES.items():
            if query.bounds(name) != (None, None):
                bounds = "–".join("" if end is None else str(end) for end in query.bounds(name))
                asked.append((name, f"{title} {bounds}"))
        if self.centres:
            words = _("within %(number)s km of %(place)s")
            number = query.within or DEFAULT_DISTANCE
            asked.append(("near", words % {"number": number, "place": query.near}))
        if query.box:
            asked.append(("box", _("in an area of the map")))
        return asked + [(name, str(FLAGS[name])) for name in query.flags]

    def points(self) -> list[MapPoint]:
        """Where the clusters found stand; those without a position are in none.

        A single one is named where there are not too many; one statement, when something changed.
        """
        return self.index.remember(("points", self.found), self.read_points)

    def read_points(self) -> list[MapPoint]:
        index = self.index
        found = [
            (index.positions[number], count, index.keys[slot])
            for number, (count, slot) in index.count_positions(self.found).items()
        ]
        single = [key for _position, count, key in found if count == 1]
        named: dict[int, tuple[str, str]] = {}
        if len(single) <= MAX_NAMED:
            rows = Cluster.objects.filter(pk__in=single).values_list("pk", "name", "slug")
            named = {key: (name, slug) for key, name, slug in rows}
        return [
            MapPoint(*position, count, key, *named.get(key, ())) for position, count, key in found
        ]


def union_of(values: Mapping[Any, int], chosen: Iterable[Any]) -> int:
    found = 0
    for value in chosen:
        found |= values.get(value, 0)
    return found


def walk(
    bits: int, order: Sequence[int], ranks: Sequence[int], rank: int | None, backwards: bool
) -> Iterator[int]:
    # The slots of the bits in this order (or backwards), behind a rank.
    if bits.bit_count() * SPARSE < len(order):
        slots = sorted(slots_of(bits), key=ranks.__getitem__, reverse=backwards)
        if rank is not None:
            slots = [s for s in slots if (ranks[s] < rank if backwards else ranks[s] > rank)]
        yield from slots
        return
    octets = bits.to_bytes((bits.bit_length() + 7) // 8 or 1, "little")
    size = len(octets) * 8
    if backwards:
        places = range((len(order) if rank is None else rank) - 1, -1, -1)
    else:
        places = range(0 if rank is None else rank + 1, len(order))
    for place in places:
        slot = order[place]
        if slot < size and octets[slot >> 3] >> (slot & 7) & 1:
            yield slot
