"""Removing what has been kept long enough, as docs/privacy-data.md says."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connection, models, transaction
from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from clusters.models import (
    Account,
    Change,
    Claim,
    Cluster,
    Event,
    EventAddress,
    EventKind,
    FormDraft,
    Invitation,
    Mail,
    Organisation,
    ProblemReport,
)
from clusters.models.mails import CONTENT
from clusters.people.log import record
from config.privacy.pictures import remove_unneeded_files
from labels.models import Delivery
from news.models import Subscription
from news.subscriptions.links import LIFETIME

CHANGE_DAYS = 7
NETWORK_ADDRESS_DAYS = 90
INVITATION_DAYS = 90
REPLY_ADDRESS_DAYS = 90
CLAIM_DAYS = 180
# Who was written to, and when; what a mail said goes as soon as it has left.
MAIL_DAYS = 30
DRAFT_DAYS = 30
# Two years and a leap day: the database refuses to delete a younger line of the log.
EVENT_DAYS = ADMIN_LOG_DAYS = FORMER_ADDRESS_DAYS = 731
# What a team was told is looked up as long; a label that may still be renewed keeps its mails
# longer, or the next run would send them again.
DELIVERY_DAYS = 731

FORMER_ADDRESSES: tuple[tuple[Any, str], ...] = (
    (Account, "email"),
    (Organisation, "role_address"),
    (Cluster, "contact_address"),
)


@transaction.atomic
def purge(*, now: datetime, dry_run: bool = False) -> Counter[str]:
    """Remove what is due; the number of rows (or files) by table. A dry run takes its work back.

    What is exactly as old as its limit goes. Rows are written without a new version: that would
    keep what is removed.
    """
    done: Counter[str] = Counter()
    for rows in due_rows(now):
        done[rows.model._meta.label_lower] += rows.count()
        rows.delete()
    for rows, names in due_fields(now):
        filled = Q(pk__in=[])
        for name in names:
            filled |= ~Q(**{name: ""})
        done[rows.model._meta.label_lower] += rows.filter(filled).update(**dict.fromkeys(names, ""))
    done["cache"] += delete_expired_entries(now)
    for folder in folders_of_old_certificates(timezone.localdate(now)):
        done["certificates"] += len(list(folder.iterdir()))
        # Files are outside the transaction: a dry run leaves them alone.
        if not dry_run:
            shutil.rmtree(folder)
    done["pictures"] += remove_unneeded_files(now)
    done = +done
    if done:
        detail = ", ".join(f"{table} {number}" for table, number in sorted(done.items()))
        record(EventKind.PURGED, now=now, detail=detail)
    if dry_run:
        transaction.set_rollback(True)
    return done


def due_rows(now: datetime) -> Iterator[models.QuerySet[Any]]:
    yield EventAddress.objects.filter(
        event__happened_at__lte=now - timedelta(days=NETWORK_ADDRESS_DAYS)
    )
    yield Event.objects.filter(happened_at__lte=now - timedelta(days=EVENT_DAYS))
    yield Session.objects.filter(expire_date__lte=now)
    long_ago = now - timedelta(days=INVITATION_DAYS)
    yield Invitation.objects.filter(expires_at__lte=long_ago)
    yield Invitation.history.filter(expires_at__lte=long_ago).exclude(
        id__in=Invitation.objects.values("pk")
    )
    yield from due_deliveries(now)
    yield FormDraft.objects.filter(saved_at__lte=now - timedelta(days=DRAFT_DAYS))
    yield Mail.objects.filter(created_at__lte=now - timedelta(days=MAIL_DAYS))
    # With the link that would have confirmed it.
    yield Subscription.objects.unconfirmed_since(now - LIFETIME)
    yield Change.objects.filter(changed_at__lte=now - timedelta(days=CHANGE_DAYS))
    yield LogEntry.objects.filter(action_time__lte=now - timedelta(days=ADMIN_LOG_DAYS))


def due_deliveries(now: datetime) -> Iterator[models.QuerySet[Any]]:
    # Old mails of digests, and of notices whose label is renewable no more, with their versions.
    # While it is, a missing row would have the mail sent again; a month more for labels without
    # days in which they can be renewed.
    long_ago = now - timedelta(days=DELIVERY_DAYS)
    a_month_ago = timezone.localdate(now) - timedelta(days=31)
    is_over = Q(notice=None) | ~Q(notice__label__renewable_until__gte=a_month_ago)
    yield Delivery.objects.filter(is_over, written_at__lte=long_ago)
    yield Delivery.history.filter(written_at__lte=long_ago).exclude(
        id__in=Delivery.objects.values("pk")
    )


def due_fields(now: datetime) -> Iterator[tuple[models.QuerySet[Any], tuple[str, ...]]]:
    decided = now - timedelta(days=CLAIM_DAYS)
    yield from with_their_versions(
        Claim, Q(decided_at__lte=decided), decided, "role_address", "reason"
    )
    # What waits too long the sender gives up.
    yield Mail.objects.failed().of_no_use(now), CONTENT
    closed = now - timedelta(days=REPLY_ADDRESS_DAYS)
    yield from with_their_versions(ProblemReport, Q(closed_at__lte=closed), closed, "reply_address")
    former = now - timedelta(days=FORMER_ADDRESS_DAYS)
    for model, name in FORMER_ADDRESSES:
        # The address of today stays, also in old versions.
        present = model.objects.filter(pk=OuterRef("id")).values(name)
        versions = model.history.filter(history_date__lte=former)
        yield versions.exclude(**{name: Coalesce(Subquery(present), Value(""))}), (name,)


def folders_of_old_certificates(today: date) -> Iterator[Path]:
    # Each is named by its day. Yesterday's stays: who asked before midnight may still be waiting.
    yesterday = str(today - timedelta(days=1))
    return (
        folder
        for folder in Path(settings.CERTIFICATES_ROOT).glob("20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]")
        if folder.name < yesterday
    )


def with_their_versions(
    model: Any, is_due: Q, moment: datetime, *names: str
) -> Iterator[tuple[models.QuerySet[Any], tuple[str, ...]]]:
    # The due rows, all versions of these, and old versions of rows that are no longer there.
    rows = model.objects.filter(is_due)
    due = list(rows.values_list("pk", flat=True))
    yield rows, names
    # A row may have been deleted; its versions are still there.
    gone = Q(history_date__lte=moment) & ~Q(id__in=model.objects.values("pk"))
    yield model.history.filter(Q(id__in=due) | gone), names


def delete_expired_entries(now: datetime) -> int:
    # Django's cache in the database drops expired entries only when it is full.
    number = 0
    for cache in caches.all(initialized_only=False):
        if isinstance(cache, DatabaseCache):
            table = connection.ops.quote_name(cache._table)  # type: ignore[attr-defined]
            with connection.cursor() as cursor:
                expired = connection.ops.adapt_datetimefield_value(now.replace(microsecond=0))
                cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [expired])  # noqa: S608
                number += cursor.rowcount
    return number
