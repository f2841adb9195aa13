"""What the page of a label tells of its life: made decisions only, as known on a day."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from clusters.models import Account
from labels.life import steps as life
from labels.life.chronicle import steps_of
from labels.life.days import save_label
from labels.models import Decision, DecisionKind, DecisionState, Label
from tests.factories import (
    change_label,
    hide_cluster,
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_organisation,
    make_suspension,
)

pytestmark = pytest.mark.django_db

ROME = timezone.get_default_timezone()


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ROME)


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(at("2015-08-01"), tick=False):
        yield


@pytest.fixture
def by() -> Account:
    return make_account(email="clerk@example.org")


def gold(**fields: Any) -> Label:
    """Valid from 14 July 2015 to 31 July 2017."""
    return make_label(**{"assessed_on": "2015-07-14"} | fields)


def take(step: Any, label: Label, day: str, **fields: Any) -> Decision:
    """A step in the life of a label, taken on a day."""
    with time_machine.travel(at(day), tick=False):
        decision = in_effect(step(label, now=at(day), **fields))
    label.refresh_from_db()
    return decision


def told(label: Label, day: str) -> list[tuple[str, str, str, str]]:
    """Day, words, reason, and whether it lies ahead."""
    on = date.fromisoformat(day)
    row = Label.objects.for_pages(on).with_certificate().get(pk=label.pk)
    renewals = Label.objects.for_pages(on).filter(renews=label)
    return [
        (str(step.when), step.text, step.reason, "to come" if step.is_to_come else "")
        for step in steps_of(row, renewals, on)
    ]


def words(label: Label, day: str) -> list[str]:
    return [text for _when, text, _reason, _ahead in told(label, day)]


def test_a_plain_label_tells_its_days_as_printed_and_what_lies_ahead() -> None:
    label = gold(assessed_on="2015-07", awarded_on="2015-08-20", announced_on="2015-09-08")

    assert told(label, "2015-09-01") == [
        ("2015-07", "Assessed", "", ""),
        ("2015-07", "Valid from then on", "", ""),
        ("2015-08-20", "Awarded", "", ""),
        ("2015-09-08", "Announced", "", "to come"),
        ("2017-07-31", "End of the validity", "", "to come"),
        ("2018-07-31", "Last day to renew it", "", "to come"),
    ]


@pytest.mark.parametrize(
    ("day", "ahead"),
    [("2017-07-31", ["to come", "to come"]), ("2017-08-01", ["", "to come"]),
     ("2018-07-31", ["", "to come"]), ("2018-08-01", ["", ""])],
)  # fmt: skip
def test_a_last_day_is_to_come_until_it_has_passed(day: str, ahead: list[str]) -> None:
    assert [step[3] for step in told(gold(), day)[-2:]] == ahead


def test_a_printed_end_keeps_its_precision() -> None:
    label = gold(valid_until="2017-06")

    assert ("2017-06", "End of the validity", "", "to come") in told(label, "2016-01-01")


def test_a_suspension_is_told_with_its_reason_and_its_end(by: Account) -> None:
    label = gold()
    take(life.suspend, label, "2016-02-01", on=date(2016, 2, 3), reason="Under review.", by=by)
    take(life.reinstate, label, "2016-03-01", on=date(2016, 3, 1), reason="All is well.", by=by)

    assert told(label, "2016-03-01")[2:4] == [
        ("2016-02-03", "Suspended", "Under review.", ""),
        ("2016-03-01", "Reinstated", "All is well.", ""),
    ]
    assert told(label, "2016-02-01")[2:] == [
        ("2016-02-03", "Suspended", "Under review.", "to come"),
        ("2017-07-31", "End of the validity", "", "to come"),
    ]
    assert words(label, "2016-01-31")[2:] == ["End of the validity", "Last day to renew it"]


def test_a_suspension_recorded_without_a_decision_is_told_from_its_day() -> None:
    label = gold()
    make_suspension(label, starts_on=date(2016, 2, 3), reason="Under review.")

    assert ("2016-02-03", "Suspended", "Under review.", "") in told(label, "2016-02-03")
    assert "Suspended" not in words(label, "2016-02-02")


def test_an_extension_is_told_with_its_new_end(by: Account) -> None:
    label = gold()
    take(life.extend, label, "2017-05-02", until=date(2017, 12, 31), reason="Flooded.", by=by)

    assert told(label, "2017-05-02")[2:] == [
        ("2017-05-02", "Extended to 31 December 2017", "Flooded.", ""),
        ("2017-12-31", "End of the validity", "", "to come"),
        ("2018-12-31", "Last day to renew it", "", "to come"),
    ]
    assert "Extended to 31 December 2017" not in words(label, "2017-05-01")


def test_a_revoked_label_has_nothing_to_come(by: Account) -> None:
    label = gold()
    take(life.revoke, label, "2016-02-05", on=date(2016, 3, 1), reason="Asked.", by=by)

    assert told(label, "2016-03-01")[2:] == [("2016-03-01", "Revoked", "Asked.", "")]
    assert told(label, "2016-02-05")[2:] == [("2016-03-01", "Revoked", "Asked.", "to come")]
    assert words(label, "2016-02-04")[2:] == ["End of the validity", "Last day to renew it"]


def test_a_transfer_leads_from_the_old_label_to_the_new_one_and_back(by: Account) -> None:
    label = gold(cluster=make_cluster(name="Old Valley"))
    heir = make_cluster(name="New Valley")
    take(life.transfer_label, label, "2016-03-01", on=date(2016, 3, 1), reason="Merged.", by=by,
         cluster=heir)  # fmt: skip
    successor = Label.objects.get(cluster=heir)

    assert told(label, "2016-03-01")[2:] == [
        ("2016-03-01", "Transferred to New Valley", "Merged.", "")
    ]
    assert told(successor, "2016-03-01") == [
        ("2015-07-14", "Assessed", "", ""),
        ("2016-03-01", "Taken over from Old Valley", "", ""),
        ("2017-07-31", "End of the validity", "", "to come"),
        ("2018-07-31", "Last day to renew it", "", "to come"),
    ]
    row = Label.objects.for_pages(date(2016, 3, 1)).get(pk=label.pk)
    (link,) = (step.link for step in steps_of(row, [], date(2016, 3, 1)) if step.link)
    assert link.url == successor.get_absolute_url()


def test_a_hidden_successor_is_not_named(by: Account) -> None:
    label = gold()
    heir = make_cluster(name="New Valley")
    take(life.transfer_label, label, "2016-03-01", on=date(2016, 3, 1), reason="Merged.", by=by,
         cluster=heir)  # fmt: skip
    hide_cluster(heir)

    assert told(label, "2016-03-01")[-1][1] == "Transferred to another holder"


def test_a_change_of_managing_organisation_names_published_ones_only(by: Account) -> None:
    park = make_organisation(name="Park")
    hidden = make_organisation(name="Hidden", is_published=False)
    label = gold(managing_organisation=park)
    for day, organisation in (("2016-01-04", hidden), ("2016-01-05", park)):
        take(life.transfer_label, label, day, on=date.fromisoformat(day), reason="Sold.", by=by,
             organisation=organisation)  # fmt: skip
    take(life.transfer_label, label, "2016-01-06", on=date(2016, 1, 6), reason="Sold.", by=by,
         organisation=make_organisation(name="Hill"))  # fmt: skip

    assert words(label, "2016-02-01")[2:5] == [
        "Passed to another managing organisation",
        "Passed to the management of Park",
        "Passed from the management of Park to that of Hill",
    ]


def test_a_renewal_is_told_on_both_labels(by: Account) -> None:
    label = gold()
    renewal = make_label(
        cluster=label.cluster, kind="renewal", renews=label, assessed_on="2017-06-20"
    )

    assert words(label, "2017-06-19")[2:] == ["End of the validity", "Last day to renew it"]
    assert told(label, "2017-06-20")[2:] == [
        ("2017-07-31", "End of the validity", "", "to come"),
        ("2017-08-01", "Renewed by the next label", "", "to come"),
    ]
    assert told(renewal, "2017-08-01")[:2] == [
        ("2017-06-20", "Assessed", "", ""),
        ("2017-08-01", "Valid from then on", "", ""),
    ]


def test_an_award_is_told_with_the_reason_of_the_decision(by: Account) -> None:
    label = Label(
        cluster=make_cluster(), level_id="gold", assessed_on="2015-07-14", is_published=False
    )
    take(life.award, label, "2015-07-25", reason="The jury said so.", by=by)

    assert ("2015-07-14", "Valid from then on", "The jury said so.", "") in told(
        label, "2015-08-01"
    )


# Corrections


def correct(label: Label, day: str, by: Account, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(label, name, value)
    take(life.correct, label, day, reason=f"Mistaken on {day}.", by=by)


def test_a_correction_names_the_facts_that_changed(by: Account) -> None:
    label = gold()
    correct(label, "2015-09-01", by, certificate_number="G-1", source="example.org")

    assert told(label, "2015-09-01")[2:3] == [
        ("2015-09-01", "Corrected: certificate number, source", "Mistaken on 2015-09-01.", "")
    ]
    assert not any("Corrected" in text for text in words(label, "2015-08-31"))


def test_a_correction_of_what_is_not_public_is_not_told(by: Account) -> None:
    label = gold(level="silver")
    correct(label, "2015-09-01", by, areas_of_improvement="Strategy", benchmarked_on="2014")

    assert not any("Corrected" in text for text in words(label, "2015-09-01"))


@pytest.mark.parametrize("hidden", ["label", "cluster"])
def test_a_correction_before_the_label_was_public_is_not_told(by: Account, hidden: str) -> None:
    cluster = make_cluster(is_published=hidden != "cluster")
    label = gold(cluster=cluster, is_published=hidden != "label")
    correct(label, "2015-09-01", by, source="example.org")
    with time_machine.travel(at("2015-10-01"), tick=False):
        if hidden == "label":
            change_label(label, is_published=True)
        else:
            cluster.is_published = True
            cluster.save()

    assert words(label, "2015-11-01")[:2] == ["Assessed", "Valid from then on"]
    assert not any("Corrected" in text for text in words(label, "2015-11-01"))

    correct(label, "2015-12-01", by, source="example.org/2")

    assert "Corrected: source" in words(label, "2015-12-01")


# What nobody may see


def decide(label: Label, by: Account, state: DecisionState) -> Decision:
    is_waiting = state == DecisionState.PROPOSED
    return Decision.objects.create(
        label=label,
        kind=DecisionKind.REVOCATION,
        state=state,
        takes_effect_on=date(2015, 9, 1),
        reason="A secret.",
        needs_two=True,
        proposed_by=by,
        proposed_at=at("2015-09-01"),
        decided_by=None if is_waiting else make_account(),
        decided_at=None if is_waiting else at("2015-09-02"),
        answer="" if is_waiting else "Never.",
    )


@pytest.mark.parametrize("state", [DecisionState.PROPOSED, DecisionState.REFUSED])
def test_a_decision_that_waits_or_was_refused_changes_no_byte(
    client: Client, by: Account, state: DecisionState
) -> None:
    label = gold()
    number = label.public_id
    addresses = [
        label.get_absolute_url(), f"{label.get_absolute_url()}?on=2017-08-01", "/en/labels/",
        label.cluster.get_absolute_url(), f"/en/verify/?q={number}",
        f"/labels/{number}.json", f"/labels/{number}/seal.svg", "/labels.csv", "/labels.atom",
        "/labels.ics", f"/labels/{number}/credential.jwt", "/labels/status/revocation.jwt",
    ]  # fmt: skip

    def answers() -> list[bytes]:
        with time_machine.travel(at("2015-10-01"), tick=False):
            found = [client.get(address) for address in addresses]
        assert {response.status_code for response in found} == {200}
        return [b"".join(one) if one.streaming else one.content for one in found]

    before = answers()
    decide(label, by, state)

    assert answers() == before


def test_no_person_is_named(client: Client, by: Account) -> None:
    label = gold()
    take(life.suspend, label, "2015-09-01", on=date(2015, 9, 1), reason="Under review.", by=by)
    take(life.reinstate, label, "2015-09-02", on=date(2015, 9, 2), reason="All is well.", by=by)
    correct(label, "2015-09-03", by, source="example.org/new")

    with time_machine.travel(at("2015-10-01"), tick=False):
        text = client.get(label.get_absolute_url()).content.decode()

    assert "All is well." in text
    assert "Corrected: source" in text
    assert "clerk" not in text


def test_the_page_tells_it(client: Client, by: Account) -> None:
    label = gold()
    take(life.suspend, label, "2015-09-01", on=date(2015, 9, 1), reason="A <b>reason</b>.", by=by)

    text = client.get(label.get_absolute_url(), {"on": "2015-09-01"}).content.decode()

    assert "Life of this label" in text
    assert "As it was known on 1 September 2015." in text
    assert "A &lt;b&gt;reason&lt;/b&gt;." in text
    assert (
        '<time datetime="2017-07-31">31 July 2017</time> <span class="meta">to come</span>' in text
    )


def test_what_lies_ahead_never_lies_behind(by: Account) -> None:
    """On every day what is told as past is past, and the past only grows."""
    label = gold()
    take(life.suspend, label, "2016-02-01", on=date(2016, 2, 3), reason="Under review.", by=by)
    take(life.reinstate, label, "2016-02-20", on=date(2016, 3, 1), reason="All is well.", by=by)
    take(life.extend, label, "2017-05-02", until=date(2017, 12, 31), reason="Flooded.", by=by)
    past: list[str] = []
    day = date(2015, 7, 1)
    while day < date(2019, 2, 1):
        now = [text for _when, text, _reason, ahead in told(label, str(day)) if not ahead]
        assert now[: len(past)] == past
        past, day = now, day + timedelta(days=17)
    assert len(past) == 7


def test_steps_take_one_query(django_assert_num_queries: Any, by: Account) -> None:
    label = save_label(gold())
    row = Label.objects.for_pages(date(2016, 1, 1)).with_certificate().get(pk=label.pk)

    with django_assert_num_queries(1):
        steps_of(row, [], date(2016, 1, 1))
