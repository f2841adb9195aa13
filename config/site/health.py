"""Whether this process lives (`/healthz`), and whether it can serve (`/readyz`)."""

import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from threading import Lock, Thread
from time import monotonic

from django.conf import settings
from django.core.cache import caches
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clusters.mail.outbox import outbox_state
from config.serving.outage import web_request
from labels.proofs.signing import NoSigningKey, keyring

SECONDS = 3.0
# So long a mail that may leave waits for a sender where one runs.
LONGEST_WAIT = timedelta(minutes=10)
LEAST_FREE_BYTES = 256 * 1024 * 1024
WELL = "ok"


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    return WELL


def migrations() -> str:
    applied = MigrationRecorder(connection).applied_migrations()
    return WELL if own_migrations() <= applied.keys() else "not applied"


@cache
def own_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.nodes)


def shared_cache() -> str:
    caches["default"].get("readyz")
    return WELL


def media_folder() -> str:
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"readyz")
    return WELL


def disk_space() -> str:
    folders = {Path(settings.MEDIA_ROOT), Path(settings.CERTIFICATES_ROOT)}
    if connection.vendor == "sqlite":
        folders.add(Path(connection.settings_dict["NAME"]).absolute().parent)
    there = {folder for folder in folders if folder.exists()}
    free = min(shutil.disk_usage(folder).free for folder in there | {Path(settings.BASE_DIR)})
    return WELL if free >= LEAST_FREE_BYTES else "low"


def signing_key() -> str:
    return WELL if keyring().private else "missing"


def outbox() -> str:
    oldest = outbox_state(timezone.now()).oldest_due
    return WELL if oldest is None or oldest <= LONGEST_WAIT else "waits"


class Check:
    """One question with a deadline of its own: a thread asks it, as a file system may hang, too.

    A thread that hangs is not joined by another one: until it ends the check is too slow.
    """

    def __init__(self, ask: Callable[[], str]) -> None:
        self.ask = ask
        self.lock = Lock()
        self.thread: Thread | None = None
        self.answer = WELL

    def start(self) -> Thread:
        with self.lock:
            if self.thread is None or not self.thread.is_alive():
                self.thread = Thread(
                    target=self.run, daemon=True, name=f"readyz-{self.ask.__name__}"
                )
                self.thread.start()
            return self.thread

    def run(self) -> None:
        try:
            with web_request():
                self.answer = self.ask()
        except (Error, OSError, NoSigningKey):
            # Not in the words of the error, which may hold addresses and paths.
            self.answer = "failed"
        finally:
            connection.close()


# Whatever the portal cannot serve without; each answers `WELL` or what is wrong in a word.
CHECKS = {
    ask.__name__: Check(ask)
    for ask in (database, migrations, shared_cache, media_folder, disk_space, signing_key, outbox)
}


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": WELL})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    end = monotonic() + SECONDS
    threads = {name: check.start() for name, check in CHECKS.items()}
    words = {name: word_of(name, thread, end) for name, thread in threads.items()}
    is_ready = all(word == WELL for word in words.values())
    return JsonResponse(
        {"status": WELL if is_ready else "not ready", **words},
        status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def word_of(name: str, thread: Thread, end: float) -> str:
    thread.join(max(0, end - monotonic()))
    return "too slow" if thread.is_alive() else CHECKS[name].answer
