from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from clusters.models import Cluster, PublicRecord
from tests.factories import make_cluster, make_organisation, make_programme, region

pytestmark = pytest.mark.django_db


def test_at_takes_a_public_id_an_address_and_a_former_one() -> None:
    cluster = make_cluster(slug="nce-node")
    cluster.slug = "gce-node"
    cluster.save()
    texts = [cluster.public_id, cluster.public_id.lower(), "gce-node", "nce-node"]

    assert [Cluster.objects.at(text) for text in texts] == [cluster] * 4
    assert Cluster.objects.keys_at([*texts, "node"]) == dict.fromkeys(texts, cluster.pk)
    assert Cluster.objects.at("node") is None


def test_at_prefers_the_public_id_and_the_address_of_today() -> None:
    first, second = make_cluster(slug="first"), make_cluster(slug="second")
    first.public_id = "23456789"
    second.slug = "23456789"
    second.save()
    first.slug = "second"
    first.save()
    texts = {"23456789": first, "second": first}

    assert {text: Cluster.objects.at(text) for text in texts} == texts
    assert Cluster.objects.keys_at(texts) == dict.fromkeys(texts, first.pk)


def test_at_looks_among_the_given_rows_only() -> None:
    make_cluster(slug="nce-node", is_published=False)
    moved = make_cluster(slug="gce-node", is_published=False)
    moved.slug = "node"
    moved.save()

    texts = ["nce-node", "gce-node"]
    assert [Cluster.objects.published().at(text) for text in texts] == [None, None]
    assert Cluster.objects.published().keys_at(texts) == {}


@pytest.mark.parametrize("make", [make_cluster, make_organisation, make_programme])
def test_region_lies_in_the_country(make: Callable[..., PublicRecord]) -> None:
    make(country="IT", region=region("IT-21")).clean()
    make(country="IT", region=None).clean()
    with pytest.raises(ValidationError, match="another country"):
        make(country="FR", region=region("IT-21")).clean()
