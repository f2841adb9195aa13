"""What is written to the outbox, by whom, and that no request waits for a mail server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as portal
from django.core.mail import EmailMessage, send_mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

import config.settings
from clusters.mail.outbox import send_again
from clusters.mail.sender import MailRound, send_due_mails
from clusters.models import Account, Claim, Mail, MailState, Role
from clusters.people.claims import decide_claim
from tests.clusters.mail.test_sender import states, write
from tests.factories import make_account, make_cluster, make_organisation
from tests.smtp import mail_server

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_mail_is_gone_with_the_transaction_that_caused_it() -> None:
    with transaction.atomic():
        write()
        transaction.set_rollback(True)

    assert not Mail.objects.exists()


def test_every_template_is_a_kind_with_a_name_and_a_lifetime() -> None:
    folder = portal.BASE_DIR / "templates" / "mail"
    templates = {path.name.removesuffix("_subject.txt") for path in folder.glob("*_subject.txt")}

    assert set(portal.MAIL_KINDS) == templates | {"other"}


def test_mail_is_of_use_as_long_as_its_kind(client: Client) -> None:
    ask_for_a_link(client)
    link = Mail.objects.get()

    assert link.expires_at - link.created_at == timedelta(seconds=portal.PASSWORD_RESET_TIMEOUT)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"state": "lost"}, id="unknown state"),
        pytest.param({"state": "sent"}, id="sent at no moment"),
        pytest.param({"sent_at": MOMENT}, id="waiting, and sent at a moment"),
        pytest.param({"state": "sent", "sent_at": MOMENT}, id="sent, and still with its text"),
        pytest.param({"text": ""}, id="waiting without a text"),
        pytest.param({"state": "failed"}, id="failed for no reason"),
        pytest.param({"expires_at": MOMENT - timedelta(days=999)}, id="never of use"),
    ],
)
def test_database_refuses_what_cannot_be(values: dict[str, Any]) -> None:
    write()

    with pytest.raises(IntegrityError, match="mail_"), transaction.atomic():
        Mail.objects.update(**values)


# What Django or a library mails


def test_mail_of_a_library_goes_the_same_way(settings: Settings) -> None:
    settings.EMAIL_BACKEND = config.settings.EMAIL_BACKEND

    send_mail("Subject", "Text", None, ["a@example.org", "b@example.org"], html_message="<p>Text")

    rows = list(Mail.objects.order_by("pk").values_list("kind", "to", "subject", "text", "html"))
    assert rows == [
        ("other", "a@example.org", "Subject", "Text", "<p>Text"),
        ("other", "b@example.org", "Subject", "Text", "<p>Text"),
    ]


def test_attachment_is_refused(settings: Settings) -> None:
    settings.EMAIL_BACKEND = config.settings.EMAIL_BACKEND
    message = EmailMessage("Subject", "Text", to=["a@example.org"])
    message.attach("table.csv", "a,b", "text/csv")

    with pytest.raises(ValueError, match="no attachments"):
        message.send()


# Requests, while the mail server is bad

BAD = ["silent", "busy", "drops at the recipient", "refuses the sender"]


def ask_for_a_link(client: Client) -> Any:
    make_account(email="team@example.org")
    return client.post("/en/account/password/reset/", {"email": "team@example.org"})


def send_a_form(client: Client, name: str, **fields: str) -> Any:
    make_cluster(slug="biopmed", contact_address="team@example.org")
    path = f"/en/clusters/biopmed/{name}/"
    stamp = client.get(path).context["form"].stamp
    with time_machine.travel(timezone.now() + timedelta(seconds=5)):
        return client.post(path, fields | {"stamp": stamp})


def send_a_message(client: Client) -> Any:
    return send_a_form(client, "contact", address="a@example.org", subject="Hello", message="Day.")


def report_a_problem(client: Client) -> Any:
    return send_a_form(client, "report", text="The town is Ivrea.")


@pytest.mark.parametrize("way", BAD)
@pytest.mark.parametrize("ask", [ask_for_a_link, send_a_message, report_a_problem])
def test_request_is_answered_at_once_whatever_the_mail_server_does(
    client: Client, settings: Settings, ask: Any, way: str
) -> None:
    settings.EMAIL_BACKEND = config.settings.EMAIL_BACKEND
    with mail_server(settings, way=way) as server:
        response = ask(client)
        waiting, asked = states(), server.connections
        send_due_mails()
        server.way = ""
        with time_machine.travel(timezone.now() + timedelta(seconds=11)):
            done = send_due_mails()

    assert response.status_code == 302
    assert (waiting, asked) == ({"waiting": 1}, 0)
    assert done == MailRound(sent=1)
    assert len(server.messages) == 1


def test_decision_is_stored_with_its_mail_while_the_mail_server_is_away(settings: Settings) -> None:
    with mail_server(settings):
        pass
    lead: Account = make_account(Role.LEAD)
    claim = Claim.objects.create(
        organisation=make_organisation(), role_address="info@example.org", reason="Ours."
    )

    decide_claim(claim=claim, is_approved=False, answer="No.", by=lead, now=timezone.now())

    claim.refresh_from_db()
    assert claim.state == "denied"
    assert Mail.objects.get().to == "info@example.org"
    assert send_due_mails() == MailRound(trouble="ConnectionRefusedError")


# Again


def test_failed_mail_is_sent_again_from_its_beginning(settings: Settings) -> None:
    with mail_server(settings, answers={"team@example.org": 550}) as server:
        row = write()
        send_due_mails()
        server.answers.clear()

        again = send_again(Mail.objects.all(), timezone.now())
        row.refresh_from_db()
        state = (row.state, row.attempts, row.error)

        assert [mail.pk for mail in again] == [row.pk]
        assert state == (MailState.WAITING, 0, "")
        assert send_due_mails() == MailRound(sent=1)


def test_only_what_failed_is_sent_again() -> None:
    write()

    assert send_again(Mail.objects.all(), timezone.now()) == []
