"""Writing the log of events, whose lines never change afterwards."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_date
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clusters.models import Account, Event, EventAddress, EventKind

ADDRESS = re.compile(r"[^\s@,;:<>()]+@[^\s@,;:<>()]+")


@transaction.atomic
def record(
    kind: EventKind,
    *,
    now: datetime,
    account: Account | None = None,
    about: Account | None = None,
    detail: str = "",
    network_address: str | None = None,
    typed_address: str = "",
) -> Event:
    """Add a line: `account` did it, `about` is whom it concerns; addresses are kept apart.

    An address in `detail` is left out: nothing could take it out again.
    """
    event = Event.objects.create(
        happened_at=now,
        kind=kind,
        account=account,
        about=about,
        # The column is as long; a long list of profiles is cut.
        detail=ADDRESS.sub("[address]", detail)[:300],
    )
    if network_address or typed_address:
        EventAddress.objects.create(
            event=event, network_address=network_address, typed_address=typed_address[:254]
        )
    return event


# What ties the one to whom it was done to the other who did it.
TYING = {
    EventKind.INVITED: _("%(account)s was invited by %(by)s on %(day)s."),
    EventKind.ROLE_GIVEN: _("%(account)s was given a role by %(by)s on %(day)s."),
    EventKind.ACCOUNT_ENABLED: _("%(account)s was enabled by %(by)s on %(day)s."),
}


@dataclass(frozen=True)
class Tie:
    """`by` did something to `account` that makes the two less than independent, first on a day."""

    kind: EventKind
    account: Account
    by: Account
    day: date

    def __str__(self) -> str:
        return str(TYING[self.kind]) % {
            "account": self.account,
            "by": self.by,
            "day": format_date(self.day, "d MMMM y", locale=get_language() or "en"),
        }


def ties(one: Account, other: Account) -> list[Tie]:
    """What one of two accounts owes to the other, the earliest of each kind, as the log knows it.

    A line goes after two years, and so does what it tells.
    """
    first: dict[tuple[EventKind, Account], Tie] = {}
    for kind, event in _tying_events(one, other):
        by, account = (one, other) if event.account_id == one.pk else (other, one)
        day = timezone.localdate(event.happened_at)
        first.setdefault((kind, by), Tie(kind, account, by, day))
    return list(first.values())


def _tying_events(one: Account, other: Account) -> Iterator[tuple[EventKind, Event]]:
    between = Q(account=one, about=other) | Q(account=other, about=one)
    accepted = set(
        Event.objects.filter(
            kind=EventKind.INVITATION_ACCEPTED, account__in=(one, other)
        ).values_list("account", "happened_at", "detail")
    )
    for event in Event.objects.filter(between, kind__in=TYING).order_by("happened_at", "pk"):
        # Who had no account when invited is named by the role that came of it only.
        came_of_it = (event.about_id, event.happened_at, event.detail) in accepted
        is_by_invitation = event.kind == EventKind.ROLE_GIVEN and came_of_it
        yield EventKind.INVITED if is_by_invitation else EventKind(event.kind), event
