"""The table of the ASVS names what proves each verdict: it has to exist."""

import re
from collections import Counter

import pytest

from tests.asvs import CHAPTERS, DOCUMENT, MET, NOT_MET, VERDICTS, Requirement, document, read_table
from tests.named_tests import ROOT, exists

REQUIREMENTS = read_table()
# Requirements of level 1 and of level 2 in each chapter of ASVS 5.0.0.
IN_CHAPTERS = (
    (8, 19), (4, 7), (8, 11), (2, 8), (4, 5), (13, 22), (6, 12), (4, 3), (4, 3), (5, 24), (3, 11),
    (3, 6), (1, 12), (2, 7), (3, 10), (0, 16), (0, 7),
)  # fmt: skip
each = pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda one: one.number)


def test_every_requirement_of_level_1_and_2_is_there_once() -> None:
    counted = Counter((one.chapter, one.level) for one in REQUIREMENTS)

    assert len({one.number for one in REQUIREMENTS}) == len(REQUIREMENTS) == 253
    assert [(counted[chapter, 1], counted[chapter, 2]) for chapter in range(1, 18)] == [
        *IN_CHAPTERS
    ]
    assert len(CHAPTERS) == len(IN_CHAPTERS)


def test_requirements_stand_in_order() -> None:
    numbers = [[int(part) for part in one.number.split(".")] for one in REQUIREMENTS]

    assert numbers == sorted(numbers)


@each
def test_verdict_has_its_reason(requirement: Requirement) -> None:
    assert requirement.subject
    assert requirement.verdict in VERDICTS
    assert (
        (requirement.tests or requirement.places)
        if requirement.verdict == MET
        else (requirement.remark)
    )
    assert "|" not in requirement.subject + requirement.remark


@each
def test_named_tests_exist(requirement: Requirement) -> None:
    assert [test for test in requirement.tests if not exists(test)] == []


@each
def test_named_places_exist(requirement: Requirement) -> None:
    assert [place for place in requirement.places if not is_place(place)] == []


def is_place(place: str) -> bool:
    """A file, or a section of a document by the anchor that a browser goes to."""
    path, _, anchor = place.partition("#")
    if not anchor:
        return (ROOT / path).exists()
    titles = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    return anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_what_is_gone_would_be_seen() -> None:
    assert not exists("tests/test_asvs.py::test_of_nothing")
    assert not exists("tests/test_of_nothing.py::test_of_nothing")
    assert not is_place("docs/operations.md#nothing")
    assert not is_place("docs/nothing.md")


def test_gaps_are_named_on_top() -> None:
    gaps = document(REQUIREMENTS).partition("## What is not met")[2].partition("## V1")[0]

    named = re.findall(r"^\| ([\d.]+) \|", gaps, re.MULTILINE)
    assert named == [one.number for one in REQUIREMENTS if one.verdict == NOT_MET]


def test_document_is_what_the_table_makes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(REQUIREMENTS), "python -m tests.asvs"
