"""Messages to those behind a record: who receives them, and passing them on to the outbox."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings

from clusters import mail
from clusters.contact.reports import ReportedRecord
from clusters.models import Cluster, ManagementRole, Organisation


@dataclass(frozen=True)
class MessageRecipient:
    """Who receives a message; pages show the name only."""

    name: str
    address: str


def recipient_of_organisation(organisation: Organisation | None) -> MessageRecipient | None:
    if organisation is None or not organisation.is_published or not organisation.role_address:
        return None
    return MessageRecipient(organisation.name, organisation.role_address)


def recipient_of_cluster(cluster: Cluster, day: date) -> MessageRecipient | None:
    """The cluster itself, else the organisation that leads it that day.

    Without a query on a row loaded by `with_managers()`.
    """
    if cluster.contact_address:
        return MessageRecipient(cluster.name, cluster.contact_address)
    leads = (m for m in cluster.managers_on(day) if m.role == ManagementRole.LEAD)
    return next((recipient_of_organisation(lead.organisation) for lead in leads), None)


def relay_message(
    record: ReportedRecord,
    recipient: MessageRecipient,
    *,
    sender: str,
    subject: str,
    message: str,
    language: str,
) -> None:
    """Answers go straight to the sender."""
    mail.send(
        "contact",
        to=recipient.address,
        language=language,
        reply_to=sender,
        context={
            "record": record,
            "page": f"{settings.SITE_URL}{record.url}",
            "sender": sender,
            "subject": subject,
            "message": message,
        },
    )
