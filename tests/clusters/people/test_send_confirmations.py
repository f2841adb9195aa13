"""Runs of the command over time: who is asked when, and never twice for the same round."""

import time
from datetime import date, datetime
from io import StringIO
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from clusters.models import ConfirmationRequest, Organisation, TeamRole
from tests.factories import make_account, make_management, make_organisation, make_team_member

pytestmark = pytest.mark.django_db

CLOSED_PORT = {
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST": "127.0.0.1",
    "EMAIL_PORT": 9,
}
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
    return [message.to[0] for message in mail.outbox]


def ledger() -> list[tuple[date, bool]]:
    rows = ConfirmationRequest.objects.order_by("due_on")
    return [(row.due_on, row.sent_at is not None) for row in rows]


def test_send_confirmations_asks_half_a_year_after_the_last_confirmation() -> None:
    make_due()

    before = run(date(2026, 11, 21))
    nobody = addresses()
    run()

    assert (before.splitlines()[-1], nobody) == ("sent: 0, skipped: 0, failed: 0.", [])
    assert ledger() == [(FIRST, True)]
    assert len(mail.outbox) == 1


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
    assert mail.outbox[0].subject != ""
    assert "/it/confirm/" in mail.outbox[0].body


def test_send_confirmations_writes_english_to_a_role_address_elsewhere() -> None:
    make_organisation(role_address="info@example.org", country="NO")

    run()

    assert "/en/confirm/" in mail.outbox[0].body


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
    assert "/en/confirm/" in mail.outbox[0].body
    assert "/it/confirm/" in mail.outbox[1].body


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

    assert len(mail.outbox) == 1
    assert again == tomorrow == "sent: 0, skipped: 0, failed: 0.\n"


def test_send_confirmations_catches_up_after_missed_months_with_one_mail() -> None:
    make_due()
    late = date(2027, 9, 1)

    run(late)
    run(date(2027, 9, 2))

    assert ledger() == [(FIRST, True)]
    assert len(mail.outbox) == 1


def test_send_confirmations_asks_again_half_a_year_after_it_asked() -> None:
    make_due()
    run(date(2026, 12, 1))

    run(date(2027, 5, 31))
    unanswered = ledger()
    run(date(2027, 6, 1))

    assert unanswered == [(FIRST, True)]
    assert ledger() == [(FIRST, True), (date(2027, 6, 1), True)]


def test_send_confirmations_tries_a_failed_mail_again(settings: Any) -> None:
    make_due(name="Science Park")
    for name, value in CLOSED_PORT.items():
        setattr(settings, name, value)
    output = StringIO()
    with time_machine.travel(at(FIRST)), pytest.raises(CommandError, match="Mails failed"):
        call_command("send_confirmations", stdout=output)
    failed = ledger()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    run(date(2026, 11, 23))

    assert "failed: Science Park" in output.getvalue()
    assert "ConnectionRefusedError" in output.getvalue()
    assert failed == [(FIRST, False)]
    assert ledger() == [(FIRST, True)]
    assert len(mail.outbox) == 1


def test_send_confirmations_tries_a_failed_first_round_again_on_its_row(settings: Any) -> None:
    make_organisation(role_address="info@example.org")
    for name, value in CLOSED_PORT.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError):
        run()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    run(date(2026, 11, 25))

    assert ledger() == [(FIRST, True)]


class RefusingOne(EmailBackend):
    def send_messages(self, messages: Any) -> int:
        if messages[0].to == ["a@example.org"]:
            raise ConnectionResetError
        return super().send_messages(messages)


def test_send_confirmations_goes_on_after_a_failed_mail(settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.RefusingOne"
    for number, email in enumerate(("a@example.org", "b@example.org")):
        organisation = make_organisation(name=f"Park {number}", confirmed_on=date(2026, 5, 22))
        make_team_member(organisation=organisation, account=make_account(email=email))

    with pytest.raises(CommandError):
        run()

    assert addresses() == ["b@example.org"]
    assert sorted(is_sent for _day, is_sent in ledger()) == [False, True]


def test_send_confirmations_is_sent_when_one_of_two_owners_got_it(settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.RefusingOne"
    organisation = make_organisation(confirmed_on=date(2026, 5, 22))
    for email in ("a@example.org", "b@example.org"):
        make_team_member(organisation=organisation, account=make_account(email=email))

    with pytest.raises(CommandError):
        run()
    run(date(2026, 11, 23))

    assert addresses() == ["b@example.org"]
    assert ledger() == [(FIRST, True)]


def test_dry_run_lists_and_writes_nothing() -> None:
    organisation = make_due(name="Science Park")

    output = run(FIRST, "--dry-run")

    assert output == (f"due: Science Park ({organisation.public_id})\nDue: 1. Nothing was sent.\n")
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

    [message] = mail.outbox
    assert message.subject == "Is the profile of Science Park still right?"
    assert f"- {cluster.name}" in message.body
    assert ended.name not in message.body
    assert "Last confirmed: 22 May 2026." in message.body
    assert "The link works until 21 January 2027" in message.body
    assert "http://testserver/en/confirm/" in message.body


def test_output_holds_no_address() -> None:
    make_due()

    assert "@" not in run()


class Slow(EmailBackend):
    """Holds the first run long enough for the second to come."""

    def send_messages(self, messages: Any) -> int:
        time.sleep(0.5)
        return super().send_messages(messages)


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_the_same_moment_send_one_mail(settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Slow"
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
    assert lasts[-1] == "sent: 1, skipped: 0, failed: 0."
    assert lasts[0] in ("sent: 0, skipped: 0, failed: 0.", "sent: 0, skipped: 1, failed: 0.")
    assert len(mail.outbox) == 1
    assert ledger() == [(FIRST, True)]
