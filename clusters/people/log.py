"""Writing the log of events, whose lines never change afterwards."""

import re
from datetime import datetime

from django.db import transaction

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
