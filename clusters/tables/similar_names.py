"""Which names are written like a text: the one matcher of names.

Pure: no ORM, no clock, no settings. The work for one text has a bound of its own, so that an
answer does not depend on what else is asked at the same time.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz import fuzz

MAX_LOOKED_AT = 1000
MAX_COMPARED = 8

Group = tuple[str, str, str]


def similar_names(texts: Iterable[str], names: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
    """Place and likeness (0 to 100) of the nearest names for each text, the best first.

    Goes through the names once, however many texts there are. Of a text the rarest groups of
    three letters are looked up first, until `MAX_LOOKED_AT` names have been seen; those that
    share most of them are compared.
    """
    wanted = {text: set(letter_groups(text)) for text in texts}
    holders: dict[Group, list[int]] = {group: [] for each in wanted.values() for group in each}
    known = set(holders)
    for place, name in enumerate(names):
        for group in known.intersection(letter_groups(name)):
            holders[group].append(place)
    found = {}
    for text, groups in wanted.items():
        places = places_sharing_most(groups, holders)
        compared = [(place, fuzz.ratio(text, names[place])) for place in places]
        found[text] = sorted(compared, key=lambda row: (-row[1], names[row[0]], row[0]))
    return found


def letter_groups(text: str) -> Iterator[Group]:
    """Each run of three characters, the spaces around the text included."""
    padded = f" {text} "
    return zip(padded, padded[1:], padded[2:])  # noqa: B905


def places_sharing_most(groups: set[Group], holders: dict[Group, list[int]]) -> list[int]:
    shared: Counter[int] = Counter()
    left = MAX_LOOKED_AT
    for group in sorted(groups, key=lambda group: (len(holders[group]), group)):
        places = holders[group][:left]
        shared.update(places)
        left -= len(places)
        if left <= 0:
            break
    return [place for place, _number in shared.most_common(MAX_COMPARED)]
