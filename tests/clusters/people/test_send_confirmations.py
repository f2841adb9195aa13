"""Runs of the command over time: who is asked when, and never twice for the same round."""

from datetime import date, datetime
from io import StringIO
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from clusters import mail
from clusters.mail.outbox import enqueue
from clusters.models import ConfirmationRequest, Organisation, TeamRole
from tests.factories import make_account, make_management, make_organisation, make_team_member
from tests.mails import hold, sent_mails

pytestmark = pytest.mark.django_db

FIRST = date(2026, 11, 22)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=timezone.get_default_timezone())


def run(day: date = FIRST, *arguments: str) -> str:
    output = StringIO()
    with time_machine.travel(at(day), tick=False):
        call_command("send_confirmations", *arguments, stdout=output)
    return output.getvalue()


def make_due(**fields: Any) -> Organisation:
    """An organisation with an owner, whose facts were confirmed half a year before FIRST."""
    organisation = make_organisation(**({"confirmed_on": date(2026, 5, 22)} | fields))
    make_team_member(organisation=organisation)
    return organisation


def addresses() -> list[str]:
    return [message.to[0] for message in sent_mails()]


def ledger() -> list[tuple[date, bool]]:
    rows = ConfirmationRequest.objects.order_by("due_on")
    return [(row.due_on, row.asked_at is not None) for row in rows]


def test_send_confirmations_asks_half_a_year_after_the_last_confirmation() -> None:
    make_due()

    before = run(date(2026, 11, 21))
    nobody = addresses()
    run()

    assert (before, nobody) == ("Mails written: 0.\n", [])
    assert ledger() == [(FIRST, True)]
    assert len(sent_mails()) == 1


def test_send_confirmations_counts_from_the_beginning_of_the_team() -> None:
    with time_machine.travel(at(date(2026, 1, 10))):
        make_due(confirmed_on=None)

    run(date(2026, 7, 9))
    nobody = addresses()
    run(date(2026, 7, 10))

    assert nobody == []
    assert ledger() == [(date(2026, 7, 10), True)]


def test_send_confirmations_asks_a_role_address_without_a_past_at_once() -> None:
    make_organisation(role_address="info@example.org", country="IT")

    run()

    assert addresses() == ["info@example.org"]
    assert sent_mails()[0].subject != ""
    assert "/it/confirm/" in sent_mails()[0].body


def test_send_confirmations_writes_english_to_a_role_address_elsewhere() -> None:
    make_organisation(role_address="info@example.org", country="NO")

    run()

    assert "/en/confirm/" in sent_mails()[0].body


def test_send_confirmations_writes_to_each_active_owner_in_their_language() -> None:
    organisation = make_organisation(
        confirmed_on=date(2026, 5, 22), role_address="info@example.org"
    )
    for email, language in (("a@example.org", "en"), ("b@example.org", "it")):
        make_team_member(
            organisation=organisation, account=make_account(email=email, language=language)
        )
    make_team_member(organisation=organisation, account=make_account(is_active=False))
    make_team_member(organisation=organisation, role=TeamRole.EDITOR)

    run()

    assert addresses() == ["a@example.org", "b@example.org"]
    assert "/en/confirm/" in sent_mails()[0].body
    assert "/it/confirm/" in sent_mails()[1].body


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"is_published": False, "role_address": "info@example.org"}, id="unpublished"),
        pytest.param({"role_address": ""}, id="nobody to ask"),
    ],
)
def test_send_confirmations_leaves_out_whom_it_cannot_ask(fields: dict[str, Any]) -> None:
    make_organisation(**fields)

    run()

    assert addresses() == []
    assert ledger() == []


def test_send_confirmations_does_not_ask_editors_alone() -> None:
    organisation = make_organisation(confirmed_on=date(2020, 1, 1))
    make_team_member(organisation=organisation, role=TeamRole.EDITOR)

    run()

    assert addresses() == []


def test_send_confirmations_twice_sends_one_mail() -> None:
    make_due()

    run()
    again = run()
    tomorrow = run(date(2026, 11, 23))

    assert len(sent_mails()) == 1
    assert again == tomorrow == "Mails written: 0.\n"


def test_send_confirmations_catches_up_after_missed_months_with_one_mail() -> None:
    make_due()
    late = date(2027, 9, 1)

    run(late)
    run(date(2027, 9, 2))

    assert ledger() == [(FIRST, True)]
    assert len(sent_mails()) == 1


def test_send_confirmations_asks_again_half_a_year_after_it_asked() -> None:
    make_due()
    run(date(2026, 12, 1))

    run(date(2027, 5, 31))
    unanswered = ledger()
    run(date(2027, 6, 1))

    assert unanswered == [(FIRST, True)]
    assert ledger() == [(FIRST, True), (date(2027, 6, 1), True)]


def test_send_confirmations_writes_the_request_with_all_of_its_mails_or_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    organisation = make_organisation(confirmed_on=date(2026, 5, 22))
    for email in ("a@example.org", "b@example.org"):
        make_team_member(organisation=organisation, account=make_account(email=email))

    def fail_at_the_second(message: Any, **values: Any) -> None:
        if message.to == ["b@example.org"]:
            raise OperationalError
        enqueue(message, **values)

    with monkeypatch.context() as patch:
        patch.setattr(mail, "enqueue", fail_at_the_second)
        with pytest.raises(OperationalError):
            run()
    before = (ledger(), addresses())
    run()

    assert before == ([], [])
    assert ledger() == [(FIRST, True)]
    assert addresses() == ["a@example.org", "b@example.org"]


def test_dry_run_lists_and_writes_nothing() -> None:
    organisation = make_due(name="Science Park")

    output = run(FIRST, "--dry-run")

    assert output == (
        f"due: Science Park ({organisation.public_id})\nDue: 1. Nothing was written.\n"
    )
    assert (addresses(), ledger()) == ([], [])


def test_on_takes_another_day() -> None:
    make_due()

    run(date(2026, 11, 1), "--on", "2026-11-22")

    assert ledger() == [(FIRST, True)]


def test_mail_names_what_is_confirmed_and_until_when() -> None:
    organisation = make_due(name="Science Park")
    cluster = make_management(organisation=organisation).cluster
    ended = make_management(organisation=organisation, ended_on="2020").cluster

    run()

    [message] = sent_mails()
    assert message.subject == "Is the profile of Science Park still right?"
    assert f"- {cluster.name}" in message.body
    assert ended.name not in message.body
    assert "Last confirmed: 22 May 2026." in message.body
    assert "The link works until 21 January 2027" in message.body
    assert "http://testserver/en/confirm/" in message.body


def test_output_holds_no_address() -> None:
    make_due()

    assert "@" not in run()


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_the_same_moment_write_one_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    hold(monkeypatch, mail)
    make_due()
    start = Barrier(2)
    outputs = [StringIO(), StringIO()]

    def one_run(output: StringIO) -> None:
        start.wait()
        call_command("send_confirmations", "--on", FIRST.isoformat(), stdout=output)
        connection.close()

    runs = [Thread(target=one_run, args=[output]) for output in outputs]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()

    lasts = sorted(output.getvalue().splitlines()[-1] for output in outputs)
    assert lasts == ["Mails written: 0.", "Mails written: 1."]
    assert len(sent_mails()) == 1
    assert ledger() == [(FIRST, True)]
