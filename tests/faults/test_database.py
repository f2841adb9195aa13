"""A database that hangs, is down, locked, full or only read: a short wait, then words."""

import fcntl
import gzip
import re
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db.utils import ConnectionHandler
from django.test import override_settings

from config.serving.outage import outage, web_request
from config.settings import database_options, env, web_database_options
from tests.faults.processes import Answer, Granian, PostgresServer, granian, sqlite, wait_until

# Four seconds, and what a busy machine adds; less than a wait.
DEADLINE = 8.0
AT_ONCE = 3.0


# They open connections of their own, to databases of their own.
pytestmark = pytest.mark.django_db

PACKED = {"Accept-Encoding": "gzip"}
LINE = "The database does not answer right now. This page shows the register as of "
LINE_IN_ITALIAN = "La banca dati al momento non risponde. Questa pagina mostra il registro alle "


@pytest.fixture(scope="module")
def portal_of_module(
    _postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Granian]:
    address = _postgres_server.new_database("away")
    with granian(address, tmp_path_factory.mktemp("portal")) as server:
        yield server


@pytest.fixture
def portal(portal_of_module: Granian, postgres_server: PostgresServer) -> Granian:
    wait_until(lambda: portal_of_module.get("/en/search/?q=biopmed").status == 200)
    return portal_of_module


def is_refused(answer: Answer, most_seconds: float = AT_ONCE) -> bool:
    assert answer.status == 503, (answer.status, answer.text)
    assert answer.headers["retry-after"] == "60"
    assert answer.headers["cache-control"] == "no-store"
    assert "content-security-policy" in answer.headers
    assert answer.seconds < most_seconds
    return True


def test_hung_server_costs_one_request_a_wait(
    portal: Granian, postgres_server: PostgresServer
) -> None:
    # What is loaded when first asked for is there; another page of the API than is asked then.
    for path in ("/api/v1/clusters", "/en/about/", "/en/search/?q=biopmed"):
        assert portal.get(path).status == 200
    postgres_server.hang()

    first = portal.get("/en/search/?q=biopmed")

    assert is_refused(first, DEADLINE)
    assert "The register does not answer right now" in first.text
    for path in (
        "/it/search/?q=biopmed",
        "/sitemap.xml",
        "/api/v1/labels",
        "/labels.csv",
        "/en/labels/?on=2015",
    ):
        assert is_refused(portal.get(path))
    # What needs no database goes on.
    for path in ("/en/about/", "/robots.txt", "/healthz"):
        answer = portal.get(path)
        assert (answer.status, answer.seconds < AT_ONCE) == (200, True)

    postgres_server.go_on()
    assert wait_until(lambda: portal.get("/en/search/?q=biopmed").status == 200) < DEADLINE


def test_kept_pages_of_a_hung_server_say_as_of_when_they_are(
    portal: Granian, postgres_server: PostgresServer
) -> None:
    before = portal.get("/en/clusters/", **PACKED)
    in_italian = portal.get("/it/clusters/")
    table = portal.get("/clusters.csv")
    postgres_server.hang()
    assert portal.get("/en/clusters/", **PACKED).seconds < DEADLINE

    page = portal.get("/en/clusters/", **PACKED, **{"If-None-Match": before.headers["etag"]})
    clock = re.search(LINE + r"(\d\d:\d\d)\.", gzip.decompress(page.body).decode())

    assert clock
    assert (page.status, page.seconds < AT_ONCE) == (200, True)
    assert page.headers["cache-control"] == "no-store"
    assert int(page.headers["age"]) < 60
    assert "etag" not in page.headers
    assert page.headers["vary"] == before.headers["vary"]
    assert policies(page) == policies(before)
    # The rest of it is as it was.
    assert re.sub(
        rb'<div class="wrap">\s*<p class="notice notice--warn".*?</div>\s*(?=<main)',
        b"",
        gzip.decompress(page.body),
        flags=re.DOTALL,
    ) == gzip.decompress(before.body)
    assert LINE_IN_ITALIAN in portal.get("/it/clusters/").text
    assert LINE_IN_ITALIAN not in in_italian.text
    # To somebody who is signed in: words.
    assert is_refused(portal.get("/en/clusters/", Cookie="sessionid=a"))
    assert table.status == 200

    postgres_server.go_on()
    wait_until(lambda: portal.get("/en/search/?q=biopmed").status == 200)
    again = portal.get("/en/clusters/", **PACKED)
    assert (again.body, again.headers["etag"]) == (before.body, before.headers["etag"])


def policies(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if "policy" in name}


def test_long_statement_of_a_server_that_lives_is_not_cut(
    portal: Granian, postgres_server: PostgresServer
) -> None:
    """Longer than a silent server is given."""
    with connected(postgres_server.address_of("away")) as database, web_request():
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5), 'done'")
            assert cursor.fetchone()[1] == "done"
        assert not outage.is_on


def test_web_request_waits_for_locks_and_statements_and_a_command_longer(
    postgres_server: PostgresServer, portal: Granian
) -> None:
    def limits() -> list[str]:
        with connected(postgres_server.address_of("away")) as database, database.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
            )
            return list(cursor.fetchone())

    with web_request():
        assert limits() == ["30s", "4s"]
    assert limits() == ["0", "30s"]


@contextmanager
def connected(address: str) -> Iterator[Any]:
    given = env.db_url_config(address)
    database = ConnectionHandler({"default": given | database_options(given)})["default"]
    with override_settings(WEB_DATABASE_OPTIONS=web_database_options(given)):
        try:
            yield database
        finally:
            database.close()


def test_server_that_is_down_and_comes_back(
    portal: Granian, postgres_server: PostgresServer
) -> None:
    """Refused connections cost no wait at all."""
    assert portal.get("/en/clusters/").status == 200
    postgres_server.crash()

    page = portal.get("/en/clusters/")

    assert (page.status, LINE in page.text, page.seconds < AT_ONCE) == (200, True, True)
    assert is_refused(portal.get("/en/search/?q=biopmed"))

    postgres_server.restart()
    assert wait_until(lambda: portal.get("/en/search/?q=biopmed").status == 200) < DEADLINE
    assert LINE not in portal.get("/en/clusters/").text


def test_connection_that_its_server_ended_costs_no_answer(
    portal: Granian, postgres_server: PostgresServer
) -> None:
    first = portal.get("/en/clusters/")
    end_connections(postgres_server)

    again = portal.get("/en/clusters/")

    assert (again.status, again.body) == (200, first.body)


def test_locked_table_is_told_after_one_wait(
    portal: Granian, postgres_server: PostgresServer
) -> None:
    assert portal.get("/en/news/?q=one").status == 200
    with psycopg.connect(postgres_server.address_of("away")) as other:
        other.execute("LOCK TABLE news_topic IN ACCESS EXCLUSIVE MODE")

        assert is_refused(portal.get("/en/news/?q=two"), DEADLINE)

    assert portal.get("/en/news/?q=two").status == 200


def test_server_that_only_reads_refuses_what_writes(
    portal: Granian, postgres_server: PostgresServer
) -> None:
    """As a standby does: pages are shown, forms are told when to come again."""
    postgres_server.execute("ALTER DATABASE away SET default_transaction_read_only = on")
    end_connections(postgres_server)

    try:
        assert portal.get("/en/clusters/").status == 200
        assert is_refused(sign_in(portal))
    finally:
        postgres_server.execute("ALTER DATABASE away RESET default_transaction_read_only")
        end_connections(postgres_server)


def end_connections(server: PostgresServer) -> None:
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'away'")


def sign_in(portal: Granian) -> Answer:
    # What is tried is counted in the database.
    form = b"login=nobody%40example.org&password=wrong-for-all-i-know"
    page = portal.get("/en/account/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    cookie = page.headers["set-cookie"].partition(";")[0]
    assert token
    return portal.post(
        "/en/account/login/", form + b"&csrfmiddlewaretoken=" + token[1].encode(), Cookie=cookie
    )


# SQLite


@pytest.fixture(scope="module")
def embedded_of_module(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None
) -> Iterator[tuple[Granian, Path]]:
    folder = tmp_path_factory.mktemp("embedded")
    address = sqlite(folder)
    with granian(address, folder) as server:
        yield server, Path(address.removeprefix("sqlite:///"))


@pytest.fixture
def embedded(embedded_of_module: tuple[Granian, Path]) -> tuple[Granian, Path]:
    portal, _path = embedded_of_module
    wait_until(lambda: portal.get("/en/search/?q=biopmed").status == 200)
    return embedded_of_module


def test_file_that_another_program_writes_costs_writers_one_wait(
    embedded: tuple[Granian, Path],
) -> None:
    portal, path = embedded
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert portal.get("/en/search/?q=biopmed").status == 200
        assert is_refused(sign_in(portal), DEADLINE)

        other.execute("ROLLBACK")
    assert sign_in(portal).status == 200


def test_file_that_is_locked_altogether_leaves_kept_pages(embedded: tuple[Granian, Path]) -> None:
    portal, path = embedded
    assert portal.get("/en/clusters/").status == 200
    with Path(f"{path}-shm").open("r+b") as shared:
        # All of SQLite's own locks of a write-ahead log, as when it is recovered: nobody reads.
        fcntl.lockf(shared, fcntl.LOCK_EX, 8, 120)

        # Its own waits for such a lock, which are not ours to set, come to ten seconds.
        assert is_refused(portal.get("/en/search/?q=biopmed"), 2 * DEADLINE)
        assert is_refused(portal.get("/en/search/?q=biopmed"))
        page = portal.get("/en/clusters/")
        assert (page.status, LINE in page.text, page.seconds < AT_ONCE) == (200, True, True)

    assert wait_until(lambda: portal.get("/en/search/?q=biopmed").status == 200) < DEADLINE
    assert LINE not in portal.get("/en/clusters/").text


def test_disk_that_takes_no_more_refuses_what_writes(embedded: tuple[Granian, Path]) -> None:
    """What is counted at signing in is not counted then: so nobody learns whether it was right."""
    portal, _path = embedded
    assert sign_in(portal).status == 200
    [worker] = portal.workers()
    limit = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (0, limit[1]))

    assert portal.get("/en/search/?q=biopmed").status == 200
    assert is_refused(sign_in(portal))

    resource.prlimit(worker, resource.RLIMIT_FSIZE, limit)
    assert sign_in(portal).status == 200
