"""Signing up, confirming, changing one's choice, stopping: each once, whoever does it at once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from clusters import mail
from clusters.http.limits import allow
from clusters.models import Mail
from news.models import Subscription
from news.subscriptions.links import LIFETIME, confirm_url, manage_url

DAY = 24 * 60 * 60
MAX_MAILS_TO_ONE_ADDRESS = 3
DIGEST = "news_digest"


def sign_up(*, address: str, chosen: Mapping[str, Any], query: str, now: datetime) -> None:
    """Write a mail with a link to the address; `chosen` as the fields are called.

    To a subscriber the mail leads to what they chose, with the choice of `query`, an address; it
    changes nothing. An address gets three mails in a day: more are left out without a word, as
    whoever signs up may be anybody.
    """
    if allow("subscription mail", address, most=MAX_MAILS_TO_ONE_ADDRESS, seconds=DAY):
        store_sign_up(address, chosen, query, now)


@transaction.atomic
def store_sign_up(address: str, chosen: Mapping[str, Any], query: str, now: datetime) -> None:
    row, is_new = Subscription.objects.get_or_create(
        address=address, defaults={**chosen, "signed_up_at": now}
    )
    # It may be confirmed at this moment.
    row = Subscription.objects.select_for_update().get(pk=row.pk)
    if row.confirmed_at is not None:
        mail.send(
            "subscription_known",
            to=row.address,
            language=row.language,
            context={"link": f"{manage_url(row)}?{query}".rstrip("?")},
        )
        return
    if not is_new:
        for name, value in {**chosen, "signed_up_at": now}.items():
            setattr(row, name, value)
        row.save()
    mail.send(
        "subscription_confirm",
        to=row.address,
        language=row.language,
        context={"link": confirm_url(row), "days": LIFETIME.days},
    )


def subscription_numbered(number: UUID | None) -> Subscription | None:
    return Subscription.objects.filter(number=number).first() if number else None


@transaction.atomic
def confirm(subscription: Subscription, now: datetime) -> None:
    """A second time changes nothing. What appeared before is not told."""
    waiting = Subscription.objects.filter(pk=subscription.pk, confirmed_at=None)
    waiting.update(confirmed_at=now, told_at=now)


@transaction.atomic
def change_choice(subscription: Subscription, chosen: Mapping[str, Any]) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(**chosen)


@transaction.atomic
def stop(subscription: Subscription) -> None:
    """Nothing is kept of it, and what waits in the outbox is not sent any more."""
    # Locked first: a run may be writing a mail to it.
    locked = Subscription.objects.select_for_update().filter(pk=subscription.pk).first()
    if locked is not None:
        Mail.objects.waiting().filter(kind=DIGEST, to=locked.address).delete()
        locked.delete()
