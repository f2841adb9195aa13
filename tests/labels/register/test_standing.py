from datetime import date
from typing import Any

import pytest

from labels.models import Label
from labels.register.standing import Holders, Precedence, earlier_labels, holders_beside, precedence
from tests.factories import make_cluster, make_label, make_undated_label, portfolio

pytestmark = pytest.mark.django_db

DAY = date(2015, 9, 8)


def health(**fields: Any) -> Any:
    return make_cluster(portfolio=portfolio(), **fields)


@pytest.fixture
def gold() -> Label:
    """Of July 2015, of an Italian cluster in health."""
    return make_label(cluster=health())


def stand(label: Label, day: date = DAY) -> Holders:
    return holders_beside(label, day)


# Who else held it


def test_holders_of_an_empty_register_are_none(gold: Label) -> None:
    assert stand(gold) == Holders(0, 0, 0, 0, 0)


def test_holders_are_other_clusters_with_a_valid_label_of_the_level(gold: Label) -> None:
    make_label(cluster=gold.cluster, assessed_on="2014-07")
    make_label(cluster=health(), assessed_on="2014-01")
    make_label(cluster=make_cluster(portfolio=portfolio("construction")), assessed_on="2014-02")
    make_label(assessed_on="2014-03")
    make_label(level="bronze", assessed_on="2014-03")
    make_label(assessed_on="2012-03")
    make_label(assessed_on="2015-10")
    make_label(assessed_on="2014-03", revoked_on=DAY, revocation_reason="Asked for.")

    assert stand(gold) == Holders(
        number=3, uncertain=0, in_portfolio=1, without_portfolio=1, undated=0
    )


def test_holder_of_two_valid_labels_is_one(gold: Label) -> None:
    other = health()
    make_label(cluster=other, assessed_on="2014-01")
    make_label(cluster=other, assessed_on="2014-02", valid_until="2016-03")

    assert stand(gold).number == 1


@pytest.mark.parametrize("hidden", ["label", "cluster"])
def test_hidden_labels_do_not_count(gold: Label, hidden: str) -> None:
    for make, dates in ((make_label, {"assessed_on": "2014-01"}), (make_undated_label, {})):
        cluster = health(is_published=hidden != "cluster")
        make(cluster=cluster, is_published=hidden != "label", **dates)

    assert stand(gold) == Holders(0, 0, 0, 0, 0)
    assert precedence(gold) == Precedence(0, 0)


@pytest.mark.parametrize(
    ("dates", "is_certain"),
    [
        pytest.param({"assessed_on": "2015-09-08"}, True, id="that day"),
        pytest.param({"assessed_on": "2015-09"}, False, id="some day of that month"),
        pytest.param({"awarded_on": "2015"}, False, id="some day of that year"),
        pytest.param(
            {"assessed_on": "2015-08", "awarded_on": "2015-09"}, True, id="assessed before"
        ),
        pytest.param({"assessed_on": "2014"}, True, id="in the year before"),
        pytest.param({"assessed_on": "2013"}, False, id="two years before, in some month"),
        pytest.param({"assessed_on": "2013", "valid_until": "2015-10"}, True, id="with its end"),
        pytest.param({"assessed_on": "2014", "valid_until": "2015"}, False, id="end this year"),
        pytest.param({"assessed_on": "2014", "valid_until": "2015-09"}, False, id="this month"),
        pytest.param({"assessed_on": "2014", "valid_until": "2015-09-08"}, True, id="this day"),
    ],
)
def test_holder_is_counted_apart_where_the_dates_leave_it_open(
    gold: Label, dates: dict[str, str], is_certain: bool
) -> None:
    make_label(**dates)

    assert (stand(gold).number, stand(gold).uncertain) == ((1, 0) if is_certain else (0, 1))


def test_holder_by_one_certain_label_is_certain(gold: Label) -> None:
    other = make_cluster()
    make_label(cluster=other, assessed_on="2014-03")
    make_label(cluster=other, awarded_on="2015")

    assert (stand(gold).number, stand(gold).uncertain) == (1, 0)


@pytest.mark.parametrize(
    ("day", "number", "uncertain"),
    [
        pytest.param("2015-12-30", 0, 1, id="the day before"),
        pytest.param("2015-12-31", 1, 0, id="last day"),
    ],
)
def test_year_is_certain_on_its_last_day(
    gold: Label, day: str, number: int, uncertain: int
) -> None:
    make_label(awarded_on="2015")

    found = stand(gold, date.fromisoformat(day))

    assert (found.number, found.uncertain) == (number, uncertain)


def test_undated_clusters_are_apart(gold: Label) -> None:
    holder = make_cluster()
    make_undated_label(cluster=holder)
    make_label(cluster=holder, assessed_on="2014-03")
    make_undated_label(cluster=gold.cluster)
    make_undated_label()
    perhaps = make_label(awarded_on="2015")
    make_undated_label(cluster=perhaps.cluster)

    found = stand(gold)

    assert (found.number, found.uncertain, found.undated) == (1, 1, 1)


def test_cluster_without_portfolio_shares_none() -> None:
    gold = make_label()
    make_label(assessed_on="2014-03")

    assert (stand(gold).in_portfolio, stand(gold).without_portfolio) == (0, 1)


# Who had it first


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"assessed_on": "2015-06-30"}, Precedence(1, 0), id="the day before"),
        pytest.param({"assessed_on": "2015-07-01"}, Precedence(0, 1), id="in the same month"),
        pytest.param({"assessed_on": "2015"}, Precedence(0, 1), id="in the same year"),
        pytest.param({"assessed_on": "2015-08"}, Precedence(0, 0), id="the month after"),
        pytest.param({"assessed_on": "2014"}, Precedence(1, 0), id="the year before"),
        pytest.param({"valid_until": "2015-06"}, Precedence(1, 0), id="ended before"),
        pytest.param({"valid_until": "2018-06"}, Precedence(0, 1), id="only its end is known"),
        pytest.param(
            {"assessed_on": "2017", "kind": "renewal"}, Precedence(0, 1), id="renews an unknown one"
        ),
        pytest.param({"level": "silver", "assessed_on": "2014"}, Precedence(0, 0), id="Silver"),
    ],
)
def test_precedence_says_what_the_dates_settle(
    gold: Label, fields: dict[str, str], expected: Precedence
) -> None:
    make_label(cluster=health(), **fields)

    assert precedence(gold) == expected


def test_precedence_of_an_undated_label_is_undecided(gold: Label) -> None:
    make_undated_label(cluster=health())

    assert precedence(gold) == Precedence(0, 1)


def test_precedence_without_a_portfolio_is_undecided(gold: Label) -> None:
    make_label(cluster=make_cluster(), assessed_on="2014")

    assert precedence(gold) == Precedence(0, 1)


def test_precedence_looks_at_country_and_portfolio(gold: Label) -> None:
    make_label(cluster=health(country="FR"), assessed_on="2014")
    make_label(cluster=make_cluster(portfolio=portfolio("construction")), assessed_on="2014")
    make_label(cluster=gold.cluster, assessed_on="2013")

    assert precedence(gold) == Precedence(0, 0)


def test_precedence_counts_clusters(gold: Label) -> None:
    other = health()
    make_label(cluster=other, assessed_on="2012")
    make_undated_label(cluster=other)

    assert precedence(gold) == Precedence(1, 0)


def test_renewal_of_a_later_label_is_not_earlier(gold: Label) -> None:
    first = make_label(cluster=health(), assessed_on="2016-01")
    make_label(cluster=first.cluster, kind="renewal", renews=first, assessed_on="2018-01")

    assert precedence(gold) == Precedence(0, 0)


# Earlier labels of the cluster


def test_earlier_labels_are_those_that_certainly_began_before(gold: Label) -> None:
    cluster = gold.cluster
    silver = make_label(cluster=cluster, level="silver", assessed_on="2014-07")
    bronze = make_label(cluster=cluster, level="bronze", assessed_on="2013")
    make_label(cluster=cluster, level="bronze", valid_until="2019-01-10")
    make_label(cluster=cluster, level="silver", assessed_on="2015")
    make_label(cluster=cluster, level="silver", assessed_on="2012-01", is_published=False)
    make_undated_label(cluster=cluster, level="bronze")
    make_label(level="bronze", assessed_on="2012-01")

    assert earlier_labels(gold) == [bronze, silver]
