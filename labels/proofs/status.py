"""The public lists of states, and the place in them that each credential has of its own.

A place belongs to what one credential says of a label. Once the register says something else, the
place counts as revoked for ever and the label's next credential has another one. The lists follow
the W3C Bitstring Status List 1.0.
"""

import base64
import gzip
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from clusters.http.addresses import Data
from clusters.http.asof import midnight
from clusters.models.keys import Among
from labels.models import STATUS_PLACES, IssuedCredential, Label, LabelQuerySet
from labels.proofs.credentials import (
    CREDENTIALS,
    CredentialFacts,
    Purpose,
    credential,
    credential_facts,
    list_address,
)
from labels.validity import State

# More than two are needed only where others change the label or draw the same place meanwhile.
MOST_ATTEMPTS = 10


def label_with_place(labels: LabelQuerySet, public_id: str) -> Label | None:
    """The label with this number; its `place` is one for what it says now.

    `labels` are public, `with_certificate()`. A label without certain days is given no place.
    The place was committed before the statement that reads what the label says: who changes that
    later finds the place, so no list made after a change leaves out what was issued before it.
    """
    for _ in range(MOST_ATTEMPTS):
        label = labels.with_place().with_public_id(public_id).first()
        if label is None or not label.has_certain_days:
            return label
        digest = credential_facts(label).digest
        if label.place_is_for == digest:
            return label
        take_place(label, digest)
    raise RuntimeError(f"The label {public_id} changes faster than a credential is made.")


def take_place(label: Label, digest: str) -> None:
    # In vain where somebody else gave it one meanwhile, or where the place drawn is another's.
    with suppress(IntegrityError), transaction.atomic():
        if label.place is not None:
            withdraw_places([label.place])
        IssuedCredential.objects.create(label=label, digest=digest)


def withdraw_places(places: Iterable[int]) -> None:
    IssuedCredential.objects.filter(Among("status_index", places)).update(is_withdrawn=True)


def claims_about(label: Label) -> Data:
    # The claims to sign, of a label of `label_with_place()` with certain days.
    assert label.place is not None
    return credential(credential_facts(label), label.place)


# The lists


def status_list(purpose: Purpose, day: date) -> Data:
    """The list on a day, good until the next midnight. At most four queries."""
    address = list_address(purpose)
    return {
        "@context": [CREDENTIALS],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": settings.SITE_URL,
        "validFrom": midnight(day).isoformat(),
        "validUntil": midnight(day + timedelta(days=1)).isoformat(),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose.value,
            "encodedList": encoded_bits(places(purpose, day), STATUS_PLACES),
        },
    }


def places(purpose: Purpose, day: date) -> set[int]:
    # The places in the list of the credentials whose bit is set.
    labels = Label.objects.published().with_state(day)
    if purpose == Purpose.SUSPENSION:
        return places_of(labels.narrowed(states=[State.SUSPENDED.value]))
    withdraw_changed()
    withdrawn = IssuedCredential.objects.filter(is_withdrawn=True)
    gone = labels.narrowed(states=[State.REVOKED.value, State.TRANSFERRED.value])
    return places_of(gone) | set(withdrawn.values_list("status_index", flat=True))


def places_of(labels: LabelQuerySet) -> set[int]:
    found = IssuedCredential.objects.filter(label__in=labels.order_by().values("pk"))
    return set(found.values_list("status_index", flat=True))


def withdraw_changed() -> None:
    """Withdraw every credential that says what the register does not, whoever changed that."""
    is_public = Exists(Label.objects.published().filter(pk=OuterRef("label")))
    paths = [f"label__{path}" for path in CredentialFacts._fields]
    issued = IssuedCredential.objects.filter(is_withdrawn=False).annotate(is_public=is_public)
    rows = issued.values_list("status_index", "digest", "is_public", *paths)
    withdraw_places(
        [
            place
            for place, digest, is_public, *facts in rows.iterator()
            if not is_public or CredentialFacts._make(facts).digest != digest
        ]
    )


def encoded_bits(numbers: Iterable[int], length: int) -> str:
    # Bits, the first one leftmost, compressed, in base64url with the multibase letter for it.
    data = bytearray(length // 8)
    for number in numbers:
        data[number // 8] |= 0b1000_0000 >> (number % 8)
    # Without a time in the header, so that the same bits give the same text.
    compressed = gzip.compress(bytes(data), mtime=0)
    return "u" + base64.urlsafe_b64encode(compressed).decode().rstrip("=")
