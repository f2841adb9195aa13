"""What the words of a search say of levels, states, countries, sectors and a day."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache

from django.utils.dates import MONTHS
from django.utils.translation import override

from clusters.dates import PartialDate
from clusters.directory.index import Index, ReferenceTables
from clusters.directory.query import EVER
from clusters.http.links import names_in
from clusters.models.reference import languages
from clusters.names import normal_name
from clusters.seeds import DATA
from labels.validity import State

# What people write for levels and states beside their official names.
OTHER_LEVELS = {"gold": ("oro",), "silver": ("argento",), "bronze": ("bronzo",)}
STATES = {
    State.VALID: "valid|valido|valida|validi|valide|in force|in vigore",
    State.RENEWABLE: "renewable|rinnovabile|rinnovabili",
    State.EXPIRED: "expired|scaduto|scaduta|scaduti|scadute",
    State.SUSPENDED: "suspended|sospeso|sospesa|sospesi|sospese",
    State.REVOKED: "revoked|revocato|revocata|revocati|revocate",
}
# What belongs to a question and to no record, once something of it is understood.
FILLERS = (
    "a an and at by for from have has held hold holder holders holds in of on or that the to who "
    "with which today ever cluster clusters label labels level award awards awarded "
    "al alla che chi con da dal dalla dei del della delle di e ed gli ha hanno i il in l la le lo "
    "nel nella o oggi mai per quali su tra un una livello avuto ottenuto"
)
LONGEST = 8  # words of one name
FIRST_YEAR = 1990  # smaller numbers are none of labels
SIGNS = str.maketrans(dict.fromkeys(",;:?!()", " "))


def read_words(text: str, index: Index, today: date) -> list[tuple[str, str]]:
    """Parameters of the directory, with the words that are left as `q`.

    None where only words were understood, and for what stands in quotes.
    """
    if any(sign in text for sign in '"“”«»'):
        return []
    known = index.remember("words of filters", lambda: dict(filter_names(index.reference)))
    words, left = plain_words(text), []
    found: list[tuple[str, str]] = []
    while words:
        day, length = day_at(words, today)
        if day is not None:
            found.append(("on", day.isoformat()))
        else:
            parameter, length = longest_at(words, known)
            if parameter:
                found.append(parameter)
            else:
                left.append(words[0])
        words = words[length:]
    if not found:
        return []
    asked = {name for name, _value in found}
    if "level" in asked and not asked & {"state", "on"}:
        found.append(("held", EVER))
    fillers = FILLERS.split()
    rest = " ".join(word for word in left if word not in fillers)
    return [("q", rest), *found] if rest else found


def plain_words(text: str) -> list[str]:
    return normal_name(text.translate(SIGNS)).split()


def longest_at(
    words: Sequence[str], known: Mapping[str, tuple[str, str]]
) -> tuple[tuple[str, str] | None, int]:
    # The parameter that the first words name, and how many they are.
    for length in range(min(LONGEST, len(words)), 0, -1):
        if parameter := known.get(" ".join(words[:length])):
            return parameter, length
    return None, 1


def day_at(words: Sequence[str], today: date) -> tuple[date | None, int]:
    """The day that the first words name, and how many they are; of a year its last, or today."""
    lengths = (3, 2, 1) if len(words) > 2 else (2, 1) if len(words) > 1 else (1,)
    for length in lengths:
        text = date_named(words[:length])
        try:
            day = PartialDate.parse(text) if text else None
        except ValueError:
            continue
        if day is not None and day.year >= FIRST_YEAR and day.first_day <= today:
            return min(day.last_day, today), length
    return None, 1


def date_named(words: Sequence[str]) -> str:
    """“8 september 2015”, “september 2015”, “2015”, “2015 09 08” (signs are spaces) as a date."""
    named = [month_numbers().get(word, word.zfill(2)) for word in words]
    if not all(part.isascii() and part.isdigit() for part in named):
        return ""
    if len(named[0]) == 4:
        return "-".join(named)
    return "-".join(reversed(named)) if len(named[-1]) == 4 else ""


@cache
def month_numbers() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for language, _name in languages():
        with override(language):
            found |= {normal_name(str(name)): f"{number:02}" for number, name in MONTHS.items()}
    return found


def plain_name(name: str) -> str:
    return " ".join(plain_words(name))


def filter_names(reference: ReferenceTables) -> Iterator[tuple[str, tuple[str, str]]]:
    # In every language, as people write across them.
    for code, name in countries():
        yield plain_name(name), ("country", code)
    for portfolio in reference.portfolios:
        for name in (portfolio.name_en, portfolio.name_it, *portfolio.other_names.split("|")):
            yield plain_name(name), ("portfolio", portfolio.code)
    for state, names in STATES.items():
        for name in names.split("|"):
            yield plain_name(name), ("state", state.value)
    for level in reference.levels:
        for name in (level.code, level.name_en, level.name_it, *OTHER_LEVELS.get(level.code, ())):
            yield plain_name(name), ("level", level.code)


@cache
def countries() -> Sequence[tuple[str, str]]:
    found = [row for language, _name in languages() for row in names_in(language).items()]
    with (DATA / "country_adjectives.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found += [(row["country"], word) for word in row["words"].split("|")]
    return found
