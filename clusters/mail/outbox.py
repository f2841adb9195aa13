"""What is written to the outbox, what is read from it, and how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

from clusters.models import Mail, MailState
from clusters.models.mails import WITHOUT_CONTENT, MailQuerySet

UNSUBSCRIBE = "List-Unsubscribe"


class OutboxBackend(BaseEmailBackend):
    """For what Django or a library mails by itself; the portal's own mails name their kind."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            enqueue(message, kind="other", language=get_language() or settings.LANGUAGE_CODE)
        return len(email_messages)


def enqueue(message: EmailMessage, *, kind: str, language: str) -> None:
    """Write a row for each recipient. Raises ValueError for what no mail can be made of."""
    Mail.objects.bulk_create(mails_of(message, kind=kind, language=language))


def mails_of(message: EmailMessage, *, kind: str, language: str) -> list[Mail]:
    """The rows, not stored yet; raises as `enqueue`. Of its headers List-Unsubscribe is kept."""
    if message.attachments:
        raise ValueError("The outbox keeps text and HTML only, no attachments.")
    # Refuses a line break in a header now, where the caller sees it.
    message.message()
    alternatives = getattr(message, "alternatives", ())
    html = next((text for text, kind_of_text in alternatives if kind_of_text == "text/html"), "")
    _name, lifetime = settings.MAIL_KINDS[kind]
    now = timezone.now()
    return [
        Mail(
            kind=kind,
            to=address,
            language=language,
            subject=str(message.subject),
            text=str(message.body),
            html=html,
            reply_to=next(iter(message.reply_to), ""),
            unsubscribe_url=message.extra_headers.get(UNSUBSCRIBE, "").strip("<>"),
            created_at=now,
            next_try_at=now,
            expires_at=now + lifetime,
        )
        for address in message.recipients()
    ]


def message_of(mail: Mail) -> EmailMultiAlternatives:
    # RFC 8058: whoever reads the mail ends the subscription by one POST to this address.
    unsubscribe = {
        UNSUBSCRIBE: f"<{mail.unsubscribe_url}>",
        f"{UNSUBSCRIBE}-Post": "List-Unsubscribe=One-Click",
    }
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        to=[mail.to],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers={
            "Auto-Submitted": "auto-generated",
            "Content-Language": mail.language,
            "Message-ID": mail.message_id,
            **(unsubscribe if mail.unsubscribe_url else {}),
        },
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def expire(now: datetime) -> int:
    """Give up what waited for too long to be of use; how many they were."""
    late = Mail.objects.waiting().of_no_use(now)
    # Asked first: a sender that only looks shall not keep others from writing.
    if not late.exists():
        return 0
    return late.update(state=MailState.FAILED, error="too old", **WITHOUT_CONTENT)


@transaction.atomic
def send_again(mails: MailQuerySet, now: datetime) -> list[Mail]:
    """Put failed mails that are still of use back into the outbox; which ones they were."""
    usable = mails.failed().filter(expires_at__gt=now).exclude(text="")
    again = list(usable.select_for_update())
    Mail.objects.filter(pk__in=[mail.pk for mail in again]).update(
        state=MailState.WAITING, next_try_at=now, attempts=0, error=""
    )
    return again


@dataclass(frozen=True)
class OutboxState:
    """How many mails wait, how many failed, and since when the oldest one could have left."""

    waiting: int
    failed: int
    oldest_due: timedelta | None


def outbox_state(now: datetime) -> OutboxState:
    # The oldest that waits for a sender: not one that waits for its next attempt.
    due = Mail.objects.due(now).order_by("next_try_at").values_list("next_try_at", flat=True)
    oldest = due.first()
    return OutboxState(
        waiting=Mail.objects.waiting().count(),
        failed=Mail.objects.failed().count(),
        oldest_due=now - oldest if oldest else None,
    )
