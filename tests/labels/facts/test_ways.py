"""No fact of a public label changes by one person alone, whichever way they take."""

import pytest

from labels.admin.forms import STEPS
from tests.labels.facts import ways
from tests.labels.facts.world import World


def test_every_fact_has_another_value(world: World) -> None:
    assert list(ways.untried(world)) == []


@pytest.mark.parametrize("way", ways.STATEMENTS, ids=lambda way: way.__name__)
def test_database_refuses_every_fact(world: World, way: ways.Write) -> None:
    assert list(ways.by_statement(world, [way])) == []


def test_database_refuses_what_was_decided_otherwise(world: World) -> None:
    assert list(ways.by_derivation(world)) == []


def test_database_keeps_public_labels(world: World) -> None:
    assert list(ways.by_deletion(world)) == []


def test_database_refuses_suspensions(world: World) -> None:
    assert list(ways.suspensions_by_statement(world)) == []


def test_database_refuses_other_decisions(world: World) -> None:
    assert list(ways.decisions_by_statement(world)) == []


def test_database_keeps_clusters_of_public_labels(world: World) -> None:
    assert list(ways.clusters_by_statement(world)) == []


PAGES = (
    ways.by_form, ways.by_import, ways.by_restoring, ways.by_steps, ways.by_adding,
    ways.by_the_proposer, ways.by_cluster, ways.by_deleting,
)  # fmt: skip


@pytest.mark.one_engine
@pytest.mark.parametrize("way", PAGES, ids=lambda way: way.__name__)
def test_one_person_alone_changes_no_fact(world: World, way: ways.Pages) -> None:
    assert list(way(world)) == []


@pytest.mark.one_engine
def test_every_step_is_tried() -> None:
    assert ways.SENT.keys() == STEPS.keys()
