"""The screen of a level and what comes of it: seen first, then proposed, then approved."""

from datetime import date
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from clusters.models import Account, Role
from labels.admin import differences
from labels.models import DecisionState, Label, Level, LevelRule, RuleChange
from tests.admin_forms import errors, form_data
from tests.factories import make_account, make_label, update_rules

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

GOLD = "/admin/labels/level/gold/change/"
ADD = "/admin/labels/level/add/"
LIST = "/admin/labels/rulechange/"
NOW = "2026-11-22 12:00"
REASON = "The board decided on it."


def signed_in(*roles: Role, **fields: Any) -> tuple[Client, Account]:
    client, account = Client(), make_account(*roles, **fields)
    client.force_login(account)
    return client, account


@pytest.fixture
def lead() -> Client:
    return signed_in(Role.LEAD)[0]


def typed(client: Client, **given: Any) -> dict[str, Any]:
    """The screen of the Gold with other months of a first label in the rule of 2010."""
    data = form_data(client, GOLD)
    number = next(n for n in range(9) if data[f"rules-{n}-effective_from"] == "2010-11-01")
    prefix = f"rules-{number}-"
    months = {f"{prefix}first_months": given.pop("months", "36")}
    return data | months | {"reason": REASON} | given


def propose(client: Client, **given: Any) -> RuleChange:
    data = typed(client, **given)
    seen = client.post(GOLD, data).context["seen"]
    assert client.post(GOLD, data | {"seen": seen}).status_code == 302
    return RuleChange.objects.waiting().get()


def page_of(change: RuleChange, page: str) -> str:
    return reverse(f"admin:labels_rulechange_{page}", args=[change.pk])


def look_and_approve(client: Client, change: RuleChange) -> Any:
    page = client.get(page_of(change, "approve"))
    return client.post(page_of(change, "approve"), page.context["form"].initial, follow=True)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def end_of(label: Label) -> date | None:
    return Label.objects.get(pk=label.pk).ends_on


# Proposing


@time_machine.travel(NOW, tick=False)
def test_screen_of_a_level_shows_first_what_it_re_dates(lead: Client) -> None:
    label = make_label(assessed_on="2015-07")
    make_label(assessed_on="2015-07", valid_until="2017-07")
    stored = list(LevelRule.objects.values())

    response = lead.post(GOLD, typed(lead))

    page = response.content.decode()
    assert "This is what it changes. Nothing has happened yet." in page
    assert "1 of 2 labels of the level gets other days or another state." in page
    assert label.cluster.name in page
    assert "31 July 2017" in page
    assert "31 July 2018" in page
    assert "Rule from 1 November 2010" in page
    assert list(LevelRule.objects.values()) == stored
    assert not RuleChange.objects.waiting().exists()
    assert not LogEntry.objects.exists()


@time_machine.travel(NOW, tick=False)
def test_what_was_seen_is_proposed_and_somebody_else_approves_it() -> None:
    (client, account), (other, approver) = signed_in(Role.LEAD), signed_in(Role.LEAD)
    label = make_label(assessed_on="2015-07")

    change = propose(client)

    assert (change.proposed_by, change.reason, change.needs_two) == (account, REASON, True)
    assert end_of(label) == date(2017, 7, 31)
    response = look_and_approve(other, change)
    assert messages_of(response)[0].startswith("Decided:")
    assert end_of(label) == date(2018, 7, 31)
    change.refresh_from_db()
    assert (change.state, change.decided_by) == (DecisionState.MADE, approver)
    assert label.history.latest().history_user == approver


@time_machine.travel(NOW, tick=False)
def test_what_changed_since_it_was_seen_is_asked_again(lead: Client) -> None:
    make_label(assessed_on="2015-07")
    data = typed(lead)
    seen = lead.post(GOLD, data).context["seen"]
    make_label(assessed_on="2015-07")

    response = lead.post(GOLD, data | {"seen": seen})

    assert "Look at it again" in messages_of(response)[0]
    assert response.context["seen"] != seen
    assert not RuleChange.objects.waiting().exists()
    assert lead.post(GOLD, data | {"seen": response.context["seen"]}).status_code == 302


@time_machine.travel(NOW, tick=False)
def test_hidden_fields_send_again_what_was_typed(lead: Client) -> None:
    data = typed(lead, name_en="Gold & “more”")

    response = lead.post(GOLD, data)

    sent = dict(response.context["sent"])
    assert sent == {name: str(value) for name, value in data.items() if value is not None}
    again = lead.post(GOLD, sent | {"seen": response.context["seen"]})
    assert again.status_code == 302
    assert RuleChange.objects.waiting().get().after["level"]["name_en"] == "Gold & “more”"


@time_machine.travel(NOW, tick=False)
def test_one_person_is_enough_where_the_setting_says_so(lead: Client, settings: Any) -> None:
    settings.REQUIRE_TWO_PERSONS = False
    label = make_label(assessed_on="2015-07")
    data = typed(lead)

    response = lead.post(GOLD, data)
    assert end_of(label) == date(2017, 7, 31)
    lead.post(GOLD, data | {"seen": response.context["seen"]})

    assert end_of(label) == date(2018, 7, 31)


@time_machine.travel(NOW, tick=False)
def test_new_level_is_added_with_its_first_rules(lead: Client) -> None:
    data = form_data(lead, ADD) | {
        "code": "new",
        "rank": "50",
        "name_en": "New",
        "name_it": "Nuovo",
        "official_wording": "NEW LABEL",
        "reason": REASON,
        "rules-TOTAL_FORMS": "2",
    }
    for number, day in enumerate(("2026-01-01", "2027-01-01")):
        for name in ("first_months", "renewal_months", "renewal_window_months", "experts"):
            data[f"rules-{number}-{name}"] = "12"
        data[f"rules-{number}-effective_from"] = day

    response = lead.post(ADD, data)
    assert not Level.objects.filter(pk="new").exists()
    lead.post(ADD, data | {"seen": response.context["seen"]})

    assert Level.objects.get(pk="new").rules.count() == 2
    assert RuleChange.objects.get(level="new").state == DecisionState.MADE


@time_machine.travel(NOW, tick=False)
def test_old_version_of_a_level_is_restored_by_a_proposal(lead: Client) -> None:
    other = signed_in(Role.LEAD)[0]
    look_and_approve(other, propose(lead, name_en="Gold, as before", months="24"))
    version = Level.history.get(name_en="Gold, as before")
    look_and_approve(other, propose(lead, name_en="Platinum", months="24"))
    address = reverse("admin:labels_level_simple_history", args=["gold", version.pk])
    names = ("rank", "name_en", "name_it", "official_wording", "process_en", "process_it")
    old = {name: getattr(version, name) for name in names}
    data = form_data(lead, GOLD) | old | {"reason": "It was right."}
    assert lead.get(address).status_code == 200

    response = lead.post(address, data)
    assert "Platinum" in response.content.decode()
    lead.post(address, data | {"seen": response.context["seen"]})

    change = RuleChange.objects.waiting().get()
    assert Level.objects.get(pk="gold").name_en == "Platinum"
    look_and_approve(other, change)
    assert Level.objects.get(pk="gold").name_en == "Gold, as before"


def test_save_as_new_is_no_way_round(lead: Client) -> None:
    lead.post(GOLD, typed(lead, _saveasnew="1", code="copy"))

    assert Level.objects.count() == 3


# Refused at the form


@time_machine.travel(NOW, tick=False)
def test_rule_that_starves_a_label_is_refused(lead: Client) -> None:
    first = make_label(assessed_on="2014-01")
    make_label(
        cluster=first.cluster,
        assessed_on="2016-01",
        valid_until="2017",
        kind="renewal",
        renews=first,
    )

    response = lead.post(GOLD, typed(lead, months="60"))

    (error,) = errors(response)
    assert "would end (2017-12-31) before it starts (2019-02-01)" in error


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reason": ""}, "Give the reason."),
        ({"months": "24"}, "This changes nothing."),
        ({"months": "0"}, "Ensure this value is greater than or equal to 1."),
    ],
    ids=["no reason", "nothing changed", "no months"],
)
def test_what_approving_would_refuse_is_told_at_the_form(
    lead: Client, given: dict[str, str], words: str
) -> None:
    response = lead.post(GOLD, typed(lead, **given))

    assert words in " ".join(errors(response))
    assert not RuleChange.objects.waiting().exists()


def test_second_proposal_is_refused_and_the_first_is_shown(lead: Client) -> None:
    change = propose(lead)

    response = lead.post(GOLD, typed(lead, months="48"))

    assert errors(response) == ["Another change of the rules of this level is waiting."]
    assert response.context["waiting"] == change
    assert page_of(change, "refuse") in response.content.decode()


def test_level_keeps_one_rule(lead: Client) -> None:
    data = form_data(lead, GOLD)
    number = int(data["rules-TOTAL_FORMS"])

    response = lead.post(GOLD, data | {f"rules-{n}-DELETE": "on" for n in range(number)})

    assert "A level needs a rule." in errors(response)


def test_code_of_a_level_is_fixed(lead: Client) -> None:
    form = lead.get(GOLD).context["adminform"].form

    assert "code" not in form.fields


# Approving


@time_machine.travel(NOW, tick=False)
def test_page_of_approval_shows_the_first_hundred(
    lead: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(differences, "MOST_LABELS", 2)
    for _each in range(5):
        make_label(assessed_on="2015-07")
    change = propose(signed_in(Role.LEAD)[0])

    response = lead.get(page_of(change, "approve"))

    shown = response.context["re_dated"]
    assert (shown["number"], shown["all"], len(shown["rows"]), shown["more"]) == (5, 5, 2, 3)
    assert "and 3 more" in response.content.decode()


@time_machine.travel(NOW, tick=False)
def test_what_changed_since_the_look_is_not_approved(lead: Client) -> None:
    make_label(assessed_on="2015-07")
    change = propose(signed_in(Role.LEAD)[0])
    seen = lead.get(page_of(change, "approve")).context["form"].initial
    make_label(assessed_on="2015-07")

    response = lead.post(page_of(change, "approve"), seen)

    assert "Look at it again" in response.content.decode()
    change.refresh_from_db()
    assert change.state == DecisionState.PROPOSED


@time_machine.travel(NOW, tick=False)
def test_page_of_approval_tells_what_the_register_refuses(lead: Client) -> None:
    change = propose(signed_in(Role.LEAD)[0])
    update_rules("gold", experts=7)

    response = lead.get(page_of(change, "approve"))

    assert "propose it anew" in response.content.decode()
    assert '<form method="post" novalidate' not in response.content.decode()


def test_nobody_approves_their_own(lead: Client) -> None:
    change = propose(lead)

    response = lead.get(page_of(change, "approve"))

    assert "somebody else has to approve it" in response.content.decode()


def test_who_proposed_takes_it_back(lead: Client) -> None:
    change = propose(lead)

    lead.post(page_of(change, "refuse"), {"answer": "A slip."})

    change.refresh_from_db()
    assert (change.state, change.answer) == (DecisionState.REFUSED, "A slip.")


def test_editor_reads_and_decides_nothing() -> None:
    change = propose(signed_in(Role.LEAD)[0])
    editor = signed_in(Role.EDITOR)[0]

    assert editor.get(page_of(change, "change")).status_code == 200
    assert editor.get(page_of(change, "approve")).status_code == 403
    assert editor.get(page_of(change, "refuse")).status_code == 403


def test_lists_are_of_who_waits_and_who_proposed() -> None:
    (client, _account), (other, _other) = signed_in(Role.LEAD), signed_in(Role.LEAD)
    change = propose(client)

    def listed(who: Client, whose: str) -> list[RuleChange]:
        return list(who.get(LIST, {"whose": whose}).context["cl"].result_list)

    assert (listed(client, "for-me"), listed(client, "mine")) == ([], [change])
    assert (listed(other, "for-me"), listed(other, "mine")) == ([change], [])


def test_dashboard_counts_what_waits(lead: Client) -> None:
    propose(lead)

    items = {item.title: item for item in lead.get("/admin/").context["items"]}

    assert items["Changes of rules waiting"].number == 1


@time_machine.travel(NOW, tick=False)
def test_page_of_approval_asks_as_much_for_many_labels(lead: Client) -> None:
    make_label(assessed_on="2015-07")
    change = propose(signed_in(Role.LEAD)[0])

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            lead.get(page_of(change, "approve"))
        return len(queries)

    count()
    one = count()
    for _each in range(4):
        make_label(assessed_on="2015-07")

    assert count() == one <= 40


@time_machine.travel(NOW, tick=False)
def test_everything_is_said_in_italian() -> None:
    client = signed_in(Role.LEAD, language="it")[0]
    make_label(assessed_on="2015-07")
    change = propose(signed_in(Role.LEAD)[0])

    with translation.override("it"):
        page = client.get(page_of(change, "approve"), headers={"accept-language": "it"})

    text = page.content.decode()
    assert "1 label del livello su 1 avrà altre date o un altro stato." in text
    assert "Regola: 1 novembre 2010" in text
    assert "fino al giorno: 31 luglio 2019" in text
