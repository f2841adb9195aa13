"""Beside each label that ends soon stands what to do next, or why nothing can be done."""

from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clusters.models import Role
from labels.life import steps
from labels.life.refusals import Situation, first_words, refusals
from labels.models import DecisionKind, Label
from tests.factories import DECIDED_AT, make_account, make_label

pytestmark = pytest.mark.django_db

LIST = reverse("admin:labels_label_changelist") + "?attention=ending"


@pytest.fixture(autouse=True)
def day() -> Any:
    with time_machine.travel(DECIDED_AT, tick=False):
        yield


def listed(role: Role) -> str:
    client = Client()
    client.force_login(make_account(role))
    return client.get(LIST).content.decode()


def ending(**fields: Any) -> Label:
    return make_label(level="gold", assessed_on="2025-01-20", **fields)


def propose_an_extension(label: Label) -> None:
    until = date(2027, 6, 30)
    steps.extend(label, until=until, reason="Late.", by=make_account(), now=DECIDED_AT)


def test_label_that_may_be_renewed_leads_there() -> None:
    label = ending()

    assert reverse("admin:labels_label_renew", args=[label.pk]) in listed(Role.EDITOR)


def test_who_may_not_renew_reads_whether_one_may() -> None:
    label = ending()
    page = listed(Role.AUDITOR)

    assert "It may be renewed." in page
    assert reverse("admin:labels_label_renew", args=[label.pk]) not in page


def test_reason_stands_where_no_step_is_open() -> None:
    waiting = ending()
    propose_an_extension(waiting)

    page = listed(Role.EDITOR)

    assert "Another decision on this label is waiting." in page


def test_other_lists_have_no_such_column() -> None:
    client = Client()
    client.force_login(make_account(Role.EDITOR))

    ending()
    whole = client.get(LIST.partition("?")[0]).content.decode()
    assert "Next step" in listed(Role.EDITOR)
    assert "Next step" not in whole


def test_column_says_what_the_page_of_the_label_says() -> None:
    label = ending()
    propose_an_extension(label)
    reason = first_words(refusals(Situation(label, date(2026, 11, 22)), DecisionKind.RENEWAL))

    assert reason in listed(Role.EDITOR)


def test_more_labels_take_no_more_queries() -> None:
    client = Client()
    client.force_login(make_account(Role.EDITOR))

    def count() -> int:
        ending()
        client.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        return len(queries)

    first = count()
    for _number in range(5):
        ending()
    assert count() == first
