"""The words of announcements, also of those that wait for their moment; see the one in clusters."""

from importlib import import_module
from typing import Any

from django.db import migrations

indexed_in = import_module("clusters.migrations.0004_words_are_indexed")


def of_texts(columns: str) -> str:
    rows = "news_announcementtext WHERE announcement_id = record.id ORDER BY id"
    return str(indexed_in.each(columns, rows))


ANNOUNCEMENTS = indexed_in.Words(
    kind="announcement",
    table="news_announcement",
    names=(of_texts("title"),),
    about=(),
    texts=(of_texts("lead || ' ' || body || ' ' || box_title || ' ' || box"),),
)
KINDS = (ANNOUNCEMENTS,)


def forwards(apps: Any, schema_editor: Any) -> None:
    indexed_in.put_up(KINDS, schema_editor)


def backwards(apps: Any, schema_editor: Any) -> None:
    indexed_in.take_down(KINDS, schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0004_words_are_indexed"),
        ("news", "0002_changes_are_told"),
    ]
    operations = [migrations.RunPython(forwards, backwards)]
