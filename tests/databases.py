"""A migrated test database, built once and copied: to each worker of each run, and after each
test that commits.

SQLite's lies in `.cache` between runs, PostgreSQL's in its server.
"""

import ast
import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_migrate

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache/databases"
APPS = ("clusters", "config", "labels", "news")
SETTINGS = ("config/settings.py", "tests/settings.py", "tests/databases.py")


def create() -> None:
    """Give this process a copy; others that ask meanwhile wait."""
    creation: Any = connection.creation
    name = creation._get_test_db_name()
    with locked(CACHE / "lock"):
        if connection.vendor == "sqlite":
            shutil.copyfile(original_file(), name)
            original_rows()
        else:
            copy_within_server(creation, name)
    use(name)


def restore() -> None:
    """Take back what was committed; the numbers of changes, which caches go by, go on."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'clusters_change'")
            [last] = cursor.fetchone()
            original_rows().backup(connection.connection)
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = 'clusters_change'")
            cursor.execute("INSERT INTO sqlite_sequence VALUES ('clusters_change', %s)", [last])
    else:
        name = connection.settings_dict["NAME"]
        connection.close()
        copy_within_server(connection.creation, name)


def write(copy: Path) -> None:
    """The rows of this process, of SQLite, into a file."""
    connection.ensure_connection()
    with closing(sqlite3.connect(copy)) as target:
        connection.connection.backup(target)


def read(copy: Path) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(copy)) as source:
        source.backup(connection.connection)


@cache
def original_rows() -> sqlite3.Connection:
    """Open to the end of the process, so that it stays when a newer original takes its place."""
    return sqlite3.connect(f"file:{original_file()}?immutable=1", uri=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        flock(file, LOCK_EX)
        yield


def use(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def build(name: str) -> None:
    use(name)
    call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
    call_command("createcachetable")
    connection.close()


@cache
def original_file() -> Path:
    original = CACHE / f"{key()}.sqlite3"
    if not original.exists():
        for old in CACHE.glob("*.sqlite3*"):
            old.unlink()
        unfinished = CACHE / "unfinished.sqlite3"
        build(str(unfinished))
        unfinished.rename(original)
    return original


def copy_within_server(creation: Any, name: str) -> None:
    original, unfinished = f"portal_{key()}", "portal_unfinished"
    with creation._nodb_cursor() as cursor:
        if not creation._database_exists(cursor, original):
            cursor.execute(f"DROP DATABASE IF EXISTS {unfinished}")
            cursor.execute(f"CREATE DATABASE {unfinished}")
            build(unfinished)
            cursor.execute(f"ALTER DATABASE {unfinished} RENAME TO {original}")
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {original}")


@cache
def key() -> str:
    """A hash of all that decides what a migrated database holds."""
    digest = hashlib.sha256()
    for package in sorted(Path(django.__file__).parents[1].glob("*.dist-info")):
        digest.update(package.name.encode())
    for path in sorted(deciding_files()):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def deciding_files() -> set[Path]:
    """The settings, seeds, migrations, triggers and models, and what these import."""
    files = {ROOT / name for name in SETTINGS}
    modules: dict[str, Path] = {}
    for folder in APPS:
        modules |= {module_name(path): path for path in (ROOT / folder).rglob("*.py")}
        files |= {path for path in (ROOT / folder / "data").rglob("*") if path.is_file()}
    undecided = {model.__module__ for model in apps.get_models()}
    undecided |= {name for name in modules if ".migrations." in name or ".triggers" in name}
    for app in apps.get_app_configs():
        undecided |= {receiver.__module__ for receiver in post_migrate._live_receivers(app)[0]}
    while undecided:
        path = modules.pop(undecided.pop(), None)
        if path:
            files.add(path)
            undecided |= imported_names(path)
    return files


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@contextmanager
def without_guards(*names: str) -> Iterator[None]:
    """Without these triggers, and what SQLite has beside each for REPLACE."""
    from clusters.triggers.definitions import ROWS, definitions, dropping

    guards = [
        definition
        for app in ROWS
        for definition in definitions(app, connection.vendor)
        if definition.name.split("_or_replaced")[0] in names
    ]
    assert {guard.name for guard in guards} >= {*names}
    with connection.cursor() as cursor:
        connection.check_constraints()  # PostgreSQL drops no trigger before they are looked at
        for guard in guards:
            cursor.execute(dropping(guard, connection.vendor))
        yield
        connection.check_constraints()
        for guard in guards:
            cursor.execute(guard.create)
