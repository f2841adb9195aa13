import pytest

from clusters.models import Cluster
from clusters.public_ids import ALPHABET, LENGTH, formerly_at, new_public_id, slug_for
from tests.factories import make_cluster


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


@pytest.mark.django_db
def test_formerly_at_finds_who_had_the_address() -> None:
    cluster = make_cluster(slug="nce-node")
    cluster.slug = "gce-node"
    cluster.save()

    assert formerly_at(Cluster.objects.published(), "nce-node") == cluster


@pytest.mark.django_db
def test_formerly_at_looks_among_the_given_rows_only() -> None:
    make_cluster(slug="nce-node", is_published=False)

    assert formerly_at(Cluster.objects.published(), "nce-node") is None
