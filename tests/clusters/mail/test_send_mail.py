"""The command: once, in a loop, told to stop, killed."""

import os
import signal
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from pytest_django.fixtures import Settings

from clusters.mail import sender
from clusters.management.commands import send_mail
from clusters.models import Mail
from tests.clusters.mail.test_sender import states, write
from tests.labels.killed import FOLDER, forked, mails, run_and_be_killed
from tests.smtp import mail_server

pytestmark = pytest.mark.django_db

NOON, LATER = "2026-11-23T12:00+01:00", "2026-11-23T12:11+01:00"


def run() -> str:
    output = StringIO()
    call_command("send_mail", "--once", stdout=output)
    return output.getvalue()


def test_once_sends_and_counts(settings: Settings) -> None:
    with mail_server(settings) as server:
        write()
        write("grey@example.org")
        server.answers["grey@example.org"] = 451

        assert run() == "sent: 1, postponed: 1, failed: 0.\n"


def test_once_ends_with_an_error_when_a_mail_failed_for_good(settings: Settings) -> None:
    with mail_server(settings, answers={"team@example.org": 550}):
        write()

        with pytest.raises(CommandError, match="failed for good"):
            run()
        assert run() == "sent: 0, postponed: 0, failed: 0.\n"


def test_once_tells_of_a_server_that_is_away(settings: Settings) -> None:
    with mail_server(settings):
        pass
    write()

    assert run() == (
        "sent: 0, postponed: 0, failed: 0; the round ended early: ConnectionRefusedError.\n"
    )


# The loop


def wait_for(is_so: Callable[[], bool]) -> float:
    """The seconds until it was so."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < 20
        time.sleep(0.05)
    return time.monotonic() - began


def loop() -> None:
    call_command("send_mail", "--loop", stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_loop_sends_within_seconds_and_ends_when_it_is_told_to(settings: Settings) -> None:
    with mail_server(settings) as server:
        connections.close_all()
        child = forked(loop)
        try:
            time.sleep(1)
            write()
            waited = wait_for(lambda: len(server.messages) == 1)
        finally:
            os.kill(child, signal.SIGTERM)
            _pid, status = os.waitpid(child, 0)

    assert waited < 10
    assert (os.WIFEXITED(status), os.WEXITSTATUS(status)) == (True, 0)
    assert states() == {"sent": 1}


@pytest.mark.django_db(transaction=True)
def test_loop_told_to_stop_ends_after_the_mail_that_it_sends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(settings) as server:
        for _number in range(3):
            write()
        send_one = sender.send_one

        def slowly(*arguments: object) -> None:
            time.sleep(1)
            send_one(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(sender, "send_one", slowly)
        connections.close_all()
        child = forked(loop)
        wait_for(lambda: Mail.objects.exclude(attempts=0).exists())
        os.kill(child, signal.SIGTERM)
        _pid, status = os.waitpid(child, 0)

    assert os.WEXITSTATUS(status) == 0
    assert len(server.messages) == 1
    assert states() == {"sent": 1, "waiting": 2}
    assert Mail.objects.waiting().filter(attempts=0).count() == 2


@pytest.mark.django_db(transaction=True)
def test_loop_goes_on_when_server_and_database_come_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_mail, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(send_mail, "PAUSE", 0.2)
    monkeypatch.setattr(send_mail, "send_due_mails", failing_once(sender.send_due_mails))
    with mail_server(settings) as gone:
        pass
    write()
    connections.close_all()
    child = forked(loop)
    try:
        time.sleep(1)
        with mail_server(settings, port=gone.port) as back:
            wait_for(lambda: len(back.messages) == 1)
            wait_for(lambda: states() == {"sent": 1})
    finally:
        os.kill(child, signal.SIGTERM)
        _pid, status = os.waitpid(child, 0)

    assert os.WEXITSTATUS(status) == 0
    assert Mail.objects.get().attempts == 1


def failing_once(call: Callable[..., object]) -> Callable[..., object]:
    calls = []

    def first_fails(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 1:
            raise OperationalError
        return call(*arguments)

    return first_fails


# Killed


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("event", "number", "twice"),
    [
        pytest.param("before-commit", 1, 0, id="before the claim is stored"),
        pytest.param("after-commit", 1, 0, id="after the claim is stored"),
        pytest.param("before-mail", 1, 0, id="before the first mail"),
        pytest.param("after-mail", 1, 1, id="after the first mail, which nobody has written down"),
        pytest.param("after-mail", 3, 1, id="after the last mail"),
    ],
)
def test_killed_sender_loses_no_mail(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    event: str,
    number: int,
    twice: int,
) -> None:
    settings.MAIL_TRANSPORT = "tests.labels.killed.Store"
    monkeypatch.setenv(FOLDER, str(tmp_path))
    with time_machine.travel(NOON):
        for to in ("a@example.org", "b@example.org", "c@example.org"):
            write(to)
        run_and_be_killed(run, event, number)
    with time_machine.travel(LATER):
        run()

    sent = [line.split()[0] for line in mails(tmp_path)]
    assert set(sent) == {"a@example.org", "b@example.org", "c@example.org"}
    assert len(sent) == 3 + twice
    assert states() == {"sent": 3}
