"""A migrated test database, built once and copied to each worker of each run.

SQLite's lies in `.cache` between runs, PostgreSQL's in its server.
"""

import ast
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
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
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / "lock"):
        if connection.vendor == "sqlite":
            copy_file(Path(name))
        else:
            copy_within_server(creation, name)
    use(name)


@contextmanager
def locked(path: Path) -> Iterator[None]:
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


def copy_file(copy: Path) -> None:
    original = CACHE / f"{key()}.sqlite3"
    if not original.exists():
        for old in CACHE.glob("*.sqlite3*"):
            old.unlink()
        unfinished = CACHE / "unfinished.sqlite3"
        build(str(unfinished))
        unfinished.rename(original)
    shutil.copyfile(original, copy)


def copy_within_server(creation: Any, name: str) -> None:
    original, unfinished = f"portal_{key()}", "portal_unfinished"
    with creation._nodb_cursor() as cursor:
        if not creation._database_exists(cursor, original):
            cursor.execute(f"DROP DATABASE IF EXISTS {unfinished}")
            cursor.execute(f"CREATE DATABASE {unfinished}")
            build(unfinished)
            cursor.execute(f"ALTER DATABASE {unfinished} RENAME TO {original}")
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {original}")


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
