"""What this register holds of a label, as an Open Badges 3.0 credential, and the lists of states.

Open Badges 3.0 is a profile of the W3C Verifiable Credentials Data Model 2.0; the lists follow the
W3C Bitstring Status List 1.0. In English, whatever language is active: the same label gives the
same credential. Nothing in it is a state on a day, which is what the lists are for.
"""

import base64
import gzip
from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import translation

from clusters.http.addresses import Data, absolute, iso_text, without_empty
from clusters.http.asof import midnight
from clusters.models import Cluster
from labels.models import STATUS_PLACES, Label, LabelQuerySet, LevelRule
from labels.validity import State

CREDENTIALS = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


class Purpose(StrEnum):
    REVOCATION = "revocation"
    SUSPENSION = "suspension"


def credential(label: Label) -> Data:
    """The claims to sign, those of a JSON Web Token included. The label must have certain days."""
    assert label.certain_from is not None
    assert label.certain_until is not None
    starts_at = midnight(label.certain_from)
    # The last day counts whole, to its last second.
    ends_at = midnight(label.certain_until + timedelta(days=1)) - timedelta(seconds=1)
    address = absolute(reverse("label_credential", args=[label.public_id]))
    with translation.override("en"):
        return {
            "@context": [CREDENTIALS, OPEN_BADGES],
            "id": address,
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": f"{label.level.name} label of {label.cluster.name}, "
            "as held by the Cluster Register",
            "description": achievement_description(label),
            "image": seal(label),
            "issuer": issuer(),
            "validFrom": starts_at.isoformat(),
            "validUntil": ends_at.isoformat(),
            "credentialSubject": subject(label),
            "evidence": evidence(label),
            "credentialStatus": [status_entry(label, purpose) for purpose in Purpose],
            "iss": settings.SITE_URL,
            "jti": address,
            "sub": absolute_cluster(label.cluster),
            "nbf": int(starts_at.timestamp()),
            "exp": int(ends_at.timestamp()),
        }


def issuer() -> Data:
    return {
        "id": settings.SITE_URL,
        "type": ["Profile"],
        "name": "Cluster Register",
        "url": settings.SITE_URL,
        "description": "A register of cluster labels. Its signature attests what the register "
        "holds, and from which source. The register awards no label and does not act for the body "
        "that does.",
    }


def achievement_description(label: Label) -> str:
    transferred = f" It was transferred on {label.transferred_on}." if label.transferred_on else ""
    return (
        f"The Cluster Register records the {label.level.name} label "
        f"(“{label.level.official_wording}”) of {label.cluster.name}, valid from "
        f"{first_day(label)} to {last_day(label)} unless suspended or revoked.{transferred} "
        f"{awarded_by(label)} {source(label)} "
        "This is not the official certificate: only the awarding body issues that."
    )


def first_day(label: Label) -> str:
    if label.transferred_from_id is not None:
        return f"{label.starts_on} (by transfer)"
    if label.start_is_computed:
        return reckoned(label.starts_on, label.certain_from)
    return str(label.start)


def last_day(label: Label) -> str:
    if label.extended_until is not None:
        return f"{label.extended_until} (extended by decision)"
    if label.end_is_computed:
        return reckoned(label.certain_until, label.ends_on)
    return str(label.valid_until)


def reckoned(first: date | None, last: date | None) -> str:
    # No source prints it: the register reckons it to be one of these days.
    return f"{first} (computed)" if first == last else f"between {first} and {last} (computed)"


def awarded_by(label: Label) -> str:
    body = label.awarded_by
    if body is None:
        return "The register does not know which body awarded it."
    return f"Awarded by: {body.name} ({body.short_name})."


def source(label: Label) -> str:
    return f"Source: {label.source}." if label.source else "The register names no source."


def seal(label: Label) -> Data:
    return {
        "id": absolute(reverse("label_seal", args=[label.public_id])),
        "type": "Image",
        "caption": f"{label.level.name} label of {label.cluster.name}, as it stands on the day "
        "of looking",
    }


def subject(label: Label) -> Data:
    cluster = label.cluster
    return without_empty(
        {
            "id": absolute_cluster(cluster),
            "type": ["AchievementSubject"],
            "identifier": [identity("name", cluster.name), identity("systemId", cluster.public_id)],
            "licenseNumber": label.certificate_number,
            "achievement": achievement(label),
        }
    )


def absolute_cluster(cluster: Cluster) -> str:
    # By the public id, which never changes; the address leads on to the readable one.
    with translation.override("en"):
        return absolute(reverse("clusters:detail", args=[cluster.public_id]))


def identity(kind: str, text: str) -> Data:
    # Plain, not hashed: both are on public pages.
    return {"type": "IdentityObject", "hashed": False, "identityHash": text, "identityType": kind}


def achievement(label: Label) -> Data:
    level = label.level
    scheme = absolute(reverse("labels:scheme"))
    narrative = " ".join(filter(None, [level.process, rule_in_words(label.rule)]))
    return without_empty(
        {
            "id": f"{scheme}#{level.code}",
            "type": ["Achievement"],
            "achievementType": "Certification",
            "name": f"{level.name} – {level.official_wording}",
            "description": f"Cluster Management Excellence Label, level {level.name}: "
            f"“{level.official_wording}”.",
            "criteria": without_empty({"id": f"{scheme}#rules", "narrative": narrative}),
            "version": iso_text(label.rule.effective_from) if label.rule else None,
        }
    )


def rule_in_words(rule: LevelRule | None) -> str:
    if rule is None:
        return ""
    confirmed = "" if rule.is_confirmed else " No source confirms this rule: it is inferred."
    return (
        f"By the rule of {rule.effective_from}, a first label lasts {rule.first_months} months and "
        f"a renewal {rule.renewal_months}.{confirmed}"
    )


def evidence(label: Label) -> list[Data]:
    # The entry in the register, and each part of its source.
    entry = {
        "id": absolute(label.get_absolute_url()),
        "type": ["Evidence"],
        "name": "Entry in the Cluster Register",
        "description": f"{printed(label)} {awarded_by(label)} {source(label)}",
    }
    return [entry, *(cited(part) for part in label.source.split("; ") if part)]


def cited(part: str) -> Data:
    # Not a narrative, which may be Markdown: it is text as somebody typed it.
    address = part if part.startswith(("https://", "http://")) else None
    return without_empty(
        {"id": address, "type": ["Evidence"], "name": "Source", "description": part}
    )


def printed(label: Label) -> str:
    # What the source says of the days, as precisely as it does, and which ones are computed.
    days = {
        "Assessed": label.assessed_on,
        "Awarded": label.awarded_on,
        "Printed end": label.valid_until,
        "Extended until": label.extended_until,
    }
    said = [f"{name}: {day}." for name, day in days.items() if day is not None]
    is_moved = label.transferred_from_id is not None
    if is_moved:
        said.append(f"Taken over by transfer: {label.starts_on}.")
    computed = {"first": label.start_is_computed and not is_moved, "last": label.end_is_computed}
    said += [f"The {name} day is computed." for name, is_so in computed.items() if is_so]
    return " ".join([*said, "A month or a year counts from its first day to its last."])


# The lists of states


def status_entry(label: Label, purpose: Purpose) -> Data:
    address = list_address(purpose)
    return {
        "id": f"{address}#{label.status_index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose.value,
        "statusListIndex": str(label.status_index),
        "statusListCredential": address,
    }


def list_address(purpose: Purpose) -> str:
    return absolute(reverse("status_list", args=[purpose.value]))


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
    # The places in the list of the labels whose bit is set.
    if purpose == Purpose.SUSPENSION:
        return places_in_state(State.SUSPENDED, day)
    gone = (State.REVOKED, State.TRANSFERRED, State.UNDATED)
    uncertain = places_of(Label.objects.published().without_certain_days())
    return withdrawn().union(uncertain, *(places_in_state(state, day) for state in gone))


def places_in_state(state: State, day: date) -> set[int]:
    return places_of(Label.objects.published().in_state(state, day))


def places_of(labels: LabelQuerySet) -> set[int]:
    return set(labels.order_by().values_list("status_index", flat=True))


def withdrawn() -> set[int]:
    """Labels that were public once and are no longer: copies of their credentials are about.

    What was never public is not in the list, so that nobody learns that it is there.
    """
    was_public = Exists(Cluster.history.filter(id=OuterRef("cluster_id"), is_published=True))
    versions = Label.history.filter(was_public, is_published=True)
    now = Label.objects.published().order_by().values("pk")
    return set(
        versions.exclude(id__in=now).order_by().values_list("status_index", flat=True).distinct()
    )


def encoded_bits(numbers: Iterable[int], length: int) -> str:
    # Bits, the first one leftmost, compressed, in base64url with the multibase letter for it.
    data = bytearray(length // 8)
    for number in numbers:
        data[number // 8] |= 0b1000_0000 >> (number % 8)
    # Without a time in the header, so that the same bits give the same text.
    compressed = gzip.compress(bytes(data), mtime=0)
    return "u" + base64.urlsafe_b64encode(compressed).decode().rstrip("=")
