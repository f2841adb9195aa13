"""Whether the matrix finds a hole, for each way to make one."""

from typing import Any

import pytest
from django.urls import clear_url_caches

from tests.permissions import cells
from tests.permissions.holes import HOLES, Hole
from tests.permissions.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="package")
def asked_by_the_matrix(world: World) -> set[str]:
    return {str(one) for one in cells.every_cell(world)}


@pytest.mark.parametrize("hole", [pytest.param(one, id=one.name) for one in HOLES])
def test_hole_is_found(
    hole: Hole, world: World, asked_by_the_matrix: set[str], settings: Any
) -> None:
    settings.REQUIRE_SECOND_FACTOR = hole.name == "second_factor_is_not_asked"
    known = dict(world.nothing)
    try:
        with pytest.MonkeyPatch.context() as patch:
            asked = list(hole.found_by(world))
            assert asked
            assert {str(one) for one in asked} <= asked_by_the_matrix
            hole.make(patch, world)
            assert cells.wrong(world, asked) != []
    finally:
        world.nothing = known
        clear_url_caches()
