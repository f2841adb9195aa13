"""What every test may ask for."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import Client, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from clusters.people import signing_in
from labels.register.holdings import INDEX
from news.lists.index import NEWS
from tests import databases

TESTS = Path(__file__).parent

# Examples are the same in every run; a database may be slow on a busy machine.
settings.register_profile(
    "portal",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("portal")

MOST_QUERIES = 13

# What these ask of is the same on both engines (documents, headers, forms, screens): once, on
# SQLite, is enough for a run. A test in real transactions, such as a race, is asked of both.
ONE_ENGINE = (
    "clusters/views/test_accounts.py",
    "clusters/admin/test_clusters.py",
    "clusters/admin/test_tables.py",
    "clusters/contact/",
    "clusters/admin/test_people.py",
    "config/privacy/test_fields.py",
    "clusters/people/test_signing_in.py",
    "labels/admin/test_labels.py",
    "labels/life/test_refusals.py",
    "labels/proofs/test_certificates.py",
    "labels/proofs/test_credentials.py",
    "labels/admin/test_proposals.py",
    "labels/proofs/test_seal.py",
    "labels/proofs/test_signing.py",
    "labels/admin/test_steps.py",
    "labels/views/test_verify.py",
    "news/test_admin.py",
    "news/test_drafts.py",
    "permissions/",
    "config/test_admin.py",
    # They start both engines themselves.
    "faults/",
    "config/api/test_description.py",
    "config/site/test_pages.py",
    "test_conventions.py",
    "test_headers.py",
    "test_mass_assignment.py",
    "test_non_interference.py",
    "test_threat_model.py",
)


def pytest_collection_finish() -> None:
    """What is loaded now stays to the end: to look through it for garbage takes long."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        database = item.get_closest_marker("django_db")
        is_real = bool(database and database.kwargs.get("transaction"))
        if not is_real and item.path.relative_to(TESTS).as_posix().startswith(ONE_ENGINE):
            item.add_marker(pytest.mark.one_engine)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    name = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        databases.create()
    yield
    with django_db_blocker.unblock():
        connection.creation.destroy_test_db(name, verbosity=0)


@pytest.fixture(scope="module")
def module_rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What other fixtures of the module write after this one is there for all of its tests."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="session", autouse=True)
def restored_after_commits() -> Iterator[None]:
    """Django would empty every table and fill those of the reference anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: databases.restore())
        yield


@pytest.fixture(autouse=True)
def forgotten_index() -> Iterator[None]:
    """What a test wrote is taken back without a trace that the index of this process could see."""
    yield
    INDEX.forget()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A page in Italian leaves the thread in Italian; the next test starts anew."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def mails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link leaves after the answer; tests look for it right then."""
    monkeypatch.setattr(signing_in, "call_later", lambda call: call())


@pytest.fixture
def count_queries(client: Client) -> Callable[..., int]:
    """The number of queries that a visitor's page takes; it must be there, and within the limit.

    The index has seen what changed; the first page after a change reads that too.
    """

    def count(path: str, most: int = MOST_QUERIES) -> int:
        INDEX.current(), NEWS.current()
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path)
            # A file that is not read is not closed.
            content = b"".join(response)
        assert (response.status_code, bool(content)) == (200, True)
        assert len(queries) <= most
        return len(queries)

    return count
