import pytest

from clusters.http.paging import page_numbers


@pytest.mark.parametrize(
    ("number", "last", "shown"),
    [
        (1, 1, [1]),
        (1, 2, [1, 2]),
        (2, 9, [1, 2, 3, None, 9]),
        (5, 9, [1, None, 4, 5, 6, None, 9]),
        (9, 9, [1, None, 8, 9]),
        (2500, 5000, [1, None, 2499, 2500, 2501, None, 5000]),
    ],
)
def test_links_lead_to_the_ends_and_to_the_pages_beside(
    number: int, last: int, shown: list[int | None]
) -> None:
    assert page_numbers(number, last) == shown
