from datetime import date

import pytest
from django.core.exceptions import ValidationError

from clusters.dates import PartialDate
from labels.actions import apply_rules, save_label
from labels.models import Label, Level, LevelRule
from tests.factories import make_cluster, make_label, make_undated_label

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

    first.assessed_on = PartialDate(2014, 3)
    save_label(first)

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
    first.assessed_on = PartialDate(2014, 3)
    save_label(first)

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
    second.valid_until = PartialDate(2017)
    save_label(second)

    first.valid_until = PartialDate(2019)
    with pytest.raises(ValidationError):
        save_label(first)

    assert days(first) == [(date(2014, 1, 1), date(2016, 1, 31))]


def test_save_label_refuses_to_renew_its_own_renewal() -> None:
    first, _second, third = chain()

    first.kind, first.renews = "renewal", third
    with pytest.raises(ValidationError) as caught:
        save_label(first)

    assert list(caught.value.message_dict) == ["renews"]


def test_apply_rules_moves_computed_ends_and_their_renewals() -> None:
    first, second, third = chain()
    LevelRule.objects.filter(level="gold").update(first_months=12)

    changed = apply_rules(Level.objects.get(pk="gold"))

    assert changed == [first, second, third]
    assert days(first, second, third) == [
        (date(2014, 1, 1), date(2015, 1, 31)),
        (date(2015, 2, 1), date(2017, 1, 31)),
        (date(2017, 2, 1), date(2019, 1, 31)),
    ]


def test_apply_rules_keeps_a_printed_end() -> None:
    label = make_label(assessed_on="2014-01", valid_until="2016-06")
    LevelRule.objects.filter(level="gold").update(first_months=12)

    changed = apply_rules(Level.objects.get(pk="gold"))

    assert changed == []
    assert days(label) == [(date(2014, 1, 1), date(2016, 6, 30))]


def test_apply_rules_touches_one_level_only() -> None:
    make_label(level="silver", assessed_on="2014-01")
    make_undated_label(level="gold")
    LevelRule.objects.update(first_months=12)

    assert apply_rules(Level.objects.get(pk="gold")) == []


def test_apply_rules_writes_a_version_for_what_changed_only() -> None:
    label = make_label(assessed_on="2014-01")

    apply_rules(Level.objects.get(pk="gold"))

    assert label.history.count() == 1
