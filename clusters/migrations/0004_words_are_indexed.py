# ruff: noqa: S608 (the statements are put together from constants)
"""The words by which records are found: a view says them, a table of documents indexes them.

For each kind of record, here of clusters:

* the view `cluster_words` tells of each published record its document: `names`, then what belongs
  to it (`about`: places, portfolio, managers), then its texts;
* the table `cluster_document` is the index of those documents, on SQLite FTS5, beside it as
  `cluster_indexed` what is in it, on PostgreSQL tsvectors (`names`, `near`: names and about,
  `whole`);
* a row in clusters_change refreshes the document of its record, as the view tells it.

Both engines cut at whatever is no letter and no digit, without regard to case and accents; letters
that FTS5 does not know to have an accent are in `LETTERS`. On PostgreSQL the record is locked while
its document is made, so that of two transactions the later one sees what the other wrote;
`known_word` has every word that a document ever held, for suggestions.

A later migration that changes a column or, on SQLite, builds a table anew that a view names has to
drop the views before (`take_down`) and to create them again after it (`put_up`).
"""

from itertools import chain
from typing import Any, NamedTuple

from django.db import migrations
from django.utils import translation
from django_countries import countries

LETTERS = {
    **{"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"},
    **dict(zip("øØłŁđĐðÐıħĦ", "oollddddihh", strict=True)),
    **dict(zip("άέήίόύώϊϋΐΰςΆΈΉΊΌΎΏΪΫ", "αεηιουωιυιυσαεηιουωιυ", strict=True)),
}
# What PostgreSQL's parser would read as part of an address, a number or a compound word, or as a
# letter where the database's locale is C: all ASCII but letters and digits, and other signs.
SIGNS = r"[\x01-/:-@\[-`{-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u2000-\u206f]+"
# PostgreSQL has a limit of a megabyte to a document.
MOST_CHARACTERS = 100_000
# Words of this length are suggested.
SHORTEST_KNOWN, LONGEST_KNOWN = 4, 40
MOST_NESTED = 20
COLUMNS = ("names", "about", "texts")


class Words(NamedTuple):
    """What documents of a kind are made of: expressions of SQL about a `record`."""

    kind: str
    table: str
    names: tuple[str, ...]
    about: tuple[str, ...]
    texts: tuple[str, ...]


def each(column: str, rows: str) -> str:
    """The column of several rows as one text; AGGREGATE stands for the engine's function."""
    return f"(SELECT AGGREGATE(word, ' ') FROM (SELECT {column} AS word FROM {rows}) AS found)"


PLACE = (
    "record.town",
    "(SELECT name || ' ' || other_names FROM clusters_region WHERE id = record.region_id)",
    "(SELECT words FROM country_word WHERE code = record.country)",
)
MANAGERS = (
    "clusters_management AS management JOIN clusters_organisation AS manager "
    "ON manager.id = management.organisation_id AND manager.is_published"
)

CLUSTERS = Words(
    kind="cluster",
    table="clusters_cluster",
    names=(
        "record.name",
        each("name", "clusters_clustername WHERE cluster_id = record.id ORDER BY id"),
    ),
    about=(
        *PLACE,
        "(SELECT name_en || ' ' || name_it FROM clusters_portfolio WHERE id = record.portfolio_id)",
        each(
            "manager.name",
            f"{MANAGERS} WHERE management.cluster_id = record.id ORDER BY management.id",
        ),
        each(
            "former.name",
            f"{MANAGERS} JOIN clusters_organisationname AS former "
            "ON former.organisation_id = manager.id "
            "WHERE management.cluster_id = record.id ORDER BY management.id, former.id",
        ),
    ),
    texts=(
        each(
            "tagline || ' ' || description",
            "clusters_clustertext WHERE cluster_id = record.id ORDER BY id",
        ),
    ),
)
ORGANISATIONS = Words(
    kind="organisation",
    table="clusters_organisation",
    names=(
        "record.name",
        each("name", "clusters_organisationname WHERE organisation_id = record.id ORDER BY id"),
    ),
    about=PLACE,
    texts=(),
)
PROGRAMMES = Words(
    kind="programme",
    table="clusters_programme",
    names=("record.name_en", "record.name_it"),
    about=PLACE[1:],
    texts=("record.description_en", "record.description_it"),
)


def in_one(parts: tuple[str, ...]) -> str:
    text = " || ' ' || ".join(f"coalesce({part}, '')" for part in parts) or "''"
    return f"substr({text}, 1, {MOST_CHARACTERS})"


def folded_on_sqlite(column: str) -> str:
    """Letter by letter, in steps, as the parser bears no deep nesting; ASCII stays as it is."""
    letters, source = list(LETTERS.items()), column
    for start in range(0, len(letters), MOST_NESTED):
        text = "text"
        for letter, plain in letters[start : start + MOST_NESTED]:
            text = f"replace({text}, '{letter}', '{plain}')"
        source = f"(SELECT {text} FROM (SELECT {source} AS text))"
    is_ascii = f"length({column}) = length(CAST({column} AS BLOB))"
    return f"CASE WHEN {is_ascii} THEN {column} ELSE {source} END"


def on_sqlite(words: Words) -> dict[str, str]:
    """What is created for a kind, by its name."""
    kind = words.kind
    columns = ", ".join(COLUMNS)
    told = ", ".join(f"{in_one(getattr(words, name))} AS {name}" for name in COLUMNS)
    indexed = f"INSERT INTO {kind}_document (rowid, {columns})"
    forgotten = f"INSERT INTO {kind}_document ({kind}_document, rowid, {columns})"
    new, old = (
        ", ".join(folded_on_sqlite(f"{row}.{name}") for name in COLUMNS) for row in ("NEW", "OLD")
    )
    index, forget = (
        f"{indexed} VALUES (NEW.key, {new})",
        f"{forgotten} VALUES ('delete', OLD.key, {old})",
    )
    return {
        f"VIEW {kind}_words": f"""
            CREATE VIEW {kind}_words AS SELECT record.id AS key, {told}
            FROM {words.table} AS record WHERE record.is_published
        """.replace("AGGREGATE", "group_concat"),
        f"TABLE {kind}_document": f"""
            CREATE VIRTUAL TABLE {kind}_document USING fts5({columns}, content='',
            prefix='1 2 3', tokenize='unicode61 remove_diacritics 2')
        """,
        f"TABLE {kind}_vocabulary": f"""
            CREATE VIRTUAL TABLE {kind}_vocabulary USING fts5vocab({kind}_document, row)
        """,
        f"TABLE {kind}_indexed": f"""
            CREATE TABLE {kind}_indexed (key integer PRIMARY KEY,
              names text NOT NULL, about text NOT NULL, texts text NOT NULL)
        """,
        f"TRIGGER {kind}_is_indexed": f"""
            CREATE TRIGGER {kind}_is_indexed AFTER INSERT ON {kind}_indexed BEGIN {index}; END
        """,
        f"TRIGGER {kind}_is_indexed_anew": f"""
            CREATE TRIGGER {kind}_is_indexed_anew AFTER UPDATE ON {kind}_indexed
            BEGIN {forget}; {index}; END
        """,
        f"TRIGGER {kind}_is_not_indexed": f"""
            CREATE TRIGGER {kind}_is_not_indexed AFTER DELETE ON {kind}_indexed BEGIN {forget}; END
        """,
        f"TRIGGER {kind}_document_is_refreshed": f"""
            CREATE TRIGGER {kind}_document_is_refreshed AFTER INSERT ON clusters_change
            WHEN NEW.has_words AND NEW.kind = '{kind}' BEGIN
              DELETE FROM {kind}_indexed WHERE key = NEW.key AND NOT EXISTS (
                SELECT 1 FROM {words.table} WHERE id = NEW.key AND is_published);
              INSERT INTO {kind}_indexed SELECT key, {columns} FROM {kind}_words
              WHERE key = NEW.key ON CONFLICT (key) DO UPDATE
              SET names = excluded.names, about = excluded.about, texts = excluded.texts
              WHERE names <> excluded.names OR about <> excluded.about OR texts <> excluded.texts;
            END
        """,
    }


def on_postgresql(words: Words) -> dict[str, str]:
    """What is created for a kind, by its name."""
    kind = words.kind
    columns = ", ".join(
        f"to_tsvector('simple', folded_words({in_one(getattr(words, name))})) AS {name}"
        for name in COLUMNS
    )
    # The bar is no word: phrases do not reach over it. OFFSET keeps each column from being made
    # as often as it is named.
    bar = "|| $bar$'|':1$bar$::tsvector ||"
    return {
        f"VIEW {kind}_words": f"""
            CREATE VIEW {kind}_words AS SELECT record.id AS key, told.names,
              told.names {bar} told.about AS near,
              told.names {bar} told.about {bar} told.texts AS whole
            FROM {words.table} AS record CROSS JOIN LATERAL (SELECT {columns} OFFSET 0) AS told
            WHERE record.is_published
        """.replace("AGGREGATE", "string_agg"),
        f"TABLE {kind}_document": f"""
            CREATE TABLE {kind}_document (key bigint PRIMARY KEY,
              names tsvector NOT NULL, near tsvector NOT NULL, whole tsvector NOT NULL);
            CREATE INDEX {kind}_document_words ON {kind}_document USING gin (whole)
        """,
        f"FUNCTION {kind}_document_is_refreshed": f"""
            CREATE FUNCTION {kind}_document_is_refreshed() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE keys bigint[];
            BEGIN
              SELECT array_agg(DISTINCT new_rows.key) INTO keys FROM new_rows
                WHERE new_rows.has_words AND new_rows.kind = '{kind}';
              IF keys IS NULL THEN RETURN NULL; END IF;
              PERFORM 1 FROM {words.table} WHERE id = ANY(keys) ORDER BY id FOR NO KEY UPDATE;
              DELETE FROM {kind}_document WHERE key = ANY(keys) AND NOT EXISTS (
                SELECT 1 FROM {words.table} AS record
                WHERE record.id = {kind}_document.key AND record.is_published);
              WITH written AS (
                INSERT INTO {kind}_document AS document (key, names, near, whole)
                SELECT key, names, near, whole FROM {kind}_words WHERE key = ANY(keys)
                ON CONFLICT (key) DO UPDATE
                SET names = excluded.names, near = excluded.near, whole = excluded.whole
                WHERE document.whole IS DISTINCT FROM excluded.whole
                RETURNING whole)
              INSERT INTO known_word (kind, word) SELECT DISTINCT '{kind}', held.word
                FROM written, unnest(tsvector_to_array(written.whole)) AS held (word)
                WHERE length(held.word) BETWEEN {SHORTEST_KNOWN} AND {LONGEST_KNOWN}
                AND NOT EXISTS (SELECT 1 FROM known_word AS known
                  WHERE known.kind = '{kind}' AND known.word = held.word);
              RETURN NULL;
            END $$;
            CREATE TRIGGER {kind}_document_is_refreshed AFTER INSERT ON clusters_change
            REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION {kind}_document_is_refreshed()
        """,
        f"FUNCTION {kind}_documents_are_emptied": f"""
            CREATE FUNCTION {kind}_documents_are_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN DELETE FROM {kind}_document; RETURN NULL; END $$;
            CREATE TRIGGER {kind}_documents_are_emptied AFTER TRUNCATE ON {words.table}
            FOR EACH STATEMENT EXECUTE FUNCTION {kind}_documents_are_emptied()
        """,
    }


def for_all_kinds() -> dict[str, str]:
    """What PostgreSQL needs beside the documents of any kind."""
    one_letter = {letter: plain for letter, plain in LETTERS.items() if len(plain) == 1}
    before, after = "".join(one_letter), "".join(one_letter.values())
    return {
        "EXTENSION unaccent": "CREATE EXTENSION IF NOT EXISTS unaccent",
        "EXTENSION pg_trgm": "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        # The costly half is for what is not ASCII after the first.
        "FUNCTION folded_words": f"""
            CREATE FUNCTION folded_words(text) RETURNS text LANGUAGE sql STABLE AS $$
            SELECT regexp_replace(
              CASE WHEN octet_length(plain) = length(plain) THEN plain
              ELSE translate(lower(unaccent(normalize(plain, NFC))), '{before}', '{after}') END,
              '{SIGNS}', ' ', 'g')
            FROM (SELECT lower(unaccent($1)) AS plain OFFSET 0) AS folded $$
        """,
        "FUNCTION beginning_with": """
            CREATE FUNCTION beginning_with(text) RETURNS tsquery LANGUAGE sql STABLE AS $$
            SELECT coalesce(
              nullif(phraseto_tsquery('simple', folded_words($1))::text, '') || ':*', ''
            )::tsquery $$
        """,
        "TABLE known_word": """
            CREATE TABLE known_word (kind text NOT NULL, word text NOT NULL);
            CREATE INDEX known_word_begins ON known_word (kind, word text_pattern_ops);
            CREATE INDEX known_word_is_like ON known_word USING gin (word gin_trgm_ops)
        """,
    }


def put_up(kinds: tuple[Words, ...], schema_editor: Any) -> None:
    """Create the documents of these kinds and what keeps them, and fill them."""
    on = on_sqlite if schema_editor.connection.vendor == "sqlite" else on_postgresql
    for words in kinds:
        for statement in on(words).values():
            schema_editor.execute(statement, params=None)
        schema_editor.execute(
            f"INSERT INTO clusters_change (kind, key) SELECT '{words.kind}', id FROM {words.table}"
        )


def take_down(kinds: tuple[Words, ...], schema_editor: Any) -> None:
    on = on_sqlite if schema_editor.connection.vendor == "sqlite" else on_postgresql
    for name in reversed([*chain.from_iterable(on(words) for words in kinds)]):
        schema_editor.execute(f"DROP {name}" + " CASCADE" * name.startswith("FUNCTION"))


def name_countries(schema_editor: Any) -> None:
    """The names of all countries in both languages, to be found by."""
    schema_editor.execute("CREATE TABLE country_word (code varchar(2) PRIMARY KEY, words text)")
    names: dict[str, list[str]] = {}
    for language in ("en", "it"):
        with translation.override(language):
            for code, name in countries:
                names.setdefault(code, []).append(str(name))
    for code, found in names.items():
        schema_editor.execute("INSERT INTO country_word VALUES (%s, %s)", [code, " ".join(found)])


KINDS = (CLUSTERS, ORGANISATIONS, PROGRAMMES)


def forwards(apps: Any, schema_editor: Any) -> None:
    name_countries(schema_editor)
    if schema_editor.connection.vendor == "postgresql":
        for statement in for_all_kinds().values():
            schema_editor.execute(statement, params=None)
    put_up(KINDS, schema_editor)


def backwards(apps: Any, schema_editor: Any) -> None:
    take_down(KINDS, schema_editor)
    if schema_editor.connection.vendor == "postgresql":
        for name in reversed([*for_all_kinds()]):
            schema_editor.execute(f"DROP {name}" + "(text)" * name.startswith("FUNCTION"))
    schema_editor.execute("DROP TABLE country_word")


class Migration(migrations.Migration):
    dependencies = [("clusters", "0003_changes_are_told")]
    operations = [migrations.RunPython(forwards, backwards)]
