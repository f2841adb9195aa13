import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.tables.similar_names import similar_names

NAMES = ["biopmed", "biopmed torino", "zeta", "packaging valley", "ocean technology"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("biomped", "biopmed", id="two letters swapped"),
        pytest.param("bioped", "biopmed", id="a letter missing"),
        pytest.param("ziopmed", "biopmed", id="the first letter wrong"),
        pytest.param("pmed", "biopmed", id="a part"),
        pytest.param("the zeta cluster", "zeta", id="more than the name"),
    ],
)
def test_nearest_name_comes_first(text: str, name: str) -> None:
    place, _likeness = similar_names([text], NAMES)[text][0]

    assert NAMES[place] == name


def test_nothing_is_near_to_something_else() -> None:
    assert similar_names(["quartz"], NAMES) == {"quartz": []}


@given(st.lists(st.text("abc ", min_size=1, max_size=12), min_size=1, max_size=6))
def test_what_is_near_does_not_depend_on_other_texts(texts: list[str]) -> None:
    names = [*texts, "abcabc", "cab cab", "bbbb"]

    together = similar_names(texts, names)

    assert together == {text: similar_names([text], names)[text] for text in texts}
