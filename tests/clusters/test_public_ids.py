import pytest

from clusters.public_ids import ALPHABET, LENGTH, new_public_id, slug_for


def test_public_id_has_letters_that_can_be_read_out() -> None:
    public_id = new_public_id()

    assert len(public_id) == LENGTH
    assert set(public_id) <= set(ALPHABET)


def test_public_ids_differ() -> None:
    assert len({new_public_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bioPmed", "biopmed"),
        ("Pôle Énergie & Eau", "pole-energie-eau"),
        ("Łódź", "lodz"),
        ("Кластер", "klaster"),
        ("!!!", "8b2c9d3f"),
        ("a" * 200, "a" * 80),
    ],
)
def test_slug_is_readable_ascii(text: str, expected: str) -> None:
    assert slug_for(text, fallback="8B2C9D3F") == expected
