"""Half-yearly requests to confirm that a profile is right, and the stamp of what is confirmed."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac

from clusters import mail
from clusters.completeness import next_round
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

DAYS_OF_A_LINK = 60
# Of the links in mails: it stays, whatever the module is called.
SALT = "clusters.confirmation"


# Who gets a request, and when


def next_request_on(organisation: Organisation, day: date) -> date:
    """The day of the next request, past or to come; `day` where there is nothing to count from.

    Of an organisation loaded `with_contacts()`.
    """
    due = next_round(
        confirmed_on=organisation.confirmed_on,
        team_since=_local_day(organisation.team_since),
        asked_on=_local_day(organisation.last_request_at),
    )
    return due or day


def _local_day(moment: datetime | None) -> date | None:
    return timezone.localdate(moment) if moment else None


def organisations_due(day: date) -> list[Organisation]:
    found = Organisation.objects.published().with_contacts().in_directory_order()
    return [organisation for organisation in found if next_request_on(organisation, day) <= day]


def active_owners(organisation: Organisation) -> QuerySet[Account]:
    owners = TeamMember.objects.filter(organisation=organisation, role=TeamRole.OWNER)
    return Account.objects.filter(is_active=True, pk__in=owners.values("account"))


def addresses_of(organisation: Organisation) -> list[tuple[str, str]]:
    # Address and language of each active owner; without one the role address.
    owners = list(active_owners(organisation).values_list("email", "language"))
    if owners or not organisation.role_address:
        return owners
    return [(organisation.role_address, "it" if organisation.country == "IT" else "en")]


def managed_clusters(organisation: Organisation, day: date) -> ClusterQuerySet:
    managers = Organisation.objects.filter(pk=organisation.pk)
    return Cluster.objects.published().managed_on(day, managers).in_directory_order()


# Asking: a row of the ledger and its mails are written together, or not at all


@transaction.atomic
def send_request(organisation: Organisation, *, day: date, now: datetime) -> int:
    """Write the request that is due and its mails; how many. 0: another run was faster."""
    # Two runs at the same moment would each make a row.
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    current = Organisation.objects.published().with_contacts().filter(pk=organisation.pk).first()
    if current is None or next_request_on(current, day) > day:
        return 0
    request = ConfirmationRequest.objects.create(
        organisation=current, due_on=next_request_on(current, day), asked_at=now
    )
    addresses = addresses_of(current)
    for to, language in addresses:
        mail_confirmation_link(request, to, language, day=day, now=now)
    return len(addresses)


def mail_confirmation_link(
    request: ConfirmationRequest, to: str, language: str, *, day: date, now: datetime
) -> None:
    organisation = request.organisation
    with translation.override(language):
        link = reverse("clusters:confirm_profile", args=[make_token(request, day=day)])
    mail.send(
        "confirm_profile",
        to=to,
        language=language,
        context={
            "organisation": organisation.name,
            "clusters": [cluster.name for cluster in managed_clusters(organisation, day)],
            "confirmed_on": organisation.confirmed_on,
            "link": f"{settings.SITE_URL}{link}",
            "last_day": last_day_of_link(now),
        },
    )


# The link: bound to a row of the ledger, to the team and to what it manages


def make_token(request: ConfirmationRequest, *, day: date) -> str:
    binding = _binding_of(request.organisation, day)
    return Signer(salt=SALT).sign_object({"request": request.pk, "bond": binding})


def _binding_of(organisation: Organisation, day: date) -> str:
    # Another one as soon as other people get the mail, or other clusters are managed: the link
    # then ends.
    owners = sorted(active_owners(organisation).values_list("pk", flat=True))
    clusters = sorted(managed_clusters(organisation, day).values_list("pk", flat=True))
    people: Sequence[object] = owners or [organisation.role_address]
    value = json.dumps([people, clusters])
    return salted_hmac(SALT, value, algorithm="sha256").hexdigest()[:32]


def last_day_of_link(asked_at: datetime) -> date:
    return timezone.localdate(asked_at) + timedelta(days=DAYS_OF_A_LINK)


class LinkState(StrEnum):
    OPEN = "open"
    USED = "used"
    ENDED = "ended"


def read_token(token: str, *, day: date) -> tuple[ConfirmationRequest, LinkState] | None:
    """The request of a link and what the link may still do; None where the portal never made it."""
    try:
        signed = Signer(salt=SALT).unsign_object(token)
    except BadSignature:
        return None
    requests = ConfirmationRequest.objects.select_related("organisation")
    request = requests.filter(pk=signed["request"]).first()
    if request is None:
        return None
    return request, _link_state(request, signed["bond"], day)


def _link_state(request: ConfirmationRequest, binding: str, day: date) -> LinkState:
    if (
        day > last_day_of_link(request.asked_at)
        or not request.organisation.is_published
        or binding != _binding_of(request.organisation, day)
    ):
        return LinkState.ENDED
    return LinkState.USED if request.confirmed_at else LinkState.OPEN


# Confirming


@transaction.atomic
def confirm_by_link(request: ConfirmationRequest, *, day: date, now: datetime) -> None:
    # Stamp the organisation and the clusters that it manages that day; a second time nothing.
    # A link may be opened twice at the same moment.
    locked = ConfirmationRequest.objects.select_for_update().get(pk=request.pk)
    if locked.confirmed_at is None:
        organisation = locked.organisation
        confirm_profiles([organisation, *managed_clusters(organisation, day)], day=day, now=now)
        locked.confirmed_at = now
        locked.save()


@transaction.atomic
def confirm_profiles(
    rows: Iterable[Organisation | Cluster],
    *,
    day: date,
    now: datetime,
    account: Account | None = None,
) -> int:
    # Stamp the rows that do not carry the day yet, and log it once; how many they were.
    stamped = [row for row in rows if _stamp(row, day)]
    if stamped:
        detail = ", ".join(f"{row.name} ({row.public_id})" for row in stamped)
        record(EventKind.PROFILE_CONFIRMED, now=now, account=account, detail=detail)
    return len(stamped)


def _stamp(row: Organisation | Cluster, day: date) -> bool:
    # As it is now: an older copy, saved, would undo what came between.
    locked = type(row)._default_manager.select_for_update().get(pk=row.pk)
    if locked.confirmed_on == day:
        return False
    locked.confirmed_on = day
    locked.save()
    return True
