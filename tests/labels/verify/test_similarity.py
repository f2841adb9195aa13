import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.verify.similarity import Likeness, alike

NAMES = ["biopmed", "biopmed torino", "zeta", "packaging valley", "ocean technology"]


@pytest.mark.parametrize(
    ("text", "name", "likeness"),
    [
        pytest.param("biomped", "biopmed", Likeness.SPELT, id="two letters swapped"),
        pytest.param("bioped", "biopmed", Likeness.SPELT, id="a letter missing"),
        pytest.param("ziopmed", "biopmed", Likeness.SPELT, id="the first letter wrong"),
        pytest.param("pmed", "biopmed", Likeness.HOLDS, id="a part"),
        pytest.param("the zeta cluster", "zeta", Likeness.PART, id="more than the name"),
    ],
)
def test_nearest_name_comes_first(text: str, name: str, likeness: Likeness) -> None:
    first = alike([text], NAMES)[text][0]

    assert (NAMES[first.index], first.likeness) == (name, likeness)


def test_nothing_is_near_to_something_else() -> None:
    assert alike(["quartz"], NAMES) == {"quartz": []}


@given(st.lists(st.text("abc ", min_size=1, max_size=12), min_size=1, max_size=6))
def test_what_is_near_does_not_depend_on_other_texts(texts: list[str]) -> None:
    names = [*texts, "abcabc", "cab cab", "bbbb"]

    together = alike(texts, names)

    assert together == {text: alike([text], names)[text] for text in texts}
