"""What this register holds of a label, as an Open Badges 3.0 credential.

Open Badges 3.0 is a profile of the W3C Verifiable Credentials Data Model 2.0. In English, whatever
language is active: the same facts and place give the same credential. Nothing in it is a state on a
day, which is what the lists are for (`labels.proofs.status`).
"""

import hashlib
import json
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from clusters.dates import PartialDate
from clusters.http.addresses import Data, absolute, iso_text, without_empty
from clusters.http.asof import midnight
from labels.models import Label

CREDENTIALS = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
TYPE = ["VerifiableCredential", "OpenBadgeCredential"]


class CredentialFacts(NamedTuple):
    """All that a credential says of a facts. It is made of these alone, named by their paths.

    Where one of them is another today, the register no longer says what the credential does.
    """

    public_id: str
    certificate_number: str
    cluster__public_id: str
    cluster__name: str
    level__code: str
    level__name_en: str
    level__official_wording: str
    level__process_en: str
    awarded_by__name: str | None
    awarded_by__short_name: str | None
    source: str
    assessed_on: PartialDate | None
    awarded_on: PartialDate | None
    valid_until: PartialDate | None
    extended_until: date | None
    transferred_on: date | None
    transferred_from_id: int | None
    starts_on: date | None
    certain_from: date | None
    certain_until: date | None
    ends_on: date | None
    start_is_computed: bool
    end_is_computed: bool
    rule__effective_from: date | None
    rule__first_months: int | None
    rule__renewal_months: int | None
    rule__is_confirmed: bool | None

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self, default=str).encode()).hexdigest()


def credential_facts(label: Label) -> CredentialFacts:
    # Without a query on a row of `with_holder().with_certificate()`.
    return CredentialFacts._make(value_of_path(label, path) for path in CredentialFacts._fields)


def value_of_path(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = None if row is None else getattr(row, name)
    return row


def credential(facts: CredentialFacts, place: int) -> Data:
    """The claims to sign, those of a JSON Web Token included. The label must have certain days.

    `place` is that of the credential in the lists of states.
    """
    assert facts.certain_from is not None
    assert facts.certain_until is not None
    starts_at = midnight(facts.certain_from)
    # The last day counts whole, to its last second.
    ends_at = midnight(facts.certain_until + timedelta(days=1)) - timedelta(seconds=1)
    address = absolute(reverse("label_credential", args=[facts.public_id]))
    with translation.override("en"):
        return {
            "@context": [CREDENTIALS, OPEN_BADGES],
            "id": address,
            "type": TYPE,
            "name": f"{facts.level__name_en} label of {facts.cluster__name}, "
            "as held by the Cluster Register",
            "description": achievement_description(facts),
            "image": seal(facts),
            "issuer": issuer(),
            "validFrom": starts_at.isoformat(),
            "validUntil": ends_at.isoformat(),
            "credentialSubject": subject(facts),
            "evidence": evidence(facts),
            "credentialStatus": [status_entry(purpose, place) for purpose in Purpose],
            "iss": settings.SITE_URL,
            "jti": address,
            "sub": absolute_cluster(facts),
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


def achievement_description(facts: CredentialFacts) -> str:
    transferred = f" It was transferred on {facts.transferred_on}." if facts.transferred_on else ""
    return (
        f"The Cluster Register records the {facts.level__name_en} label "
        f"(“{facts.level__official_wording}”) of {facts.cluster__name}, valid from "
        f"{first_day(facts)} to {last_day(facts)} unless suspended or revoked.{transferred} "
        f"{awarded_by(facts)} {source(facts)} "
        "This is not the official certificate: only the awarding body issues that."
    )


def first_day(facts: CredentialFacts) -> str:
    if facts.transferred_from_id is not None:
        return f"{facts.starts_on} (by transfer)"
    if facts.start_is_computed:
        return reckoned(facts.starts_on, facts.certain_from)
    return str(facts.assessed_on or facts.awarded_on)


def last_day(facts: CredentialFacts) -> str:
    if facts.extended_until is not None:
        return f"{facts.extended_until} (extended by decision)"
    if facts.end_is_computed:
        return reckoned(facts.certain_until, facts.ends_on)
    return str(facts.valid_until)


def reckoned(first: date | None, last: date | None) -> str:
    # No source prints it: the register reckons it to be one of these days.
    return f"{first} (computed)" if first == last else f"between {first} and {last} (computed)"


def awarded_by(facts: CredentialFacts) -> str:
    if facts.awarded_by__name is None:
        return "The register does not know which body awarded it."
    return f"Awarded by: {facts.awarded_by__name} ({facts.awarded_by__short_name})."


def source(facts: CredentialFacts) -> str:
    return f"Source: {facts.source}." if facts.source else "The register names no source."


def seal(facts: CredentialFacts) -> Data:
    return {
        "id": absolute(reverse("label_seal", args=[facts.public_id])),
        "type": "Image",
        "caption": f"{facts.level__name_en} label of {facts.cluster__name}, as it stands on the "
        "day of looking",
    }


def subject(facts: CredentialFacts) -> Data:
    return without_empty(
        {
            "id": absolute_cluster(facts),
            "type": ["AchievementSubject"],
            "identifier": [
                identity("name", facts.cluster__name),
                identity("systemId", facts.cluster__public_id),
            ],
            "licenseNumber": facts.certificate_number,
            "achievement": achievement(facts),
        }
    )


def absolute_cluster(facts: CredentialFacts) -> str:
    # By the public id, which never changes; the address leads on to the readable one.
    with translation.override("en"):
        return absolute(reverse("clusters:detail", args=[facts.cluster__public_id]))


def identity(kind: str, text: str) -> Data:
    # Plain, not hashed: both are on public pages.
    return {"type": "IdentityObject", "hashed": False, "identityHash": text, "identityType": kind}


def achievement(facts: CredentialFacts) -> Data:
    name, wording = facts.level__name_en, facts.level__official_wording
    scheme = absolute(reverse("labels:scheme"))
    narrative = " ".join(filter(None, [facts.level__process_en, rule_in_words(facts)]))
    return without_empty(
        {
            "id": f"{scheme}#{facts.level__code}",
            "type": ["Achievement"],
            "achievementType": "Certification",
            "name": f"{name} – {wording}",
            "description": f"Cluster Management Excellence Label, level {name}: “{wording}”.",
            "criteria": without_empty({"id": f"{scheme}#rules", "narrative": narrative}),
            "version": iso_text(facts.rule__effective_from),
        }
    )


def rule_in_words(facts: CredentialFacts) -> str:
    if facts.rule__effective_from is None:
        return ""
    inferred = " No source confirms this rule: it is inferred."
    return (
        f"By the rule of {facts.rule__effective_from}, a first label lasts "
        f"{facts.rule__first_months} months and a renewal {facts.rule__renewal_months}."
        f"{'' if facts.rule__is_confirmed else inferred}"
    )


def evidence(facts: CredentialFacts) -> list[Data]:
    # The entry in the register, and each part of its source.
    entry = {
        "id": absolute(reverse("labels:detail", args=[facts.public_id])),
        "type": ["Evidence"],
        "name": "Entry in the Cluster Register",
        "description": f"{printed(facts)} {awarded_by(facts)} {source(facts)}",
    }
    return [entry, *(cited(part) for part in facts.source.split("; ") if part)]


def cited(part: str) -> Data:
    # Not a narrative, which may be Markdown: it is text as somebody typed it.
    address = part if part.startswith(("https://", "http://")) else None
    return without_empty(
        {"id": address, "type": ["Evidence"], "name": "Source", "description": part}
    )


def printed(facts: CredentialFacts) -> str:
    # What the source says of the days, as precisely as it does, and which ones are computed.
    days = {
        "Assessed": facts.assessed_on,
        "Awarded": facts.awarded_on,
        "Printed end": facts.valid_until,
        "Extended until": facts.extended_until,
    }
    said = [f"{name}: {day}." for name, day in days.items() if day is not None]
    is_moved = facts.transferred_from_id is not None
    if is_moved:
        said.append(f"Taken over by transfer: {facts.starts_on}.")
    computed = {"first": facts.start_is_computed and not is_moved, "last": facts.end_is_computed}
    said += [f"The {name} day is computed." for name, is_so in computed.items() if is_so]
    return " ".join([*said, "A month or a year counts from its first day to its last."])


# Where its state is told


class Purpose(StrEnum):
    REVOCATION = "revocation"
    SUSPENSION = "suspension"


def status_entry(purpose: Purpose, place: int) -> Data:
    address = list_address(purpose)
    return {
        "id": f"{address}#{place}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose.value,
        "statusListIndex": str(place),
        "statusListCredential": address,
    }


def list_address(purpose: Purpose) -> str:
    return absolute(reverse("status_list", args=[purpose.value]))
