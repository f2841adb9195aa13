"""The tables of the documents by which records are found; see clusters/triggers/documents.py."""

from typing import Any

from django.db import migrations
from django.utils import translation
from django_countries import countries

KINDS = ("cluster", "organisation", "programme")

SQLITE = """
CREATE VIRTUAL TABLE IF NOT EXISTS {kind}_document USING fts5(names, about, texts, content='',
  prefix='1 2 3', tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE IF NOT EXISTS {kind}_vocabulary USING fts5vocab({kind}_document, row);
CREATE TABLE IF NOT EXISTS {kind}_indexed (key integer PRIMARY KEY,
  names text NOT NULL, about text NOT NULL, texts text NOT NULL)
"""
POSTGRESQL = """
CREATE TABLE IF NOT EXISTS {kind}_document (key bigint PRIMARY KEY,
  names tsvector NOT NULL, near tsvector NOT NULL, whole tsvector NOT NULL);
CREATE INDEX IF NOT EXISTS {kind}_document_words ON {kind}_document USING gin (whole)
"""
# For documents of any kind. A change has the number of its transaction.
SHARED_POSTGRESQL = """
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE IF NOT EXISTS known_word (kind text NOT NULL, word text NOT NULL);
CREATE INDEX IF NOT EXISTS known_word_begins ON known_word (kind, word text_pattern_ops);
CREATE INDEX IF NOT EXISTS known_word_is_like ON known_word USING gin (word gin_trgm_ops);
ALTER TABLE clusters_change ADD COLUMN IF NOT EXISTS xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX IF NOT EXISTS change_by_transaction ON clusters_change (xid)
"""


def create_documents(schema_editor: Any, kinds: tuple[str, ...]) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for kind in kinds:
        run(schema_editor, (SQLITE if is_sqlite else POSTGRESQL).format(kind=kind))


def drop_documents(schema_editor: Any, kinds: tuple[str, ...]) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for kind in kinds:
        for table in ("indexed", "vocabulary", "document") if is_sqlite else ("document",):
            schema_editor.execute(f"DROP TABLE {kind}_{table}")


def run(schema_editor: Any, statements: str) -> None:
    for statement in statements.split(";"):
        schema_editor.execute(statement, params=None)


def name_countries(schema_editor: Any) -> None:
    """The names of all countries in both languages, to be found by."""
    names: dict[str, list[str]] = {}
    for language in ("en", "it"):
        with translation.override(language):
            for code, name in countries:
                names.setdefault(code, []).append(str(name))
    insert = "INSERT INTO country_word VALUES (%s, %s) ON CONFLICT (code) DO NOTHING"
    schema_editor.execute(
        "CREATE TABLE IF NOT EXISTS country_word (code varchar(2) PRIMARY KEY, words text)"
    )
    for code, found in names.items():
        schema_editor.execute(insert, [code, " ".join(found)])


def forwards(apps: Any, schema_editor: Any) -> None:
    name_countries(schema_editor)
    if schema_editor.connection.vendor == "postgresql":
        run(schema_editor, SHARED_POSTGRESQL)
    create_documents(schema_editor, KINDS)


def backwards(apps: Any, schema_editor: Any) -> None:
    drop_documents(schema_editor, KINDS)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE clusters_change DROP COLUMN xid")
        for name in ("TABLE known_word", "EXTENSION pg_trgm", "EXTENSION unaccent"):
            schema_editor.execute(f"DROP {name}")
    schema_editor.execute("DROP TABLE country_word")


class Migration(migrations.Migration):
    dependencies = [("clusters", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
