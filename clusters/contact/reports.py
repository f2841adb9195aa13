"""Problems that readers report, from the page to the answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import get_language

from clusters import mail
from clusters.models import Account, ProblemReport, RecordKind, ReportState

CLOSED = (ReportState.CORRECTED, ReportState.REFUSED)


@dataclass(frozen=True)
class ReportedRecord:
    """A public record, as its pages name and address it in the active language."""

    kind: RecordKind
    public_id: str
    name: str
    url: str

    @property
    def path(self) -> str:
        return self.url.removeprefix(f"/{get_language()}")


def describe_record(row: Any) -> ReportedRecord:
    # The kinds are called as their models are.
    kind = RecordKind(row._meta.model_name)
    return ReportedRecord(kind, row.public_id, name=str(row), url=row.get_absolute_url())


@transaction.atomic
def receive_report(
    record: ReportedRecord, *, text: str, reply_address: str, language: str
) -> ProblemReport:
    report = ProblemReport.objects.create(
        kind=record.kind,
        record_id=record.public_id,
        record_name=record.name[:300],
        path=record.path,
        text=text,
        reply_address=reply_address,
        language=language,
    )
    mail_report(report)
    return report


def mail_report(report: ProblemReport) -> None:
    queue = reverse("admin:clusters_problemreport_change", args=[report.pk])
    mail.send(
        "report",
        to=settings.CONTACT_ADDRESS,
        language=settings.LANGUAGE_CODE,
        context={"report": report, "queue": f"{settings.SITE_URL}{queue}"},
    )


@transaction.atomic
def save_report(report: ProblemReport, *, by: Account, now: datetime) -> ProblemReport:
    """Write what the secretariat found; closing it sends the answer to the reader, once.

    Of a closed report only the fields of the public log are written. Raises ValidationError.
    """
    # Two editors may close a report at the same moment; one answer is sent.
    stored = ProblemReport.objects.select_for_update().get(pk=report.pk)
    is_being_closed = report.state in CLOSED and stored.state not in CLOSED
    if is_being_closed:
        report.closed_at, report.closed_by = now, by
    # The answer was sent: it stays as it was.
    elif stored.state in CLOSED:
        report.state, report.answer = stored.state, stored.answer
        report.closed_at, report.closed_by = stored.closed_at, stored.closed_by
    report.full_clean()
    report.save()
    if is_being_closed and report.reply_address:
        mail_answer(report)
    return report


def mail_answer(report: ProblemReport) -> None:
    mail.send(
        "report_answer",
        to=report.reply_address,
        language=report.language,
        reply_to=settings.CONTACT_ADDRESS,
        context={"report": report, "page": f"{settings.SITE_URL}/{report.language}{report.path}"},
    )
