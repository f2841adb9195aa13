"""A run of notices is killed at any point: nothing is half-done, nothing is written twice."""

from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from clusters.models import Mail, Role
from labels.models import Delivery, Notice
from tests.factories import (
    make_account,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_team_member,
)
from tests.labels.killed import run_and_be_killed

pytestmark = pytest.mark.django_db(transaction=True)

MORNING, AN_HOUR_LATER = (f"2026-11-23T{time}+01:00" for time in ("07:30", "08:30"))
ALPHA, BETA = (f"The Gold label of {name} ends on 30 November 2026" for name in ("Alpha", "Beta"))
EVERYBODY = [
    ("a@example.org", ALPHA),
    ("b@example.org", ALPHA),
    ("info@example.org", BETA),
    ("lead@example.org", "Labels: the week of 23 November 2026"),
]
# The commits: Alpha with both of its mails, Beta, the digest.
POINTS = [
    pytest.param("after-insert labels_notice", 1, 0, id="notice written, not its version"),
    pytest.param("after-insert labels_delivery", 1, 0, id="ledger written, not its mail"),
    pytest.param("after-insert clusters_mail", 1, 0, id="mail of the first of two owners"),
    pytest.param("after-insert clusters_mail", 2, 0, id="mail of the second of two owners"),
    pytest.param("before-commit", 1, 0, id="before the notice is stored"),
    pytest.param("after-commit", 1, 2, id="between two notices"),
    pytest.param("before-commit", 2, 2, id="before the second notice is stored"),
    pytest.param("after-commit", 2, 3, id="after the second notice is stored"),
    pytest.param("after-insert clusters_mail", 4, 3, id="mail of the digest"),
    pytest.param("before-commit", 3, 3, id="before the digest is stored"),
    pytest.param("after-commit", 3, 4, id="after the digest is stored"),
]


@pytest.fixture(autouse=True)
def due() -> None:
    """Alpha, whose organisation has two owners; Beta, whose has an address; a lead."""
    owned = make_organisation()
    for email in ("a@example.org", "b@example.org"):
        make_team_member(organisation=owned, account=make_account(email=email))
    addressed = make_organisation(role_address="info@example.org", country="NO")
    for name, organisation in (("Alpha", owned), ("Beta", addressed)):
        cluster = make_cluster(name=name)
        make_management(cluster=cluster, organisation=organisation)
        make_label(cluster=cluster, assessed_on="2024-11")
    make_account(Role.LEAD, email="lead@example.org")


def run(moment: str) -> None:
    with time_machine.travel(moment):
        call_command("send_notices", stdout=StringIO())


def written() -> list[tuple[str, str]]:
    return sorted(Mail.objects.values_list("to", "subject"))


def is_consistent() -> bool:
    """As many mails as lines of the ledger, each row with a version that says what it says."""
    rows = [*Notice.objects.all(), *Delivery.objects.all()]
    return Delivery.objects.count() == Mail.objects.count() and all(
        getattr(row.history.first(), field.attname) == getattr(row, field.attname)
        for row in rows
        for field in row._meta.concrete_fields
    )


@pytest.mark.parametrize(("event", "number", "mails"), POINTS)
def test_killed_run_loses_nobody_and_tells_nobody_twice(
    event: str, number: int, mails: int
) -> None:
    run_and_be_killed(lambda: run(MORNING), event, number)
    before, was_consistent = written(), is_consistent()

    run(AN_HOUR_LATER)

    assert was_consistent
    assert len(before) == mails
    assert written() == EVERYBODY
    assert Notice.objects.count() == 2
    assert is_consistent()
