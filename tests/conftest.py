"""What every test may ask for."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import HealthCheck, settings

# Examples are the same in every run; a database may be slow on a busy machine.
settings.register_profile(
    "portal",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("portal")

MOST_QUERIES = 12


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A page in Italian leaves the thread in Italian; the next test starts anew."""
    with translation.override("en"):
        yield


@pytest.fixture
def count_queries(client: Client) -> Callable[[str], int]:
    """The number of queries that a visitor's page takes; it must be there, and within the limit."""

    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path)
        assert response.status_code == 200
        assert len(queries) <= MOST_QUERIES
        return len(queries)

    return count
