"""A real Chromium, and the portal with its demo data behind a real server."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from labels.models import Label
from labels.proofs.status import label_with_place
from tests import databases
from tests.settings import SCRATCH

CHROMIUM = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IN_MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Five seconds, if nothing is said: on a busy machine a page takes longer.
expect.set_options(timeout=20_000)

# Playwright runs an event loop in this thread; Django would refuse to touch the database in it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def base_url() -> None:
    """In place of the plugin's own fixture, which warns on this version of pytest."""


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Without transitions: a change of scheme shows its last colours at once."""
    return {**browser_context_args, "reduced_motion": "reduce"}


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[LiveServer]:
    """On localhost: a passkey belongs to a name, never to an address in numbers.

    Started when the test database has its file: it would use this thread's connection otherwise.
    """
    server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def live_server(server: LiveServer) -> LiveServer:
    """For tests that write: by this name pytest-django knows to take back what was committed."""
    return server


@pytest.fixture(scope="module")
def portal(server: LiveServer, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of the server with the demo data, for tests that only read.

    What is counted, such as questions, is not written into the database, which the test holds.
    """
    with django_db_blocker.unblock(), override_settings(CACHES=IN_MEMORY):
        load_demo()
        # The test holds the database, and who asks first for a credential writes into it.
        for label in Label.objects.published().filter(cluster__slug="biopmed"):
            label_with_place(Label.objects.published().with_certificate(), label.public_id)
        yield server.url
        databases.restore()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form may be sent as soon as its page has been read."""
    monkeypatch.setattr("clusters.contact.forms.MIN_AGE", timedelta(0))


def load_demo() -> None:
    """Once for all processes of the run; the others copy rows and pictures."""
    rows, pictures = SCRATCH / "demo.sqlite3", SCRATCH / "demo-media"
    with databases.locked(SCRATCH / "demo.lock"):
        if rows.exists():
            databases.read(rows)
            shutil.copytree(pictures, settings.MEDIA_ROOT, dirs_exist_ok=True)
        else:
            call_command("load_demo", verbosity=0)
            if connection.vendor == "sqlite":
                shutil.copytree(settings.MEDIA_ROOT, pictures)
                databases.write(rows)
