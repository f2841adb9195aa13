from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from labels.models import (
    IndicatorSet,
    IssuingBody,
    IssuingBodyRole,
    Label,
    LevelRule,
    Statement,
    Suspension,
)
from tests.factories import make_cluster, make_label, make_suspension, make_undated_label

pytestmark = pytest.mark.django_db

DAY = date(2015, 9, 8)


def refused_by_form(row: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    return dict(caught.value.message_dict)


def refused_by_database(row: Any) -> None:
    with pytest.raises(IntegrityError):
        row.save()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param(
            {"score": 90, "level_id": "silver"},
            "Only a Gold has a score, between 0 and 100 percent.",
            id="score of a Silver",
        ),
        pytest.param(
            {"revoked_on": DAY},
            "A revocation needs its day and its reason.",
            id="revoked without a reason",
        ),
        pytest.param(
            {"revocation_reason": "Wrong facts."},
            "A revocation needs its day and its reason.",
            id="a reason without a revocation",
        ),
    ],
)
def test_label_is_refused_by_the_form_and_by_the_database(
    fields: dict[str, Any], message: str
) -> None:
    row = Label(**({"cluster": make_cluster(), "level_id": "gold", "assessed_on": "2015"} | fields))

    assert refused_by_form(row) == {"__all__": [message]}
    refused_by_database(row)


def test_label_with_a_score_over_100_is_refused_by_the_form() -> None:
    row = Label(cluster=make_cluster(), level_id="gold", assessed_on="2015", score=101)

    assert list(refused_by_form(row)) == ["score"]


def test_label_with_a_score_over_100_is_refused_by_the_database() -> None:
    refused_by_database(Label(cluster=make_cluster(), level_id="gold", score=101))


def test_label_that_ends_before_it_starts_is_refused_by_the_form() -> None:
    row = Label(
        cluster=make_cluster(), level_id="gold", assessed_on="2015-07", valid_until="2015-06"
    )

    assert list(refused_by_form(row)) == ["valid_until"]


@pytest.mark.parametrize(
    "days",
    [
        pytest.param(("2015-07-01", "2015-06-30", "2016-06-30"), id="end before start"),
        pytest.param(("2015-07-01", "2017-07-31", "2017-07-30"), id="renewal before end"),
        pytest.param(("2015-07-01", None, None), id="start alone"),
        pytest.param((None, "2015-06-30", "2016-06-30"), id="no start"),
    ],
)
def test_label_with_impossible_days_is_refused_by_the_database(
    days: tuple[str | None, ...],
) -> None:
    starts_on, ends_on, renewable_until = days

    refused_by_database(
        Label(
            cluster=make_cluster(),
            level_id="gold",
            starts_on=starts_on,
            ends_on=ends_on,
            renewable_until=renewable_until,
        )
    )


def test_label_with_a_printed_end_but_no_days_is_refused_by_the_database() -> None:
    refused_by_database(Label(cluster=make_cluster(), level_id="gold", valid_until="2015"))


def test_label_with_the_dates_of_another_is_refused_by_the_form() -> None:
    label = make_label()
    twin = Label(cluster=label.cluster, level=label.level, assessed_on="2015-07")

    assert refused_by_form(twin) == {"__all__": ["This label is in the register already."]}


def test_label_with_the_dates_of_another_is_refused_by_the_database() -> None:
    label = make_label()

    refused_by_database(Label(cluster=label.cluster, level=label.level, assessed_on="2015-07"))


def test_label_with_another_certificate_number_is_another_label() -> None:
    label = make_label()

    assert make_label(cluster=label.cluster, certificate_number="2").pk != label.pk


def test_label_renews_another_only_as_a_renewal() -> None:
    label = make_label()
    row = Label(
        cluster=label.cluster, level=label.level, kind="first", renews=label, assessed_on="2017"
    )

    assert refused_by_form(row) == {"__all__": ["Only a renewal renews another label."]}
    refused_by_database(row)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({}, "This is a label of another cluster.", id="cluster"),
        pytest.param({"level": "bronze"}, "A renewal keeps the level.", id="level"),
    ],
)
def test_label_renews_one_of_its_own_cluster_and_level(
    fields: dict[str, Any], message: str
) -> None:
    cluster = make_cluster()
    old = make_label(cluster=cluster, **fields) if fields else make_label()
    row = Label(cluster=cluster, level_id="gold", kind="renewal", renews=old, assessed_on="2017")

    assert refused_by_form(row) == {"renews": [message]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param(
            {"starts_on": DAY, "ends_on": DAY},
            "A label is reinstated after it was suspended.",
            id="reinstated on the day",
        ),
        pytest.param(
            {"starts_on": DAY}, "This label is suspended already.", id="a second open one"
        ),
    ],
)
def test_suspension_is_refused_by_the_form_and_by_the_database(
    fields: dict[str, Any], message: str
) -> None:
    label = make_label()
    make_suspension(label, starts_on=date(2016, 1, 1), reason="Under review.")
    row = Suspension(label=label, reason="Under review.", **fields)

    assert refused_by_form(row) == {"__all__": [message]}
    refused_by_database(row)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param(
            {"first_months": 0}, "Ensure this value is greater than or equal to 1.", id="no months"
        ),
        pytest.param({"minimum_score": 101}, "A score lies between 0 and 100 percent.", id="score"),
        pytest.param(
            {"effective_from": date(2019, 11, 15)},
            "This level has a rule from that day already.",
            id="same day",
        ),
    ],
)
def test_level_rule_is_refused_by_the_form_and_by_the_database(
    fields: dict[str, Any], message: str
) -> None:
    defaults = {
        "level_id": "gold",
        "effective_from": date(2021, 1, 1),
        "first_months": 24,
        "renewal_months": 36,
        "renewal_window_months": 12,
        "experts": 2,
    }
    row = LevelRule(**(defaults | fields))

    assert message in [text for texts in refused_by_form(row).values() for text in texts]
    refused_by_database(row)


def test_issuing_body_role_ends_after_it_starts() -> None:
    row = IssuingBodyRole(
        body=IssuingBody.objects.get(code="esca"),
        role="owner",
        started_on="2015",
        ended_on="2014-12",
    )

    assert refused_by_form(row) == {"__all__": ["The end lies before the start."]}
    refused_by_database(row)


def test_statement_is_there_once_per_source() -> None:
    fields = {"as_of_on": "2015", "definition_en": "Gold", "definition_it": "Oro", "source": "x"}
    Statement.objects.create(count=58, **fields)
    row = Statement(count=57, **fields)

    assert refused_by_form(row) == {"__all__": ["This statement is there already."]}
    refused_by_database(row)


def test_indicator_set_has_each_number_once() -> None:
    first = IndicatorSet.objects.with_indicators()[0].indicators.all()[0]
    first.pk = None

    assert "__all__" in refused_by_form(first)
    refused_by_database(first)


def test_indicators_of_gold_are_31_and_unofficial() -> None:
    gold = IndicatorSet.objects.with_indicators().get(level="gold")

    assert ([i.number for i in gold.indicators.all()], gold.is_official) == (
        list(range(1, 32)),
        False,
    )


def test_label_of_an_unpublished_cluster_is_not_published() -> None:
    make_label(cluster=make_cluster(is_published=False))
    shown = make_label()

    assert list(Label.objects.published()) == [shown]


def test_unpublished_label_is_not_published() -> None:
    make_label(is_published=False)

    assert list(Label.objects.published()) == []


def test_valid_on_counts_overlapping_labels_and_their_holder_once() -> None:
    cluster = make_cluster()
    make_label(cluster=cluster, assessed_on="2015-07")
    make_label(cluster=cluster, assessed_on="2014")
    make_undated_label()

    assert Label.objects.valid_on(DAY).count() == 2
    assert Label.objects.count_holders(DAY) == {"gold": (1, 0)}
    assert Label.objects.count_by_state(DAY) == {("gold", "valid"): 2, ("gold", "undated"): 1}


def test_holders_by_labels_that_are_not_certain_are_further_ones() -> None:
    certain = make_label(assessed_on="2014")
    make_label(cluster=certain.cluster, awarded_on="2015")
    perhaps = make_label(awarded_on="2015")
    make_label(cluster=perhaps.cluster, assessed_on="2013")
    make_label(level="bronze", assessed_on="2013")
    make_label(level="silver", assessed_on="2011")
    make_undated_label()

    assert Label.objects.valid_on(DAY).count() == 1
    assert Label.objects.count_holders(DAY) == {"gold": (1, 1), "bronze": (0, 1), "silver": (0, 0)}


@pytest.mark.parametrize(
    ("day", "first_days"),
    [
        pytest.param(date(2010, 10, 31), [], id="before every rule"),
        pytest.param(date(2010, 11, 1), [date(2010, 11, 1)] * 3, id="first day"),
        pytest.param(date(2019, 11, 14), [date(2010, 11, 1)] * 3, id="last day"),
        pytest.param(date(2019, 11, 15), [date(2019, 11, 15)] * 3, id="next rule"),
    ],
)
def test_rules_in_force(day: date, first_days: list[date]) -> None:
    assert [rule.effective_from for rule in LevelRule.objects.in_force(day)] == first_days


def test_register_order_has_what_begins_later_after_what_has_begun() -> None:
    later = make_label(assessed_on="2019")
    undated = make_undated_label()
    begun = make_label(assessed_on="2013")
    latest = make_label(assessed_on="2015-07")

    found = list(Label.objects.in_register_order(date(2015, 9, 8)))

    assert found == [latest, begun, later, undated]
