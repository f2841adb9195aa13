import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as portal_settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from config.site import health
from tests.factories import make_mail

pytestmark = pytest.mark.django_db(transaction=True)


def test_process_lives_without_a_database(client: Client) -> None:
    def away(*_args: Any) -> None:
        raise OperationalError

    with connection.execute_wrapper(away):
        response = client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_portal_is_ready_when_all_is_well(client: Client) -> None:
    response = client.get("/readyz")

    assert response.json() == {"status": "ok", **dict.fromkeys(health.CHECKS, "ok")}
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_never_cached(client: Client, path: str) -> None:
    assert "no-store" in client.get(path)["Cache-Control"]


def not_migrated(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    patch.setattr(health, "own_migrations", lambda: frozenset({("clusters", "0002_more")}))


def no_table(_patch: pytest.MonkeyPatch, _folder: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE cache")


def file_for_a_folder(patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "file").touch()
    patch.setattr(portal_settings, "MEDIA_ROOT", str(folder / "file"))


def little_space(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    patch.setattr(health, "LEAST_FREE_BYTES", 2**80)


def no_key(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setattr(portal_settings, "SIGNING_KEYS", "")
    patch.setattr(portal_settings, "SIGNING_KEYS_FILE", str(folder / "nothing.pem"))


def wrong_key(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----c2VjcmV0-----END PRIVATE KEY-----"
    patch.setattr(portal_settings, "SIGNING_KEYS", key)


def no_sender(_patch: pytest.MonkeyPatch, _folder: Path) -> None:
    make_mail(next_try_at=timezone.now() - timedelta(minutes=11))


@pytest.mark.parametrize(
    ("fault", "check", "word"),
    [
        (not_migrated, "migrations", "not applied"),
        (no_table, "shared_cache", "failed"),
        (file_for_a_folder, "media_folder", "failed"),
        (little_space, "disk_space", "low"),
        (no_key, "signing_key", "missing"),
        (wrong_key, "signing_key", "failed"),
        (no_sender, "outbox", "waits"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_else(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fault: Callable[[pytest.MonkeyPatch, Path], None],
    check: str,
    word: str,
) -> None:
    fault(monkeypatch, tmp_path)

    response = client.get("/readyz")

    wrong = {name: said for name, said in response.json().items() if said != "ok"}
    assert wrong == {"status": "not ready", check: word}
    assert response.status_code == 503


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A check that hangs, as a folder on a network may, and tells how often it was asked."""
    release, asked = threading.Event(), list[str]()

    def hangs() -> str:
        asked.append("once")
        release.wait()
        return "ok"

    monkeypatch.setattr(health, "SECONDS", 0.2)
    monkeypatch.setitem(health.CHECKS, "folder", health.Check(hangs))
    yield asked
    release.set()


def test_check_that_hangs_is_too_slow_and_is_asked_once(client: Client, hanging: list[str]) -> None:
    answers = [client.get("/readyz") for _turn in range(3)]

    assert [answer.json()["folder"] for answer in answers] == ["too slow"] * 3
    assert [answer.status_code for answer in answers] == [503] * 3
    assert hanging == ["once"]
