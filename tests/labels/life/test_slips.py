"""What one person corrects of a number: a slip, and not which number it is."""

import pytest

from labels.life.effects import is_slip


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", True),
        ("A-2015-031", "A-2015-031", True),
        ("A-2015-031", "A-2015-013", True),  # two signs exchanged
        ("A-2015-031", "A 2015 031", True),
        ("A-2015-031", "A-2016-047", False),
        ("A-2015-031", "", False),
        ("", "A-2015-031", False),
    ],
)
def test_slip(before: str, after: str, expected: bool) -> None:
    assert is_slip(before, after) is expected
