"""What has been kept long enough goes; the day before it stays."""

from collections import Counter
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from clusters.models import (
    Account,
    Claim,
    ClaimState,
    Event,
    EventAddress,
    EventKind,
    FormDraft,
    Invitation,
    Mail,
    ProblemReport,
    ReportState,
    TeamRole,
)
from clusters.people.log import record
from config.privacy.retention import purge
from labels.models import Delivery, Notice
from tests.factories import (
    make_account,
    make_cluster,
    make_label,
    make_mail,
    make_organisation,
    update_label,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()
ADDRESS = "j.doe@example.org"
SECOND = timedelta(seconds=1)


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def boundary(days: int) -> pytest.MarkDecorator:
    """On the last moment of its time it stays, at its limit it goes."""
    return pytest.mark.parametrize(
        ("moment", "goes"),
        [
            pytest.param(ago(days) + SECOND, False, id="last moment"),
            pytest.param(ago(days), True, id="limit"),
            pytest.param(ago(days) - timedelta(days=300), True, id="long ago"),
        ],
    )


def run(**options: Any) -> str:
    out = StringIO()
    call_command("purge", stdout=out, **options)
    return out.getvalue()


def write_certificate(folder: Path, day: date) -> Path:
    path = folder / str(day) / "BCDFGHJK-en.pdf"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"%PDF")
    return path


def make_invitation(**fields: Any) -> Invitation:
    return Invitation.objects.create(
        email=ADDRESS, organisation=make_organisation(), team_role=TeamRole.EDITOR, **fields
    )


def make_claim(**fields: Any) -> Claim:
    defaults = {"organisation": make_organisation(), "role_address": ADDRESS, "reason": "Ours."}
    return Claim.objects.create(**(defaults | fields))


def make_report(**fields: Any) -> ProblemReport:
    return ProblemReport.objects.create(
        kind="cluster",
        record_id="CCCCCCCC",
        record_name="A cluster",
        path="/clusters/a/",
        text="Wrong.",
        reply_address=ADDRESS,
        **fields,
    )


def closed(moment: datetime) -> dict[str, Any]:
    return {"state": ReportState.CORRECTED, "answer": "Done.", "closed_at": moment}


def age_versions(model: Any, moment: datetime) -> None:
    model.history.update(history_date=moment)


# Rows


@boundary(90)
def test_network_address_goes_after_90_days(moment: datetime, goes: bool) -> None:
    event = record(
        EventKind.SIGNED_IN, now=moment, network_address="192.0.2.7", typed_address=ADDRESS
    )

    done = purge(now=NOW)

    assert done == (Counter({"clusters.eventaddress": 1}) if goes else Counter())
    assert EventAddress.objects.exists() is not goes
    assert Event.objects.filter(pk=event.pk).exists()


@boundary(731)
def test_event_goes_after_two_years(moment: datetime, goes: bool) -> None:
    event = record(EventKind.SIGNED_IN, now=moment)

    purge(now=NOW)

    assert Event.objects.filter(pk=event.pk).exists() is not goes


@pytest.mark.parametrize(("seconds", "goes"), [(1, False), (0, True), (-60, True)])
def test_session_goes_when_it_has_expired(seconds: int, goes: bool) -> None:
    SessionStore().create()
    Session.objects.update(expire_date=NOW + timedelta(seconds=seconds))

    purge(now=NOW)

    assert Session.objects.exists() is not goes


@boundary(90)
def test_invitation_goes_90_days_after_it_expired(moment: datetime, goes: bool) -> None:
    make_invitation(expires_at=moment)

    purge(now=NOW)

    assert Invitation.objects.exists() is not goes
    assert Invitation.history.exists() is not goes


def test_accepted_invitation_goes_as_well() -> None:
    make_invitation(expires_at=ago(90), accepted_at=ago(95))

    purge(now=NOW)

    assert not Invitation.objects.exists()


@boundary(731)
def test_line_of_the_admin_goes_after_two_years(moment: datetime, goes: bool) -> None:
    LogEntry.objects.create(
        user=make_account(), action_flag=CHANGE, object_repr="x", action_time=moment
    )

    purge(now=NOW)

    assert LogEntry.objects.exists() is not goes


@boundary(30)
def test_draft_of_a_form_goes_after_30_days(moment: datetime, goes: bool) -> None:
    FormDraft.objects.create(account=make_account(), address="/", data="[]", saved_at=moment)

    purge(now=NOW)

    assert FormDraft.objects.exists() is not goes


def make_delivery(written_at: datetime, renewable_until: date | None) -> Delivery:
    """A mail of a notice of a label that can be renewed until then, or of a digest."""
    account = make_account()
    if renewable_until is None:
        monday = date(2024, 1, 1)
        return Delivery.objects.create(account=account, week_from=monday, written_at=written_at)
    label = make_label()
    update_label(label, renewable_until=renewable_until)
    notice = Notice.objects.create(label=label, kind="end", due_on=date(2017, 7, 31))
    return Delivery.objects.create(account=account, notice=notice, written_at=written_at)


@boundary(731)
@pytest.mark.parametrize("renewable_until", [None, date(2018, 7, 31)])
def test_mail_of_a_notice_goes_after_two_years(
    renewable_until: date | None, moment: datetime, goes: bool
) -> None:
    make_delivery(moment, renewable_until)

    purge(now=NOW)

    assert Delivery.objects.exists() is not goes
    assert Delivery.history.exists() is not goes


def test_mail_stays_while_its_label_can_be_renewed() -> None:
    """Without its row the next run would send it again."""
    make_delivery(ago(1000), timezone.localdate(NOW))

    purge(now=NOW)

    assert Delivery.objects.exists()


@boundary(30)
def test_mail_goes_after_a_month(moment: datetime, goes: bool) -> None:
    make_mail(created_at=moment)

    purge(now=NOW)

    assert Mail.objects.exists() is not goes


# Fields


@pytest.mark.parametrize(
    ("moment", "goes"), [(ago(7) + SECOND, False), (ago(7), True), (ago(29), True)]
)
def test_failed_mail_loses_what_it_says_when_it_is_of_no_use(moment: datetime, goes: bool) -> None:
    make_mail(state="failed", error="x", created_at=moment, reply_to=ADDRESS)

    purge(now=NOW)

    mail = Mail.objects.get()
    expected = ("", "", "") if goes else ("Subject", "Text", ADDRESS)
    assert (mail.subject, mail.text, mail.reply_to) == expected


@boundary(180)
def test_decided_claim_loses_its_address_and_reason(moment: datetime, goes: bool) -> None:
    claim = make_claim(state=ClaimState.APPROVED, decided_at=moment)

    purge(now=NOW)

    claim.refresh_from_db()
    version = claim.history.get()
    expected = ("", "") if goes else (ADDRESS, "Ours.")
    assert (claim.role_address, claim.reason) == expected
    assert (version.role_address, version.reason) == expected


def test_waiting_claim_keeps_its_address() -> None:
    make_claim()
    Claim.objects.update(created_at=ago(400))

    assert purge(now=NOW) == Counter()


@boundary(90)
def test_closed_report_loses_its_address(moment: datetime, goes: bool) -> None:
    report = make_report(**closed(moment))

    purge(now=NOW)

    report.refresh_from_db()
    expected = "" if goes else ADDRESS
    assert (report.reply_address, report.history.get().reply_address) == (expected, expected)
    assert report.text == "Wrong."


def test_open_report_keeps_its_address() -> None:
    make_report()
    ProblemReport.objects.update(created_at=ago(400))

    assert purge(now=NOW) == Counter()


def test_due_report_loses_its_address_in_every_version() -> None:
    report = make_report()
    for name, value in closed(ago(90)).items():
        setattr(report, name, value)
    report.save()

    purge(now=NOW)

    assert list(report.history.values_list("reply_address", flat=True)) == ["", ""]


@boundary(90)
def test_versions_of_a_deleted_report_lose_the_address(moment: datetime, goes: bool) -> None:
    make_report().delete()
    age_versions(ProblemReport, moment)

    purge(now=NOW)

    left = set(ProblemReport.history.values_list("reply_address", flat=True))
    assert left == ({""} if goes else {ADDRESS})


@boundary(731)
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (make_account, "email"),
        (make_organisation, "role_address"),
        (make_cluster, "contact_address"),
    ],
)
def test_former_address_goes_from_the_versions(
    make: Any, name: str, moment: datetime, goes: bool
) -> None:
    row = make(**{name: ADDRESS})
    setattr(row, name, "new@example.org")
    row.save()
    age_versions(type(row), moment)

    purge(now=NOW)

    row.refresh_from_db()
    versions = row.history.order_by("history_id").values_list(name, flat=True)
    assert list(versions) == ["" if goes else ADDRESS, "new@example.org"]
    assert getattr(row, name) == "new@example.org"


def test_versions_of_a_deleted_account_lose_the_address() -> None:
    make_account(email=ADDRESS).delete()
    age_versions(Account, ago(731))

    purge(now=NOW)

    assert set(Account.history.values_list("email", flat=True)) == {""}


def test_purge_writes_no_version() -> None:
    report = make_report(**closed(ago(90)))

    purge(now=NOW)

    assert report.history.count() == 1


# The cache


def test_expired_entry_of_the_cache_goes(settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
    }
    if "cache" not in connection.introspection.table_names():
        call_command("createcachetable", verbosity=0)
    cache.set("old", 1, timeout=60)
    cache.set("young", 1, timeout=600)

    assert purge(now=timezone.now() + timedelta(seconds=300))["cache"] == 1
    assert cache.get("young") == 1


# The command


def test_purge_says_what_it_did_and_the_log_tells() -> None:
    make_invitation(expires_at=ago(91))
    make_report(**closed(ago(91)))

    out = run()

    assert out == (
        "clusters.historicalinvitation: 2 rows deleted or emptied\n"
        "clusters.historicalproblemreport: 1 row deleted or emptied\n"
        "clusters.invitation: 1 row deleted or emptied\n"
        "clusters.problemreport: 1 row deleted or emptied\n"
    )
    event = Event.objects.get()
    assert (event.kind, event.detail) == (
        "purged",
        "clusters.historicalinvitation 2, clusters.historicalproblemreport 1, "
        "clusters.invitation 1, clusters.problemreport 1",
    )


def test_second_purge_finds_nothing_due() -> None:
    make_invitation(expires_at=ago(91))
    run()

    assert run() == "Nothing is due.\n"
    assert Event.objects.count() == 1


def test_dry_run_writes_nothing() -> None:
    make_invitation(expires_at=ago(91))
    make_report(**closed(ago(91)))

    out = run(dry_run=True)

    assert "clusters.invitation: 1 row would be deleted or emptied" in out
    assert Invitation.objects.get().email == ADDRESS
    assert ProblemReport.objects.get().reply_address == ADDRESS
    assert not Event.objects.exists()


# Files


@pytest.mark.parametrize(("days", "goes"), [(0, False), (1, False), (2, True), (400, True)])
def test_certificate_goes_on_the_second_day_after_its_own(
    settings: Settings, tmp_path: Path, days: int, goes: bool
) -> None:
    settings.CERTIFICATES_ROOT = tmp_path
    path = write_certificate(tmp_path, timezone.localdate(NOW) - timedelta(days=days))

    dry = purge(now=NOW, dry_run=True)
    assert path.exists()
    done = purge(now=NOW)

    assert dry == done == (Counter({"certificates": 1}) if goes else Counter())
    assert path.parent.exists() is not goes


def test_purge_leaves_other_folders_beside_the_certificates(
    settings: Settings, tmp_path: Path
) -> None:
    settings.CERTIFICATES_ROOT = tmp_path
    (tmp_path / "2nd-of-all").mkdir()
    (tmp_path / "lost+found").mkdir()

    assert purge(now=NOW) == Counter()
    assert len(list(tmp_path.iterdir())) == 2
