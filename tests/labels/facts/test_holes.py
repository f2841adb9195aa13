"""Whether the checks find a hole, for each way to make one."""

import pytest

from tests.labels.facts.holes import HOLES, Hole, as_it_was
from tests.labels.facts.world import World

pytestmark = pytest.mark.one_engine


def test_holes_are_ten_and_more() -> None:
    assert len(HOLES) >= 10


@pytest.mark.parametrize("hole", [pytest.param(one, id=one.name) for one in HOLES])
def test_hole_is_found(hole: Hole, world: World) -> None:
    with as_it_was() as patch:
        hole.make(patch)

        assert list(hole.found_by(world)) != []
