from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings

from clusters import mail
from tests.mails import sent_mails

pytestmark = pytest.mark.django_db

CONTEXT: dict[str, Any] = {
    "inviter": "owner@example.org",
    "organisation": "Science Park",
    "role": "editor",
    "programme": "",
    "link": "http://testserver/en/invitations/x/",
    "expires_at": datetime(2026, 12, 6, 12, tzinfo=UTC),
}


def sent(**changes: Any) -> Any:
    options: dict[str, Any] = {"to": "team@example.org", "language": "en", "context": CONTEXT}
    mail.send("invitation", **(options | changes))
    return sent_mails()[-1]


def test_mail_has_text_and_html() -> None:
    message = sent()

    assert message.to == ["team@example.org"]
    assert message.subject == "Invitation to the team of Science Park"
    assert "http://testserver/en/invitations/x/" in message.body
    [html] = message.alternatives
    assert '<a href="http://testserver/en/invitations/x/">' in html[0]
    assert html[1] == "text/html"


def test_mail_is_in_the_language_of_the_recipient() -> None:
    message = sent(language="it")

    assert '<html lang="it">' in message.alternatives[0][0]
    assert f"{settings.SITE_URL}/it/" in message.body


def test_mail_answers_go_where_it_says() -> None:
    assert sent(reply_to="desk@example.org").reply_to == ["desk@example.org"]
    assert sent().reply_to == []


def test_line_break_in_a_name_adds_no_header() -> None:
    message = sent(context=CONTEXT | {"organisation": "Park\r\nBcc: all@example.org\u2028X"})

    assert message.subject == "Invitation to the team of Park Bcc: all@example.org X"
    raw: EmailMessage = message.message()
    assert raw["Bcc"] is None


@pytest.mark.parametrize("field", ["to", "reply_to"])
def test_line_break_in_an_address_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=r"newline|[Hh]eader|linefeed"):
        sent(**{field: "a@example.org\nBcc: all@example.org"})

    assert sent_mails() == []


def test_name_is_no_html_in_html_and_itself_in_text() -> None:
    message = sent(context=CONTEXT | {"organisation": "<b>Søn & Co</b>"})

    assert "&lt;b&gt;Søn &amp; Co&lt;/b&gt;" in message.alternatives[0][0]
    assert "<b>Søn & Co</b>" in message.body
    assert message.subject == "Invitation to the team of <b>Søn & Co</b>"
