"""The days on which something changes, by table; one line tells the case."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client

from clusters.dates import PartialDate
from labels.life import steps as life
from labels.life.refusals import Situation
from labels.models import Decision, Label
from labels.validity import State
from tests.factories import (
    DECIDED_AT,
    award_label,
    in_effect,
    make_account,
    make_cluster,
    update_rules,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def to_the_day() -> None:
    """Gold lasts to the day, not to the end of its month: 24 months, renewed 12, window 12."""
    update_rules("gold", ends_at_month_end=False, renewal_months=12)


def day(text: str) -> date:
    return date.fromisoformat(text)


def gold(assessed_on: str, **fields: Any) -> Label:
    return award_label(assessed_on=PartialDate.parse(assessed_on), **fields)


def take(step: Any, *about: Any, **details: Any) -> Decision:
    defaults = {"reason": "The jury agreed.", "by": make_account(), "now": DECIDED_AT}
    return in_effect(step(*about, **(defaults | details)))


def renewed(label: Label, assessed_on: str) -> Label:
    """Proposed on the last day of the label."""
    assert label.ends_on
    later = Label(assessed_on=PartialDate.parse(assessed_on))
    take(life.renew, label, later, now=datetime.combine(label.ends_on, time(12), tzinfo=UTC))
    return stored(later)


def stored(label: Label) -> Label:
    return Label.objects.get(pk=label.pk)


def days(label: Label) -> tuple[str, ...]:
    """From, until, renewable until: all that there is to a label whose days are certain."""
    found = stored(label).effective_days
    assert (found.certain_from, found.certain_until) == (found.starts_on, found.ends_on)
    return tuple(str(one) for one in (found.starts_on, found.ends_on, found.renewable_until))


def states(label: Label, first: str, number: int = 2) -> list[str]:
    return [Situation(label, day(first) + DAY * n).state.value for n in range(number)]


# First awards


@pytest.mark.parametrize(
    ("assessed_on", "ends_on", "renewable_until"),
    [
        pytest.param("2024-02-29", "2026-02-28", "2027-02-28", id="29 February"),
        pytest.param("2022-02-28", "2024-02-28", "2025-02-28", id="28 February to a leap year"),
        pytest.param("2026-01-28", "2028-01-28", "2029-01-28", id="28 January"),
        pytest.param("2026-01-31", "2028-01-31", "2029-01-31", id="31 January"),
        pytest.param("2026-04-30", "2028-04-30", "2029-04-30", id="30 April"),
        pytest.param("2025-12-31", "2027-12-31", "2028-12-31", id="last day of the year"),
        pytest.param("2026-01-01", "2028-01-01", "2029-01-01", id="first day of the year"),
    ],
)
def test_first_award_to_the_day(
    to_the_day: None, assessed_on: str, ends_on: str, renewable_until: str
) -> None:
    assert days(gold(assessed_on)) == (assessed_on, ends_on, renewable_until)


@pytest.mark.parametrize(
    ("assessed_on", "ends_on", "renewable_until"),
    [
        pytest.param("2024-02-29", "2026-02-28", "2027-02-28", id="29 February"),
        pytest.param("2022-02-01", "2024-02-29", "2025-02-28", id="to 29 February"),
        pytest.param("2022-02-28", "2024-02-29", "2025-02-28", id="28 to 29 February"),
        pytest.param("2026-04-01", "2028-04-30", "2029-04-30", id="month of 30 days"),
        pytest.param("2026-01-30", "2028-01-31", "2029-01-31", id="month of 31 days"),
        pytest.param("2025-12-31", "2027-12-31", "2028-12-31", id="December"),
    ],
)
def test_first_award_to_the_end_of_the_month(
    assessed_on: str, ends_on: str, renewable_until: str
) -> None:
    assert days(gold(assessed_on)) == (assessed_on, ends_on, renewable_until)


def test_award_changes_state_on_its_days() -> None:
    label = gold("2022-02-01")

    assert states(label, "2022-01-31") == ["not_yet", "valid"]
    assert states(label, "2024-02-28", 3) == ["valid", "valid", "renewable"]
    assert states(label, "2025-02-28") == ["renewable", "expired"]


# Renewals


@pytest.mark.parametrize(
    ("assessed_on", "starts_on", "ends_on", "renewable_until"),
    [
        pytest.param("2022-02-28", "2024-02-29", "2025-02-28", "2026-02-28", id="from 29 February"),
        pytest.param("2024-02-29", "2026-03-01", "2027-02-28", "2028-02-28", id="29 February"),
        pytest.param("2026-01-31", "2028-02-01", "2029-01-31", "2030-01-31", id="31 January"),
        pytest.param("2025-12-31", "2028-01-01", "2028-12-31", "2029-12-31", id="over New Year"),
    ],
)
def test_renewal_to_the_day(
    to_the_day: None, assessed_on: str, starts_on: str, ends_on: str, renewable_until: str
) -> None:
    label = gold(assessed_on)
    last_day = str(label.ends_on)

    assert days(renewed(label, last_day)) == (starts_on, ends_on, renewable_until)


def test_renewal_to_the_end_of_a_february() -> None:
    label = gold("2023-02-14")

    later = renewed(label, "2025-02-28")

    assert days(later) == ("2025-03-01", "2028-02-29", "2029-02-28")
    assert states(later, "2025-02-28") == ["not_yet", "valid"]
    assert states(label, "2025-02-28") == ["valid", "expired"]


@pytest.mark.parametrize(
    ("assessed_on", "is_renewed"),
    [
        pytest.param("2025-02-28", True, id="last day of the window"),
        pytest.param("2025-03-01", False, id="the day after"),
        pytest.param("2024-02-29", True, id="last day of the label"),
        pytest.param("2022-02-02", True, id="second day of the label"),
        pytest.param("2022-01-31", False, id="the day before the label"),
    ],
)
def test_renewal_within_the_window(assessed_on: str, is_renewed: bool) -> None:
    label = gold("2022-02-01")
    if is_renewed:
        assert days(renewed(label, assessed_on))[0] == "2024-03-01"
        return
    with pytest.raises(ValidationError) as caught:
        renewed(label, assessed_on)
    assert list(caught.value.message_dict) == ["assessed_on"]


def test_first_award_after_the_window_begins_anew() -> None:
    label = gold("2022-02-01")

    again = gold("2025-03-01", cluster=label.cluster)

    assert days(again)[:2] == ("2025-03-01", "2027-03-31")
    assert states(label, "2025-02-28") == ["renewable", "expired"]


# Extensions


@pytest.mark.parametrize(
    ("until", "renewable_until"),
    [
        pytest.param("2024-03-01", "2025-03-01", id="by one day from 29 February"),
        pytest.param("2024-03-31", "2025-03-31", id="by a month"),
        pytest.param("2028-02-29", "2029-02-28", id="to 29 February"),
    ],
)
def test_extension_counts_to_its_last_day(until: str, renewable_until: str) -> None:
    label = gold("2022-02-01")
    now = datetime(2024, 2, 29, 12, tzinfo=UTC)

    take(life.extend, label, until=day(until), now=now)

    assert days(label) == ("2022-02-01", until, renewable_until)
    assert states(label, until) == ["valid", "renewable"]
    assert states(label, renewable_until) == ["renewable", "expired"]


def test_extension_is_open_to_the_last_day_of_the_window() -> None:
    label = gold("2022-02-01")
    last = datetime(2025, 2, 28, 12, tzinfo=UTC)

    with pytest.raises(ValidationError):
        take(life.extend, label, until=day("2025-06-30"), now=last + DAY)
    take(life.extend, label, until=day("2025-06-30"), now=last)

    assert days(label)[1] == "2025-06-30"


# Suspensions over the end


@pytest.mark.parametrize(
    ("reinstated_on", "expected"),
    [
        # 29 February to 1 March 2024, and the last day of the window, 28 February 2025.
        pytest.param(None, ["suspended", "expired", "expired"], id="for ever"),
        pytest.param("2024-02-29", ["valid", "renewable", "renewable"], id="on the last day"),
        pytest.param("2024-03-01", ["suspended", "renewable", "renewable"], id="the day after"),
        pytest.param("2025-02-28", ["suspended", "expired", "renewable"], id="last of the window"),
        pytest.param("2025-03-01", ["suspended", "expired", "expired"], id="after the window"),
    ],
)
def test_suspension_over_the_end(reinstated_on: str | None, expected: list[str]) -> None:
    label = gold("2022-02-01")
    take(life.suspend, label, on=day("2024-02-01"))
    if reinstated_on:
        take(life.reinstate, label, on=day(reinstated_on))

    assert [*states(label, "2024-02-29"), *states(label, "2025-02-28", 1)] == expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        pytest.param("2022-02-01", ["not_yet", "suspended"], id="first day"),
        pytest.param("2024-02-29", ["valid", "suspended"], id="last day"),
    ],
)
def test_suspension_on_a_first_and_last_day(on: str, expected: list[str]) -> None:
    label = gold("2022-02-01")

    take(life.suspend, label, on=day(on))

    assert states(label, str(day(on) - DAY)) == expected


# Revocations and transfers


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        pytest.param("2022-02-01", ["not_yet", "revoked"], id="day of the award"),
        pytest.param("2024-02-29", ["valid", "revoked"], id="last day"),
        pytest.param("2024-03-01", ["valid", "revoked"], id="day after the end"),
        pytest.param("2025-03-01", ["renewable", "revoked"], id="day after the window"),
    ],
)
def test_revocation_on_its_day(on: str, expected: list[str]) -> None:
    label = gold("2022-02-01")

    take(life.revoke, label, on=day(on))

    assert states(label, str(day(on) - DAY)) == expected


def test_label_revoked_on_the_day_of_its_award_makes_room_for_another() -> None:
    label = gold("2022-02-01")
    take(life.revoke, label, on=day("2022-02-01"))

    again = gold("2022-02-01", cluster=label.cluster, certificate_number="2")

    assert states(again, "2022-02-01", 1) == ["valid"]


@pytest.mark.parametrize("on", ["2022-02-02", "2024-02-29"], ids=["second day", "last day"])
def test_transfer_on_its_day(on: str) -> None:
    label = gold("2022-02-01")

    take(life.transfer_label, label, on=day(on), cluster=make_cluster())

    successor = Label.objects.get(transferred_from=label)
    eve = str(day(on) - DAY)
    assert states(label, eve) == ["valid", "transferred"]
    assert states(successor, eve) == ["not_yet", "valid"]
    assert days(successor) == (on, "2024-02-29", "2025-02-28")


@pytest.mark.parametrize("on", ["2022-02-01", "2024-03-01"], ids=["first day", "day after the end"])
def test_transfer_on_no_day_of_its_own_is_refused(on: str) -> None:
    label = gold("2022-02-01")

    with pytest.raises(ValidationError) as caught:
        take(life.transfer_label, label, on=day(on), cluster=make_cluster())

    assert list(caught.value.message_dict) == ["on"]


# Midnight in Rome


@pytest.mark.parametrize(
    ("moment", "today"),
    [
        pytest.param(datetime(2028, 1, 31, 22, 30, tzinfo=UTC), "2028-01-31", id="winter before"),
        pytest.param(datetime(2028, 1, 31, 23, 30, tzinfo=UTC), "2028-02-01", id="winter after"),
        pytest.param(datetime(2028, 7, 31, 21, 30, tzinfo=UTC), "2028-07-31", id="summer before"),
        pytest.param(datetime(2028, 7, 31, 22, 30, tzinfo=UTC), "2028-08-01", id="summer after"),
        pytest.param(datetime(2028, 7, 31, 23, 30, tzinfo=UTC), "2028-08-01", id="summer late"),
    ],
)
def test_page_json_seal_and_verification_turn_at_midnight_in_rome(
    client: Client, moment: datetime, today: str
) -> None:
    """A Gold to the last day of a January or July: valid until midnight there, then renewable."""
    label = gold("2026-01-10" if moment.month == 1 else "2026-07-10")
    is_valid = label.ends_on == day(today)

    with time_machine.travel(moment, tick=False):
        page = client.get(label.get_absolute_url()).content.decode()
        twin = client.get(f"/labels/{label.public_id}.json").json()
        seal = client.get(f"/labels/{label.public_id}/seal.svg").content.decode()
        verified = client.post("/api/v1/verify", label.public_id, content_type="text/plain").json()

    state = State.VALID if is_valid else State.RENEWABLE
    assert f'<div class="verdict is-{state}">' in page
    assert twin["state"] == state
    assert state.value in json.dumps(verified)
    assert ("expired" in seal.lower()) != is_valid


@pytest.mark.parametrize(
    ("moment", "today"),
    [
        pytest.param(datetime(2026, 1, 31, 22, 59, 59, tzinfo=UTC), "2026-01-31", id="winter"),
        pytest.param(datetime(2026, 1, 31, 23, tzinfo=UTC), "2026-02-01", id="winter midnight"),
        pytest.param(datetime(2026, 7, 31, 21, 59, 59, tzinfo=UTC), "2026-07-31", id="summer"),
        pytest.param(datetime(2026, 7, 31, 22, tzinfo=UTC), "2026-08-01", id="summer midnight"),
    ],
)
def test_decision_is_of_the_day_in_rome(moment: datetime, today: str) -> None:
    label = gold("2025-09-01")

    decision = take(life.extend, label, until=day("2028-01-01"), now=moment)

    assert decision.takes_effect_on == day(today)
