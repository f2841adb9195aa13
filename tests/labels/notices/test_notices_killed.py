"""A run of notices is killed at any point: nothing is half-done, nothing is sent twice."""

from collections import Counter
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from clusters.models import Role
from labels.models import Delivery, Notice
from tests.factories import (
    make_account,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_team_member,
)
from tests.labels.killed import FOLDER, mails, run_and_be_killed

pytestmark = pytest.mark.django_db(transaction=True)

MORNING, AN_HOUR_LATER, AT_NOON = (
    f"2026-11-23T{time}+01:00" for time in ("07:30", "08:30", "12:00")
)
EVERYBODY = {
    "a@example.org The Gold label of Alpha ends on 30 November 2026",
    "b@example.org The Gold label of Alpha ends on 30 November 2026",
    "info@example.org The Gold label of Beta ends on 30 November 2026",
    "lead@example.org Labels: the week of 23 November 2026",
}
# The commits: the notice of Alpha, then for each mail its beginning and its end.
POINTS = [
    pytest.param("after-insert labels_notice", 1, id="notice written, not its version"),
    pytest.param("before-commit", 1, id="before the notice is stored"),
    pytest.param("after-commit", 1, id="after the notice is stored"),
    pytest.param("after-insert labels_delivery", 1, id="mail written down, not its version"),
    pytest.param("before-commit", 2, id="before the mail is written down"),
    pytest.param("after-commit", 2, id="after the mail is written down"),
    pytest.param("before-mail", 1, id="before the first mail"),
    pytest.param("after-mail", 1, id="after the first mail"),
    pytest.param("before-commit", 3, id="before the mail counts as sent"),
    pytest.param("after-commit", 3, id="after the mail counts as sent"),
    pytest.param("after-mail", 2, id="after the second of two owners"),
    pytest.param("after-commit", 6, id="between two notices"),
    pytest.param("before-mail", 4, id="before the digest"),
    pytest.param("after-mail", 4, id="after the digest"),
]


@pytest.fixture
def folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.EMAIL_BACKEND = "tests.labels.killed.Store"
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


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


def run_until(event: str, number: int) -> None:
    def command() -> None:
        with time_machine.travel(MORNING):
            call_command("send_notices", stdout=StringIO())

    run_and_be_killed(command, event, number)


def run(moment: str) -> tuple[int, str]:
    """Exit code and output."""
    output = StringIO()
    with time_machine.travel(moment):
        try:
            call_command("send_notices", stdout=output)
        except CommandError:
            return 1, output.getvalue()
    return 0, output.getvalue()


def recipient_of(delivery: Delivery) -> str:
    return delivery.account.email if delivery.account else "info@example.org"


def is_consistent() -> bool:
    """Each row has its versions, and the last of them says what the row says."""
    rows = [*Notice.objects.all(), *Delivery.objects.all()]
    return all(
        getattr(row.history.first(), field.attname) == getattr(row, field.attname)
        for row in rows
        for field in row._meta.concrete_fields
    )


@pytest.mark.parametrize(("event", "number"), POINTS)
def test_killed_run_loses_nobody_and_tells_nobody_twice(
    folder: Path, event: str, number: int
) -> None:
    run_until(event, number)
    assert is_consistent()

    code, output = run(AN_HOUR_LATER)

    cut_off = list(Delivery.objects.cut_off(datetime.fromisoformat(AN_HOUR_LATER)).with_notice())
    sent = Counter(mails(folder))
    reached = {line.split()[0] for line in sent}
    assert max(sent.values()) == 1
    assert set(sent) <= EVERYBODY
    assert {line.split()[0] for line in EVERYBODY} - reached <= set(map(recipient_of, cut_off))
    assert len(cut_off) <= 1
    assert code == len(cut_off)
    assert all(f"--settle {delivery.pk} sent|again" in output for delivery in cut_off)
    assert is_consistent()

    for delivery in cut_off:
        answer = "sent" if recipient_of(delivery) in reached else "again"
        with time_machine.travel(AN_HOUR_LATER):
            call_command("send_notices", "--settle", str(delivery.pk), answer, stdout=StringIO())
    code, _output = run(AT_NOON)

    assert Counter(mails(folder)) == dict.fromkeys(EVERYBODY, 1)
    assert code == 0
    assert Delivery.objects.filter(sent_at=None).count() == 0
    assert Notice.objects.count() == 2
    assert is_consistent()


def test_points_lie_before_and_after_each_step(folder: Path) -> None:
    """Whoever is killed between writing down and having sent is told apart: nobody knows."""
    run_until("after-commit", 1)
    before = Delivery.objects.count()
    run_until("after-mail", 1)

    [delivery] = Delivery.objects.all()
    assert (before, delivery.sent_at, delivery.failed_at) == (0, None, None)
    assert len(mails(folder)) == 1
