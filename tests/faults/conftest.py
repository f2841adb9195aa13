"""One PostgreSQL, and one portal on each engine, for all tests of faults."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.faults.processes import PostgresServer, postgres
from tests.faults.sites import Note, Site, running_site
from tests.postgres import server_programs


@pytest.fixture(scope="session")
def _postgres_server(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgresServer]:
    if server_programs() is None:
        pytest.skip("no PostgreSQL server programs")
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def postgres_server(_postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    yield _postgres_server
    _postgres_server.go_on()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def site_of_session(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    is_sqlite = request.param == "sqlite"
    server = None if is_sqlite else request.getfixturevalue("_postgres_server")
    running = running_site(request.param, tmp_path_factory.mktemp("site"), server)
    with django_db_blocker.unblock():
        site = running.__enter__()
    yield site
    running.__exit__(None, None, None)


@pytest.fixture
def site(site_of_session: Site) -> Iterator[Site]:
    site_of_session.recover()
    site_of_session.editor.stay_signed_in()
    yield site_of_session
    site_of_session.mend()


@pytest.fixture
def note(record_property: Note) -> Note:
    """Figures of docs/operations.md: with `-o junit_family=xunit1 --junitxml=figures.xml`."""
    return record_property
