"""The day on which everything is tried, and the rows."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.factories import DECIDED_AT
from tests.labels.facts.world import World, make_world


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with time_machine.travel(DECIDED_AT, tick=False):
        yield


@pytest.fixture
def world(db: None) -> World:
    return make_world()
