"""A label as data for machines: its JSON twin and its schema.org description."""

from datetime import date

from clusters.dates import PartialDate
from clusters.structured import Data, absolute, filled
from labels.models import Label


def machine_twin(label: Label, day: date) -> dict[str, object]:
    """What the page says, with partial dates as ISO prefixes. No query on a row of `for_pages`."""
    cluster = label.cluster
    organisation = published_manager(label)
    return {
        "id": label.public_id,
        "url": absolute(label.get_absolute_url()),
        "on": day.isoformat(),
        "state": label.state_on(day).value,
        "level": label.level_id,
        "official_wording": label.level.official_wording,
        "cluster": {
            "id": cluster.public_id,
            "name": cluster.name,
            "url": absolute(cluster.get_absolute_url()),
            "country": str(cluster.country),
            "portfolio": cluster.portfolio.code if cluster.portfolio else None,
        },
        "managing_organisation": organisation,
        "kind": label.kind or None,
        "assessed_on": iso(label.assessed_on),
        "awarded_on": iso(label.awarded_on),
        "announced_on": iso(label.announced_on),
        "valid_until": iso(label.valid_until),
        "starts_on": iso(label.starts_on),
        "ends_on": iso(label.ends_on),
        "renewable_until": iso(label.renewable_until),
        "start_is_computed": label.start_is_computed,
        "end_is_computed": label.end_is_computed,
        "rule_of": iso(label.rule.effective_from) if label.rule else None,
        "awarded_by": label.awarded_by.short_name if label.awarded_by else None,
        "score": float(label.score) if label.score is not None else None,
        "certificate_number": label.certificate_number or None,
        "source": label.source or None,
    }


def certification_data(label: Label) -> Data:
    """https://schema.org/Certification in the active language; only what is known."""
    body = label.awarded_by
    return filled(
        {
            "@type": "Certification",
            "@id": absolute(label.get_absolute_url()),
            "name": f"{label.level.name} – {label.level.official_wording}",
            "certificationIdentification": label.certificate_number or label.public_id,
            "url": absolute(label.get_absolute_url()),
            "about": {
                "@type": "Organization",
                "@id": absolute(label.cluster.get_absolute_url()),
                "name": label.cluster.name,
            },
            "issuedBy": {"@type": "Organization", "name": body.name} if body else {},
            "auditDate": iso(label.assessed_on),
            "datePublished": iso(label.announced_on),
            "validFrom": iso(label.starts_on),
            "expires": iso(label.ends_on),
        }
    )


def published_manager(label: Label) -> str | None:
    organisation = label.managing_organisation
    return organisation.name if organisation and organisation.is_published else None


def iso(day: date | PartialDate | None) -> str | None:
    return str(day) if day is not None else None
