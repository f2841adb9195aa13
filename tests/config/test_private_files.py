"""What the portal writes is for its own user alone, whatever the shell that started it says."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as portal_settings
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from config.private_files import check_private_files

WRITE = """
import os
import django
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE one (id)")
    default_storage.save("news/one.txt", ContentFile(b"one"))
    # While it is open, it has its other files beside it.
    os._exit(0)
"""


def run_with_open_umask(code: str, folder: Path) -> None:
    subprocess.run(
        ["/bin/sh", "-c", 'umask 022 && exec "$0" -c "$1"', sys.executable, code],
        check=True,
        cwd=portal_settings.BASE_DIR,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "MEDIA_ROOT": f"{folder}/media",
        },
    )


def modes(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
    }


def test_database_and_uploads_are_for_the_portal_alone(tmp_path: Path) -> None:
    run_with_open_umask(WRITE, tmp_path)

    assert modes(tmp_path) == {
        "db.sqlite3": 0o600,
        "db.sqlite3-wal": 0o600,
        "db.sqlite3-shm": 0o600,
        "media": 0o700,
        "media/news": 0o700,
        "media/news/one.txt": 0o600,
    }


def test_database_that_the_portal_does_not_make_is_for_all(tmp_path: Path) -> None:
    path = str(tmp_path / "db.sqlite3")
    code = f"import sqlite3; sqlite3.connect({path!r}).execute('CREATE TABLE one (id)')"
    run_with_open_umask(code, tmp_path)

    assert modes(tmp_path) == {"db.sqlite3": 0o644}


@pytest.fixture
def files(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Of an installation, all private."""
    names = {"MEDIA_ROOT": "media", "CERTIFICATES_ROOT": "certificates", "IMPORTS_ROOT": "imports"}
    for setting, name in names.items():
        (tmp_path / name).mkdir(mode=0o700)
        setattr(settings, setting, tmp_path / name)
    for name in ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm", ".env"):
        (tmp_path / name).touch(mode=0o600)
    settings.BASE_DIR = tmp_path
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "db.sqlite3"}
    monkeypatch.setitem(settings.DATABASES, "default", database)
    return {path.name: path for path in tmp_path.iterdir()}


def test_check_has_nothing_to_say_of_private_files(files: dict[str, Path]) -> None:
    assert len(files) == 7
    assert check_private_files() == []


def test_check_names_each_file_that_others_may_read(files: dict[str, Path]) -> None:
    for path in files.values():
        path.chmod(path.stat().st_mode | stat.S_IROTH)

    found = [str(warning.msg) for warning in check_private_files()]

    assert sorted(found) == sorted(
        f"{p} may be read by every user of this machine." for p in files.values()
    )


def test_check_leaves_a_group_to_the_operator(files: dict[str, Path]) -> None:
    files["db.sqlite3"].chmod(0o640)

    assert check_private_files() == []


def test_check_runs_on_deployment(files: dict[str, Path]) -> None:
    files["db.sqlite3"].chmod(0o644)

    [warning] = [
        one
        for one in run_checks(tags=["security"], include_deployment_checks=True)
        if one.id == "config.W001"
    ]

    assert warning.hint == f"chmod o= {files['db.sqlite3']}"
