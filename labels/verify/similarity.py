"""Which names are spelt like what somebody asked for.

Pure: no ORM, no clock, no settings. The work for one text has a bound of its own, so that an
answer does not depend on what else is asked at the same time.
"""

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_ALIKE = 5
MOST_LOOKED_AT = 1000
MOST_COMPARED = 8
LEAST_LIKENESS = 0.6
SHORTEST_PART = 3

Group = tuple[str, str, str]


class Likeness(StrEnum):
    """Why a name is near: it holds the text, it is a part of the text, or it is spelt alike."""

    HOLDS = "holds"
    PART = "part"
    SPELT = "spelt"


@dataclass(frozen=True)
class Match:
    """A name by its place among those given."""

    index: int
    likeness: Likeness


def alike(texts: Iterable[str], names: Sequence[str]) -> dict[str, list[Match]]:
    """The nearest names for each text, the best first; all folded alike.

    Goes through the names once, however many texts there are. Of a text the rarest groups of
    three letters are looked up first, until `MOST_LOOKED_AT` names have been seen.
    """
    wanted = {text: set(groups(text)) for text in texts}
    holders: dict[Group, list[int]] = {group: [] for each in wanted.values() for group in each}
    known = set(holders)
    for index, name in enumerate(names):
        for group in known.intersection(groups(name)):
            holders[group].append(index)
    return {
        text: ranked(text, candidates(text_groups, holders), names)
        for text, text_groups in wanted.items()
    }


def groups(text: str) -> Iterator[Group]:
    """Each run of three characters, the spaces around the text included."""
    padded = f" {text} "
    return zip(padded, padded[1:], padded[2:])  # noqa: B905


def candidates(text_groups: set[Group], holders: dict[Group, list[int]]) -> list[int]:
    """The names that share most with a text."""
    shared: Counter[int] = Counter()
    left = MOST_LOOKED_AT
    for group in sorted(text_groups, key=lambda group: (len(holders[group]), group)):
        found = holders[group][:left]
        shared.update(found)
        left -= len(found)
        if left <= 0:
            break
    return [index for index, _number in shared.most_common(MOST_COMPARED)]


def ranked(text: str, indexes: Iterable[int], names: Sequence[str]) -> list[Match]:
    comparison = difflib.SequenceMatcher(b=text, autojunk=False)
    found = []
    for index in indexes:
        name = names[index]
        comparison.set_seq1(name)
        if len(text) >= SHORTEST_PART and text in name:
            found.append((2.0, index, Likeness.HOLDS))
        elif len(name) >= SHORTEST_PART and name in text:
            found.append((1.0 + len(name) / len(text), index, Likeness.PART))
        elif comparison.real_quick_ratio() >= LEAST_LIKENESS:
            ratio = comparison.ratio()
            if ratio >= LEAST_LIKENESS:
                found.append((ratio, index, Likeness.SPELT))
    found.sort(key=lambda row: (-row[0], names[row[1]], row[1]))
    return [Match(index, likeness) for _ratio, index, likeness in found[:MOST_ALIKE]]
