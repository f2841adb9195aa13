"""The database has the triggers of the table after every migrate, and a check says where not."""

from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.core.management.sql import emit_pre_migrate_signal
from django.db import DatabaseError, connection, transaction
from django.db.migrations import Migration

from clusters import fulltext
from clusters.models import Change, Cluster, Event, Portfolio
from clusters.triggers.definitions import ROWS, Definition, definitions, stored
from tests.factories import make_announcement, make_cluster


def all_definitions() -> list[Definition]:
    return [one for label in ROWS for one in definitions(label, connection.vendor)]


def check() -> list[CheckMessage]:
    return [
        message
        for message in run_checks(databases=["default"], tags=["database"])
        if message.id == "clusters.W001"
    ]


def drop_trigger(name: str, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TRIGGER {name}" + f" ON {table}" * (connection.vendor == "postgresql")
        )


@pytest.mark.django_db
def test_database_has_all_that_the_table_says() -> None:
    found = stored(connection)
    wanted = all_definitions()
    assert {"cluster_words", "news_announcement_labels_delete_is_told"} <= {
        one.name for one in wanted
    }
    assert {(one.kind, one.name): one.stored for one in wanted}.items() <= found.items()
    assert check() == []


@pytest.mark.django_db
def test_names_are_given_once() -> None:
    names = [(one.kind, one.name) for one in all_definitions()]
    assert len(names) == len(set(names))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "table", "app"),
    [
        ("event_is_not_deleted", "clusters_event", "clusters"),
        ("label_revoked_stays", "labels_label", "labels"),
        ("news_announcement_update_is_told", "news_announcement", "news"),
    ],
)
def test_missing_trigger_is_named_and_comes_back(name: str, table: str, app: str) -> None:
    drop_trigger(name, table)
    (warning,) = check()
    assert f"trigger {name} of {app} is missing" in warning.msg
    assert "manage.py migrate" in str(warning.hint)

    call_command("migrate", verbosity=0)
    assert check() == []


@pytest.mark.django_db
def test_trigger_of_another_text_is_named_and_replaced() -> None:
    drop_trigger("event_is_not_changed", "clusters_event")
    statements = {
        "sqlite": "CREATE TRIGGER event_is_not_changed AFTER UPDATE ON clusters_event "
        "BEGIN SELECT 1; END",
        "postgresql": "CREATE TRIGGER event_is_not_changed AFTER UPDATE ON clusters_event "
        "FOR EACH ROW EXECUTE FUNCTION event_is_not_changed()",
    }
    with connection.cursor() as cursor:
        cursor.execute(statements[connection.vendor])
    (warning,) = check()
    assert "trigger event_is_not_changed of clusters is different" in warning.msg

    call_command("migrate", verbosity=0)
    assert check() == []


@pytest.mark.django_db
def test_what_only_postgresql_can_change_is_named() -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE clusters_event DISABLE TRIGGER event_is_not_changed")
        cursor.execute(
            "CREATE OR REPLACE FUNCTION label_revoked_stays() RETURNS trigger LANGUAGE plpgsql "
            "AS $$BEGIN RETURN NEW; END$$"
        )
        cursor.execute("CREATE OR REPLACE VIEW programme_words AS SELECT * FROM organisation_words")
        cursor.execute("COMMENT ON VIEW programme_words IS 'another'")
    names = [str(message.msg).split()[2] for message in check()]
    assert names == ["event_is_not_changed", "programme_words", "label_revoked_stays"]

    call_command("migrate", verbosity=0)
    assert check() == []


def change_column(old: Any, new: Any) -> None:
    """As a migration of it would, with the signal before."""
    plan = [(Migration("0003_name", "clusters"), False)]
    emit_pre_migrate_signal(0, False, "default", plan=plan)
    with connection.schema_editor() as editor:
        editor.alter_field(Cluster, old, new)


@pytest.mark.django_db(transaction=True)
def test_migration_that_changes_a_column_loses_no_trigger_and_no_change() -> None:
    """SQLite builds the table anew; PostgreSQL would refuse a column that a view shows."""
    cluster, gone = make_cluster(name="Before"), make_cluster(name="Gone")
    field = Cluster._meta.get_field("name")
    wider = field.clone()
    wider.max_length = 250
    wider.set_attributes_from_name("name")
    wider.model = Cluster

    change_column(field, wider)
    assert not {(one.kind, one.name) for one in all_definitions()} & stored(connection).keys()
    Cluster.objects.filter(pk=cluster.pk).update(name="After")
    Cluster.objects.filter(pk=gone.pk).delete()
    call_command("migrate", verbosity=0)

    assert check() == []
    assert fulltext.documents_that_differ() == []
    assert fulltext.clusters_matching("after") == [(cluster.pk, 0)]
    changed = set(Change.objects.values_list("kind", "key"))
    assert {("cluster", cluster.pk), ("cluster", gone.pk)} <= changed
    change_column(wider, field)
    call_command("migrate", verbosity=0)


@pytest.mark.django_db
def test_migrate_that_finds_all_in_place_writes_nothing() -> None:
    make_announcement()
    last = Change.objects.count()
    call_command("migrate", verbosity=0)
    assert Change.objects.count() == last


@pytest.mark.django_db(transaction=True)
def test_half_migrated_database_is_not_seeded_and_not_broken() -> None:
    cluster = make_cluster(name="Before")
    Portfolio.objects.all().delete()
    call_command("migrate", "clusters", "0001", verbosity=0)
    assert not Portfolio.objects.exists()
    assert "view cluster_words of clusters is missing" in "".join(one.msg for one in check())
    Cluster.objects.update(name="After")

    call_command("migrate", verbosity=0)
    assert Portfolio.objects.exists()
    assert check() == []
    assert fulltext.clusters_matching("after") == [(cluster.pk, 0)]


@pytest.mark.django_db
def test_log_is_guarded_by_the_database() -> None:
    event = Event.objects.create(kind="exported", happened_at="2026-01-01T00:00Z")
    for write in (
        lambda: Event.objects.filter(pk=event.pk).update(detail="x"),
        lambda: Event.objects.filter(pk=event.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="a line of the event log"), transaction.atomic():
            write()
