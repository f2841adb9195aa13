"""Which rows of a table may be there already: by likeness of name, web domain, VAT number.

Pure: no ORM, no clock, no settings. Comparing one name with 100,000 takes some milliseconds.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from anyascii import anyascii
from rapidfuzz import fuzz, process

LEAST_LIKENESS = 88
MOST_ALIKE = 3
# Names whose lengths differ more are not that much alike.
SHORTEST, LONGEST = LEAST_LIKENESS / (200 - LEAST_LIKENESS), (200 - LEAST_LIKENESS) / LEAST_LIKENESS

# Sites on which many have a page of their own.
SHARED_DOMAINS = frozenset(
    {"facebook.com", "linkedin.com", "sites.google.com", "clustercollaboration.eu", "github.io"}
)


class Reason(StrEnum):
    NAME = "name"
    DOMAIN = "domain"
    VAT_NUMBER = "vat_number"


@dataclass(frozen=True)
class Entry:
    """What a row is recognised by. `key` is whatever the caller knows the row by."""

    key: int
    names: tuple[str, ...]
    website: str = ""
    vat_number: str = ""


@dataclass(frozen=True)
class Likeness:
    key: int
    reason: Reason


class Register:
    """Entries to compare others with."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.names: dict[int, dict[tuple[int, int], str]] = defaultdict(dict)
        self.domains: dict[str, list[int]] = defaultdict(list)
        self.vat_numbers: dict[str, list[int]] = defaultdict(list)
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        for number, name in enumerate(entry.names):
            text = folded(name)
            if text:
                self.names[len(text)][entry.key, number] = text
        if domain := domain_of(entry.website):
            self.domains[domain].append(entry.key)
        if digits := digits_of(entry.vat_number):
            self.vat_numbers[digits].append(entry.key)

    def alike(self, entry: Entry) -> Iterator[Likeness]:
        """Each other entry once, at most `MOST_ALIKE` for each reason."""
        told = {entry.key}
        for reason, keys in (
            (Reason.VAT_NUMBER, self.vat_numbers.get(digits_of(entry.vat_number), [])),
            (Reason.NAME, self.named_alike(entry)),
            (Reason.DOMAIN, self.domains.get(domain_of(entry.website), [])),
        ):
            found = list(dict.fromkeys(key for key in keys if key not in told))[:MOST_ALIKE]
            told |= {*found}
            yield from (Likeness(key, reason) for key in found)

    def named_alike(self, entry: Entry) -> list[int]:
        found: list[tuple[float, int]] = []
        for text in filter(None, map(folded, entry.names)):
            for length in range(int(len(text) * SHORTEST), int(len(text) * LONGEST) + 2):
                matches = process.extract(
                    text,
                    self.names.get(length, {}),
                    scorer=fuzz.ratio,
                    score_cutoff=LEAST_LIKENESS,
                    limit=MOST_ALIKE + 1,  # one of them may be the entry itself
                )
                found += [(score, key) for _name, score, (key, _number) in matches]
        return [key for _score, key in sorted(found, reverse=True)]


def folded(name: str) -> str:
    """The words without accents, case and order."""
    return " ".join(sorted(re.findall(r"[a-z0-9]+", anyascii(name).casefold())))


def domain_of(website: str) -> str:
    try:
        host = urlsplit(website).hostname or ""
    except ValueError:
        return ""
    domain = host.removeprefix("www.")
    return "" if domain in SHARED_DOMAINS else domain


def digits_of(vat_number: str) -> str:
    """With letters, without the country, spaces and stops: it may be written in many ways."""
    compact = re.sub(r"[^0-9A-Z]", "", vat_number.upper())
    return re.sub(r"^[A-Z]{2}", "", compact)
