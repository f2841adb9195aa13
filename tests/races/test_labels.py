"""Many take the same step in the life of a label at one moment: one of them takes it.

RACES=1000 runs so many rounds of eight; by default a few of four.
"""

from collections import Counter
from functools import partial

import pytest

from labels.models import Decision, DecisionState, Label
from tests.factories import make_cluster
from tests.races import PEOPLE, race, rounds
from tests.races.steps import (
    approve,
    person,
    propose_award,
    propose_renewal,
    renewal_moment,
    transfer,
    valid_label,
)

pytestmark = pytest.mark.django_db(transaction=True)


def states(label: Label) -> Counter[str]:
    return Counter(Decision.objects.filter(label=label).values_list("state", flat=True))


def test_proposal_approved_by_many_is_approved_once() -> None:
    people = [person() for _number in range(PEOPLE)]
    for cluster in rounds(make_cluster):
        decision = propose_award(cluster, person())

        refused = race(*[partial(approve, decision, one) for one in people])

        assert refused == ["Somebody has decided this already. Look at it again."] * (PEOPLE - 1)
        label = Label.objects.get(cluster=cluster)
        assert label.is_published
        assert states(label) == {DecisionState.MADE: 1}


def test_award_approved_in_many_proposals_is_in_force_once() -> None:
    people = [person() for _number in range(PEOPLE)]
    for cluster in rounds(make_cluster):
        refused = race(*[partial(propose_award, cluster, one) for one in people])
        waiting = Decision.objects.filter(label__cluster=cluster, state=DecisionState.PROPOSED)
        by = person()
        refused += race(*[partial(approve, decision, by) for decision in waiting])

        assert all(refused)
        assert Label.objects.filter(cluster=cluster, is_published=True).count() == 1


def test_label_renewed_by_many_is_renewed_once() -> None:
    people = [person() for _number in range(PEOPLE)]
    for label in rounds(valid_label):
        refused = race(*[partial(propose_renewal, label, one) for one in people])
        waiting = Decision.objects.filter(label__renews=label, state=DecisionState.PROPOSED)
        refused += race(
            *[partial(approve, decision, person(), renewal_moment()) for decision in waiting]
        )

        assert all(refused)
        assert Label.objects.filter(renews=label, is_published=True).count() == 1


def test_label_transferred_by_many_is_transferred_once() -> None:
    people = [person() for _number in range(PEOPLE)]
    for label in rounds(valid_label):
        clusters = [make_cluster() for _number in range(PEOPLE)]

        refused = race(
            *[
                partial(transfer, label, cluster, one)
                for cluster, one in zip(clusters, people, strict=True)
            ]
        )

        assert len(refused) == PEOPLE - 1
        assert all(refused)
        approve(Decision.objects.get(label=label, state=DecisionState.PROPOSED), person())
        assert Label.objects.filter(cluster__in=clusters).count() == 1
