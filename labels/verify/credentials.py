"""A signed credential that somebody has in hand: is it ours, and does the register still say it?"""

from dataclasses import dataclass
from datetime import date

from clusters.http.addresses import Data
from labels.models import Label
from labels.proofs.credentials import TYPE, credential_facts
from labels.proofs.signing import NoSigningKey, read_signed

# One of this portal has some four thousand characters.
MAX_LENGTH = 100_000


@dataclass(frozen=True)
class CheckedCredential:
    """One that this register signed; the label where the public sees it, with its state."""

    name: str
    label: Label | None
    is_withdrawn: bool


def check_credential(text: str, day: date) -> CheckedCredential | None:
    """None where it is no credential of this register, or was changed. Two queries."""
    try:
        claims = read_signed(text.strip())
    except NoSigningKey:
        return None
    if claims is None or claims["type"] != TYPE:
        return None
    place = place_in(claims)
    labels = Label.objects.for_pages(day).with_certificate().with_place()
    label = labels.filter(credentials__status_index=place).first()
    is_current = (
        label is not None
        and label.place == place
        and label.place_is_for == credential_facts(label).digest
    )
    return CheckedCredential(claims["name"], label, is_withdrawn=not is_current)


def place_in(claims: Data) -> int:
    place: str = claims["credentialStatus"][0]["statusListIndex"]
    return int(place)
