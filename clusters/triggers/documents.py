# ruff: noqa: S608 (the statements are put together from constants)
"""The documents by which records are found: views make them, triggers keep them.

For each kind of record, here of clusters:

* the view `cluster_words` makes of each published record its document: `names`, then what belongs
  to it (`about`: places, portfolio, managers), then its texts;
* the table `cluster_document` (of a migration) is the index of those documents, on SQLite FTS5,
  beside it as `cluster_indexed` what is in it, on PostgreSQL tsvectors (`names`, `near`: names and
  about, `whole`);
* a row in clusters_change refreshes the document of its record from the view.

Both engines cut at whatever is no letter and no digit, without regard to case and accents; letters
that FTS5 does not know to have an accent are in `fulltext.LETTERS`. On PostgreSQL the record is
locked while its document is made, so that of two transactions the later one sees what the other
wrote; `known_word` has every word that a document ever held, for suggestions.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from clusters.fulltext import LETTERS
from clusters.names import SIGNS as NAME_SIGNS
from clusters.names import plain_letter
from clusters.triggers.definitions import Definition, Row, postgresql_trigger, sqlite_trigger

# What PostgreSQL's parser would read as part of an address, a number or a compound word, or as a
# letter where the database's locale is C: all ASCII but letters and digits, and other signs.
SIGNS = r"[\x01-/:-@\[-`{-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u2000-\u206f]+"
# PostgreSQL has a limit of a megabyte to a document.
MAX_CHARACTERS = 100_000
# Words of this length are suggested.
MIN_KNOWN_LENGTH, MAX_KNOWN_LENGTH = 4, 40
MAX_NESTED = 20
COLUMNS = ("names", "about", "texts")


def each(column: str, rows: str) -> str:
    # The column of several rows as one text; AGGREGATE stands for the engine's function.
    return f"(SELECT AGGREGATE(word, ' ') FROM (SELECT {column} AS word FROM {rows}) AS found)"


@dataclass(frozen=True)
class Documents(Row):
    """What documents of a kind are made of: expressions of SQL about a `record` of the table.

    Only records that are published have one.
    """

    kind: str
    table: str
    names: tuple[str, ...]
    about: tuple[str, ...]
    texts: tuple[str, ...]
    is_published: str = "record.is_published"

    def column(self, name: str) -> str:
        parts: tuple[str, ...] = getattr(self, name)
        text = " || ' ' || ".join(f"coalesce({part}, '')" for part in parts) or "''"
        return f"substr({text}, 1, {MAX_CHARACTERS})"

    def refresh(self, vendor: str) -> str:
        # Of records that are gone, too.
        documents = f"{self.kind}_{'indexed' if vendor == 'sqlite' else 'document'}"
        return (
            f"INSERT INTO clusters_change (kind, key) SELECT '{self.kind}', id FROM {self.table} "
            f"UNION SELECT '{self.kind}', key FROM {documents}"
        )

    def on_sqlite(self) -> Iterator[Definition]:
        kind, columns = self.kind, ", ".join(COLUMNS)
        shown = ", ".join(f"{self.column(name)} AS {name}" for name in COLUMNS)
        view = f"""CREATE VIEW {kind}_words AS SELECT record.id AS key, {shown}
            FROM {self.table} AS record WHERE {self.is_published}"""
        view = view.replace("AGGREGATE", "group_concat")
        yield Definition("VIEW", f"{kind}_words", view, view)

        new, old = (
            ", ".join(sqlite_folded(f"{row}.{name}") for name in COLUMNS) for row in ("NEW", "OLD")
        )
        index = f"INSERT INTO {kind}_document (rowid, {columns}) VALUES (NEW.key, {new})"
        forget = (
            f"INSERT INTO {kind}_document ({kind}_document, rowid, {columns}) "
            f"VALUES ('delete', OLD.key, {old})"
        )
        table = f"{kind}_indexed"
        yield sqlite_trigger(f"{kind}_is_indexed", f"AFTER INSERT ON {table}", index)
        yield sqlite_trigger(
            f"{kind}_is_indexed_anew", f"AFTER UPDATE ON {table}", f"{forget}; {index}"
        )
        yield sqlite_trigger(f"{kind}_is_not_indexed", f"AFTER DELETE ON {table}", forget)
        yield sqlite_trigger(
            f"{kind}_document_is_refreshed",
            "AFTER INSERT ON clusters_change",
            f"""
              DELETE FROM {table} WHERE key = NEW.key AND NOT EXISTS (
                SELECT 1 FROM {self.table} AS record
                WHERE record.id = NEW.key AND {self.is_published});
              INSERT INTO {table} SELECT key, {columns} FROM {kind}_words
              WHERE key = NEW.key ON CONFLICT (key) DO UPDATE
              SET names = excluded.names, about = excluded.about, texts = excluded.texts
              WHERE names <> excluded.names OR about <> excluded.about OR texts <> excluded.texts
            """,
            condition=f"NEW.has_words AND NEW.kind = '{kind}'",
        )

    def on_postgresql(self) -> Iterator[Definition]:
        kind = self.kind
        shown = ", ".join(
            f"to_tsvector('simple', folded_words({self.column(name)})) AS {name}"
            for name in COLUMNS
        )
        # The bar is no word: phrases do not reach over it. OFFSET keeps each column from being made
        # as often as it is named.
        bar = "|| $bar$'|':1$bar$::tsvector ||"
        view = f"""
            CREATE VIEW {kind}_words AS SELECT record.id AS key, made.names,
              made.names {bar} made.about AS near,
              made.names {bar} made.about {bar} made.texts AS whole
            FROM {self.table} AS record CROSS JOIN LATERAL (SELECT {shown} OFFSET 0) AS made
            WHERE {self.is_published}
        """.replace("AGGREGATE", "string_agg")
        # PostgreSQL stores a view in words of its own.
        digest = sha256(view.encode()).hexdigest()
        comment = f"COMMENT ON VIEW {kind}_words IS '{digest}'"
        yield Definition("VIEW", f"{kind}_words", f"{view}; {comment}", digest)

        yield postgresql_trigger(
            f"{kind}_document_is_refreshed",
            "AFTER INSERT ON clusters_change REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
            f"""
            DECLARE keys bigint[];
            BEGIN
              SELECT array_agg(DISTINCT new_rows.key) INTO keys FROM new_rows
                WHERE new_rows.has_words AND new_rows.kind = '{kind}';
              IF keys IS NULL THEN RETURN NULL; END IF;
              PERFORM 1 FROM {self.table} WHERE id = ANY(keys) ORDER BY id FOR NO KEY UPDATE;
              DELETE FROM {kind}_document WHERE key = ANY(keys) AND NOT EXISTS (
                SELECT 1 FROM {self.table} AS record
                WHERE record.id = {kind}_document.key AND {self.is_published});
              WITH written AS (
                INSERT INTO {kind}_document AS document (key, names, near, whole)
                SELECT key, names, near, whole FROM {kind}_words WHERE key = ANY(keys)
                ON CONFLICT (key) DO UPDATE
                SET names = excluded.names, near = excluded.near, whole = excluded.whole
                WHERE document.whole IS DISTINCT FROM excluded.whole
                RETURNING whole)
              INSERT INTO known_word (kind, word) SELECT DISTINCT '{kind}', held.word
                FROM written, unnest(tsvector_to_array(written.whole)) AS held (word)
                WHERE length(held.word) BETWEEN {MIN_KNOWN_LENGTH} AND {MAX_KNOWN_LENGTH}
                AND NOT EXISTS (SELECT 1 FROM known_word AS known
                  WHERE known.kind = '{kind}' AND known.word = held.word);
              RETURN NULL;
            END """,
        )
        yield postgresql_trigger(
            f"{kind}_documents_are_emptied",
            f"AFTER TRUNCATE ON {self.table} FOR EACH STATEMENT",
            f"BEGIN DELETE FROM {kind}_document; RETURN NULL; END",
        )


def sqlite_folded(column: str) -> str:
    # Letter by letter, in steps, as the parser bears no deep nesting; ASCII stays as it is.
    letters, steps = list(LETTERS.items()), [f"step0 (text) AS (SELECT {column})"]
    for start in range(0, len(letters), MAX_NESTED):
        text = "text"
        for letter, plain in letters[start : start + MAX_NESTED]:
            text = f"replace({text}, '{letter}', '{plain}')"
        steps.append(f"step{len(steps)} (text) AS (SELECT {text} FROM step{len(steps) - 1})")
    source = f"(WITH {', '.join(steps)} SELECT text FROM step{len(steps) - 1})"
    is_ascii = f"length({column}) = length(CAST({column} AS BLOB))"
    return f"CASE WHEN {is_ascii} THEN {column} ELSE {source} END"


class FoldingFunctions(Row):
    """What PostgreSQL needs for the documents of any kind."""

    def on_postgresql(self) -> Iterator[Definition]:
        yield sql_function("normal_name", "text", postgresql_normal_name())
        one_letter = {letter: plain for letter, plain in LETTERS.items() if len(plain) == 1}
        before, after = "".join(one_letter), "".join(one_letter.values())
        invisible = "".join(letter for letter, plain in LETTERS.items() if not plain)
        # The costly half is for what is not ASCII after the first.
        yield sql_function(
            "folded_words",
            "text",
            f"""
            SELECT regexp_replace(
              CASE WHEN octet_length(plain) = length(plain) THEN plain
              ELSE translate(lower(unaccent(normalize(plain, NFC))), '{before}', '{after}') END,
              '{SIGNS}', ' ', 'g')
            FROM (SELECT lower(unaccent(CASE WHEN octet_length($1) = length($1) THEN $1
              ELSE translate($1, '{invisible}', '') END)) AS plain OFFSET 0) AS folded """,
        )
        yield sql_function(
            "beginning_with",
            "tsquery",
            """
            SELECT coalesce(
              nullif(phraseto_tsquery('simple', folded_words($1))::text, '') || ':*', ''
            )::tsquery """,
        )


def sql_function(name: str, returns: str, body: str) -> Definition:
    create = f"CREATE FUNCTION {name}(text) RETURNS {returns} LANGUAGE sql STABLE AS $${body}$$"
    return Definition("FUNCTION", name, create, body)


def postgresql_normal_name() -> str:
    """The body of `clusters.names.normal_name` in SQL, for the characters of the first plane."""
    signs = "".join(NAME_SIGNS)
    letters: dict[str, str] = {}
    dropped: list[str] = []
    spaces: list[str] = []
    for letter in map(chr, (*range(1, 0xD800), *range(0xE000, 0x10000))):
        plain = plain_letter(letter)
        if plain == letter or unicodedata.normalize("NFKD", letter) != letter:
            continue
        if plain == " ":
            spaces.append(letter)
        elif plain:
            letters[letter] = plain
        else:
            dropped.append(letter)
    one_letter = {letter: plain for letter, plain in letters.items() if len(plain) == 1}
    lower = f"translate(plain, {quoted(one_letter)}, {quoted(one_letter.values())})"
    for letter, plain in letters.items():
        if len(plain) > 1:
            lower = f"replace({lower}, '{letter}', '{plain}')"
    spaced = f"btrim(regexp_replace(%s, {pattern(spaces)}, ' ', 'g'))"
    plain_ascii = """replace(lower($1 COLLATE "C"), '`', '''')"""
    # The signs first: of some the decomposition is a space. The costly half is for what is not
    # ASCII.
    return f"""
        SELECT CASE WHEN octet_length($1) = length($1) THEN {spaced % plain_ascii}
        ELSE (SELECT normalize({spaced % lower}, NFC) FROM (SELECT regexp_replace(
          normalize(translate($1, {quoted(signs)}, {quoted(NAME_SIGNS.values())}), NFKD),
          {pattern(dropped)}, '', 'g') AS plain OFFSET 0) AS folded) END """


def quoted(letters: Iterable[str]) -> str:
    return "'{}'".format("".join(letters).replace("'", "''"))


def pattern(letters: Sequence[str]) -> str:
    # Of one or more of the characters, as ranges, for a regular expression of PostgreSQL.
    ranges: list[list[int]] = []
    for number in map(ord, letters):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return "E'[{}]+'".format("".join(rf"\\u{a:04X}-\\u{b:04X}" for a, b in ranges))
