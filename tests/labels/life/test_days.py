from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from clusters.dates import PartialDate
from labels.life import steps as life
from labels.life.days import apply_rules, refuse_rules, save_label
from labels.models import Decision, Label, Level, LevelRule
from tests.admin_forms import form_data
from tests.factories import (
    DECIDED_AT,
    add_rule,
    award_label,
    change_label,
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_undated_label,
    update_rules,
)

pytestmark = pytest.mark.django_db


def chain() -> tuple[Label, Label, Label]:
    """A Gold of January 2014, renewed twice; each renewal counts from the end before it."""
    cluster = make_cluster()
    first = make_label(cluster=cluster, assessed_on="2014-01")
    second = make_label(cluster=cluster, assessed_on="2016-01", kind="renewal", renews=first)
    third = make_label(cluster=cluster, assessed_on="2018-01", kind="renewal", renews=second)
    return first, second, third


def days(*labels: Label) -> list[tuple[date | None, date | None]]:
    for label in labels:
        label.refresh_from_db()
    return [(label.starts_on, label.ends_on) for label in labels]


def test_save_label_derives_the_days() -> None:
    label = save_label(
        Label(cluster=make_cluster(), level_id="gold", assessed_on=PartialDate(2015, 7))
    )

    assert days(label) == [(date(2015, 7, 1), date(2017, 7, 31))]


def test_save_label_moves_the_renewals_when_it_ends_anew() -> None:
    first, second, third = chain()

    change_label(first, assessed_on=PartialDate(2014, 3))

    assert days(first, second, third) == [
        (date(2014, 3, 1), date(2016, 3, 31)),
        (date(2016, 4, 1), date(2018, 3, 31)),
        (date(2018, 4, 1), date(2020, 3, 31)),
    ]


def test_save_label_leaves_the_renewals_alone_when_its_end_stays() -> None:
    first, second, _third = chain()
    versions = second.history.count()

    first.source = "https://example.org/"
    save_label(first)

    assert second.history.count() == versions


def test_save_label_counts_from_the_end_as_it_is_stored() -> None:
    first, second, _third = chain()
    earlier = Label.objects.get(pk=second.pk)
    assert earlier.renews == first
    change_label(first, assessed_on=PartialDate(2014, 3))

    save_label(earlier)

    assert days(second) == [(date(2016, 4, 1), date(2018, 3, 31))]


def test_save_label_refuses_an_end_before_the_start() -> None:
    label = Label(
        cluster=make_cluster(),
        level_id="gold",
        assessed_on=PartialDate(2015, 7),
        valid_until=PartialDate(2014),
    )

    with pytest.raises(ValidationError) as caught:
        save_label(label)

    assert list(caught.value.message_dict) == ["valid_until"]


def test_save_label_writes_nothing_when_a_renewal_does_not_fit() -> None:
    first, second, _third = chain()
    change_label(second, valid_until=PartialDate(2017))

    with pytest.raises(ValidationError):
        change_label(first, valid_until=PartialDate(2019))

    assert days(first) == [(date(2014, 1, 1), date(2016, 1, 31))]


def test_save_label_refuses_to_renew_its_own_renewal() -> None:
    first, _second, third = chain()

    first.kind, first.renews = "renewal", third
    with pytest.raises(ValidationError) as caught:
        save_label(first)

    assert list(caught.value.message_dict) == ["renews"]


def test_apply_rules_moves_computed_ends_and_their_renewals() -> None:
    first, second, third = chain()
    update_rules("gold", first_months=12)

    changed = apply_rules(Level.objects.get(pk="gold"))

    assert changed == [first, second, third]
    assert days(first, second, third) == [
        (date(2014, 1, 1), date(2015, 1, 31)),
        (date(2015, 2, 1), date(2017, 1, 31)),
        (date(2017, 2, 1), date(2019, 1, 31)),
    ]


def test_apply_rules_keeps_a_printed_end() -> None:
    label = make_label(assessed_on="2014-01", valid_until="2016-06")
    update_rules("gold", first_months=12)

    changed = apply_rules(Level.objects.get(pk="gold"))

    assert changed == []
    assert days(label) == [(date(2014, 1, 1), date(2016, 6, 30))]


def test_apply_rules_touches_one_level_only() -> None:
    make_label(level="silver", assessed_on="2014-01")
    make_undated_label(level="gold")
    update_rules(first_months=12)

    assert apply_rules(Level.objects.get(pk="gold")) == []


def test_apply_rules_writes_a_version_for_what_changed_only() -> None:
    label = make_label(assessed_on="2014-01")

    apply_rules(Level.objects.get(pk="gold"))

    assert label.history.count() == 1


# Rules and the life of labels

GOLD = reverse("admin:labels_level_change", args=["gold"])


def gold() -> Level:
    return Level.objects.get(pk="gold")


def change_rules(**values: Any) -> list[Label]:
    update_rules("gold", **values)
    return apply_rules(gold())


def take(step: Any, *about: Any, **details: Any) -> Decision:
    defaults = {"reason": "The jury agreed.", "by": make_account(), "now": DECIDED_AT}
    return in_effect(step(*about, **(defaults | details)))


def test_apply_rules_leaves_a_revoked_label_and_moves_what_renews_it_no_more() -> None:
    label = award_label()
    later = Label(assessed_on=PartialDate(2028, 3, 1))
    take(life.renew, label, later)
    take(life.revoke, label, on=date(2026, 12, 1))

    assert change_rules(first_months=12) == []

    assert days(label, later) == [
        (date(2026, 3, 10), date(2028, 3, 31)),
        (date(2028, 4, 1), date(2031, 3, 31)),
    ]


def test_apply_rules_keeps_an_extension() -> None:
    label = award_label()
    take(life.extend, label, until=date(2028, 6, 15))

    changed = change_rules(first_months=12, renewal_window_months=6)

    label.refresh_from_db()
    assert changed == [label]
    assert (label.ends_on, label.renewable_until) == (date(2028, 6, 15), date(2028, 12, 15))


def test_apply_rules_moves_what_took_the_place_of_a_label() -> None:
    label = award_label()
    take(life.transfer_label, label, on=date(2026, 11, 22), cluster=make_cluster())
    successor = Label.objects.get(transferred_from=label)

    assert change_rules(first_months=12) == [label, successor]

    assert days(label, successor) == [
        (date(2026, 3, 10), date(2027, 3, 31)),
        (date(2026, 11, 22), date(2027, 3, 31)),
    ]
    assert successor.decided_here


def test_apply_rules_moves_renewals_decided_here() -> None:
    label = award_label()
    later = Label(assessed_on=PartialDate(2028, 3, 1))
    take(life.renew, label, later)

    change_rules(first_months=36, renewal_months=12)

    assert days(label, later) == [
        (date(2026, 3, 10), date(2029, 3, 31)),
        (date(2029, 4, 1), date(2030, 3, 31)),
    ]
    assert (label.decided_here, later.decided_here) == (True, True)


def test_apply_rules_follows_a_rule_that_changes_no_day() -> None:
    label = award_label(score=Decimal(90))
    rule = LevelRule.objects.filter(level="gold").latest("effective_from")
    rule.pk, rule.effective_from, rule.minimum_score = None, date(2026, 1, 1), Decimal(85)
    add_rule(rule)

    assert apply_rules(gold()) == []

    label.refresh_from_db()
    assert label.rule == rule
    assert label.minimum_score == 85


def a_score() -> Label:
    return award_label(score=Decimal("82.5"))


def two_in_a_row() -> Label:
    label = award_label(assessed_on=PartialDate(2024, 3, 10))
    award_label(cluster=label.cluster, assessed_on=PartialDate(2026, 4, 10))
    return label


def a_late_transfer() -> Label:
    label = award_label()
    take(life.transfer_label, label, on=date(2028, 3, 31), cluster=make_cluster())
    return label


@pytest.mark.parametrize(
    ("make", "values", "words"),
    [
        pytest.param(
            a_score,
            {"minimum_score": 83},
            "Label {label} has a score of 82.50, under a minimum of 83.",
            id="score under the new minimum",
        ),
        pytest.param(
            two_in_a_row,
            {"first_months": 26},
            "{cluster} would have two labels of this level in force on 2026-04-10: {label} and ",
            id="two in force",
        ),
        pytest.param(
            a_late_transfer,
            {"first_months": 12},
            "Label {label} was transferred on 2028-03-31 and would have ended before.",
            id="transferred after the end",
        ),
    ],
)
def test_rules_that_a_label_contradicts_are_refused_in_words(
    admin_client: Client, make: Any, values: dict[str, Any], words: str
) -> None:
    """By the function that applies them, and by the form, which writes nothing."""
    label = make()
    said = words.format(label=label.public_id, cluster=label.cluster)
    stored = list(LevelRule.objects.values())
    versions = Label.history.count()
    data = form_data(admin_client, GOLD)
    prefix = next(f"rules-{n}-" for n in range(9) if data[f"rules-{n}-effective_from"] > "2011")
    given = {prefix + name: str(value) for name, value in values.items()}

    response = admin_client.post(GOLD, data | given)

    assert said in response.content.decode()
    assert (list(LevelRule.objects.values()), Label.history.count()) == (stored, versions)
    with pytest.raises(ValidationError) as caught:
        change_rules(**values)
    assert caught.value.messages[0].startswith(said)


def test_rules_as_they_are_are_refused_by_nothing() -> None:
    two_in_a_row()
    a_score()
    take(life.revoke, award_label(), on=date(2026, 12, 1))

    refuse_rules(gold(), gold().rules.all())


@pytest.mark.parametrize("printed", [{"assessed_on": "2100"}, {"valid_until": "2100-12"}])
def test_save_label_refuses_days_that_a_rule_counts_beyond(printed: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="outside the years 1900 to 2100"):
        make_label(**printed)

    assert not Label.objects.exists()
