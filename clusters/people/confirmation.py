"""Asking teams half-yearly whether their profile is right, and stamping what they confirm."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Max, Min, Q, QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac

from clusters import mail
from clusters.models import (
    Account,
    Cluster,
    ClusterQuerySet,
    ConfirmationRequest,
    EventKind,
    Organisation,
    TeamMember,
    TeamRole,
)
from clusters.people.log import record
from clusters.profile import next_round

DAYS_OF_A_LINK = 60
SALT = "clusters.people.confirmation"


class Result(StrEnum):
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Recipient:
    address: str
    language: str


@dataclass(frozen=True)
class Asked:
    """What became of asking one organisation; `failures` are reasons, without addresses."""

    organisation: Organisation
    result: Result
    mails: int = 0
    failures: tuple[str, ...] = ()


# Who is asked, and when


def profiles() -> QuerySet[Organisation]:
    """Published organisations that somebody can be asked about, with what the round counts from."""
    is_owner = Q(team__role=TeamRole.OWNER, team__account__is_active=True)
    return (
        Organisation.objects.published()
        .annotate(
            team_since=Min("team__joined_at", filter=is_owner),
            asked_at=Max("confirmation_requests__sent_at"),
        )
        .exclude(team_since=None, role_address="")
    )


def due_on(organisation: Organisation, day: date) -> date:
    """The day of the round that is next; wants `profiles()`."""
    due = next_round(
        confirmed_on=organisation.confirmed_on,
        team_since=local_day(organisation.team_since),  # type: ignore[attr-defined]
        asked_on=local_day(organisation.asked_at),  # type: ignore[attr-defined]
    )
    return due or day


def local_day(moment: datetime | None) -> date | None:
    return timezone.localdate(moment) if moment else None


def due_profiles(day: date) -> list[Organisation]:
    """Whose round has come by the day, however long ago."""
    found = profiles().in_directory_order()  # type: ignore[attr-defined]
    return [organisation for organisation in found if due_on(organisation, day) <= day]


def owners_of(organisation: Organisation) -> QuerySet[Account]:
    owners = TeamMember.objects.filter(organisation=organisation, role=TeamRole.OWNER)
    return Account.objects.filter(is_active=True, pk__in=owners.values("account"))


def recipients(organisation: Organisation) -> list[Recipient]:
    """The active owners in their languages; without one the role address in its country's."""
    owners = [Recipient(owner.email, owner.language) for owner in owners_of(organisation)]
    if owners or not organisation.role_address:
        return owners
    language = "it" if organisation.country == "IT" else "en"
    return [Recipient(organisation.role_address, language)]


def clusters_of(organisation: Organisation, day: date) -> ClusterQuerySet:
    """The published clusters that it manages that day."""
    managers = Organisation.objects.filter(pk=organisation.pk)
    return Cluster.objects.published().managed_on(day, managers).in_directory_order()


# Asking: a row of the ledger first, then the mail under a lock of that row


def ask(organisation: Organisation, *, day: date, now: datetime) -> Asked:
    """Send the round that is due, once, however many runs do this at the same moment.

    The mail counts as sent when one of several owners got it; a run that reached nobody leaves
    the row without `sent_at` to the next one.
    """
    asked = open_round(organisation, day=day)
    return send_round(asked, day=day, now=now) if asked else Asked(organisation, Result.SKIPPED)


@transaction.atomic
def open_round(organisation: Organisation, *, day: date) -> ConfirmationRequest | None:
    """The row of the round that is due: a new one, or the one whose mail did not go out."""
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    current = profiles().filter(pk=organisation.pk).first()
    if current is None or due_on(current, day) > day:
        return None
    latest = ConfirmationRequest.objects.of(current).first()
    if latest and latest.sent_at is None:
        return latest
    return ConfirmationRequest.objects.create(organisation=current, due_on=due_on(current, day))


@transaction.atomic
def send_round(asked: ConfirmationRequest, *, day: date, now: datetime) -> Asked:
    organisation = asked.organisation
    unsent = ConfirmationRequest.objects.filter(pk=asked.pk, sent_at=None)
    if not unsent.select_for_update(skip_locked=True).exists():
        return Asked(organisation, Result.SKIPPED)
    failures = []
    everyone = recipients(organisation)
    for recipient in everyone:
        try:
            send_mail(asked, recipient, day=day, now=now)
        except (OSError, ValueError) as error:  # an SMTP error is an OSError
            failures.append(type(error).__name__)
    mails = len(everyone) - len(failures)
    if mails:
        asked.sent_at = now
        asked.save()
    return Asked(organisation, Result.FAILED if failures else Result.SENT, mails, tuple(failures))


def send_mail(
    asked: ConfirmationRequest, recipient: Recipient, *, day: date, now: datetime
) -> None:
    organisation = asked.organisation
    with translation.override(recipient.language):
        link = reverse("clusters:confirm_profile", args=[token_of(asked, day=day)])
    mail.send(
        "confirm_profile",
        to=recipient.address,
        language=recipient.language,
        context={
            "organisation": organisation.name,
            "clusters": [cluster.name for cluster in clusters_of(organisation, day)],
            "confirmed_on": organisation.confirmed_on,
            "link": f"{settings.SITE_URL}{link}",
            "last_day": last_day(now),
        },
    )


# The link: bound to a row of the ledger, to the team and to what it manages


def token_of(asked: ConfirmationRequest, *, day: date) -> str:
    bond = bond_of(asked.organisation, day)
    return Signer(salt=SALT).sign_object({"request": asked.pk, "bond": bond})


def bond_of(organisation: Organisation, day: date) -> str:
    """Another one as soon as other people are asked, or other clusters managed."""
    owners = sorted(owners_of(organisation).values_list("pk", flat=True))
    clusters = sorted(clusters_of(organisation, day).values_list("pk", flat=True))
    people: Sequence[object] = owners or [organisation.role_address]
    value = json.dumps([people, clusters])
    return salted_hmac(SALT, value, algorithm="sha256").hexdigest()[:32]


def last_day(sent_at: datetime) -> date:
    """Until when a link that was sent at this moment works, that day included."""
    return timezone.localdate(sent_at) + timedelta(days=DAYS_OF_A_LINK)


class LinkState(StrEnum):
    OPEN = "open"
    USED = "used"
    ENDED = "ended"


@dataclass(frozen=True)
class Link:
    asked: ConfirmationRequest
    state: LinkState


def read_link(token: str, *, day: date) -> Link | None:
    """What a link may still do that day; None where the portal never made it."""
    try:
        signed = Signer(salt=SALT).unsign_object(token)
    except BadSignature:
        return None
    requests = ConfirmationRequest.objects.select_related("organisation")
    asked = requests.filter(pk=signed["request"]).first()
    if asked is None:
        return None
    return Link(asked, state_of(asked, signed["bond"], day))


def state_of(asked: ConfirmationRequest, bond: str, day: date) -> LinkState:
    organisation = asked.organisation
    if (
        asked.sent_at is None
        or day > last_day(asked.sent_at)
        or not organisation.is_published
        or bond != bond_of(organisation, day)
    ):
        return LinkState.ENDED
    return LinkState.USED if asked.confirmed_at else LinkState.OPEN


# Confirming


@transaction.atomic
def confirm_by_link(asked: ConfirmationRequest, *, day: date, now: datetime) -> None:
    """Stamp the organisation and the clusters that it manages that day; a second time nothing."""
    locked = ConfirmationRequest.objects.select_for_update().get(pk=asked.pk)
    if locked.confirmed_at is None:
        organisation = locked.organisation
        confirm([organisation, *clusters_of(organisation, day)], day=day, now=now)
        locked.confirmed_at = now
        locked.save()


@transaction.atomic
def confirm(
    rows: Iterable[Organisation | Cluster],
    *,
    day: date,
    now: datetime,
    account: Account | None = None,
) -> int:
    """Stamp the rows that do not carry the day yet, and log it once; how many they were."""
    stamped = [row for row in rows if stamp(row, day)]
    if stamped:
        detail = ", ".join(f"{row.name} ({row.public_id})" for row in stamped)
        record(EventKind.PROFILE_CONFIRMED, now=now, account=account, detail=detail)
    return len(stamped)


def stamp(row: Organisation | Cluster, day: date) -> bool:
    locked = type(row)._default_manager.select_for_update().get(pk=row.pk)
    if locked.confirmed_on == day:
        return False
    locked.confirmed_on = day
    locked.save()
    return True
