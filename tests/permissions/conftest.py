"""The world is built once for all tests of the package, in a transaction that never ends well."""

import gc
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.permissions.world import World, build


@pytest.fixture(scope="package")
def world(django_db_setup: Any, django_db_blocker: Any) -> Iterator[World]:
    logging.disable()  # every refusal would be a line
    gc.disable()  # a third of the time
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)
    gc.enable()
    logging.disable(logging.NOTSET)
