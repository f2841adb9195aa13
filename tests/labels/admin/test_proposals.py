"""Proposing, approving and correcting labels in admin: who may, what is refused, and how."""

from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from clusters.models import Account, Cluster, Role
from labels.life import steps as life
from labels.life.proposals import refuse_proposal
from labels.models import Decision, DecisionKind, DecisionState, Label
from tests.admin_forms import errors, form_data, form_data_of_version
from tests.factories import (
    approve,
    change_label,
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_team_member,
)

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

ADD = "/admin/labels/label/add/"
NOW = "2026-11-22 12:00"


def signed_in(*roles: Role) -> tuple[Client, Account]:
    client, account = Client(), make_account(*roles)
    client.force_login(account)
    return client, account


def change(label: Label) -> str:
    return reverse("admin:labels_label_change", args=[label.pk])


def page_of(decision: Decision, page: str) -> str:
    return reverse(f"admin:labels_decision_{page}", args=[decision.pk])


def proposal(client: Client, cluster: Cluster, **typed: Any) -> dict[str, Any]:
    """The form of a Gold assessed in September 2026."""
    given = {
        "cluster": cluster.pk,
        "level": "gold",
        "assessed_on": "2026-09-01",
        "score": "85",
        "reason": "The assessment of September.",
    }
    return form_data(client, ADD) | given | typed


def propose(client: Client, **typed: Any) -> Decision:
    assert client.post(ADD, proposal(client, make_cluster(), **typed)).status_code == 302
    return Decision.objects.get()


def look_and_approve(client: Client, decision: Decision) -> Any:
    page = client.get(page_of(decision, "approve"))
    return client.post(page_of(decision, "approve"), page.context["form"].initial)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# Awards


@time_machine.travel(NOW, tick=False)
def test_award_is_proposed_and_not_public() -> None:
    client, editor = signed_in(Role.EDITOR)

    data = proposal(client, make_cluster(), is_published="on", revoked_on="2026-01-01")
    response = client.post(ADD, data, follow=True)

    decision = Decision.objects.get()
    assert (decision.kind, decision.state) == (DecisionKind.AWARD, DecisionState.PROPOSED)
    assert decision.proposed_by == editor
    assert not decision.label.is_published
    assert response.redirect_chain == [(change(decision.label), 302)]
    (message,) = messages_of(response)
    assert message.startswith("Proposed. Somebody else has to approve it before it takes effect:")
    assert page_of(decision, "change") in message


@time_machine.travel(NOW, tick=False)
def test_another_person_approves_and_the_label_is_public(client: Client) -> None:
    decision = propose(signed_in(Role.EDITOR)[0])
    lead, account = signed_in(Role.LEAD)
    assert client.get(decision.label.get_absolute_url()).status_code == 404

    response = look_and_approve(lead, decision)

    assert (response.status_code, response["Location"]) == (302, change(decision.label))
    decision.refresh_from_db()
    assert (decision.state, decision.decided_by) == (DecisionState.MADE, account)
    assert client.get(decision.label.get_absolute_url()).status_code == 200


@time_machine.travel(NOW, tick=False)
def test_nobody_approves_what_they_proposed() -> None:
    lead, _account = signed_in(Role.LEAD)
    decision = propose(lead)

    page = lead.get(page_of(decision, "approve"))
    lead.post(page_of(decision, "approve"))

    assert page.context["refusal"] == "You proposed this: somebody else has to approve it."
    assert b"<form method=" not in page.content
    decision.refresh_from_db()
    assert decision.state == DecisionState.PROPOSED


@time_machine.travel(NOW, tick=False)
def test_one_person_is_enough_where_the_installation_says_so(client: Client, settings: Any) -> None:
    settings.REQUIRE_TWO_PERSONS = False

    decision = propose(signed_in(Role.LEAD)[0])

    assert decision.state == DecisionState.MADE
    assert client.get(decision.label.get_absolute_url()).status_code == 200


@time_machine.travel(NOW, tick=False)
def test_editor_does_not_approve() -> None:
    decision = propose(signed_in(Role.EDITOR)[0])
    other, _account = signed_in(Role.EDITOR)

    assert other.get(page_of(decision, "approve")).status_code == 403
    assert other.post(page_of(decision, "approve")).status_code == 403
    assert other.get(page_of(decision, "refuse")).status_code == 403


@time_machine.travel(NOW, tick=False)
def test_lead_refuses_with_a_word() -> None:
    decision = propose(signed_in(Role.EDITOR)[0])
    lead, _account = signed_in(Role.LEAD)

    assert errors(lead.post(page_of(decision, "refuse"), {"answer": " "})) == [
        "This field is required."
    ]
    lead.post(page_of(decision, "refuse"), {"answer": "The score is missing."})

    decision.refresh_from_db()
    assert (decision.state, decision.answer) == (DecisionState.REFUSED, "The score is missing.")


@time_machine.travel(NOW, tick=False)
def test_who_proposed_takes_it_back() -> None:
    editor, _account = signed_in(Role.EDITOR)
    decision = propose(editor)

    page = editor.get(change(decision.label)).content.decode()
    assert page_of(decision, "refuse") in page
    assert page_of(decision, "approve") not in page
    editor.post(page_of(decision, "refuse"), {"answer": "Entered twice."})

    decision.refresh_from_db()
    assert decision.state == DecisionState.REFUSED


@time_machine.travel(NOW, tick=False)
def test_refused_proposal_is_proposed_again_with_what_it_said() -> None:
    editor, account = signed_in(Role.EDITOR)
    decision = propose(editor)
    refuse_proposal(decision, answer="Wrong score.", by=account, now=decision.proposed_at)
    again = f"{ADD}?from={decision.label.pk}"

    assert again in editor.get(change(decision.label)).content.decode()
    data = form_data(editor, again)

    assert (data["assessed_on"], data["score"]) == ("2026-09-01", "85.00")
    assert data["reason"] == "The assessment of September."
    assert errors(editor.post(ADD, data | {"score": "90"})) == []
    assert Decision.objects.latest("pk").label.score == 90


@time_machine.travel(NOW, tick=False)
def test_public_label_is_no_pattern_for_a_proposal() -> None:
    label = make_label()
    client, _account = signed_in(Role.EDITOR)

    assert form_data(client, f"{ADD}?from={label.pk}")["assessed_on"] == ""


@time_machine.travel(NOW, tick=False)
def test_proposal_begins_with_the_cluster() -> None:
    cluster = make_cluster()
    client, _account = signed_in(Role.EDITOR)

    assert form_data(client, f"{ADD}?cluster={cluster.pk}")["cluster"] == str(cluster.pk)


@time_machine.travel(NOW, tick=False)
def test_proposal_is_not_edited() -> None:
    editor, _account = signed_in(Role.EDITOR)
    decision = propose(editor)

    assert editor.post(change(decision.label), {"score": "99"}).status_code == 403


def test_what_was_decided_on_is_not_deleted() -> None:
    editor, account = signed_in(Role.EDITOR)
    decision = propose(editor)
    refuse_proposal(decision, answer="No.", by=account, now=decision.proposed_at)
    address = reverse("admin:labels_label_delete", args=[decision.label.pk])

    assert editor.post(address, {"post": "yes"}).status_code == 403


@time_machine.travel(NOW, tick=False)
def test_recorded_label_needs_its_source_only() -> None:
    client, _account = signed_in(Role.EDITOR)
    data = proposal(
        client, make_cluster(), level="silver", score="", assessed_on="2015-07", is_recorded="on"
    )

    assert at_field(client.post(ADD, data), "source") == ["Name the source of what you record."]
    assert errors(client.post(ADD, data | {"source": "A list of 2015."})) == []
    assert not Label.objects.get().decided_here


def test_two_decide_on_the_same_proposal_and_the_second_is_told() -> None:
    decision = propose(signed_in(Role.EDITOR)[0])
    first, second = signed_in(Role.LEAD)[0], signed_in(Role.LEAD)[0]
    look_and_approve(first, decision)

    page = second.post(page_of(decision, "refuse"), {"answer": "No."})

    assert page.context["refusal"] == "Somebody has decided this already. Look at it again."


def test_decisions_waiting_are_listed_with_their_filter() -> None:
    decision = propose(signed_in(Role.EDITOR)[0])
    lead, _account = signed_in(Role.LEAD)

    items = {item.title: item for item in lead.get("/admin/").context["items"]}

    assert items["Decisions waiting"].number == 1
    listed = lead.get(items["Decisions waiting"].url)
    assert [row.pk for row in listed.context["cl"].result_list] == [decision.pk]
    page = lead.get(page_of(decision, "change")).content.decode()
    assert page_of(decision, "approve") in page


def test_team_does_not_see_decisions() -> None:
    decision = propose(signed_in(Role.EDITOR)[0])
    client = Client()
    client.force_login(make_team_member().account)

    assert client.get("/admin/labels/decision/").status_code == 404
    assert client.get(page_of(decision, "approve")).status_code == 404


# What is impossible is refused in words, in both languages

BRONZE = {"level": "bronze", "score": ""}
SILVER = {"level": "silver", "score": ""}
IMPOSSIBLE = [
    ({"score": "79.99"}, "score", "The score lies under the minimum of the rule.", {}),
    (BRONZE | {"score": "85"}, "score", "Only a Gold has a score, between 0 and 100 percent.", {}),
    (
        SILVER | {"areas_of_improvement": "One\nTwo\nThree"},
        "areas_of_improvement",
        "A Silver needs its areas of improvement and the earlier benchmarking.",
        {},
    ),
    (
        SILVER | {"benchmarked_on": "2025-01-01", "areas_of_improvement": "One"},
        "areas_of_improvement",
        "Name %(number)d areas of improvement, one on each line.",
        {"number": 3},
    ),
    (
        {"areas_of_improvement": "One"},
        "areas_of_improvement",
        "Only a Silver names areas of improvement and the earlier benchmarking.",
        {},
    ),
    (
        {"valid_until": "2025-12-31"},
        "valid_until",
        "the end (%(end)s) lies before the start (%(start)s)",
        {"end": "2025-12-31", "start": "2026-09-01"},
    ),
    (
        {"assessed_on": "2026-09"},
        "assessed_on",
        "Give the day of the assessment, not only its month.",
        {},
    ),
    ({"reason": " "}, "reason", "This field is required.", {}),
]


def at_field(response: Any, name: str) -> list[str]:
    return [str(error) for error in response.context["adminform"].form.errors.get(name, ())]


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize(
    ("typed", "field", "words", "said"), IMPOSSIBLE, ids=[case[2][:24] for case in IMPOSSIBLE]
)
def test_impossible_award_is_refused_at_its_field(
    language: str, typed: dict[str, str], field: str, words: str, said: dict[str, Any]
) -> None:
    client, account = signed_in(Role.EDITOR)
    Account.objects.filter(pk=account.pk).update(language=language)
    headers = {"accept-language": language}

    data = proposal(client, make_cluster(), **typed)
    response = client.post(ADD, data, headers=headers)

    with translation.override(language):
        expected = gettext(words) % said if said else gettext(words)
    assert at_field(response, field) == [expected]
    assert language == "en" or expected != (words % said if said else words)
    assert not Label.objects.exists()


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize("language", ["en", "it"])
def test_second_label_in_force_is_refused(language: str) -> None:
    label = make_label(assessed_on="2026-03-01")
    client, _account = signed_in(Role.EDITOR)

    response = client.post(
        ADD, proposal(client, label.cluster), headers={"accept-language": language}
    )

    words = "The cluster has a label of this level in force from %(start)s to %(end)s already"
    with translation.override(language):
        told = gettext(f"{words} (%(label)s).")
    days = {"start": label.starts_on, "end": label.ends_on, "label": label.public_id}
    assert errors(response) == [told % days]
    assert language == "en" or not told.startswith("The cluster")


@time_machine.travel(NOW, tick=False)
def test_label_that_the_cluster_got_meanwhile_is_told_when_approved() -> None:
    decision = propose(signed_in(Role.EDITOR)[0])
    make_label(cluster=decision.label.cluster, assessed_on="2026-03-01")
    lead, _account = signed_in(Role.LEAD)

    page = lead.get(page_of(decision, "approve"))

    refusal = page.context["refusal"]
    assert refusal.startswith("The cluster has a label of this level in force from")


# Corrections


def correction(client: Client, label: Label, **typed: Any) -> dict[str, Any]:
    return form_data(client, change(label)) | {"reason": "A slip of the pen."} | typed


def test_correction_keeps_its_reason() -> None:
    label = make_label(assessed_on="2015-07")
    client, editor = signed_in(Role.EDITOR)

    response = client.post(change(label), correction(client, label, valid_until="2017-06-15"))

    assert errors(response) == []
    label.refresh_from_db()
    assert (label.ends_on, label.end_is_computed) == (date(2017, 7, 31), True)
    lead, approver = signed_in(Role.LEAD)
    decision = Decision.objects.get()
    assert decision.proposed_by == editor
    look_and_approve(lead, decision)
    label.refresh_from_db()
    assert (label.ends_on, label.end_is_computed) == (date(2017, 6, 15), False)
    assert (decision.kind, decision.reason) == (DecisionKind.CORRECTION, "A slip of the pen.")
    assert label.history.latest().history_change_reason == "A slip of the pen."
    assert label.history.latest().history_user == approver


def test_correction_tells_who_proposes_it_what_follows() -> None:
    label = make_label(assessed_on="2015-07")
    client, _account = signed_in(Role.EDITOR)
    data = correction(client, label, assessed_on="2014-07")

    (message,) = messages_of(client.post(change(label), data, follow=True))

    # Not what was typed only: the days that follow of it.
    assert f"<br>{label}, Valid until: 31 July 2017 → 31 July 2016" in message


def test_correction_without_a_reason_is_refused_at_its_field() -> None:
    label = make_label()
    client, _account = signed_in(Role.EDITOR)

    response = client.post(change(label), correction(client, label, source="A list.", reason=""))

    assert at_field(response, "reason") == ["Give the reason."]
    assert label.history.count() == 1


def test_unchanged_label_writes_nothing() -> None:
    label = make_label()
    client, _account = signed_in(Role.EDITOR)

    response = client.post(change(label), correction(client, label, reason=""))

    assert errors(response) == []
    assert (label.history.count(), Decision.objects.count()) == (1, 0)


def test_correction_from_an_old_page_is_refused_and_the_other_one_stays() -> None:
    label = make_label()
    first, second = signed_in(Role.EDITOR)[0], signed_in(Role.EDITOR)[0]
    stale = correction(second, label, source="Mine.")
    first.post(change(label), correction(first, label, source="Theirs."))

    response = second.post(change(label), stale)

    heading, line = errors(response)
    assert heading.startswith("Somebody else changed this after you opened it (account-")
    assert line == "Source: now “Theirs.”, yours “Mine.”."
    assert response.context["adminform"].form["source"].value() == "Mine."
    label.refresh_from_db()
    assert label.source == "Theirs."


def test_correction_without_its_version_is_refused() -> None:
    label = make_label()
    client, _account = signed_in(Role.EDITOR)

    response = client.post(change(label), correction(client, label, source="x", _versions=""))

    assert errors(response) == ["The page does not say which version it shows. Open it again."]


def test_correction_that_starves_a_renewal_is_refused() -> None:
    first = make_label(assessed_on="2014-01")
    make_label(
        cluster=first.cluster,
        assessed_on="2016-01",
        valid_until="2017",
        kind="renewal",
        renews=first,
    )
    client, _account = signed_in(Role.EDITOR)

    (error,) = errors(client.post(change(first), correction(client, first, valid_until="2019")))

    assert "would end (2017-12-31) before it starts (2019-01-02)" in error


def test_lead_unpublishes_with_a_reason_and_editor_does_not(client: Client) -> None:
    label = make_label()
    editor, lead = signed_in(Role.EDITOR)[0], signed_in(Role.LEAD)[0]
    data = correction(lead, label)
    del data["is_published"]

    editor.post(change(label), data)
    assert client.get(label.get_absolute_url()).status_code == 200
    lead.post(change(label), data)
    assert client.get(label.get_absolute_url()).status_code == 200
    approve(Decision.objects.get())

    assert client.get(label.get_absolute_url()).status_code == 404
    assert errors(lead.post(change(label), correction(lead, label, is_published="on"))) == []
    assert client.get(label.get_absolute_url()).status_code == 404
    approve(Decision.objects.waiting().get())
    assert client.get(label.get_absolute_url()).status_code == 200


def test_revoked_label_is_not_changed() -> None:
    label = make_label(revoked_on=date(2016, 1, 1), revocation_reason="Closed.")
    lead, _account = signed_in(Role.LEAD)

    page = lead.get(change(label))

    assert page.context["gone"] == "This label was revoked; it does not change any more."
    assert page.context["steps"] == []
    assert lead.post(change(label), {"source": "x"}).status_code == 403


@pytest.mark.parametrize("language", ["en", "it"])
def test_label_revoked_since_the_page_was_opened_is_not_changed(language: str) -> None:
    label = make_label()
    lead, _account = signed_in(Role.LEAD)
    data = correction(lead, label, source="x")
    change_label(label, revoked_on=date(2016, 1, 1), revocation_reason="Closed.")

    assert lead.post(change(label), data).status_code == 403
    page = lead.get(change(label), headers={"accept-language": language})

    with translation.override(language):
        words = gettext("This label was revoked; it does not change any more.")
    assert page.context["gone"] == words
    assert language == "en" or not words.startswith("This")


def test_old_version_is_restored_by_a_correction_with_a_reason() -> None:
    label = make_label(source="Right.")
    lead, _account = signed_in(Role.LEAD)
    lead.post(change(label), correction(lead, label, source="Wrong."))
    version = label.history.earliest().pk
    address = reverse("admin:labels_label_simple_history", args=[label.pk, version])

    form = lead.get(address).context["adminform"].form
    assert form["source"].value() == "Right."
    data = form_data_of_version(lead, address)
    assert at_field(lead.post(address, data), "reason") == ["Give the reason."]
    response = lead.post(address, data | {"reason": "It was right."})

    assert response.status_code == 302
    label.refresh_from_db()
    assert label.source == "Right."
    assert Decision.objects.latest("pk").reason == "It was right."


def test_restoring_leaves_what_steps_did() -> None:
    label = make_label(assessed_on="2026-01-01")
    lead, account = signed_in(Role.LEAD)
    version = label.history.earliest().pk
    moment = label.history.earliest().history_date
    in_effect(
        life.extend(label, until=date(2029, 1, 1), reason="Pandemic.", by=account, now=moment)
    )
    address = reverse("admin:labels_label_simple_history", args=[label.pk, version])

    data = form_data_of_version(lead, address) | {"source": "A list.", "reason": "Source."}
    response = lead.post(address, data)

    assert response.status_code == 302
    label.refresh_from_db()
    assert (label.source, label.ends_on) == ("A list.", date(2029, 1, 1))


def test_old_version_of_a_revoked_label_is_not_restored() -> None:
    label = make_label(revoked_on=date(2016, 1, 1), revocation_reason="Closed.")
    lead, _account = signed_in(Role.LEAD)
    version = label.history.get().pk

    address = reverse("admin:labels_label_simple_history", args=[label.pk, version])

    assert lead.get(address).status_code == 403
    assert lead.post(address, {"reason": "x"}).status_code == 403


# The label's screen


@time_machine.travel(NOW, tick=False)
def test_label_tells_its_decisions() -> None:
    editor, account = signed_in(Role.EDITOR)
    decision = propose(editor)
    approve(decision, by=make_account(Role.LEAD), now=decision.proposed_at)

    page = editor.get(change(decision.label)).content.decode()

    assert "The assessment of September." in page
    assert account.email in page


def test_screen_asks_the_same_for_one_and_three_decisions() -> None:
    label = make_label(assessed_on="2026-01-01")
    lead, account = signed_in(Role.LEAD)
    moment = label.history.earliest().history_date
    number: list[int] = []
    lead.get(change(label))
    for year in (2029, 2030, 2031):
        in_effect(life.extend(label, until=date(year, 1, 1), reason="x", by=account, now=moment))
        if year != 2030:
            with CaptureQueriesContext(connection) as queries:
                assert lead.get(change(label)).status_code == 200
            number.append(len(queries))

    assert number[0] == number[1]
    assert number[0] <= 30
