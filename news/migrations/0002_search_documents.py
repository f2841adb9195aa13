"""The tables of the documents of announcements; see the migration of the same name in clusters."""

from importlib import import_module
from typing import Any

from django.db import migrations

documents = import_module("clusters.migrations.0002_search_documents")

KINDS = ("announcement",)


def forwards(apps: Any, schema_editor: Any) -> None:
    documents.create_documents(schema_editor, KINDS)


def backwards(apps: Any, schema_editor: Any) -> None:
    documents.drop_documents(schema_editor, KINDS)


class Migration(migrations.Migration):
    dependencies = [("clusters", "0002_search_documents"), ("news", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
