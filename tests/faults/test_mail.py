"""A mail server that is dead, slow, silent or refuses: nobody waits for it, and no mail is lost."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clusters.models import Mail, Role
from tests.faults.processes import ROOT, Answer, environment, wait_until
from tests.faults.sites import ADDRESS, DEADLINE, Editor, Note, Site, using
from tests.postgres import free_port
from tests.smtp import listening

pytestmark = pytest.mark.django_db

# An address is invited once.
DEAD, SILENT, REFUSED = "a@example.org", "b@example.org", "c@example.org"
MAILS = "/admin/clusters/mail/"


@dataclass
class Sender:
    """`manage.py send_mail --loop`, as it runs beside the portal."""

    port: int
    log: Path

    def has_said(self, text: str) -> bool:
        return text in self.log.read_text()


@pytest.fixture
def sender(site: Site, tmp_path: Path) -> Iterator[Sender]:
    with using(site.address):
        Mail.objects.all().delete()
    port, log = free_port(), tmp_path / "sender.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.sender"],
            env=environment(site.address, MAIL_PORT=str(port)),
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
    try:
        yield Sender(port, log)
    finally:
        process.terminate()
        assert process.wait(20) == 0


def ask_for_a_link(site: Site) -> Answer:
    visitor = Editor(site.portal)
    path = "/en/account/password/reset/"
    return visitor.send(path, visitor.form(path, "email") | {"email": ADDRESS})


def invite(site: Site, address: str) -> Answer:
    path = "/admin/clusters/invitation/add/"
    typed = {"email": address, "role": Role.AUDITOR.value, "_save": ""}
    return site.editor.send(path, site.editor.form(path, "email") | typed)


def mails(site: Site) -> list[tuple[str, str, int]]:
    with using(site.address):
        return list(Mail.objects.order_by("pk").values_list("to", "state", "attempts"))


def test_mails_wait_for_a_dead_server_and_leave_by_a_slow_one(
    site: Site, sender: Sender, note: Note
) -> None:
    answers = ask_for_a_link(site), invite(site, DEAD)
    wait_until(lambda: sender.has_said("ended early: ConnectionRefusedError"), 30, "an attempt")

    assert [(answer.status, answer.seconds < DEADLINE) for answer in answers] == [(302, True)] * 2
    note("visitor", answers[0].seconds)
    note("editor", answers[1].seconds)
    # A server that is away costs no mail an attempt.
    wait_until(lambda: {mail[1:] for mail in mails(site)} == {("waiting", 0)}, 30)
    with listening(port=sender.port, way="slow") as server:
        again = ask_for_a_link(site)
        note("recovery", wait_until(lambda: len(server.messages) == 3, 30, "three mails"))

    assert (again.status, again.seconds < DEADLINE) == (302, True)
    assert sorted(server.recipients()) == [DEAD, ADDRESS, ADDRESS]
    wait_until(lambda: {mail[1:] for mail in mails(site)} == {("sent", 1)}, 30)


def test_mails_wait_for_a_silent_server(site: Site, sender: Sender, note: Note) -> None:
    with listening(port=sender.port, way="silent") as server:
        answer = invite(site, SILENT)
        wait_until(lambda: sender.has_said("ended early: SMTPServerDisconnected"), 30, "an attempt")
        waiting = mails(site)
        server.way = ""
        note("recovery", wait_until(lambda: len(server.messages) == 1, 30, "the mail"))

    assert (answer.status, answer.seconds < DEADLINE) == (302, True)
    assert waiting == [(SILENT, "waiting", 0)]
    assert server.recipients() == [SILENT]


def test_refused_mail_is_told_in_admin_and_sent_again(
    site: Site, sender: Sender, note: Note
) -> None:
    with listening(port=sender.port, answers={REFUSED: 550}) as server:
        answer = invite(site, REFUSED)
        wait_until(lambda: mails(site) == [(REFUSED, "failed", 1)], 30, "the refusal")
        listed = site.editor.get(MAILS).text
        server.answers.clear()
        again = site.editor.send(MAILS, site.editor.form(MAILS, "action") | chosen(site))
        note("recovery", wait_until(lambda: len(server.messages) == 1, 30, "the mail"))

    assert (answer.status, again.status) == (302, 302)
    assert "SMTPRecipientsRefused 550" in listed
    wait_until(lambda: mails(site) == [(REFUSED, "sent", 1)], 30)


def chosen(site: Site) -> dict[str, str]:
    with using(site.address):
        return {"action": "send_again", "_selected_action": str(Mail.objects.get().pk)}
