"""A process killed amid an award leaves nothing half-done, and the award can be done again."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from clusters.models import Account, Change, Cluster
from labels.life import proposals
from labels.life import steps as life
from labels.life.proposals import tried
from labels.models import Decision, DecisionState, Label
from news.models import Announcement
from tests.factories import DECIDED_AT, make_account, make_cluster, new_label
from tests.labels.killed import run_in_a_child

pytestmark = pytest.mark.django_db(transaction=True)

POINTS = 10
REASON = "The jury agreed."


@pytest.fixture
def nothing_follows_an_award() -> None:
    """Here an announcement does: it is written with the award, or not at all."""


def propose(cluster: Cluster, by: Account) -> Decision:
    return life.award(new_label(cluster=cluster), reason=REASON, by=by, now=DECIDED_AT)


def approve(decision: Decision, by: Account) -> None:
    seen = tried(decision, now=DECIDED_AT).digest
    proposals.approve(decision, seen=seen, by=by, now=DECIDED_AT)


def counted(call: Callable[[], Any], counter: list[int], kill_at: int = 0) -> Any:
    """Count the statements; this process dies before the one with that number."""

    def count(execute: Callable[..., Any], *about: Any) -> Any:
        counter[0] += 1
        if counter[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*about)

    with connection.execute_wrapper(count):
        return call()


@pytest.fixture(scope="module")
def number_of_statements(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> int:
    counter = [0]
    with django_db_blocker.unblock(), transaction.atomic():
        cluster, people = make_cluster(), [make_account(), make_account()]
        counted(lambda: approve(propose(cluster, people[0]), people[1]), counter)
        transaction.set_rollback(True)
    return counter[0]


def number_of_rows() -> dict[str, int]:
    """Of every table, histories and drafts of announcements among them, without the log."""
    models = [model for model in apps.get_models() if model is not Change]
    return {model.__name__: model._default_manager.count() for model in models}


def difference(before: dict[str, int]) -> dict[str, int]:
    now = number_of_rows()
    return {name: now[name] - before[name] for name in now if now[name] != before[name]}


PROPOSED = {"Label": 1, "HistoricalLabel": 1, "Decision": 1, "HistoricalDecision": 1, "Event": 1}
APPROVED = PROPOSED | {
    "HistoricalLabel": 2,
    "HistoricalDecision": 2,
    "Event": 2,
    "Announcement": 1,
    "AnnouncementText": 2,
}


def without_details(rows: dict[str, int]) -> dict[str, int]:
    """What an announcement is tied to depends on what there is; its tables are left out."""
    return {name: number for name, number in rows.items() if name in APPROVED}


@pytest.mark.parametrize("point", range(1, POINTS + 1))
def test_award_killed_leaves_all_or_nothing(number_of_statements: int, point: int) -> None:
    cluster, people = make_cluster(), [make_account(), make_account()]
    before = number_of_rows()
    kill_at = number_of_statements * (2 * point - 1) // (2 * POINTS) + 1

    ended = run_in_a_child(
        lambda: counted(lambda: approve(propose(cluster, people[0]), people[1]), [0], kill_at)
    )

    assert ended == signal.SIGKILL
    left = difference(before)
    assert left in ({}, PROPOSED)
    assert not Label.objects.filter(is_published=True).exists()
    decision = Decision.objects.first() or propose(cluster, people[0])
    approve(decision, people[1])
    assert without_details(difference(before)) == APPROVED
    assert Decision.objects.get().state == DecisionState.MADE
    assert Label.objects.get().is_published
    assert Announcement.objects.get().labels.get() == Label.objects.get()


def test_award_that_is_not_killed_is_all_there() -> None:
    cluster, people = make_cluster(), [make_account(), make_account()]
    before = number_of_rows()

    ended = run_in_a_child(lambda: approve(propose(cluster, people[0]), people[1]))

    assert ended == 0
    assert without_details(difference(before)) == APPROVED
