"""The ledger of mails: each is written down before it leaves, and again after.

So a process that dies in between leaves a row that says so, and nobody gets a mail twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from clusters.mail import MailResult, try_to_send
from clusters.models import Account
from labels.models import Delivery, Notice


@dataclass(frozen=True)
class DeliveryOutcome:
    """`failure` is a reason without an address."""

    result: MailResult
    failure: str = ""


def deliver(
    send: Callable[[], None],
    *,
    account: Account | None,
    now: datetime,
    notice: Notice | None = None,
    week: date | None = None,
) -> DeliveryOutcome:
    """Send the mail of a notice or of a week's digest, once, however many runs do so.

    No transaction is open meanwhile. What failed is sent by the next run; what was cut off is
    not. A mail server that takes a mail and fails to say so gets it again.
    """
    delivery = begin(notice=notice, week=week, account=account, now=now)
    if delivery is None:
        return DeliveryOutcome(MailResult.SKIPPED)
    failure = try_to_send(send)
    end_attempt(delivery, now=now, failure=failure)
    return DeliveryOutcome(MailResult.FAILED if failure else MailResult.SENT, failure)


# Durable: an outer transaction would store the row only after the mail has left.
@transaction.atomic(durable=True)
def begin(
    *, notice: Notice | None, week: date | None, account: Account | None, now: datetime
) -> Delivery | None:
    """The row of a mail to send now; None where it was sent, is under way, or was cut off."""
    # A row that is not there cannot be locked, so what it belongs to is.
    if notice is not None:
        Notice.objects.select_for_update(no_key=True).get(pk=notice.pk)
    elif account is not None:
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    rows = Delivery.objects.filter(notice=notice, week_from=week, account=account)
    delivery = rows.first() or Delivery(notice=notice, week_from=week, account=account)
    # Only what surely failed is sent again; what was cut off may have left.
    if delivery.pk is not None and delivery.failed_at is None:
        return None
    delivery.begun_at, delivery.failed_at, delivery.failure = now, None, ""
    delivery.save()
    return delivery


@transaction.atomic(durable=True)
def end_attempt(delivery: Delivery, *, now: datetime, failure: str = "") -> None:
    if failure:
        delivery.failed_at, delivery.failure = now, failure
    else:
        delivery.sent_at = now
    delivery.save()


@transaction.atomic
def settle(key: int, *, was_sent: bool, now: datetime) -> Delivery:
    """Say of a mail that was cut off whether it left; else the next run sends it.

    Raises Delivery.DoesNotExist for any other mail.
    """
    delivery = Delivery.objects.cut_off(now).select_for_update().get(pk=key)
    if was_sent:
        delivery.sent_at = now
    else:
        delivery.failed_at, delivery.failure = now, "cut off"
    delivery.save()
    return delivery
