"""Mails of the portal: text and HTML, in the language of whoever gets them."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template
from django.utils import translation


class MailResult(StrEnum):
    """For a ledger, which has a row for each mail."""

    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


def send(
    template: str, *, to: str, language: str, context: dict[str, Any], reply_to: str = ""
) -> None:
    """Send `mail/<template>`; names of other people in the context cannot become headers or HTML.

    Links are built from `site_url`, which every mail knows, never from a request.
    """
    known = {"site_url": settings.SITE_URL, "contact_address": settings.CONTACT_ADDRESS, **context}
    with translation.override(language):
        message = EmailMultiAlternatives(
            # A line break in a name would begin another header.
            subject=" ".join(render_text(f"{template}_subject.txt", known).split()),
            body=render_text(f"{template}.txt", known).strip() + "\n",
            to=[to],
            reply_to=[reply_to] if reply_to else None,
            headers={"Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(get_template(f"mail/{template}.html").render(known), "text/html")
    message.send()


def try_to_send(send_mail: Callable[[], None]) -> str:
    """Return why the mail did not leave, without an address in it; "" where it did.

    For ledgers, whose rows are written before a mail leaves and marked after: an error that is no
    mail server's goes through, and leaves the row unmarked.
    """
    try:
        send_mail()
    except (OSError, ValueError) as error:  # an SMTP error is an OSError
        return type(error).__name__
    return ""


def render_text(name: str, context: dict[str, Any]) -> str:
    # Plain text has no HTML to escape.
    template: Any = get_template(f"mail/{name}")
    text: str = template.template.render(Context(context, autoescape=False))
    return text
