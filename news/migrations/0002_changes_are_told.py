"""Each change of announcements is told; see the migration of the same name in clusters."""

from importlib import import_module
from typing import Any

from django.db import migrations

told_in = import_module("clusters.migrations.0003_changes_are_told")

Tells = told_in.Tells


def of_announcement(column: str) -> list[Any]:
    """The announcement whose key the column holds, and its clusters."""
    return [
        Tells("announcement", column),
        Tells(
            "cluster", column, "news_announcement_clusters", "cluster_id", "announcement_id"
        ).without_words(),
    ]


OF_ANNOUNCEMENT = Tells("announcement", "announcement_id").without_words()

TOLD = {
    "news_announcement": of_announcement("id"),
    "news_announcementtext": of_announcement("announcement_id"),
    "news_announcement_clusters": [OF_ANNOUNCEMENT, told_in.OF_CLUSTER.without_words()],
    "news_announcement_organisations": [OF_ANNOUNCEMENT],
    "news_announcement_labels": [OF_ANNOUNCEMENT],
    "news_announcement_programmes": [OF_ANNOUNCEMENT],
    "news_announcement_statements": [OF_ANNOUNCEMENT],
}


def forwards(apps: Any, schema_editor: Any) -> None:
    told_in.tell(TOLD, schema_editor)


def backwards(apps: Any, schema_editor: Any) -> None:
    told_in.keep_silent(TOLD, schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0003_changes_are_told"),
        ("news", "0001_initial"),
    ]
    operations = [migrations.RunPython(forwards, backwards)]
