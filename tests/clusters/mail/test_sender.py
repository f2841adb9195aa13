"""Passing the outbox on to real mail servers: good, bad, slow, silent and absent ones."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from clusters import mail
from clusters.mail import sender
from clusters.mail.outbox import expire, outbox_state, send_again
from clusters.mail.sender import DELAYS, MailRound, claim_mail, send_due_mails
from clusters.models import Mail, MailState
from tests.races import run_at_once
from tests.smtp import MailServer, mail_server

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TO = "team@example.org"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MOMENT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with mail_server(settings) as known:
        yield known


def write(to: str = TO, kind: str = "access", **options: Any) -> Mail:
    mail.send(
        kind,
        to=to,
        language="en",
        context={"change": "enabled", "organisation": "", "role": "", "roles": ""},
        **options,
    )
    return Mail.objects.latest("pk")


def states() -> dict[str, int]:
    return dict(Counter(Mail.objects.values_list("state", flat=True)))


# A good server


def test_mail_leaves_with_its_headers_and_keeps_no_content(server: MailServer) -> None:
    row = write(reply_to="desk@example.org")
    text = row.text

    done = send_due_mails()

    [(to, message)] = server.messages
    assert done == MailRound(sent=1)
    assert to == message["To"] == TO
    assert message["Message-ID"] == row.message_id == f"<{row.number}@testserver>"
    assert (message["Reply-To"], message["Content-Language"]) == ("desk@example.org", "en")
    assert message["Auto-Submitted"] == "auto-generated"
    plain: Any = message.get_body(("plain",))
    html: Any = message.get_body(("html",))
    assert plain.get_content().splitlines() == text.splitlines()
    assert '<html lang="en">' in html.get_content()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == (MailState.SENT, 1, "")
    assert row.sent_at is not None
    assert (row.subject, row.text, row.html, row.reply_to) == ("", "", "", "")


def test_round_uses_one_connection(server: MailServer) -> None:
    for number in range(5):
        write(f"{number}@example.org")

    done = send_due_mails()

    assert (done.sent, server.connections) == (5, 1)


def test_nothing_due_speaks_to_no_server(server: MailServer) -> None:
    assert send_due_mails() == MailRound()
    assert server.connections == 0


def test_what_is_of_use_for_the_shortest_time_leaves_first(server: MailServer) -> None:
    week, hours = timedelta(days=7), timedelta(hours=3)
    now = timezone.now()
    for to, lifetime in (("a@example.org", week), ("b@example.org", hours)):
        row = write(to)
        Mail.objects.filter(pk=row.pk).update(expires_at=now + lifetime)

    send_due_mails()

    assert server.recipients() == ["b@example.org", "a@example.org"]


def test_sender_stops_between_two_mails(server: MailServer) -> None:
    write()
    write()

    done = send_due_mails(lambda: len(server.messages) == 1)

    assert (done.sent, states()) == (1, {"sent": 1, "waiting": 1})


# Refused


@pytest.mark.parametrize("code", [550, 553])
def test_recipient_refused_for_good_fails_at_once_and_others_leave(
    server: MailServer, code: int
) -> None:
    bad = write("bad@example.org")
    write("good@example.org")
    server.answers["bad@example.org"] = code

    done = send_due_mails()

    assert done == MailRound(sent=1, failed=1)
    bad.refresh_from_db()
    assert (bad.state, bad.error) == (MailState.FAILED, f"SMTPRecipientsRefused {code}")
    assert bad.text != ""
    assert server.recipients() == ["good@example.org"]


def test_text_refused_for_good_fails_at_once(server: MailServer) -> None:
    row = write()
    server.way = "refuses the text"

    assert send_due_mails() == MailRound(failed=1)
    row.refresh_from_db()
    assert row.error == "SMTPDataError 554"


def test_greylisted_mail_leaves_at_a_later_attempt(
    server: MailServer, clock: time_machine.Traveller
) -> None:
    row = write()
    write("other@example.org")
    server.answers[TO] = 451

    first = send_due_mails()
    too_early = send_due_mails()
    clock.shift(10)
    del server.answers[TO]
    second = send_due_mails()

    assert first == MailRound(sent=1, postponed=1)
    assert too_early == MailRound()
    assert second == MailRound(sent=1)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (MailState.SENT, 2)


def test_attempts_grow_rare_and_end_after_two_days(
    server: MailServer, clock: time_machine.Traveller
) -> None:
    row = write()
    server.answers[TO] = 451
    attempts = []

    for _minute in range(3 * 24 * 60):
        if send_due_mails() != MailRound():
            attempts.append(timezone.now() - MOMENT)
        row.refresh_from_db()
        if row.state == MailState.FAILED:
            break
        clock.move_to(max(row.next_try_at, timezone.now()))

    assert len(attempts) == len(DELAYS) + 1
    assert attempts[:4] == [timedelta(seconds=s) for s in (0, 10, 70, 370)]
    assert timedelta(hours=40) < attempts[-1] < timedelta(days=2)
    assert row.error == "SMTPRecipientsRefused 451"


class Unsendable(EmailBackend):
    def send_messages(self, messages: Any) -> int:
        if messages[0].to == [TO]:
            raise UnicodeEncodeError("ascii", TO, 0, 1, "cannot")
        return super().send_messages(messages)


def test_mail_of_which_no_message_can_be_made_keeps_no_other_from_leaving(
    settings: Settings,
) -> None:
    settings.MAIL_TRANSPORT = f"{__name__}.Unsendable"
    write()
    write("other@example.org")

    assert send_due_mails() == MailRound(sent=1, failed=1)
    assert Mail.objects.failed().get().error == "UnicodeEncodeError"


def test_error_and_log_hold_no_address(
    server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    write()
    server.answers[TO] = 550

    send_due_mails()

    assert "SMTPRecipientsRefused 550" in caplog.text
    assert "@" not in caplog.text + Mail.objects.get().error


# A server in trouble


def test_server_that_is_away_costs_no_attempt(
    settings: Settings, clock: time_machine.Traveller
) -> None:
    with mail_server(settings) as gone:
        pass
    for number in range(3):
        write(f"{number}@example.org")

    done = send_due_mails()

    assert done == MailRound(trouble="ConnectionRefusedError")
    assert set(Mail.objects.values_list("attempts", "next_try_at")) == {(0, MOMENT)}
    with mail_server(settings, port=gone.port) as back:
        assert send_due_mails() == MailRound(sent=3)
        assert len(back.messages) == 3


@pytest.mark.parametrize(
    ("way", "trouble"),
    [
        pytest.param("silent", "SMTPServerDisconnected", id="silent after the connection"),
        pytest.param("busy", "SMTPConnectError 421", id="takes no more connections"),
    ],
)
def test_server_that_does_not_greet_costs_no_attempt(
    server: MailServer, way: str, trouble: str
) -> None:
    write()
    server.way = way
    began = time.monotonic()

    done = send_due_mails()

    assert done == MailRound(trouble=trouble)
    assert time.monotonic() - began < 20
    assert Mail.objects.get().attempts == 0


@pytest.mark.parametrize(
    ("way", "trouble"),
    [
        ("drops at the recipient", "SMTPServerDisconnected"),
        ("refuses the sender", "SMTPSenderRefused 550"),
    ],
)
def test_trouble_in_a_talk_ends_the_round_and_costs_one_mail_an_attempt(
    server: MailServer, clock: time_machine.Traveller, way: str, trouble: str
) -> None:
    for number in range(3):
        write(f"{number}@example.org")
    server.way = way

    done = send_due_mails()
    attempts = list(Mail.objects.order_by("pk").values_list("attempts", flat=True))
    server.way = ""
    clock.shift(10)

    assert done == MailRound(postponed=1, trouble=trouble)
    assert attempts == [1, 0, 0]
    assert send_due_mails() == MailRound(sent=3)


def test_closing_of_the_connection_at_a_recipient_is_the_servers_trouble(
    server: MailServer,
) -> None:
    write()
    server.answers[TO] = 421

    assert send_due_mails().trouble == "SMTPRecipientsRefused 421"
    assert states() == {"waiting": 1}


def test_mail_that_was_taken_without_a_word_is_sent_again_with_the_same_number(
    server: MailServer, clock: time_machine.Traveller
) -> None:
    write()
    server.way = "drops after taking"
    send_due_mails()
    server.way = ""
    clock.shift(10)

    send_due_mails()

    assert len(server.messages) == 2
    assert len({message["Message-ID"] for _to, message in server.messages}) == 1


def test_sender_that_was_killed_leaves_its_mail_to_another_after_ten_minutes(
    server: MailServer, clock: time_machine.Traveller
) -> None:
    write()
    claimed = claim_mail(MOMENT)

    clock.shift(timedelta(minutes=9, seconds=59))
    before = send_due_mails()
    clock.shift(1)

    assert claimed is not None
    assert before == MailRound()
    assert send_due_mails() == MailRound(sent=1)


def test_erased_mail_is_not_written_again_by_whoever_sends_it(server: MailServer) -> None:
    write()
    claimed = claim_mail(timezone.now())
    assert claimed is not None
    Mail.objects.all().delete()

    sender.close_claim(claimed, error="x")

    assert not Mail.objects.exists()


def test_mail_that_grew_too_old_while_it_was_sent_counts_as_sent(
    server: MailServer, clock: time_machine.Traveller
) -> None:
    row = write()
    claimed = claim_mail(MOMENT)
    assert claimed is not None
    clock.shift(timedelta(days=8))
    expire(timezone.now())

    sender.close_claim(claimed, state="sent", sent_at=timezone.now(), error="")

    row.refresh_from_db()
    assert (row.state, row.error) == (MailState.SENT, "")


# Limits


def test_limit_for_all_holds_mails_back_for_a_minute(
    server: MailServer, clock: time_machine.Traveller, settings: Settings
) -> None:
    settings.MAILS_A_MINUTE = 3
    for number in range(5):
        write(f"{number}@example.org")

    first = send_due_mails()
    clock.shift(59)
    held = send_due_mails()
    clock.shift(1)
    second = send_due_mails()

    assert (first.sent, held, second.sent) == (3, MailRound(), 2)
    # What is held back asks for no connection.
    assert server.connections == 2


def test_limit_for_one_address_holds_nobody_else_back(
    server: MailServer, clock: time_machine.Traveller, settings: Settings
) -> None:
    settings.MAILS_A_MINUTE_TO_ONE_ADDRESS = 2
    for _number in range(4):
        write()
    write("other@example.org")

    first = send_due_mails()
    clock.shift(60)

    assert first.sent == 3
    assert Counter(server.recipients()) == {TO: 2, "other@example.org": 1}
    assert send_due_mails().sent == 2


# A clock that was ahead by a day


def test_mails_written_by_a_clock_that_was_ahead_leave_at_once(
    server: MailServer, clock: time_machine.Traveller
) -> None:
    server.answers["grey@example.org"] = 451
    clock.shift(timedelta(days=1))
    write("grey@example.org")
    send_due_mails()
    write()
    clock.shift(timedelta(days=-1))
    server.answers.clear()

    assert send_due_mails() == MailRound(sent=2)


def test_mails_sent_by_a_clock_that_was_ahead_use_up_no_limit(
    server: MailServer, clock: time_machine.Traveller, settings: Settings
) -> None:
    settings.MAILS_A_MINUTE = 1
    clock.shift(timedelta(days=1))
    write()
    send_due_mails()
    clock.shift(timedelta(days=-1))
    write()

    assert send_due_mails() == MailRound(sent=1)


# Of no use any more


def test_link_for_a_password_is_not_sent_when_it_has_ended(
    server: MailServer, clock: time_machine.Traveller, settings: Settings
) -> None:
    row = write()
    Mail.objects.update(
        kind="password_reset_key", expires_at=MOMENT + settings.MAIL_KINDS["password_reset_key"][1]
    )
    clock.shift(settings.PASSWORD_RESET_TIMEOUT)

    done = send_due_mails()

    assert done == MailRound(failed=1)
    row.refresh_from_db()
    assert (row.state, row.error, row.text, row.html) == (MailState.FAILED, "too old", "", "")
    assert server.messages == []
    assert send_again(Mail.objects.all(), timezone.now()) == []


# Two senders


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_each_mail_once(server: MailServer) -> None:
    for number in range(50):
        write(f"{number}@example.org")
    done: list[MailRound] = []

    def send() -> None:
        done.append(send_due_mails())

    raised = run_at_once(send, send)

    assert raised == [None, None]
    assert sorted(server.recipients()) == sorted(f"{number}@example.org" for number in range(50))
    assert sum(one.sent for one in done) == 50
    assert server.connections == 2
    assert states() == {"sent": 50}


class OutsideTransactions(EmailBackend):
    def send_messages(self, messages: Any) -> int:
        assert not connection.in_atomic_block
        return super().send_messages(messages)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_server_is_spoken_to(settings: Settings) -> None:
    settings.MAIL_TRANSPORT = f"{__name__}.OutsideTransactions"
    write()

    assert send_due_mails() == MailRound(sent=1)


# How it stands


def test_state_of_the_outbox(server: MailServer, clock: time_machine.Traveller) -> None:
    write()
    write("bad@example.org")
    write("grey@example.org")
    server.answers |= {"bad@example.org": 550, "grey@example.org": 451}
    clock.shift(60)
    before = outbox_state(timezone.now())

    send_due_mails()
    after = outbox_state(timezone.now())

    assert (before.waiting, before.failed, before.oldest_due) == (3, 0, timedelta(minutes=1))
    assert (after.waiting, after.failed, after.oldest_due) == (1, 1, None)


def test_state_takes_three_queries(
    django_assert_num_queries: Callable[..., Any], clock: time_machine.Traveller
) -> None:
    write()

    with django_assert_num_queries(3):
        outbox_state(timezone.now())
