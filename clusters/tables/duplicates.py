"""Which rows of a table may be there already: by likeness of name, web domain, VAT number.

Pure: no ORM, no clock, no settings. Comparing one name with 100,000 takes some milliseconds.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from anyascii import anyascii

from clusters.names import normal_name
from clusters.tables.similar_names import similar_names

MIN_LIKENESS = 88
MAX_ALIKE = 3

# Sites on which many have a page of their own.
SHARED_DOMAINS = frozenset(
    {"facebook.com", "linkedin.com", "sites.google.com", "clustercollaboration.eu", "github.io"}
)


class DuplicateReason(StrEnum):
    NAME = "name"
    DOMAIN = "domain"
    VAT_NUMBER = "vat_number"


@dataclass(frozen=True)
class Identity:
    """What a row is recognised by. `key` is whatever the caller knows the row by."""

    key: int
    names: tuple[str, ...]
    website: str = ""
    vat_number: str = ""

    def texts(self) -> list[str]:
        return [text for name in self.names if (text := sorted_words(name))]


@dataclass(frozen=True)
class Duplicate:
    other: Identity
    reason: DuplicateReason


class DuplicateFinder:
    """Compares the lines of a table with stored rows and with each other."""

    def __init__(self, stored: Iterable[Identity], lines: Sequence[Identity]) -> None:
        entries = [*stored, *lines]
        # A line that changes a stored entry stands for it.
        self.places = {entry.key: place for place, entry in enumerate(entries)}
        self.named = [(text, entry) for entry in entries for text in entry.texts()]
        self.similar = similar_names(
            [text for entry in lines for text in entry.texts()],
            [text for text, _entry in self.named],
        )
        self.domains: dict[str, list[Identity]] = defaultdict(list)
        self.vat_numbers: dict[str, list[Identity]] = defaultdict(list)
        for entry in entries:
            self.domains[domain_of(entry.website)].append(entry)
            self.vat_numbers[digits_of(entry.vat_number)].append(entry)
        # Two rows without one are not alike by that.
        self.domains[""] = self.vat_numbers[""] = []

    def find_duplicates(self, line: Identity) -> Iterator[Duplicate]:
        """Each other entry once, at most `MAX_ALIKE` for each reason; no later line."""
        keys = {line.key}
        for reason, others in (
            (DuplicateReason.VAT_NUMBER, self.vat_numbers[digits_of(line.vat_number)]),
            (DuplicateReason.NAME, self.find_similar_names(line)),
            (DuplicateReason.DOMAIN, self.domains[domain_of(line.website)]),
        ):
            found = {
                other.key: other
                for other in others
                if other.key not in keys and self.places[other.key] < self.places[line.key]
            }
            keys |= {*found}
            yield from (Duplicate(other, reason) for other in [*found.values()][:MAX_ALIKE])

    def find_similar_names(self, line: Identity) -> list[Identity]:
        matches = [match for text in line.texts() for match in self.similar[text]]
        matches.sort(key=lambda match: -match[1])
        return [self.named[place][1] for place, likeness in matches if likeness >= MIN_LIKENESS]


def sorted_words(name: str) -> str:
    return " ".join(sorted(re.findall(r"[a-z0-9]+", anyascii(normal_name(name)).lower())))


def domain_of(website: str) -> str:
    try:
        host = urlsplit(website).hostname or ""
    except ValueError:
        return ""
    domain = host.removeprefix("www.")
    return "" if domain in SHARED_DOMAINS else domain


def digits_of(vat_number: str) -> str:
    # With letters, without the country, spaces and stops: it may be written in many ways.
    compact = re.sub(r"[^0-9A-Z]", "", vat_number.upper())
    return re.sub(r"^[A-Z]{2}", "", compact)
