"""Mails of the portal: text and HTML, in the language of whoever gets them, by the outbox."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from clusters.mail.outbox import enqueue


def send(
    template: str, *, to: str, language: str, context: dict[str, Any], reply_to: str = ""
) -> None:
    """Write `mail/<template>` to the outbox, in the transaction that is open, if one is."""
    message = compose(template, to=to, language=language, context=context, reply_to=reply_to)
    enqueue(message, kind=template, language=language)


def compose(
    template: str,
    *,
    to: str,
    language: str,
    context: dict[str, Any],
    reply_to: str = "",
    headers: dict[str, str] | None = None,
) -> EmailMultiAlternatives:
    """The mail of `mail/<template>`.

    Names of other people in the context cannot become headers or HTML. Links are built from
    `site_url`, which every mail knows, never from a request.
    """
    known = {"site_url": settings.SITE_URL, "contact_address": settings.CONTACT_ADDRESS, **context}
    with translation.override(language):
        message = EmailMultiAlternatives(
            # A line break in a name would begin another header.
            subject=" ".join(render_text(f"{template}_subject.txt", known).split()),
            body=render_text(f"{template}.txt", known).strip() + "\n",
            to=[to],
            reply_to=[reply_to] if reply_to else None,
            headers=headers,
        )
        message.attach_alternative(get_template(f"mail/{template}.html").render(known), "text/html")
    return message


def render_text(name: str, context: dict[str, Any]) -> str:
    # Plain text has no HTML to escape.
    template: Any = get_template(f"mail/{name}")
    text: str = template.template.render(Context(context, autoescape=False))
    return text
