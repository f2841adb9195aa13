"""The outbox in admin: leads read it and have failed mails sent again; nobody reads a mail."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from clusters.models import Mail, MailState, Role
from clusters.models.mails import CONTENT
from tests.factories import make_account, make_mail
from tests.mails import sent_mails

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

OUTBOX = "/admin/clusters/mail/"
SAID = dict.fromkeys(CONTENT, "said@example.org")


def sign_in(client: Client, *roles: Role, **fields: Any) -> None:
    client.force_login(make_account(*roles, **fields))


def send_again(client: Client, *mails: Mail) -> Any:
    keys = [mail.pk for mail in mails]
    chosen = {"action": "send_again", "_selected_action": keys}
    return client.post(OUTBOX, chosen, follow=True)


def make_failed(**fields: Any) -> Mail:
    return make_mail(**({"state": "failed", "error": "SMTPDataError 554", "attempts": 9} | fields))


@pytest.mark.parametrize("state", ["waiting", "failed"])
def test_nobody_reads_what_a_mail_says(client: Client, state: str) -> None:
    mail = make_mail(state=state, error="x", **SAID)
    sign_in(client, is_superuser=True)

    pages = [client.get(path) for path in (OUTBOX, f"{OUTBOX}{mail.pk}/change/")]

    for page in pages:
        assert page.status_code == 200
        assert mail.to in page.content.decode()
        assert "said@example.org" not in page.content.decode()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.EDITOR, Role.EXPERT])
def test_only_leads_see_the_outbox(client: Client, role: Role) -> None:
    mail = make_failed()
    sign_in(client, role)

    assert client.get(OUTBOX).status_code == 404
    assert client.get(f"{OUTBOX}{mail.pk}/change/").status_code == 404
    send_again(client, mail)
    mail.refresh_from_db()
    assert mail.state == MailState.FAILED


def test_outbox_is_narrowed_by_state_and_kind(client: Client) -> None:
    failed = make_failed(kind="label_notice")
    make_failed(kind="invitation")
    make_mail(kind="label_notice")
    sign_in(client, Role.LEAD)

    page = client.get(OUTBOX, {"state__exact": "failed", "kind": "label_notice"})

    assert [mail.pk for mail in page.context["cl"].result_list] == [failed.pk]
    assert "notice about a label" in page.content.decode()


def test_failed_mail_is_sent_again(client: Client) -> None:
    failed, waiting = make_failed(), make_mail()
    old = make_failed(created_at=timezone.now() - timedelta(days=8))
    sign_in(client, Role.LEAD)

    page = send_again(client, failed, waiting, old)

    told = [str(message) for message in page.context["messages"]]
    assert told == [
        "1 mail will be sent again.",
        "2 mails are not sent again: they did not fail, or are too old to be of use.",
    ]
    failed.refresh_from_db()
    assert (failed.state, failed.attempts, failed.error) == (MailState.WAITING, 0, "")
    assert {message.to[0] for message in sent_mails()} == {failed.to, waiting.to}
    assert LogEntry.objects.get().object_id == str(failed.pk)


def test_list_takes_the_same_queries_for_one_and_many(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for _number in range(5):
        make_failed()
    sign_in(client, Role.LEAD)

    with django_assert_max_num_queries(15):
        client.get(OUTBOX)
