"""The steps in the life of a label, each on a page of its own in admin."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from clusters.models import Account, Role
from labels.admin.forms import STEPS, SuspensionStep
from labels.life import steps as life
from labels.models import Decision, DecisionKind, DecisionState, Label, Suspension
from tests.admin_forms import errors, form_data
from tests.factories import (
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_policy_maker,
    make_team_member,
)

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

NOW = "2026-11-22 12:00"
REASON = "The board decided so."


def signed_in(*roles: Role) -> tuple[Client, Account]:
    client, account = Client(), make_account(*roles)
    client.force_login(account)
    return client, account


@pytest.fixture
def lead() -> Client:
    return signed_in(Role.LEAD)[0]


def valid_label(**fields: Any) -> Label:
    """A Gold from 1 January 2026, valid on the day of the tests."""
    return make_label(**{"assessed_on": "2026-01-01", "decided_here": True} | fields)


def page_of(label: Label, step: str) -> str:
    return reverse(f"admin:labels_label_{step}", args=[label.pk])


def change(label: Label) -> str:
    return reverse("admin:labels_label_change", args=[label.pk])


def take(client: Client, label: Label, step: str, **typed: Any) -> Any:
    """What the page would send, with a reason."""
    data = form_data(client, page_of(label, step)) | {"reason": REASON} | typed
    response = client.post(page_of(label, step), data)
    if response.status_code != 200 or not response.context["differences"]:
        return response
    # As seen.
    seen = {"seen": response.context["form"].data["seen"]}
    return client.post(page_of(label, step), data | seen)


def take_by_two(client: Client, label: Label, step: str, **typed: Any) -> Any:
    response = take(client, label, step, **typed)
    look_and_approve(signed_in(Role.LEAD)[0], Decision.objects.waiting().get())
    return response


def look_and_approve(client: Client, decision: Decision) -> None:
    address = reverse("admin:labels_decision_approve", args=[decision.pk])
    page = client.get(address)
    assert client.post(address, page.context["form"].initial).status_code == 302


def suspend(label: Label, on: date = date(2026, 2, 1)) -> None:
    now = timezone.now()
    in_effect(life.suspend(label, on=on, reason="Audit.", by=make_account(), now=now))


def only_decision() -> Decision:
    return Decision.objects.get()


# Each step


@time_machine.travel(NOW, tick=False)
def test_label_is_suspended_from_a_day(lead: Client) -> None:
    label = valid_label()

    response = take_by_two(lead, label, "suspend")

    assert (response.status_code, response["Location"]) == (302, change(label))
    row = Suspension.objects.get()
    assert (row.starts_on, row.ends_on, row.reason) == (date(2026, 11, 22), None, REASON)
    assert only_decision().kind == DecisionKind.SUSPENSION


@time_machine.travel(NOW, tick=False)
def test_step_says_what_became_of_it(lead: Client) -> None:
    label = valid_label()

    response = lead.get(take(lead, label, "suspend")["Location"])

    (message,) = [str(message) for message in response.context["messages"]]
    assert message.startswith("Proposed. Somebody else has to approve it before it takes effect:")
    assert "Suspension: Gold" in message


@time_machine.travel(NOW, tick=False)
def test_suspended_label_is_reinstated(lead: Client) -> None:
    label = valid_label()
    suspend(label)

    take_by_two(lead, label, "reinstate", on="2026-03-01")

    assert Suspension.objects.get().ends_on == date(2026, 3, 1)


@time_machine.travel(NOW, tick=False)
def test_label_is_extended(lead: Client) -> None:
    label = valid_label()

    take_by_two(lead, label, "extend", until="2029-06-30")

    label.refresh_from_db()
    assert (label.ends_on, label.extended_until) == (date(2029, 6, 30), date(2029, 6, 30))


@time_machine.travel(NOW, tick=False)
def test_label_is_transferred_to_another_cluster(lead: Client) -> None:
    label, other = valid_label(), make_cluster()

    take_by_two(lead, label, "transfer", cluster=other.pk)

    label.refresh_from_db()
    assert label.transferred_on == date(2026, 11, 22)
    assert label.transferred_to.cluster == other


@time_machine.travel(NOW, tick=False)
def test_label_is_transferred_to_another_organisation(lead: Client) -> None:
    label, other = valid_label(), make_organisation()

    take_by_two(lead, label, "transfer", organisation=other.pk)

    label.refresh_from_db()
    assert (label.managing_organisation, label.transferred_on) == (other, None)


@time_machine.travel(NOW, tick=False)
def test_revocation_is_approved_by_a_second_lead(lead: Client) -> None:
    label = valid_label()
    take(lead, label, "revoke")
    assert not Label.objects.filter(revoked_on__isnull=False).exists()
    decision = only_decision()
    assert decision.state == DecisionState.PROPOSED

    look_and_approve(signed_in(Role.LEAD)[0], decision)

    label.refresh_from_db()
    assert (label.revoked_on, label.revocation_reason) == (date(2026, 11, 22), REASON)


@time_machine.travel(NOW, tick=False)
def test_editor_proposes_a_renewal_that_counts_from_the_end() -> None:
    editor, _account = signed_in(Role.EDITOR)
    label = valid_label(score="85")

    response = take(editor, label, "renew", assessed_on="2026-10-01", score="90")

    assert response.status_code == 302
    decision = only_decision()
    renewal = decision.label
    assert (decision.kind, decision.state) == (DecisionKind.RENEWAL, DecisionState.PROPOSED)
    assert renewal.renews == label
    assert label.ends_on is not None
    assert renewal.starts_on is not None
    assert (renewal.starts_on - label.ends_on).days == 1
    assert not renewal.is_published


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("level", "names"),
    [
        ("gold", {"score"}),
        ("silver", {"benchmarked_on", "areas_of_improvement"}),
        ("bronze", set()),
    ],
)
def test_renewal_asks_what_its_level_needs(lead: Client, level: str, names: set[str]) -> None:
    every = {"assessed_on", "awarded_on", "certificate_number", "awarded_by", "source", "reason"}

    data = form_data(lead, page_of(make_label(level=level, assessed_on="2026-01-01"), "renew"))

    assert data.keys() == every | {"managing_organisation"} | names


# What is impossible is told in words


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize(
    ("step", "typed", "field", "words", "said"),
    [
        ("suspend", {"reason": ""}, "reason", "This field is required.", {}),
        (
            "suspend",
            {"on": "2025-01-01"},
            "on",
            "The label is not valid on %(day)s.",
            {"day": "2025-01-01"},
        ),
        (
            "suspend",
            {"on": "tomorrow"},
            "on",
            "“%(value)s” cannot be read as a day. Write year, month, day: 2026-11-05.",
            {"value": "tomorrow"},
        ),
        (
            "extend",
            {"until": "2026-12-31"},
            "until",
            "The new end lies after the present one (%(day)s).",
            {"day": "2028-01-31"},
        ),
        (
            "revoke",
            {"on": "2025-12-31"},
            "on",
            "The label begins on %(day)s.",
            {"day": "2026-01-01"},
        ),
        ("transfer", {}, "__all__", "Say to which cluster or organisation the label moves.", {}),
        (
            "renew",
            {"assessed_on": "2026-10"},
            "assessed_on",
            "Give the day of the assessment, not only its month.",
            {},
        ),
        (
            "renew",
            {"assessed_on": "2025-10-01"},
            "assessed_on",
            "The assessment lies before the label that it renews.",
            {},
        ),
        (
            "renew",
            {"assessed_on": "2026-10-01", "score": "79"},
            "score",
            "The score lies under the minimum of the rule.",
            {},
        ),
    ],
)
def test_impossible_step_is_refused_at_its_field(
    lead: Client,
    language: str,
    step: str,
    typed: dict[str, str],
    field: str,
    words: str,
    said: dict[str, str],
) -> None:
    label = valid_label()
    data = form_data(lead, page_of(label, step)) | {"reason": REASON} | typed

    response = lead.post(page_of(label, step), data, headers={"accept-language": language})

    with translation.override(language):
        told = gettext(words)
    if step == "extend":
        said = {"day": str(label.ends_on)}
    assert response.status_code == 200
    assert [str(error) for error in response.context["form"].errors[field]] == [
        told % said if said else told
    ]
    assert language == "en" or told != words
    assert not Decision.objects.exists()


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("step", STEPS)
def test_revoked_label_takes_no_step(lead: Client, step: str, language: str) -> None:
    label = valid_label(revoked_on=date(2026, 6, 1), revocation_reason="Closed.")

    with translation.override(language):
        words = gettext("This label was revoked; it does not change any more.")
    for method in (lead.get, lead.post):
        response = method(page_of(label, step), headers={"accept-language": language})
        assert response.status_code == 200
        assert response.context["refusal"] == words
        assert b'<form method="post" novalidate>' not in response.content
    assert language == "en" or not words.startswith("This")
    assert not Decision.objects.exists()


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("step", "make", "words"),
    [
        (
            "renew",
            lambda: valid_label(assessed_on="2012-01-01"),
            "The label is not in its renewal window. Where the assessment lay in it, propose an "
            "award, and choose there that it is a renewal of this label.",
        ),
        (
            "renew",
            lambda: make_label(assessed_on="2025"),
            "The end of that label is not known to the day: correct its dates first.",
        ),
        (
            "extend",
            lambda: valid_label(assessed_on="2012-01-01"),
            "Only a label that is valid or may be renewed is extended.",
        ),
        (
            "suspend",
            lambda: valid_label(assessed_on="2012-01-01"),
            "The label is not valid on 2026-11-22.",
        ),
        ("reinstate", valid_label, "This label is not suspended."),
        (
            "transfer",
            lambda: valid_label(assessed_on="2012-01-01"),
            "The label is not valid on 2026-11-22.",
        ),
        ("suspend", lambda: valid_label(is_published=False), "This label is not public."),
    ],
)
def test_step_that_is_not_open_says_why_and_has_no_form(
    lead: Client, step: str, make: Callable[[], Label], words: str
) -> None:
    response = lead.get(page_of(make(), step))

    assert response.status_code == 200
    assert response.context["refusal"] == words
    assert b'<form method="post" novalidate>' not in response.content


@time_machine.travel(NOW, tick=False)
def test_suspended_label_is_not_renewed_suspended_or_transferred(lead: Client) -> None:
    label = valid_label()
    suspend(label)

    refusals = {
        step: lead.get(page_of(label, step)).context["refusal"]
        for step in ("renew", "suspend", "transfer")
    }

    assert refusals == {
        "renew": "The label is suspended: reinstate it before it is renewed.",
        "suspend": "This label is suspended already.",
        "transfer": "The label is suspended: reinstate it before it is transferred.",
    }


@time_machine.travel(NOW, tick=False)
def test_renewed_label_is_not_renewed_again(lead: Client) -> None:
    label = valid_label()
    make_label(cluster=label.cluster, assessed_on="2026-10-01", kind="renewal", renews=label)

    refusal = lead.get(page_of(label, "renew")).context["refusal"]

    assert refusal == "This label has been renewed already."


@time_machine.travel(NOW, tick=False)
def test_revocation_waits_once(lead: Client) -> None:
    label = valid_label()
    take(lead, label, "revoke")

    refusal = lead.get(page_of(label, "revoke")).context["refusal"]

    assert refusal == "Another decision on this label is waiting."


@time_machine.travel(NOW, tick=False)
def test_transferred_label_leads_to_the_one_in_its_place(lead: Client) -> None:
    label = valid_label()
    take_by_two(lead, label, "transfer", cluster=make_cluster().pk)
    label.refresh_from_db()

    refusal = lead.get(page_of(label, "suspend")).context["refusal"]

    new = label.transferred_to.public_id
    assert refusal == f"This label was transferred: take the step on label {new}."


@time_machine.travel(NOW, tick=False)
def test_guard_of_the_database_is_told_on_the_form(
    lead: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no check in Python saw: another session was quicker between check and save."""

    def overtaken(*args: Any, **kwargs: Any) -> Decision:
        raise IntegrityError("the cluster has a label of this level in force at that time")

    monkeypatch.setattr(SuspensionStep, "take", overtaken)

    assert errors(take(lead, valid_label(), "suspend")) == [
        "Somebody changed this at the same moment. Look at it again before you try once more."
    ]


# Who may


MAY_STEP = {
    "renew": {"editor", "lead"},
    **{step: {"lead"} for step in ("extend", "suspend", "reinstate", "transfer", "revoke")},
}


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize("step", STEPS)
def test_step_is_for_those_who_may(step: str) -> None:
    label = valid_label()
    member = make_team_member()
    make_management(cluster=label.cluster, organisation=member.organisation)
    people = {
        "nobody": make_account(),
        "team": member.account,
        "policy maker": make_policy_maker(),
        "auditor": make_account(Role.AUDITOR),
        "editor": make_account(Role.EDITOR),
        "lead": make_account(Role.LEAD),
    }
    sees = {"team", "auditor", "editor", "lead"}

    for name, account in people.items():
        client = Client()
        client.force_login(account)
        for method in (client.get, client.post):
            status = method(page_of(label, step)).status_code
            if name in MAY_STEP[step]:
                assert status == 200, name
            elif name in sees:
                assert status == 403, name
            else:
                assert status == (302 if name == "nobody" else 404), name
    assert not Decision.objects.exists()


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.EDITOR, ["renew"]),
        (Role.LEAD, ["renew", "extend", "suspend", "transfer", "revoke"]),
        (Role.AUDITOR, []),
    ],
)
def test_screen_offers_the_steps_that_one_may_take(role: Role, expected: list[str]) -> None:
    client, _account = signed_in(role)

    steps = client.get(change(valid_label())).context["steps"]

    assert [step["slug"] for step in steps] == expected


def test_step_of_a_label_that_is_not_there_is_absent(lead: Client) -> None:
    assert lead.get("/admin/labels/label/999/suspend/").status_code == 404


def test_anonymous_is_led_to_sign_in(client: Client) -> None:
    response = client.get(page_of(make_label(), "suspend"))

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize("step", STEPS)
def test_step_page_asks_few_questions(lead: Client, step: str) -> None:
    label = valid_label()
    lead.get(page_of(label, step))

    with CaptureQueriesContext(connection) as queries:
        lead.get(page_of(label, step))

    assert len(queries) <= 22


# Two at once


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each returned, run in its own thread and connection."""
    barrier = threading.Barrier(len(calls))
    found: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            barrier.wait()
            found[number] = calls[number]()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def words_of(response: Any) -> list[str]:
    return errors(response) or [str(response.context["refusal"])]


RACES = [
    ("suspend", {"on": "2026-11-01"}),
    ("revoke", {"on": "2026-11-01"}),
    ("extend", {"until": "2029-01-01"}),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one at a time")
@pytest.mark.parametrize(("step", "typed"), RACES)
def test_of_two_at_once_one_wins_and_the_other_reads_why(step: str, typed: dict[str, str]) -> None:
    with time_machine.travel(NOW, tick=False):
        label = valid_label()
        clients = [signed_in(Role.LEAD)[0] for _number in range(2)]
        data = {"reason": REASON, **typed}
        looks = [client.post(page_of(label, step), data).context["form"].data for client in clients]

        responses = at_once(
            *(
                lambda client=client, look=look: client.post(
                    page_of(label, step), data | {"seen": look["seen"]}
                )
                for client, look in zip(clients, looks, strict=True)
            )
        )

    assert sorted(response.status_code for response in responses) == [200, 302]
    (loser,) = [response for response in responses if response.status_code == 200]
    assert words_of(loser) == ["Another decision on this label is waiting."]
    assert Decision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one at a time")
def test_of_two_who_approve_at_once_one_wins() -> None:
    with time_machine.travel(NOW, tick=False):
        label = valid_label()
        life.revoke(label, on=date(2026, 11, 1), reason="x", by=make_account(), now=timezone.now())
        address = reverse("admin:labels_decision_approve", args=[only_decision().pk])
        clients = [signed_in(Role.LEAD)[0] for _number in range(2)]

        looks = [client.get(address).context["form"].initial for client in clients]

        responses = at_once(
            *(
                lambda client=client, look=look: client.post(address, look)
                for client, look in zip(clients, looks, strict=True)
            )
        )

    assert sorted(response.status_code for response in responses) == [200, 302]
    (loser,) = [response for response in responses if response.status_code == 200]
    assert words_of(loser) == ["Somebody has decided this already. Look at it again."]
