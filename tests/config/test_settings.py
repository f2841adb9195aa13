"""What an installation gets from its environment, read as in production."""

import json
import logging
import os
import re
import subprocess
import sys

import pytest
from django.test import Client

from config.settings import database_options, env

# Without the `.env` of a developer.
READ = """
import json
import environ
environ.Env.read_env = lambda path: None
from config import settings
print(json.dumps({name: getattr(settings, name) for name in %r}, default=str))
"""


def run_with(names: list[str], **environment: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own, with nothing of the suite's environment but where Python is."""
    return subprocess.run(
        [sys.executable, "-c", READ % (names,)],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_is_the_default() -> None:
    read = run_with(["DEBUG", "HTTPS", "REQUIRE_SECOND_FACTOR"], SECRET_KEY="of this test")

    assert json.loads(read.stdout) == {"DEBUG": False, "HTTPS": True, "REQUIRE_SECOND_FACTOR": True}


def test_there_is_no_secret_by_default() -> None:
    read = run_with(["SECRET_KEY"])

    assert "SECRET_KEY" in read.stderr
    assert read.returncode


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        pytest.param("postgres://portal:x@db.example/portal", "connect_timeout", id="PostgreSQL"),
        pytest.param("sqlite:////tmp/portal.sqlite3", "init_command", id="SQLite"),
    ],
)
def test_address_of_the_database_keeps_its_own_options(address: str, kept: str) -> None:
    """Else a connection that was asked to be encrypted would silently go without."""
    database = env.db_url_config(f"{address}?sslmode=verify-full")

    options = database_options(database)["OPTIONS"]

    assert options["sslmode"] == "verify-full"
    assert kept in options


def line_of(record: logging.LogRecord) -> str:
    """As the portal's own handler writes it; pytest's own are of other classes."""
    handlers = logging.getLogger().handlers
    return next(one for one in handlers if type(one) is logging.StreamHandler).format(record)


def test_line_of_the_log_tells_when_how_bad_and_where(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("clusters.views.contact").error("A message could not be passed on.")

    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"
    said = "ERROR clusters.views.contact: A message could not be passed on."
    assert re.fullmatch(rf"{moment} {re.escape(said)}", line_of(caplog.records[0]))


@pytest.mark.django_db
def test_address_adds_no_line_to_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/en/nothing%0A2026-11-22T12:00:00+0100%20ERROR%20forged/")

    (record,) = caplog.records
    assert r"Not Found: /en/nothing\n2026" in line_of(record)
    assert "\n" not in line_of(record)
