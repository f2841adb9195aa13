# ruff: noqa: S608 (the statements are put together from constants)
"""Finding records by words, on either engine, in the documents of clusters/triggers/documents.py.

Words are cut at whatever is no letter and no digit, and compared without case and accents. Each
has to begin a word of the record; what stands in quotes has to be there as it stands. Two words
that follow each other may be one in the record, and all of them, too: "bio pmed" finds bioPmed.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from django.db import connection, transaction
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from rapidfuzz.distance import OSA

from clusters.names import plain_letter, without_invisible

# What FTS5 takes for letters of their own, or for the end of a word.
LETTERS = {
    letter: plain_letter(letter)
    for letter in (
        *"ßẞæÆœŒþÞøØłŁđĐðÐıİħĦ",
        *"άέήίόύώϊϋΐΰςΆΈΉΊΌΎΏΪΫ",
        *"йёїўЙЁЇЎ",
        *"\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff",
    )
}
PLAIN = str.maketrans(LETTERS)
QUOTED = re.compile(r'"([^"]*)"?|“([^”“]*)”?|«([^»«]*)»?|([^\s"“«]+)')
RUN = re.compile(r"[^\W_]+")
# A word with fewer letters has too many neighbours; up to this many letters one mistake is
# forgiven, then two.
SHORTEST_MENDED, SHORT = 4, 5
# Each is compared with thousands.
MOST_MENDED = 3
KINDS = ("cluster", "organisation", "programme", "announcement")


class Term(NamedTuple):
    """Words that follow each other; the last may go on, unless they stood in quotes."""

    words: tuple[str, ...]
    is_exact: bool


def terms_of(text: str) -> list[Term]:
    found = []
    for match in QUOTED.finditer(unicodedata.normalize("NFC", without_invisible(text))):
        words = tuple(RUN.findall(match[match.lastindex or 0]))
        if words:
            found.append(Term(words, is_exact=match.lastindex != 4))
    return found


def ways_to_write(terms: Sequence[Term]) -> list[list[Term]]:
    """The terms, folded too, with two neighbours as one word, with all of them as one word."""
    folded = [
        term._replace(words=tuple(RUN.findall(fold_text(" ".join(term.words))))) for term in terms
    ]
    ways = [list(terms), folded]
    for place, term in enumerate(folded):
        if term.is_exact:
            continue
        if len(term.words) > 1:
            ways.append([*folded[:place], as_one_word([term]), *folded[place + 1 :]])
        pair = folded[place : place + 2]
        if len(pair) == 2 and not pair[1].is_exact:
            ways.append([*folded[:place], as_one_word(pair), *folded[place + 2 :]])
    if len(folded) > 2 and not any(term.is_exact for term in folded):
        ways.append([as_one_word(folded)])
    different = {tuple(way): way for way in ways if all(term.words for term in way)}
    return list(different.values())


def as_one_word(terms: Iterable[Term]) -> Term:
    return Term(("".join(word for term in terms for word in term.words),), is_exact=False)


def clusters_matching(text: str) -> list[tuple[int, int]]:
    """Keys of the public clusters with all words, and where those are.

    0: all in names, 1: in names, places, portfolio and managers, 2: the texts are needed.
    One statement; no words, no clusters.
    """
    return list(matching("cluster", text))


def tiers_of_clusters(text: str) -> Sequence[Sequence[int]]:
    # The same keys by tier; those of a tier may be told again in the next. For any number.
    return tiers_matching("cluster", text)


def records_matching(kind: str, text: str, limit: int) -> list[int]:
    """Keys of published records of a kind (of `KINDS`), those with the words in names first.

    Announcements that wait for their moment are among them.
    """
    found = sorted(matching(kind, text), key=lambda row: (row[1], row[0]))
    return [key for key, _tier in found[:limit]]


def matching(kind: str, text: str) -> Iterator[tuple[int, int]]:
    tiers = tiers_matching(kind, text)
    least = {key: tier for tier in reversed(range(len(tiers))) for key in tiers[tier]}
    yield from sorted(least.items())


def tiers_matching(kind: str, text: str) -> list[list[int]]:
    # The keys travel as one value for each tier: a row for each costs three times as much.
    found: list[list[int]] = [[], [], []]
    terms = terms_of(text)
    if terms:
        statement, values = on_sqlite(kind, terms) if is_sqlite() else on_postgresql(kind, terms)
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            for tier, keys in cursor.fetchall():
                found[tier] = [int(key) for key in keys.split(",")] if keys else []
    return found


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def on_sqlite(kind: str, terms: Sequence[Term]) -> tuple[str, list[str]]:
    # What the names have is in what is near, too, and that in the whole.
    ways = (
        " AND ".join(f'"{" ".join(term.words)}"{"" if term.is_exact else " *"}' for term in way)
        for way in ways_to_write(terms)
    )
    asked = " OR ".join(f"({way})" for way in ways).translate(PLAIN)
    table = f"{kind}_document"
    tiers = (f"{{names}} : ({asked})", f"{{names about}} : ({asked})", asked)
    statement = " UNION ALL ".join(
        f"SELECT {tier}, group_concat(rowid) FROM {table} WHERE {table} MATCH %s"
        for tier in range(len(tiers))
    )
    return statement, list(tiers)


def on_postgresql(kind: str, terms: Sequence[Term]) -> tuple[str, list[str]]:
    exact, beginning = "phraseto_tsquery('simple', folded_words(%s))", "beginning_with(%s)"
    ways = ways_to_write(terms)
    asked = " || ".join(
        f"({' && '.join(exact if term.is_exact else beginning for term in way)})" for way in ways
    )
    values = [" ".join(term.words) for way in ways for term in way]
    statement = f"""
        SELECT tier, string_agg(key::text, ',') FROM (
          SELECT key, CASE WHEN names @@ asked THEN 0 WHEN near @@ asked THEN 1 ELSE 2 END AS tier
          FROM {kind}_document, (SELECT {asked} AS asked) AS question
          WHERE whole @@ asked) AS found
        GROUP BY tier
    """
    return statement, values


def nearest(text: str) -> str:
    """The text with each word that no cluster has replaced by the nearest that one has.

    "" where every word is known, too many are not, or one has no word near it.
    """
    terms = terms_of(text)
    words = [word for term in terms for word in term.words]
    unknown = {word for word in words if not is_known(word)}
    if len(unknown) > MOST_MENDED:
        return ""
    mended = {word: nearest_word(fold_text(word)) if word in unknown else word for word in words}
    if not all(mended.values()) or all(word == new for word, new in mended.items()):
        return ""
    return " ".join(
        f'"{new}"' if term.is_exact else new
        for term in terms
        for new in [" ".join(mended[word] for word in term.words)]
    )


def is_known(word: str) -> bool:
    return any(matching("cluster", word))


def nearest_word(word: str) -> str:
    # A known word with the fewest mistakes between; "" if none. Of several one as long as the word,
    # as letters are swapped more often than left out; then by the alphabet.
    if len(word) < SHORTEST_MENDED:
        return ""
    most = 1 if len(word) <= SHORT else 2
    found = []
    for other in words_like(word):
        mistakes = OSA.distance(word, other, score_cutoff=most)
        if mistakes <= most:
            found.append((mistakes, abs(len(other) - len(word)), other))
    return next((other for *_distance, other in sorted(found) if is_known(other)), "")


def words_like(word: str) -> list[str]:
    # Words of documents to compare: by their beginning, which has seldom a mistake. On PostgreSQL
    # also those of which a third of the letters' triples agree.
    first, second = word[0], word[1]
    with connection.cursor() as cursor:
        if is_sqlite():
            # Not by OR, which takes terms of this table for the same.
            begins = [(letter, chr(ord(letter) + 1)) for letter in {first, second}]
            terms = "SELECT term FROM cluster_vocabulary WHERE term >= %s AND term < %s"
            statement = " UNION ALL ".join(terms for _begin in begins)
            cursor.execute(statement, [bound for begin in begins for bound in begin])
        else:
            cursor.execute(
                "SELECT DISTINCT word FROM known_word WHERE kind = 'cluster' "
                "AND (word LIKE %s OR word LIKE %s OR word %% %s) "
                "AND length(word) BETWEEN %s AND %s",
                [f"{first}%", f"{second}%", word, len(word) - 2, len(word) + 2],
            )
        return [other for (other,) in cursor.fetchall()]


def fold_text(text: str) -> str:
    return "".join(map(plain_letter, text))


def highlight(text: str, words: str) -> SafeString:
    # The text as HTML with <mark> around what the words found.
    pattern = pattern_of(words)
    if pattern is None:
        return escape(text)
    letters = [plain_letter(letter) for letter in text]
    # Where each letter of the folded text came from.
    places = [place for place, plain in enumerate(letters) for _letter in plain]
    places.append(len(text))
    pieces, end = [], 0
    for match in pattern.finditer("".join(letters)):
        start, stop = places[match.start()], places[match.end() - 1] + 1
        pieces += [escape(text[end:start]), f"<mark>{escape(text[start:stop])}</mark>"]
        end = stop
    pieces.append(escape(text[end:]))
    # Each piece was escaped above; the rest is the portal's own.
    return mark_safe("".join(pieces))


@lru_cache(maxsize=1000)
def pattern_of(words: str) -> re.Pattern[str] | None:
    # What begins a word, and whole words for those in quotes; the longest first.
    found = set()
    for term in (term for way in ways_to_write(terms_of(words)) for term in way):
        *whole, last = map(fold_text, term.words)
        found |= {rf"{word}\b" for word in whole}
        found.add(rf"{last}\b" if term.is_exact else last)
    if not found:
        return None
    return re.compile(rf"\b(?:{'|'.join(sorted(found, key=len, reverse=True))})")


def documents_that_differ() -> list[tuple[str, int]]:
    # Kind and key of records whose document is not what the view of the kind tells.
    table, columns = ("indexed", "about, texts") if is_sqlite() else ("document", "near, whole")
    found = []
    for kind in KINDS:
        told = f"SELECT key, names, {columns} FROM {kind}_words"
        held = f"SELECT key, names, {columns} FROM {kind}_{table}"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT key FROM ({told} EXCEPT {held}) AS lacking "
                f"UNION SELECT key FROM ({held} EXCEPT {told}) AS stale ORDER BY 1"
            )
            found += [(kind, key) for (key,) in cursor.fetchall()]
    return found


@transaction.atomic
def rebuild_documents() -> int:
    # Every record is told to have changed; the number of documents there are then.
    number = 0
    with connection.cursor() as cursor:
        for kind in KINDS:
            if is_sqlite():
                cursor.execute(f"DELETE FROM {kind}_indexed")
                cursor.execute(
                    f"INSERT INTO {kind}_document ({kind}_document) VALUES ('delete-all')"
                )
            else:
                cursor.execute(f"DELETE FROM {kind}_document")
            cursor.execute(
                f"INSERT INTO clusters_change (kind, key) SELECT '{kind}', key FROM {kind}_words"
            )
            cursor.execute(f"SELECT count(*) FROM {kind}_words")
            number += cursor.fetchone()[0]
    return number
