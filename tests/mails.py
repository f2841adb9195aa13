"""What has left: the outbox, passed on to the memory of the test."""

import time
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage
from django.utils.module_loading import import_string

from clusters.mail.sender import MailRound, send_one
from clusters.models import Mail


def sent_mails() -> list[EmailMessage]:
    """All that was written to the outbox so far, in that order, whatever the clock says."""
    server = import_string(settings.MAIL_TRANSPORT)()
    for row in Mail.objects.waiting().order_by("pk"):
        send_one(row, server, MailRound())
    return mail.outbox


def hold(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    """Whoever writes a mail stays in the transaction for long enough that another run comes."""
    enqueue = module.enqueue

    def enqueue_slowly(*arguments: Any, **values: Any) -> None:
        enqueue(*arguments, **values)
        time.sleep(0.3)

    monkeypatch.setattr(module, "enqueue", enqueue_slowly)
