"""Runs of the command over time: who is told when, once, and what becomes of failed mails."""

from collections import Counter
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from io import StringIO
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

import clusters.mail
from clusters.mail.outbox import enqueue
from clusters.models import Account, Mail, Role
from labels.models import (
    Decision,
    DecisionKind,
    Delivery,
    Label,
    Notice,
    NoticeAnswer,
    NoticeKind,
    RuleChange,
)
from labels.notices.deadlines import deadlines
from labels.notices.digest import sections
from tests.factories import (
    change_label,
    delete_label,
    make_account,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_team_member,
    update_labels,
)
from tests.mails import hold, sent_mails

pytestmark = pytest.mark.django_db

END, CLOSES = date(2026, 11, 30), date(2027, 11, 30)
FIRST = date(2026, 5, 30)


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, clock_time(hour), tzinfo=timezone.get_default_timezone())


def run(day: date = FIRST, *arguments: str, hour: int = 12) -> str:
    output = StringIO()
    with time_machine.travel(at(day, hour)):
        call_command("send_notices", *arguments, stdout=output)
    return output.getvalue()


def make_due(*owners: str, **fields: Any) -> Label:
    """A Gold of bioPmed that ends on 30 November 2026, with these owners, at least one."""
    organisation = make_organisation()
    for email in owners or ("owner@example.org",):
        make_team_member(organisation=organisation, account=make_account(email=email))
    cluster = make_cluster(name="bioPmed")
    make_management(cluster=cluster, organisation=organisation)
    return make_label(**({"cluster": cluster, "assessed_on": "2024-11"} | fields))


def make_untold() -> Label:
    return make_label(cluster=make_cluster(), assessed_on="2024-11")


def addresses() -> list[str]:
    return sorted(message.to[0] for message in sent_mails())


def ledger() -> list[tuple[str, date]]:
    return list(Notice.objects.order_by("due_on").values_list("kind", "due_on"))


# Once each


def test_send_notices_tells_each_stage_once_from_day_to_day() -> None:
    make_due()
    days = [one.due_on for one in deadlines(ends_on=END, renewable_until=CLOSES)]

    for day in days:
        for later in range(3):
            run(day + timedelta(days=later))

    assert ledger() == list(zip(NoticeKind.values, days, strict=True))
    assert len(sent_mails()) == 5


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        pytest.param(date(2026, 8, 29), "6-months", id="last day of the first"),
        pytest.param(date(2027, 1, 15), "end", id="six weeks after the end"),
        pytest.param(date(2027, 10, 1), "window", id="in the last months"),
    ],
)
def test_missed_days_catch_up_with_the_current_notice_alone(day: date, kind: str) -> None:
    make_due()

    output = run(day)

    assert [found for found, _due_on in ledger()] == [kind]
    assert len(sent_mails()) == 1
    assert output.splitlines()[-1] == "Mails written: 1."


def test_long_dead_label_is_not_told() -> None:
    make_due(assessed_on="2010-01")

    run()

    assert (addresses(), ledger()) == ([], [])


def test_extension_moves_the_day_and_tells_it_anew() -> None:
    label = make_due()
    run()
    label.extended_until = date(2027, 11, 30)
    change_label(label)

    run(date(2026, 6, 1))
    quiet = ledger()
    run(date(2027, 5, 30))

    assert quiet == [("6-months", FIRST)]
    assert ledger() == [("6-months", FIRST), ("6-months", date(2027, 5, 30))]
    assert len(sent_mails()) == 2


def test_owner_who_joins_is_told_what_is_current() -> None:
    label = make_due()
    run()
    organisation = label.cluster.managements.get().organisation
    make_team_member(organisation=organisation, account=make_account(email="new@example.org"))

    run(date(2026, 6, 10))
    run(date(2026, 6, 11))

    assert addresses() == ["new@example.org", "owner@example.org"]
    assert ledger() == [("6-months", FIRST)]


@settings(max_examples=6)
@given(begins=st.integers(-30, 700), gaps=st.lists(st.integers(1, 90), min_size=3, max_size=12))
def test_runs_with_gaps_tell_each_owner_once_and_never_a_past_stage(
    begins: int, gaps: list[int]
) -> None:
    Delivery.objects.all().delete()
    Notice.objects.all().delete()
    for label in Label.objects.all():
        delete_label(label)
    Account.objects.filter(email__endswith="@owner.example").delete()
    Mail.objects.all().delete()
    mail.outbox.clear()
    make_due("a@owner.example", "b@owner.example")
    day, expected = FIRST + timedelta(days=begins), set()

    for gap in gaps:
        known = set(Notice.objects.values_list("kind", flat=True))
        run(day)
        passed = {
            one.stage.value
            for one in deadlines(ends_on=END, renewable_until=CLOSES)
            if day > one.until
        }
        assert not (set(Notice.objects.values_list("kind", flat=True)) - known) & passed
        for one in deadlines(ends_on=END, renewable_until=CLOSES):
            if one.due_on <= day <= one.until:
                expected.add(one.stage.value)
        day += timedelta(days=gap)

    assert set(Notice.objects.values_list("kind", flat=True)) == expected
    assert set(Counter(addresses()).values()) <= {len(expected)}
    assert len(sent_mails()) == 2 * len(expected)


# Nobody to tell


def test_nobody_to_tell_is_written_down_and_told_later_to_whoever_comes() -> None:
    label = make_untold()

    output = run()
    again = run()
    make_management(
        cluster=label.cluster, organisation=make_organisation(role_address="info@example.org")
    )
    run()

    assert "nobody to tell: 6-months, Gold" in output
    assert "nobody to tell" not in again
    assert ledger() == [("6-months", FIRST)]
    assert addresses() == ["info@example.org"]


# All or nothing


def test_notice_is_written_with_all_of_its_mails_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_due("a@example.org", "b@example.org")

    def fail_at_the_second(message: Any, **values: Any) -> None:
        if message.to == ["b@example.org"]:
            raise OperationalError
        enqueue(message, **values)

    with monkeypatch.context() as patch:
        patch.setattr(clusters.mail, "enqueue", fail_at_the_second)
        with pytest.raises(OperationalError):
            run()
    before = (addresses(), ledger(), Delivery.objects.count())
    run()

    assert before == ([], [], 0)
    assert addresses() == ["a@example.org", "b@example.org"]
    assert Delivery.objects.count() == 2


def test_output_holds_no_address() -> None:
    make_due()
    make_account(Role.LEAD, email="lead@example.org")
    first = run(date(2026, 5, 29), "--dry-run") + run()
    update_labels(certain_until=date(2026, 8, 30), ends_on=date(2026, 8, 30))

    assert "@" not in first + run(date(2026, 6, 10))


# Rehearsal


def test_dry_run_lists_and_writes_nothing() -> None:
    label = make_due("a@example.org", "b@example.org")
    make_untold()
    make_account(Role.LEAD)

    output = run(FIRST, "--dry-run")

    assert f"due: 6-months, Gold – bioPmed ({label.public_id}), recipients: 2\n" in output
    assert ", recipients: 0\n" in output
    assert "due: digest of the week of 2026-05-25, recipients: 1\n" in output
    assert output.endswith("Due: 3 mails. Nothing was written.\n")
    assert (addresses(), ledger(), Delivery.objects.count()) == ([], [], 0)


def test_on_takes_another_day() -> None:
    make_due()

    run(date(2026, 1, 1), "--on", "2026-05-30")

    assert ledger() == [("6-months", FIRST)]


# Two runs


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_the_same_moment_write_one_mail_to_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hold(monkeypatch, clusters.mail)
    make_due("a@example.org", "b@example.org")
    make_account(Role.LEAD, email="lead@example.org")
    start = Barrier(2)
    outputs = [StringIO(), StringIO()]

    def one_run(output: StringIO) -> None:
        start.wait()
        call_command("send_notices", "--on", FIRST.isoformat(), stdout=output)
        connection.close()

    runs = [Thread(target=one_run, args=[output]) for output in outputs]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()

    lasts = [output.getvalue().splitlines()[-1] for output in outputs]
    assert sum(int(last.removeprefix("Mails written: ").rstrip(".")) for last in lasts) == 3
    assert addresses() == ["a@example.org", "b@example.org", "lead@example.org"]
    assert ledger() == [("6-months", FIRST)]
    assert Delivery.objects.count() == 3


# The digest

MONDAY = date(2026, 11, 23)


def digests() -> list[Any]:
    return [message for message in sent_mails() if "the week of" in message.subject]


def numbers(day: date = MONDAY) -> dict[str, int]:
    return {str(section.title): section.number for section in sections(day)}


def test_digest_goes_to_the_secretariat_once_a_week() -> None:
    make_untold()
    make_account(Role.LEAD, Role.EDITOR, email="lead@example.org")
    make_account(Role.EDITOR, email="editor@example.org", language="it")
    make_account(Role.EDITOR, is_active=False)
    make_account(Role.AUDITOR)

    for later in (0, 1, 6):
        run(MONDAY + timedelta(days=later))
    once = sorted(message.to[0] for message in sent_mails())
    run(MONDAY + timedelta(days=7))

    assert once == ["editor@example.org", "lead@example.org"]
    assert len(sent_mails()) == 4


def test_digest_catches_up_within_its_week() -> None:
    make_untold()
    make_account(Role.LEAD)

    run(MONDAY + timedelta(days=6))

    assert Delivery.objects.get(notice=None).week_from == MONDAY


def test_quiet_week_has_no_digest() -> None:
    make_account(Role.LEAD)

    run(MONDAY)

    assert sent_mails() == []


def make_decision(label: Label) -> Decision:
    return Decision.objects.create(
        label=label,
        kind=DecisionKind.REVOCATION,
        takes_effect_on=MONDAY,
        reason="Audit.",
        needs_two=True,
        proposed_by=make_account(),
        proposed_at=at(MONDAY),
    )


def test_digest_counts_what_there_is_to_do() -> None:
    ending = make_due()  # ends on 30 November
    make_label(assessed_on="2023-12")  # ended in 2025, renewable to the end of 2026
    make_label(valid_until="2026-11-18", assessed_on="2024-11-18")
    make_label(valid_until="2026-11-23", assessed_on="2024-11-23")  # ends today: not lapsed yet
    Notice.objects.create(
        label=ending,
        kind=NoticeKind.SIX_MONTHS,
        due_on=FIRST,
        answer=NoticeAnswer.RENEWING,
        answered_at=at(date(2026, 11, 22)),
    )
    Notice.objects.create(
        label=ending,
        kind=NoticeKind.THREE_MONTHS,
        due_on=date(2026, 8, 30),
        answer=NoticeAnswer.RECEIVED,
        answered_at=at(MONDAY),  # told next week
    )
    make_decision(ending)
    RuleChange.objects.create(
        level=ending.level,
        reason="Audit.",
        needs_two=True,
        proposed_by=make_account(),
        proposed_at=at(MONDAY),
    )

    assert numbers() == {
        "Labels ending within 6 months": 2,
        "Labels renewable for less than 3 months more": 1,
        "Labels that ended last week": 1,
        "Teams that answered last week": 1,
        "Notices for which there is nobody to tell": 1,
        "Decisions waiting for approval": 1,
        "Changes of rules waiting": 1,
    }


def test_digest_of_any_day_tells_the_whole_week_before() -> None:
    make_label(valid_until="2026-11-16", assessed_on="2024-11-16")
    make_label(valid_until="2026-11-22", assessed_on="2024-11-22")

    found = [numbers(MONDAY + timedelta(days=later)) for later in (0, 3, 6, 7)]

    assert [one.get("Labels that ended last week") for one in found] == [2, 2, 2, None]


def test_digest_is_in_the_language_of_the_account_with_links_that_work(client: Client) -> None:
    label = make_due()
    make_decision(label)
    lead = make_account(Role.LEAD, email="lead@example.org")

    run(MONDAY)

    [message] = digests()
    assert message.to == ["lead@example.org"]
    assert "- Gold, bioPmed: revocation" in message.body
    assert f"http://testserver/en/labels/{label.public_id}/" in message.body
    links = [line for line in message.body.splitlines() if line.startswith("http://testserver/a")]
    assert len(links) == 2
    with time_machine.travel(at(MONDAY)):
        client.force_login(lead)
        assert all(client.get(link).status_code == 200 for link in links)


@pytest.mark.ignore_template_errors
def test_digest_links_lead_to_the_lists_that_it_counts(client: Client) -> None:
    make_due()
    make_untold()
    make_label(valid_until="2026-11-18", assessed_on="2024-11-18")
    run(MONDAY)

    with time_machine.travel(at(MONDAY, 13)):
        client.force_login(make_account(Role.LEAD))
        found = sections(MONDAY)
        counted = {
            str(section.title): client.get(section.address).context["cl"].result_count
            for section in found
        }

    assert len(found) == 3
    assert counted == {str(section.title): section.number for section in found}
