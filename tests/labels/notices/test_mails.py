"""Who is told of which label, what the mail says, and the page behind its link."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core.signing import Signer
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.translation import gettext

from clusters.models import Account, Cluster, Organisation, TeamMember, TeamRole
from labels.models import Delivery, Label, Notice, NoticeAnswer
from labels.notices.addressees import addressees_of
from labels.notices.deadlines import Stage
from labels.notices.mails import (
    due,
    labels_with_notices,
    notify_addressees,
    read_link,
    save_answer,
    with_addressees,
)
from tests.factories import (
    hide,
    make_account,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_suspension,
    make_team_member,
    make_undated_label,
    update_labels,
)
from tests.mails import sent_mails

pytestmark = pytest.mark.django_db

END = date(2026, 11, 30)
CLOSES = date(2027, 11, 30)
SIX_MONTHS_BEFORE = date(2026, 5, 30)


def at(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=timezone.get_default_timezone())


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(at(SIX_MONTHS_BEFORE), tick=False):
        yield


def make_told(**fields: Any) -> Label:
    """A Gold of bioPmed that ends on 30 November 2026; Science Park manages the cluster."""
    cluster = fields.pop("cluster", None) or make_cluster(name="bioPmed")
    organisation = make_organisation(name="Science Park", role_address="info@example.org")
    make_management(cluster=cluster, organisation=organisation)
    return make_label(**({"cluster": cluster, "assessed_on": "2024-11"} | fields))


def make_owner(label: Label, **fields: Any) -> TeamMember:
    organisation = label.cluster.managements.get().organisation
    return make_team_member(organisation=organisation, **fields)


def stages(day: date) -> list[str]:
    return [one.deadline.stage for one in due(day)]


def run(day: date = SIX_MONTHS_BEFORE) -> None:
    for one in list(due(day)):
        notify_addressees(one, day=day, now=at(day))


def people(label: Label, day: date = SIX_MONTHS_BEFORE) -> list[tuple[str, str]]:
    found = addressees_of(with_addressees([label.pk]), day)[label.pk]
    return [(one.address, one.language) for one in found]


def link(number: int = -1) -> str:
    lines = sent_mails()[number].body.splitlines()
    return next(line for line in lines if "/notices/" in line).removeprefix("http://testserver")


# What is due


def test_label_is_due_from_its_day_on() -> None:
    make_told()

    assert stages(SIX_MONTHS_BEFORE - timedelta(days=1)) == []
    assert stages(SIX_MONTHS_BEFORE) == [Stage.SIX_MONTHS]
    assert stages(END) == [Stage.END]
    assert stages(CLOSES) == [Stage.WINDOW]
    assert stages(CLOSES + timedelta(days=1)) == []


def hide_label(label: Label) -> None:
    update_labels(is_published=False)


def hide_cluster(label: Label) -> None:
    hide(label.cluster)


def revoke(label: Label) -> None:
    update_labels(revoked_on=END, revocation_reason="Audit.")


def transfer(label: Label) -> None:
    update_labels(transferred_on=END)


def renew(label: Label) -> None:
    make_label(cluster=label.cluster, renews=label, kind="renewal", assessed_on="2026-05-01")


def award_again(label: Label) -> None:
    make_label(cluster=label.cluster, assessed_on="2026-12-01")


@pytest.mark.parametrize("change", [hide_label, hide_cluster, revoke, transfer, renew, award_again])
def test_label_is_not_due_where_there_is_nothing_to_tell(change: Any) -> None:
    label = make_told()
    change(label)

    assert label.pk not in [one.label.pk for one in due(SIX_MONTHS_BEFORE)]
    assert label.pk not in [one.label.pk for one in due(CLOSES)]


def test_undated_label_and_one_to_come_are_not_due() -> None:
    make_undated_label()
    make_label(assessed_on="2026-06-01", valid_until="2026-10-30")

    assert stages(SIX_MONTHS_BEFORE) == []


def test_silver_beside_a_gold_is_due() -> None:
    gold = make_told()
    make_label(cluster=gold.cluster, level="silver", assessed_on="2024-11")

    assert stages(SIX_MONTHS_BEFORE) == [Stage.SIX_MONTHS, Stage.SIX_MONTHS]


SUSPENDED = "The label is suspended: it can be renewed once it has been reinstated."


def test_suspended_label_is_due_and_its_mail_says_so() -> None:
    label = make_told()
    make_suspension(label, starts_on=date(2026, 3, 1), reason="Audit.")

    run()

    with translation.override("it"):
        assert gettext(SUSPENDED) in sent_mails()[0].body


def test_hidden_draft_does_not_stop_a_notice() -> None:
    label = make_told()
    make_label(cluster=label.cluster, assessed_on="2026-12-01", is_published=False)

    assert stages(SIX_MONTHS_BEFORE) == [Stage.SIX_MONTHS]


def count_queries(day: date) -> int:
    with CaptureQueriesContext(connection) as queries:
        found = list(due(day))
    assert found
    return len(queries)


def test_due_asks_the_same_for_one_and_three_labels_among_many() -> None:
    make_owner(make_told())
    for year in range(2000, 2020):
        make_label(assessed_on=f"{year}-01")
    one = count_queries(SIX_MONTHS_BEFORE)
    make_owner(make_told())
    make_owner(make_told())

    assert count_queries(SIX_MONTHS_BEFORE) == one <= 9


def test_candidates_are_found_by_the_index() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("an empty table of PostgreSQL is read as a whole")

    plan = labels_with_notices(SIX_MONTHS_BEFORE).values_list("pk").explain()

    assert "label_by_level_and_end" in plan


# Who is told


def test_active_owners_are_told_in_their_languages() -> None:
    label = make_told()
    make_owner(label, account=make_account(email="a@example.org"))
    make_owner(label, account=make_account(email="b@example.org", language="it"))
    make_owner(label, account=make_account(is_active=False))
    make_owner(label, role=TeamRole.EDITOR)

    assert people(label) == [("a@example.org", "en"), ("b@example.org", "it")]


def test_owners_of_all_managers_are_told_once_the_lead_first() -> None:
    label = make_told()
    both = make_account(email="both@example.org")
    joint = make_organisation()
    make_management(cluster=label.cluster, organisation=joint, role="joint")
    make_team_member(organisation=joint, account=make_account(email="a@example.org"))
    make_team_member(organisation=joint, account=both)
    lead = Organisation.objects.get(name="Science Park")
    make_team_member(organisation=lead, account=both)

    assert people(label) == [("both@example.org", "en"), ("a@example.org", "en")]


def test_without_an_owner_the_lead_address_is_told() -> None:
    assert people(make_told()) == [("info@example.org", "it")]


@pytest.mark.parametrize(
    "remove",
    [
        pytest.param(hide, id="organisation unpublished"),
        pytest.param(
            lambda organisation: Organisation.objects.update(role_address=""),
            id="organisation without an address",
        ),
    ],
)
def test_without_an_organisation_the_cluster_is_told_and_without_that_nobody(
    remove: Callable[[Organisation], Any],
) -> None:
    label = make_told()
    remove(Organisation.objects.get())
    nobody = people(label)
    Cluster.objects.update(contact_address="cluster@example.org", country="NO")

    assert (nobody, people(label)) == ([], [("cluster@example.org", "en")])


def test_manager_of_yesterday_is_not_told() -> None:
    label = make_told()
    label.cluster.managements.update(ended_on="2026-05-29")

    assert people(label) == []


# What the mail says


def test_mail_names_days_reason_and_link() -> None:
    make_owner(make_told(), account=make_account(email="a@example.org"))

    run()

    message: Any = sent_mails()[0]
    assert message.to == ["a@example.org"]
    assert message.subject == "The Gold label of bioPmed ends on 30 November 2026"
    assert "the last day of the Gold label of bioPmed is 30 November 2026" in message.body
    assert "can be renewed until 30 November 2027" in message.body
    assert "because you own the team of Science Park" in message.body
    assert "http://testserver/en/notices/" in message.body
    assert "The link works until 30 November 2028" in message.body
    [alternative] = message.alternatives
    assert alternative.mimetype == "text/html"
    assert f'<a href="http://testserver{link()}">' in alternative.content


def test_mail_to_an_address_says_why_and_is_in_its_language() -> None:
    make_told()

    run()

    assert "/it/notices/" in sent_mails()[0].body
    assert "Science Park" in sent_mails()[0].body


@pytest.mark.parametrize(
    ("day", "subject"),
    [
        pytest.param(END - timedelta(days=1), "ends on 30 November 2026", id="eve"),
        pytest.param(END, "ends today", id="last day"),
        pytest.param(END + timedelta(days=1), "ended on 30 November 2026", id="day after"),
        pytest.param(CLOSES, "can be renewed until 30 November 2027 only", id="window"),
    ],
)
def test_subject_tells_where_the_end_lies(day: date, subject: str) -> None:
    make_owner(make_told())

    run(day)

    assert sent_mails()[0].subject == f"The Gold label of bioPmed {subject}"


def test_mail_without_a_window_says_that_it_is_over() -> None:
    make_owner(make_told())
    update_labels(renewable_until=END)

    run(END + timedelta(days=10))

    assert "It can no longer be renewed" in sent_mails()[0].body


def test_later_mail_tells_what_the_team_answered() -> None:
    make_owner(make_told())
    run()
    Notice.objects.update(answer=NoticeAnswer.RENEWING, answered_at=at(SIX_MONTHS_BEFORE))

    run(END)

    assert "last answer, of 30 May 2026: we will renew" in sent_mails()[1].body


# The page


@pytest.fixture
def told() -> Label:
    label = make_told()
    make_owner(label)
    run()
    return label


def said() -> str:
    return Notice.objects.get().answer


@pytest.mark.usefixtures("told")
def test_page_shows_the_label_and_writes_nothing(client: Client) -> None:
    response = client.get(link())

    assert response.status_code == 200
    assert all(
        text in response.text
        for text in ("Gold label of bioPmed", "Valid until 30 November 2026.", "30 November 2027")
    )
    assert '<meta name="robots" content="noindex, nofollow">' in response.text
    assert "canonical" not in response.text
    assert "no-store" in response["Cache-Control"]
    assert said() == ""


@pytest.mark.usefixtures("told")
def test_page_sets_no_cookie(client: Client) -> None:
    seen, sent = client.get(link()), client.post(link(), {"answer": "received"})

    assert (seen.cookies, sent.cookies) == ({}, {})


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("given", NoticeAnswer.values)
def test_answer_is_written_once_with_its_history(given: str) -> None:
    client = Client(enforce_csrf_checks=True)
    first = client.post(link(), {"answer": given})
    with time_machine.travel(at(END)):
        client.post(link(), {"answer": given})

    notice = Notice.objects.get()
    assert (first.status_code, first["Location"]) == (302, link())
    assert (notice.answer, notice.answered_at) == (given, at(SIX_MONTHS_BEFORE))
    assert notice.history.count() == 2
    assert notice.history.first().history_change_reason == "page"
    assert "Thank you" in client.get(link()).text


@pytest.mark.usefixtures("told")
def test_answer_goes_from_known_to_renewing_and_not_back(client: Client) -> None:
    client.post(link(), {"answer": "received"})
    between = client.get(link()).text
    client.post(link(), {"answer": "renewing"})
    client.post(link(), {"answer": "received"})

    assert ("We know" in between, "We will renew" in between) == (False, True)
    assert said() == "renewing"
    assert "<button" not in client.get(link()).text


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("data", [{}, {"answer": ""}, {"answer": "x" * 300}])
def test_unknown_answer_changes_nothing(client: Client, data: dict[str, str]) -> None:
    assert client.post(link(), data).status_code == 302
    assert said() == ""


@pytest.mark.usefixtures("told")
def test_two_answers_at_once_keep_the_stronger() -> None:
    token = link().split("/")[-2]
    first, second = (read_link(token, day=SIX_MONTHS_BEFORE) for _number in range(2))
    assert first
    assert second
    save_answer(first, NoticeAnswer.RENEWING, now=at(SIX_MONTHS_BEFORE))
    save_answer(second, NoticeAnswer.RECEIVED, now=at(SIX_MONTHS_BEFORE))

    assert said() == "renewing"


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("day", "status", "may_renew"),
    [
        pytest.param(END + timedelta(days=1), 200, True, id="day after the end"),
        pytest.param(CLOSES, 200, True, id="last day of the window"),
        pytest.param(CLOSES + timedelta(days=1), 200, False, id="window closed"),
        pytest.param(date(2028, 11, 30), 200, False, id="last day of the link"),
        pytest.param(date(2028, 12, 1), 410, False, id="a day more"),
    ],
)
def test_link_works_long_after_the_end(
    client: Client, day: date, status: int, may_renew: bool
) -> None:
    with time_machine.travel(at(day), tick=False):
        response = client.get(link())
        client.post(link(), {"answer": "renewing"})

    assert response.status_code == status
    assert ("We will renew" in response.text) is may_renew
    assert (said() == "renewing") is may_renew


def owner_leaves(label: Label) -> None:
    TeamMember.objects.all().delete()


def owner_is_disabled(label: Label) -> None:
    Account.objects.update(is_active=False)


def owner_becomes_editor(label: Label) -> None:
    TeamMember.objects.update(role=TeamRole.EDITOR)


def management_ends(label: Label) -> None:
    label.cluster.managements.update(ended_on="2026-05-29")


def is_revoked_today(label: Label) -> None:
    update_labels(revoked_on=SIX_MONTHS_BEFORE, revocation_reason="Audit.")


def is_transferred_today(label: Label) -> None:
    update_labels(transferred_on=SIX_MONTHS_BEFORE)


@pytest.mark.parametrize(
    "change",
    [
        owner_leaves,
        owner_is_disabled,
        owner_becomes_editor,
        management_ends,
        is_revoked_today,
        is_transferred_today,
        hide_label,
        hide_cluster,
    ],
)
def test_link_ends_with_what_it_is_bound_to(client: Client, told: Label, change: Any) -> None:
    change(told)

    response = client.post(link(), {"answer": "renewing"})

    assert response.status_code == 410
    assert "This link has ended" in response.text
    assert said() == ""


def test_link_lasts_when_a_colleague_joins(client: Client, told: Label) -> None:
    make_owner(told)

    assert client.get(link()).status_code == 200


def test_link_to_an_address_ends_with_the_address(client: Client) -> None:
    make_told()
    run()
    before = client.get(link()).status_code
    Organisation.objects.update(role_address="office@example.org")

    assert (before, client.get(link()).status_code) == (200, 410)


def test_renewed_label_wants_no_answer(client: Client, told: Label) -> None:
    renew(told)

    response = client.get(link())
    client.post(link(), {"answer": "renewing"})

    assert "there is nothing to do" in response.text
    assert "<button" not in response.text
    assert said() == ""


@pytest.mark.usefixtures("told")
def test_forged_link_is_unknown(client: Client) -> None:
    notice = Notice.objects.get()
    forged = Signer(salt="another").sign_object([notice.pk, "", "2099-01-01"])

    assert client.post(f"/en/notices/{forged}/").status_code == 404
    assert client.get("/en/notices/x/").status_code == 404
    Delivery.objects.all().delete()
    notice.delete()
    assert client.get(link()).status_code == 404


def test_page_takes_few_queries(told: Label, client: Client) -> None:
    address = link()

    with CaptureQueriesContext(connection) as queries:
        client.get(address)

    assert len(queries) <= 6
