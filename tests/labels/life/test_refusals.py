"""A step is open on the page of a label when the step itself does not refuse, and only then."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.urls import reverse

from clusters.dates import PartialDate
from clusters.models import Account, Role
from labels.admin.forms import STEPS
from labels.life import steps as life
from labels.life.refusals import steps_open, why_not
from labels.models import DecisionKind, Label
from tests.factories import (
    approve,
    award_label,
    in_effect,
    left_to_the_database,
    make_account,
    make_cluster,
    make_label,
    make_organisation,
    make_undated_label,
    update_label,
)

pytestmark = pytest.mark.django_db

# In its renewal window from April 2028 to March 2029.
STARTS, ENDS = date(2026, 3, 10), date(2028, 3, 31)
BY_DAY = {
    "not begun": STARTS - timedelta(1),
    "on its first day": STARTS,
    "valid": date(2026, 11, 22),
    "on its last day": ENDS,
    "in its window": ENDS + timedelta(1),
    "on the last day of its window": date(2029, 3, 31),
    "over": date(2029, 4, 1),
}


INSIDE = [BY_DAY[when] for when in ("not begun", "valid", "in its window", "over")]


def gold() -> Label:
    return award_label(assessed_on=PartialDate.from_date(STARTS))


def take(
    step: Callable[..., Any], *about: Any, day: date = date(2026, 11, 22), **details: Any
) -> Any:
    now = datetime.combine(day, time(12), tzinfo=UTC)
    by = Account.objects.first() or make_account()
    return in_effect(step(*about, reason="Agreed.", by=by, now=now, **details))


def suspended() -> Label:
    label = gold()
    take(life.suspend, label, on=date(2026, 6, 1))
    return label


def suspended_later() -> Label:
    label = gold()
    take(life.suspend, label, on=date(2027, 6, 1))
    return label


def suspended_for_a_while() -> Label:
    label = suspended()
    take(life.reinstate, label, on=date(2027, 7, 1))
    return label


def renewed() -> Label:
    label = gold()
    make_label(cluster=label.cluster, assessed_on="2028-02-01", kind="renewal", renews=label)
    return label


def waiting() -> Label:
    label = gold()
    take(life.revoke, label, on=date(2027, 1, 1))
    return label


def renewal_waits() -> Label:
    label = gold()
    take(life.renew, label, Label(assessed_on=PartialDate(2028, 2, 1)))
    return label


def revoked() -> Label:
    label = gold()
    take(life.revoke, label, on=date(2026, 12, 1))
    return label


def transferred() -> Label:
    label = gold()
    take(life.transfer_label, label, on=date(2026, 11, 22), cluster=make_cluster())
    return label


def successor() -> Label:
    return Label.objects.get(transferred_from=transferred())


def taken_over() -> Label:
    """By one of which only the month is known, so that it is not compared with a renewal."""
    label = gold()
    make_label(cluster=label.cluster, assessed_on="2028-04")
    return label


def known_to_the_year() -> Label:
    return make_label(assessed_on="2026")


def hidden() -> Label:
    label = gold()
    update_label(label, is_published=False)
    return label


LABELS = (
    gold,
    suspended,
    suspended_later,
    suspended_for_a_while,
    renewed,
    waiting,
    renewal_waits,
    revoked,
    transferred,
    successor,
    taken_over,
    known_to_the_year,
    make_undated_label,
    hidden,
)


def attempts(label: Label, day: date) -> Iterator[tuple[DecisionKind, Callable[[], Any]]]:
    """Each step, with what is right to type for this label on this day."""
    end, start = label.ends_on or day, label.starts_on or day
    suspension = label.suspensions.filter(ends_on=None).first()
    reinstated_on = max(day, suspension.starts_on + timedelta(1)) if suspension else day
    kinds = DecisionKind
    assessed_on = PartialDate.from_date(max(start + timedelta(1), min(day, end)))
    renewal = Label(assessed_on=assessed_on)
    organisation = make_organisation()
    until = end + timedelta(1)
    yield kinds.RENEWAL, lambda: take(life.renew, label, renewal, day=day)
    yield kinds.EXTENSION, lambda: take(life.extend, label, until=until, day=day)
    yield kinds.SUSPENSION, lambda: take(life.suspend, label, on=day, day=day)
    yield kinds.REINSTATEMENT, lambda: take(life.reinstate, label, on=reinstated_on, day=day)
    yield (
        kinds.TRANSFER,
        lambda: take(life.transfer_label, label, on=day, organisation=organisation, day=day),
    )
    yield kinds.REVOCATION, lambda: take(life.revoke, label, on=max(day, start), day=day)


def is_refused(attempt: Callable[[], Any]) -> bool:
    try:
        with transaction.atomic(), left_to_the_database():
            attempt()
            transaction.set_rollback(True)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("make", LABELS)
def test_step_is_open_when_it_is_not_refused(make: Callable[[], Label]) -> None:
    label = Label.objects.get(pk=make().pk)

    for day in BY_DAY.values() if make is gold else INSIDE:
        refused = {kind: is_refused(attempt) for kind, attempt in attempts(label, day)}
        assert steps_open(label, day) == [kind for kind in refused if not refused[kind]], day
        for kind, is_so in refused.items():
            assert bool(why_not(label, kind, day)) == is_so, (kind, day)


@pytest.mark.parametrize(
    ("make", "when"),
    [
        (gold, "valid"),
        (gold, "in its window"),
        (suspended, "valid"),
        (renewed, "in its window"),
        (revoked, "valid"),
        (hidden, "valid"),
    ],
)
def test_page_offers_the_steps_that_are_not_refused(
    client: Client, make: Callable[[], Label], when: str
) -> None:
    day, label = BY_DAY[when], Label.objects.get(pk=make().pk)
    client.force_login(make_account(Role.LEAD))
    refused = {kind: is_refused(attempt) for kind, attempt in attempts(label, day)}

    with time_machine.travel(datetime.combine(day, time(12), tzinfo=UTC), tick=False):
        client.force_login(make_account(Role.LEAD, Role.EDITOR))
        page = client.get(reverse("admin:labels_label_change", args=[label.pk]))
        refusals = {
            STEPS[slug].kind: client.get(
                reverse(f"admin:labels_label_{slug}", args=[label.pk])
            ).context["refusal"]
            for slug in STEPS
        }

    assert {STEPS[step["slug"]].kind for step in page.context["steps"]} == {
        kind for kind in refused if not refused[kind]
    }
    assert {kind: bool(words) for kind, words in refusals.items()} == refused


@time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=UTC), tick=False)
def test_renewed_label_goes_to_another_organisation_and_to_no_other_cluster(client: Client) -> None:
    label, organisation = renewed(), make_organisation()
    client.force_login(make_account(Role.LEAD))
    address = reverse("admin:labels_label_transfer", args=[label.pk])
    typed = {"on": "2026-11-22", "reason": "Merged."}

    refused = client.post(address, typed | {"cluster": make_cluster().pk})
    asked = client.post(address, typed | {"organisation": organisation.pk})
    seen = asked.context["form"].data["seen"]
    moved = client.post(address, typed | {"organisation": organisation.pk, "seen": seen})

    assert refused.context["form"].errors["__all__"] == ["This label has been renewed already."]
    assert moved.status_code == 302
    approve(label.decisions.get(kind="transfer"))
    label.refresh_from_db()
    assert (label.managing_organisation, label.transferred_on) == (organisation, None)
