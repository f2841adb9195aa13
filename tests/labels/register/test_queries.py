from datetime import date
from typing import Any

import pytest
from django.utils import translation

from labels.life.spans import timeline_of
from labels.models import Label, Statement
from labels.register.holdings import level_options
from labels.register.queries import Figures, counts, coverage, figures, labels_of, latest_awards
from labels.words import verdict
from tests.factories import (
    hide,
    make_cluster,
    make_label,
    make_suspension,
    make_undated_label,
    transfer_label,
)

pytestmark = pytest.mark.django_db

DAY = date(2015, 9, 8)


def loaded(label: Label, day: date = DAY) -> Label:
    return Label.objects.for_pages(day).get(pk=label.pk)


def test_labels_of_gives_each_cluster_its_published_labels_highest_and_latest_first() -> None:
    first, second = make_cluster(), make_cluster()
    bronze = make_label(cluster=first, level="bronze", assessed_on="2017")
    old_gold = make_label(cluster=first, assessed_on="2013")
    gold = make_label(cluster=first, assessed_on="2015-07")
    undated = make_undated_label(cluster=first, level="bronze")
    make_label(cluster=first, assessed_on="2019", is_published=False)
    make_label()

    found = labels_of([first, second], DAY)

    assert found == {first.pk: [gold, old_gold, bronze, undated], second.pk: []}


def test_labels_of_carry_their_state_on_the_day() -> None:
    label = make_label(assessed_on="2015-07")

    (found,) = labels_of([label.cluster], date(2017, 8, 1))[label.cluster_id]

    assert found.state == "renewable"
    assert found.state_on(DAY) == "valid"


def test_labels_of_no_cluster_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert labels_of([], DAY) == {}


@pytest.mark.parametrize("number", [1, 3])
def test_labels_of_takes_two_queries(number: int, django_assert_num_queries: Any) -> None:
    clusters = [make_label().cluster for _ in range(number)]

    with django_assert_num_queries(2):
        for labels in labels_of(clusters, DAY).values():
            assert [str(label.state_on(DAY)) for label in labels] == ["valid"]
            assert [label.level.name for label in labels] == ["Gold"]


def test_level_options_are_the_highest_first() -> None:
    assert [level.code for level in level_options()] == ["gold", "silver", "bronze"]


def test_figures_of_an_empty_register() -> None:
    assert figures(DAY) == Figures(0, 0, 0, 0, None)


def test_figures_count_a_holder_of_two_valid_golds_once() -> None:
    cluster = make_cluster()
    make_label(cluster=cluster, assessed_on="2015-07")
    make_label(cluster=cluster, assessed_on="2014")
    make_label(level="bronze", assessed_on="2012-09")
    make_undated_label()
    make_label(is_published=False, assessed_on="2011")

    assert figures(DAY) == Figures(
        valid_gold_holders=1, possible_gold_holders=0, renewable=1, labels=4, first_year=2012
    )


def test_figures_count_who_may_hold_a_gold_apart() -> None:
    certain = make_label()
    make_label(cluster=certain.cluster, awarded_on="2015")
    perhaps = make_label(awarded_on="2015")
    make_label(cluster=perhaps.cluster, assessed_on="2013")
    make_label(level="silver", awarded_on="2015")

    found = figures(DAY)

    assert (found.valid_gold_holders, found.possible_gold_holders) == (1, 1)


def test_figures_take_two_queries(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        figures(DAY)


def test_counts_by_level_and_state() -> None:
    make_label()
    make_label(assessed_on="2012")
    make_label(level="bronze")

    gold, silver, bronze = counts(DAY, level_options())

    assert (gold.valid, gold.holders, gold.total, gold.states) == (
        1,
        1,
        2,
        {"valid": 1, "renewable": 1},
    )
    assert (silver.valid, silver.holders, silver.total) == (0, 0, 0)
    assert (bronze.valid, bronze.holders, bronze.total) == (1, 1, 1)
    assert [one.possible_holders for one in (gold, silver, bronze)] == [0, 0, 0]


def test_counts_keep_who_may_hold_the_level_apart() -> None:
    make_label(assessed_on="2013")

    gold, *_others = counts(DAY, level_options())

    assert (gold.valid, gold.holders, gold.possible_holders) == (0, 0, 1)
    assert (gold.total, gold.states) == (1, {"uncertain": 1})


# How much of the whole the register holds


def count_of(level: str | None, as_of_on: str, number: int = 30) -> Statement:
    return Statement.objects.create(
        level_id=level,
        as_of_on=as_of_on,
        count=number,
        definition_en="Labels",
        definition_it="Label",
        source=f"https://www.example.org/{level}/{as_of_on}",
    )


@pytest.fixture
def _no_statements() -> None:
    Statement.objects.all().delete()


@pytest.mark.usefixtures("_no_statements")
@pytest.mark.parametrize(
    ("day", "as_of_on"),
    [
        pytest.param(date(2012, 1, 1), "2013-06", id="before every count"),
        pytest.param(date(2013, 5, 31), "2013-06", id="the day before"),
        pytest.param(date(2013, 6, 1), "2013-06", id="its month"),
        pytest.param(date(2014, 12, 31), "2013-06", id="before the next"),
        pytest.param(date(2015, 1, 1), "2015", id="the next"),
        pytest.param(date(2026, 1, 1), "2015", id="long after"),
    ],
)
def test_coverage_takes_the_count_nearest_before_the_day(day: date, as_of_on: str) -> None:
    count_of("gold", "2015")
    count_of("gold", "2013-06")
    count_of(None, "2014")

    assert [str(row.statement.as_of_on) for row in coverage(day)] == [as_of_on]


@pytest.mark.usefixtures("_no_statements")
def test_coverage_counts_here_on_the_day_of_the_count() -> None:
    count_of("gold", "2015-09")
    holder = make_label(assessed_on="2013-10")
    make_label(cluster=holder.cluster, awarded_on="2015")
    make_label(awarded_on="2015")
    make_label(assessed_on="2015-10")
    make_label(level="silver")

    (row,) = coverage(date(2026, 1, 1))

    assert (row.holders, row.possible_holders) == (1, 1)


@pytest.mark.usefixtures("_no_statements")
def test_coverage_of_every_level_is_the_highest_first() -> None:
    for level in ("bronze", "gold"):
        count_of(level, "2015")

    assert [row.statement.level_id for row in coverage(DAY)] == ["gold", "bronze"]
    assert [row.statement.level_id for row in coverage(DAY, ["bronze"])] == ["bronze"]
    assert coverage(DAY, ["silver"]) == []


@pytest.mark.usefixtures("_no_statements")
def test_coverage_takes_a_query_and_one_for_each_level(django_assert_num_queries: Any) -> None:
    for level in ("bronze", "gold"):
        for year in ("2013", "2014", "2015"):
            count_of(level, year)

    with django_assert_num_queries(3):
        assert len(coverage(DAY)) == 2


def test_latest_awards_are_those_that_started_by_the_day() -> None:
    early, late = make_label(assessed_on="2014"), make_label(assessed_on="2015-07")
    make_label(assessed_on="2013")
    make_label(assessed_on="2016")
    make_undated_label()

    assert latest_awards(DAY, 2) == [late, early]


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        pytest.param(
            date(2015, 6, 30),
            "Not valid yet: it begins on 1 July 2015 at the earliest.",
            id="not yet valid",
        ),
        pytest.param(
            date(2015, 7, 30),
            "May be valid: it begins between 1 July 2015 and 31 July 2015.",
            id="some day of its month",
        ),
        pytest.param(date(2015, 7, 31), "Valid until 31 July 2017.", id="first certain day"),
        pytest.param(date(2017, 7, 31), "Valid until 31 July 2017.", id="last day"),
        pytest.param(
            date(2017, 8, 1),
            "Expired on 31 July 2017; may still be renewed until 31 July 2018.",
            id="renewable",
        ),
        pytest.param(date(2018, 8, 1), "Expired on 31 July 2017.", id="expired"),
    ],
)
def test_state_sentence_of_a_gold(day: date, sentence: str) -> None:
    assert verdict(loaded(make_label()), day).sentence == sentence


def test_state_sentence_of_a_suspended_label() -> None:
    label = make_label()
    make_suspension(label, starts_on=date(2015, 8, 1), reason="Under review.")

    assert str(verdict(loaded(label), DAY)) == "Suspended since 1 August 2015: Under review."


def test_state_sentence_of_a_revoked_label() -> None:
    label = make_label(revoked_on=date(2015, 9, 8), revocation_reason="The facts were wrong.")

    assert str(verdict(loaded(label), DAY)) == "Revoked on 8 September 2015: The facts were wrong."


def test_state_sentence_of_a_transferred_label_names_its_successor() -> None:
    label = make_label()
    successor = transfer_label(label, on=DAY, cluster=make_cluster(name="New Valley"))

    assert str(verdict(loaded(label), DAY)) == (
        f"Transferred on 8 September 2015 to New Valley: label {successor.public_id}."
    )
    before = verdict(loaded(label), date(2015, 9, 7))
    assert before.sentence == "Valid until 31 July 2017."


@pytest.mark.parametrize("hidden", ["label", "cluster"])
def test_state_sentence_of_a_transferred_label_keeps_a_hidden_successor(hidden: str) -> None:
    label = make_label()
    successor = transfer_label(label, on=DAY)
    row = successor if hidden == "label" else successor.cluster
    hide(row)

    assert str(verdict(loaded(label), DAY)) == "Transferred on 8 September 2015."


def test_transferred_labels_take_no_query_more(django_assert_num_queries: Any) -> None:
    labels = [make_label() for _ in range(3)]
    for label in labels:
        transfer_label(label, on=DAY)
    clusters = [label.cluster for label in labels]

    with django_assert_num_queries(2):
        for (found,) in labels_of(clusters, DAY).values():
            assert "Transferred on" in str(verdict(found, DAY))


def test_latest_awards_leave_out_what_took_another_labels_place() -> None:
    label = make_label()
    transfer_label(label, on=DAY)

    assert latest_awards(DAY, 2) == [label]


def test_state_sentence_of_a_label_without_dates() -> None:
    assert str(verdict(loaded(make_undated_label()), DAY)) == (
        "The dates of this label are not known, so it cannot be told whether it is valid."
    )


def test_state_sentence_writes_months_as_the_language_does() -> None:
    label = loaded(make_label())

    with translation.override("it"):
        assert "31 luglio 2017" in str(verdict(label, DAY))


def test_timeline_of_undated_labels_is_none() -> None:
    label = make_undated_label()

    assert timeline_of(labels_of([label.cluster], DAY)[label.cluster_id], DAY) is None


def spans(label: Label) -> list[tuple[str, str, str]]:
    drawn = timeline_of(labels_of([label.cluster], DAY)[label.cluster_id], DAY)
    assert drawn is not None
    return [
        (str(bar.span.starts_on), str(bar.span.ends_on), str(bar.span.renewable_until))
        for bar in drawn.bars
    ]


def test_timeline_of_a_label_shows_the_time_to_renew() -> None:
    assert spans(make_label()) == [("2015-07-01", "2017-07-31", "2018-07-31")]


def test_timeline_of_a_revoked_label_ends_the_day_before() -> None:
    label = make_label(revoked_on=date(2016, 3, 1), revocation_reason="The facts were wrong.")

    assert spans(label) == [("2015-07-01", "2016-02-29", "2016-02-29")]


def test_timeline_of_a_transferred_label_ends_the_day_before_and_its_successor_goes_on() -> None:
    label = make_label()
    successor = transfer_label(label, on=date(2016, 3, 1))

    assert spans(label) == [("2015-07-01", "2016-02-29", "2016-02-29")]
    assert spans(successor) == [("2016-03-01", "2017-07-31", "2018-07-31")]


def test_timeline_of_a_label_revoked_before_its_start_is_none() -> None:
    label = make_label(revoked_on=date(2015, 7, 1), revocation_reason="The facts were wrong.")

    assert timeline_of(labels_of([label.cluster], DAY)[label.cluster_id], DAY) is None


def test_timeline_of_a_renewed_label_loses_its_tail_when_the_next_starts() -> None:
    label = make_label(assessed_on="2015-07")
    make_label(cluster=label.cluster, assessed_on="2017-10")

    assert spans(label)[1] == ("2015-07-01", "2017-07-31", "2017-09-30")


def test_timeline_of_overlapping_labels_has_no_tail_on_the_first() -> None:
    label = make_label(assessed_on="2015-07")
    make_label(cluster=label.cluster, assessed_on="2016")

    assert spans(label)[1] == ("2015-07-01", "2017-07-31", "2017-07-31")
