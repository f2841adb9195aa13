"""Passing the outbox on to the mail server, with attempts, limits and nobody's mail sent twice.

Each mail is claimed before it is sent, in a short transaction of its own: none is open while a mail
server is spoken to, which may take minutes. A sender that is killed after the mail server took a
mail, and before the row says so, leaves a claim behind; when that has run out the mail is sent once
more, with the same Message-ID.
"""

import logging
import smtplib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from clusters.mail.outbox import expire, message_of
from clusters.models import Mail, MailState
from clusters.models.mails import LONGEST_DELAY, WITHOUT_CONTENT, MailQuerySet

# Between two attempts: some 44 hours in all.
DELAYS = (*(timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200)), *[LONGEST_DELAY] * 7)
# Longer than a talk with a mail server, whose every answer may take EMAIL_TIMEOUT.
CLAIM = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)

logger = logging.getLogger(__name__)


@dataclass
class MailRound:
    """What became of the mails that were due; `trouble`: the mail server ended the round."""

    sent: int = 0
    postponed: int = 0
    failed: int = 0
    trouble: str = ""


class MailRefusal(Enum):
    FOR_GOOD = "for good"
    FOR_NOW = "for now"
    OF_ALL = "of all"  # the mail server is in trouble, not the mail


def send_due_mails(should_stop: Callable[[], bool] = lambda: False) -> MailRound:
    """Send what is due over one connection. A mail server that is away costs no mail an attempt."""
    done = MailRound(failed=expire(timezone.now()))
    if not sendable_mails(timezone.now()).exists():
        return done
    server: Any = import_string(settings.MAIL_TRANSPORT)()
    try:
        server.open()
    except OSError as error:  # an SMTP error is one
        done.trouble = describe_error(error)
        return done
    try:
        while not done.trouble and not should_stop() and (mail := claim_mail(timezone.now())):
            send_one(mail, server, done)
    finally:
        # What was sent is sent, however the mail server says goodbye.
        with suppress(OSError):
            server.close()
    return done


def sendable_mails(now: datetime) -> MailQuerySet:
    # What is due and within the limits: attempts of the last minute count, of all senders; those
    # of a clock that was ahead do not.
    last_minute = Mail.objects.filter(tried_at__gt=now - MINUTE, tried_at__lt=now + MINUTE)
    tried = Counter(last_minute.values_list("to", flat=True))
    if tried.total() >= settings.MAILS_A_MINUTE:
        return Mail.objects.none()
    most = settings.MAILS_A_MINUTE_TO_ONE_ADDRESS
    full = [address for address, number in tried.items() if number >= most]
    return Mail.objects.due(now).exclude(to__in=full)


# Durable: a claim inside an open transaction would be seen by nobody. On SQLite the transaction has
# the one write lock of the database, on PostgreSQL the row's; other senders take another row.
@transaction.atomic(durable=True)
def claim_mail(now: datetime) -> Mail | None:
    mail = sendable_mails(now).select_for_update(skip_locked=True).first()
    if mail is not None:
        mail.attempts += 1
        mail.tried_at, mail.next_try_at = now, now + CLAIM
        mail.save(update_fields=["attempts", "tried_at", "next_try_at"])
    return mail


def send_one(mail: Mail, server: Any, done: MailRound) -> None:
    try:
        server.send_messages([message_of(mail)])
    except Exception as error:  # whatever it is, the other mails leave
        refusal, reason = judge_error(error), describe_error(error)
        if refusal == MailRefusal.OF_ALL:
            done.trouble = reason
        give_up = refusal == MailRefusal.FOR_GOOD or mail.attempts > len(DELAYS)
        if give_up:
            done.failed += 1
            close_claim(mail, state=MailState.FAILED, error=reason)
        else:
            done.postponed += 1
            wait = DELAYS[mail.attempts - 1]
            close_claim(mail, next_try_at=timezone.now() + wait, error=reason)
        logger.warning("Mail %s (%s): %s", mail.pk, mail.kind, reason)
    else:
        done.sent += 1
        close_claim(mail, state=MailState.SENT, sent_at=timezone.now(), error="", **WITHOUT_CONTENT)


def close_claim(mail: Mail, **values: Any) -> None:
    # The row may be gone meanwhile, or sent by whoever took over.
    Mail.objects.exclude(state=MailState.SENT).filter(pk=mail.pk).update(**values)


def judge_error(error: Exception) -> MailRefusal:
    code = smtp_code(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) and code != 421:
        return MailRefusal.FOR_GOOD if code >= 500 else MailRefusal.FOR_NOW
    # A mail of which no message can be made never leaves.
    return MailRefusal.OF_ALL if isinstance(error, OSError) else MailRefusal.FOR_GOOD


def smtp_code(error: Exception) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(code for code, _text in error.recipients.values())
    return getattr(error, "smtp_code", 0)


def describe_error(error: Exception) -> str:
    # Without its text, in which mail servers repeat addresses.
    return " ".join(filter(None, (type(error).__name__, str(smtp_code(error) or ""))))
