"""Moments of 2015 in the portal's zone, and what happens at them."""

from datetime import datetime
from io import StringIO
from typing import Any

import time_machine
from django.core.management import call_command
from django.utils import timezone

from clusters.mail.outbox import UNSUBSCRIBE
from news.models import Announcement
from tests.factories import make_announcement
from tests.mails import sent_mails


def at(day: str, clock: str = "12:00") -> datetime:
    """“09-08” is 8 September 2015, a Tuesday."""
    moment = datetime.fromisoformat(f"2015-{day}T{clock}")
    return moment.replace(tzinfo=timezone.get_default_timezone())


def publish_at(moment: datetime, **fields: Any) -> Announcement:
    """Published at this moment, for this moment unless it says another one."""
    with time_machine.travel(moment, tick=False):
        return make_announcement(**({"published_at": moment} | fields))


def run(moment: datetime, *arguments: str) -> str:
    output = StringIO()
    with time_machine.travel(moment):
        call_command("send_digests", *arguments, stdout=output)
    return output.getvalue()


def subjects(address: str = "") -> list[str]:
    """Of the digests."""
    return [
        str(message.subject)
        for message in sent_mails()
        if UNSUBSCRIBE in message.extra_headers and address in ("", message.to[0])
    ]
