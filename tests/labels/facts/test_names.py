"""By whose names the public knows a label: they are not exchanged, and managers stay public."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from clusters.models import Cluster, Organisation
from tests.factories import award_label, make_cluster, make_management, make_organisation

pytestmark = pytest.mark.django_db


def two_clusters() -> tuple[Cluster, Cluster]:
    return award_label().cluster, make_cluster()


def two_managers() -> tuple[Organisation, Organisation]:
    holder = make_organisation()
    make_management(cluster=award_label().cluster, organisation=holder)
    return holder, make_organisation()


def renamed(row: Any, name: str) -> None:
    """As a form saves it, and as a statement writes it; refused both ways, or neither."""
    row = type(row).objects.get(pk=row.pk)
    row.name = name
    row.full_clean()
    row.save()


def refused_both_ways(row: Any, name: str) -> bool:
    with pytest.raises(ValidationError) as caught:
        renamed(row, name)
    with pytest.raises(IntegrityError), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(name=name)
    return list(caught.value.message_dict) == ["name"]


PAIRS = pytest.mark.parametrize("pair", [two_clusters, two_managers])


@PAIRS
def test_name_of_a_holder_is_not_taken(pair: Any) -> None:
    holder, other = pair()

    assert refused_both_ways(other, holder.name)


@PAIRS
def test_names_are_not_exchanged_by_way_of_a_third(pair: Any) -> None:
    holder, other = pair()
    name = other.name
    renamed(other, "A third name")

    assert refused_both_ways(holder, name)
    assert refused_both_ways(holder, "A third name")


@PAIRS
def test_name_that_a_holder_once_had_is_not_taken(pair: Any) -> None:
    holder, other = pair()
    name = holder.name
    renamed(holder, "A new name")

    assert refused_both_ways(other, name)
    renamed(holder, name)


@pytest.mark.parametrize("make", [make_cluster, make_organisation])
def test_names_by_which_no_label_is_known_are_free(make: Any) -> None:
    one, other = make(), make()
    name = one.name
    renamed(one, "A new name")
    renamed(other, name)

    assert type(other).objects.get(pk=other.pk).name == name


def test_manager_of_public_labels_stays_public() -> None:
    holder, other = two_managers()
    rows: models.QuerySet[Organisation] = Organisation.objects.filter(pk=holder.pk)
    holder.is_published = other.is_published = False

    with pytest.raises(ValidationError) as caught:
        holder.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(is_published=False)
    assert list(caught.value.message_dict) == ["is_published"]
    other.full_clean()
