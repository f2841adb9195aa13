"""A day that no page can show: no column takes it, and none that stands there takes a page down.

The constraints of the database are off where such a day is planted.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from clusters.fields import DayField, MomentField, PartialDateField
from clusters.models import Cluster, FormDraft
from labels.models import Label
from labels.register.holdings import INDEX
from news.models import Announcement
from tests.addresses import ADDRESSES, API, Rows
from tests.permissions.world import World, build

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

APPS = ("clusters", "labels", "news")
TODAY = "2026-11-05T12:00Z"
BOUNDED = (DayField, MomentField, PartialDateField)
Column = tuple[type[models.Model], Any]
# What is fetched for each column by itself.
SHOWN = [
    address
    for address in ADDRESSES
    if address.name
    in {
        "home", "sitemap", "clusters:detail", "clusters:organisation_detail",
        "clusters:programme_detail", "labels:list", "labels:detail", "labels_ics", "news:list",
        "news_feed",
    }
]  # fmt: skip
YEARS = ("0001", "0999", "2101", "9999")


def columns() -> list[Column]:
    """Every column of our apps with a date in it, those of versions, too."""
    return [
        (model, field)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in APPS
        for field in model._meta.concrete_fields
        if isinstance(field, (models.DateField, PartialDateField))
    ]


COLUMNS = columns()


def name_of(column: Column) -> str:
    model, field = column
    return f"{model._meta.label_lower}.{field.name}"


def worst(field: Any, year: str) -> str:
    """The day of the year that lies farthest out, with the time of day that does."""
    day = f"{year}-01-01" if year < "1900" else f"{year}-12-31"
    if not isinstance(field, MomentField):
        return day
    return f"{day} 00:00:00" if year < "1900" else f"{day} 23:59:59"


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    INDEX.forget()


def drop_triggers(tables: Iterable[str]) -> None:
    """To the end of the transaction: they would tell a day's fellows, or refuse it as well."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
            for name, table in cursor.fetchall():
                if table in tables:
                    cursor.execute(f'DROP TRIGGER "{name}"')
        else:
            cursor.execute("SET LOCAL session_replication_role = replica")


@contextmanager
def unconstrained(*tables: str) -> Iterator[None]:
    with undone(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in tables:
                found = connection.introspection.get_constraints(cursor, table)
                for name in (name for name, one in found.items() if one["check"]):
                    cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        drop_triggers(tables)
        try:
            yield
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")


def plant(row: models.Model, field: Any, year: str) -> None:
    table, key = row._meta.db_table, row._meta.pk
    assert key is not None
    suffix = "+00" if isinstance(field, MomentField) and connection.vendor != "sqlite" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{table}" SET "{field.column}" = %s WHERE "{key.column}" = %s',  # noqa: S608
            [worst(field, year) + suffix, row.pk],
        )
        assert cursor.rowcount == 1


@pytest.fixture(scope="module")
def world(module_rows: None) -> Iterator[World]:
    with time_machine.travel(TODAY, tick=False):
        world = build()
        # A label that was transferred has one that took its place.
        own, other = (world.row("labels.label", state) for state in ("own", "unpublished"))
        Label.objects.filter(pk=other.pk).update(transferred_from=own)
        address = reverse("admin:clusters_cluster_change", args=[own.cluster_id])
        FormDraft.objects.create(
            account=world.people["lead"], address=address, data="[]", saved_at=timezone.now()
        )
        yield world


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(TODAY, tick=False):
        yield


def row_of(world: World, model: type[models.Model]) -> Any:
    label = model._meta.label_lower
    for state in ("own", "public", "mine", "made", "row", "owner", "lead"):
        if (label, state) in world.rows:
            return world.row(label, state)
    if issubclass(model, models.Model) and hasattr(model, "instance_type"):
        return model._default_manager.filter(
            **{model.instance_type._meta.pk.attname: row_of(world, model.instance_type).pk}
        ).latest("history_id")
    return model._default_manager.order_by("-pk")[:1].get()


def rows_of(world: World) -> Rows:
    return Rows(
        world.row("clusters.cluster", "own"),
        world.row("labels.label", "own"),
        world.row("news.announcement", "public"),
        world.row("clusters.organisation", "own"),
        world.row("clusters.programme", "mine"),
    )


def public_paths(world: World) -> list[str]:
    rows = rows_of(world)
    return [*map(rows.path, ADDRESSES), *map(rows.api_path, API)]


def admin_paths(row: Any) -> Iterator[str]:
    model = getattr(row, "instance_type", type(row))
    key = getattr(row, row.instance_type._meta.pk.attname) if model is not type(row) else row.pk
    if model not in admin.site._registry:
        return
    for verb, arguments in (
        ("changelist", []),
        ("change", [key]),
        ("history", [key]),
        ("export", []),
    ):
        try:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{verb}"
            yield reverse(name, args=arguments)
        except NoReverseMatch:
            continue


def get(world: World, path: str) -> int:
    client = world.clients["root"] if path.startswith("/admin") else Client()
    client.raise_request_exception = False
    response = client.get(path)
    if response.streaming:
        b"".join(response)
    return int(response.status_code)


def failures(world: World, paths: Iterable[str]) -> dict[str, int]:
    INDEX.forget()
    found = {path: get(world, path) for path in paths}
    return {path: status for path, status in found.items() if status >= 500}


@pytest.fixture(scope="module")
def readers(world: World) -> dict[str, list[str]]:
    """By table and column as statements name them, the pages that read it."""
    found: dict[str, list[str]] = defaultdict(list)
    rows = [row_of(world, model) for model, _field in COLUMNS]
    with time_machine.travel(TODAY, tick=False):
        for path in dict.fromkeys([*public_paths(world), *chain(*map(admin_paths, rows))]):
            INDEX.forget()
            with CaptureQueriesContext(connection) as queries:
                assert get(world, path) < 500, path
            statements = " ".join(query["sql"] for query in queries)
            for name in set(re.findall(r'"\w+"\."\w+"', statements)):
                found[name].append(path)
    return found


def test_every_column_of_days_is_bounded() -> None:
    assert len(COLUMNS) > 100
    assert not [name_of(column) for column in COLUMNS if not isinstance(column[1], BOUNDED)]


def test_column_that_nobody_bounded_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = models.DateField()
    plain.set_attributes_from_name("plain_on")
    monkeypatch.setattr(Cluster._meta, "concrete_fields", (*Cluster._meta.concrete_fields, plain))

    found = [name_of(column) for column in columns() if not isinstance(column[1], BOUNDED)]

    assert found == ["clusters.cluster.plain_on"]


@pytest.mark.parametrize("column", COLUMNS, ids=name_of)
def test_column_refuses_the_year(world: World, column: Column) -> None:
    model, field = column
    row = row_of(world, model)
    for year in YEARS:
        with pytest.raises(ValidationError) as refused:
            field.clean(worst(field, year), row)
        assert "lies outside the years 1900 to 2100" in str(refused.value)

    with undone():
        drop_triggers([model._meta.db_table])
        bounds = own_constraints(model, field)
        for year in YEARS:
            with pytest.raises(IntegrityError) as broken, transaction.atomic():
                plant(row, field, year)
            # SQLite tells how the condition begins, PostgreSQL the name.
            assert re.search(rf'failed: \W*{field.column}\b|"({bounds})"', str(broken.value))


def own_constraints(model: type[models.Model], field: Any) -> str:
    """The names of those that a column of PostgreSQL has by itself; the others are dropped."""
    if connection.vendor == "sqlite":
        return "-"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for constraint in model._meta.constraints:
            if isinstance(constraint, models.CheckConstraint):
                cursor.execute(
                    f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT "{constraint.name}"'
                )
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return "|".join(
        name for name, one in found.items() if one["check"] and one["columns"] == [field.column]
    )


@pytest.mark.parametrize("year", YEARS)
def test_rows_with_the_year_take_no_page_down(
    world: World, readers: dict[str, list[str]], year: str
) -> None:
    with unconstrained(*(model._meta.db_table for model, _field in COLUMNS)):
        for model, field in COLUMNS:
            plant(row_of(world, model), field, year)

        assert not failures(world, dict.fromkeys(chain(*readers.values())))


@pytest.mark.parametrize("column", COLUMNS, ids=name_of)
def test_column_with_the_year_takes_no_page_down(
    world: World, readers: dict[str, list[str]], column: Column
) -> None:
    model, field = column
    row = row_of(world, model)
    in_turn = {*map(rows_of(world).path, SHOWN), *admin_paths(row)}
    paths = [one for one in readers[f'"{model._meta.db_table}"."{field.column}"'] if one in in_turn]
    with unconstrained(model._meta.db_table):
        for year in (min(YEARS), max(YEARS)):  # the others are no worse, as they show all at once
            plant(row, field, year)

            assert not failures(world, paths), year


def test_page_that_fails_is_found(
    world: World, readers: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(MomentField, "from_db_value")
    with unconstrained("news_announcement"):
        row = row_of(world, Announcement)
        plant(row, Announcement._meta.get_field("published_at"), "9999")

        assert failures(world, [f"/admin/news/announcement/{row.pk}/change/"])
