"""Which label of a cluster is named first: one rule, on the list, the page and for machines."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count, pairwise, product
from typing import Any

import pytest
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from clusters.directory.rows import cards
from clusters.models import Cluster
from labels.formats.records import headline_records
from labels.models import STATE_NAMES, Label
from labels.register.holdings import directory
from labels.register.queries import headline, labels_of
from labels.validity import LabelDays, State, headline_spells, naming_order, spells, state_in
from tests.factories import make_cluster, make_label, make_suspension

DAY = date(2018, 3, 1)
ON = f"on={DAY}"
# The start of a label that is in each state on that day; its end lies two years after.
STARTS = {
    State.VALID: date(2017, 3, 1),
    State.UNCERTAIN: date(2017, 2, 1),
    State.SUSPENDED: date(2017, 4, 1),
    State.RENEWABLE: date(2015, 9, 1),
    State.NOT_YET: date(2018, 9, 1),
    State.EXPIRED: date(2012, 9, 1),
    State.TRANSFERRED: date(2013, 9, 1),
    State.REVOKED: date(2014, 9, 1),
}
STATE_SHOWN = r'<span class="state is-(\w+)">([^<]*)'
numbers = count(1)


def label_in(state: State, cluster: Cluster, level: str, later: timedelta) -> Label:
    """A label in that state, unless another one of its level takes it over."""
    number = next(numbers)
    label = Label(cluster=cluster, level_id=level, certificate_number=f"P-{number}")
    if state in STARTS:
        label.starts_on = STARTS[state] + later
        label.ends_on = label.starts_on + timedelta(730)
        is_rough = state == State.UNCERTAIN
        label.certain_from = label.ends_on if is_rough else label.starts_on
        label.certain_until = label.ends_on
        label.renewable_until = label.ends_on + timedelta(365)
    if state == State.TRANSFERRED:
        assert label.starts_on
        label.transferred_on = label.starts_on + timedelta(100)
    if state == State.REVOKED:
        label.revoked_on, label.revocation_reason = DAY - timedelta(9), "Asked for."
    label.save()
    if state == State.SUSPENDED:
        make_suspension(label, starts_on=DAY - timedelta(5), reason="x")
    return label


@pytest.fixture(scope="module")
def pairs(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[Cluster]]:
    """A cluster for each pair of states, of levels and of starts."""
    with django_db_blocker.unblock(), transaction.atomic():
        found = []
        for one, other in product(State, State):
            for levels in (("gold", "gold"), ("gold", "silver")):
                for later in (timedelta(), timedelta(40), timedelta(-2000)):
                    cluster = make_cluster()
                    label_in(one, cluster, levels[0], timedelta())
                    label_in(other, cluster, levels[1], later)
                    found.append(cluster)
        yield found
        transaction.set_rollback(True)


def on_the_list(day: date) -> dict[int, tuple[str, str]]:
    """Level and state in the row of each cluster that has a label."""
    found = directory(QueryDict(f"on={day}"), "/", day)
    return {
        card.cluster.pk: (card.level.code, card.state)
        for card in cards(found, [*found.keys()])
        if card.level
    }


def on_the_page(day: date) -> dict[int, tuple[str, str]]:
    rows = labels_of(Cluster.objects.all(), day)
    first = {key: headline(held) for key, held in rows.items()}
    return {key: (label.level_id, str(label.state)) for key, label in first.items() if label}


def for_machines(day: date) -> dict[int, tuple[object, object]]:
    rows = headline_records([*Cluster.objects.values_list("pk", flat=True)], day)
    return {key: (twin["level"], twin["state"]) for key, twin in rows.items()}


def by_the_rule(day: date) -> dict[int, tuple[str, str]]:
    found: dict[int, list[tuple[tuple[int, ...], str, str]]] = {}
    for label in Label.objects.published().select_related("level").with_succession():
        state = label.state_on(day)
        order = naming_order(label.level.rank, state, label.starts_on)
        found.setdefault(label.cluster_id, []).append((order, label.level_id, state.value))
    return {key: min(held)[1:] for key, held in found.items()}


@pytest.mark.django_db
def test_all_name_the_same_label_first_on_any_day(pairs: list[Cluster]) -> None:
    @settings(max_examples=5)
    @given(st.dates(date(2009, 1, 1), date(2023, 1, 1)))
    def ask(day: date) -> None:
        expected = by_the_rule(day)
        assert on_the_list(day) == expected
        assert on_the_page(day) == expected
        assert for_machines(day) == expected

    assert len(by_the_rule(DAY)) == len(pairs)
    assert {state for _level, state in by_the_rule(DAY).values()} == set(State)
    ask()


@pytest.mark.django_db
def test_all_name_the_same_label_first_today(pairs: list[Cluster]) -> None:
    expected = by_the_rule(DAY)

    assert on_the_list(DAY) == expected
    assert on_the_page(DAY) == expected
    assert for_machines(DAY) == expected


def revoked_and_expired(cluster: Cluster) -> None:
    make_label(
        cluster=cluster,
        assessed_on="2009-03",
        revoked_on=date(2010, 5, 1),
        revocation_reason="Asked for.",
    )
    make_label(cluster=cluster, assessed_on="2011-03")


def expired_and_revoked(cluster: Cluster) -> None:
    make_label(cluster=cluster, assessed_on="2011-03")
    make_label(
        cluster=cluster,
        assessed_on="2014-03",
        revoked_on=date(2015, 5, 1),
        revocation_reason="Asked for.",
    )


def renewable_and_awarded_for_later(cluster: Cluster) -> None:
    make_label(cluster=cluster, assessed_on="2015-06")
    make_label(cluster=cluster, assessed_on="2018-06")


def undated_and_expired(cluster: Cluster) -> None:
    make_label(cluster=cluster, assessed_on=None, awarded_on=None, valid_until=None)
    make_label(cluster=cluster, assessed_on="2011-03")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("awards", "state"),
    [
        (revoked_and_expired, State.EXPIRED),
        (expired_and_revoked, State.REVOKED),
        (renewable_and_awarded_for_later, State.RENEWABLE),
        (undated_and_expired, State.EXPIRED),
    ],
)
def test_row_of_the_list_and_page_of_the_cluster_show_the_same_label(
    client: Client, awards: Any, state: State
) -> None:
    cluster = make_cluster(name="Alpenrose")
    awards(cluster)

    listed = client.get(f"/en/clusters/?q=Alpenrose&{ON}").content.decode()
    page = client.get(f"{cluster.get_absolute_url()}?{ON}").content.decode()

    assert re.findall(STATE_SHOWN, listed) == [(state, STATE_NAMES[state])]
    assert re.findall(STATE_SHOWN, page)[0][0] == state


GOLD, SILVER = 3, 2
EARLIER, LATER = date(2014, 3, 1), date(2016, 3, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            (SILVER, State.VALID, EARLIER), (GOLD, State.RENEWABLE, LATER), id="what is valid"
        ),
        pytest.param((GOLD, State.VALID, EARLIER), (SILVER, State.VALID, LATER), id="the highest"),
        pytest.param(
            (SILVER, State.NOT_YET, LATER), (GOLD, State.EXPIRED, EARLIER), id="what may be valid"
        ),
        pytest.param(
            (GOLD, State.NOT_YET, LATER), (SILVER, State.RENEWABLE, EARLIER), id="the highest still"
        ),
        pytest.param(
            (GOLD, State.SUSPENDED, EARLIER), (GOLD, State.NOT_YET, LATER), id="what has begun"
        ),
        pytest.param(
            (GOLD, State.REVOKED, EARLIER), (SILVER, State.EXPIRED, LATER), id="the highest gone"
        ),
        pytest.param(
            (GOLD, State.TRANSFERRED, LATER), (GOLD, State.EXPIRED, EARLIER), id="the latest"
        ),
        pytest.param(
            (GOLD, State.EXPIRED, EARLIER), (GOLD, State.REVOKED, EARLIER), id="from the same day"
        ),
        pytest.param(
            (GOLD, State.REVOKED, EARLIER), (GOLD, State.UNDATED, None), id="what has days"
        ),
    ],
)
def test_first_named_is(
    first: tuple[int, State, date], second: tuple[int, State, date | None]
) -> None:
    assert naming_order(*first) < naming_order(*second)


def test_order_says_of_all_states_which_comes_first() -> None:
    orders = {naming_order(GOLD, state, EARLIER) for state in State}

    assert len(orders) == len(State)


days = st.dates(date(2010, 1, 1), date(2020, 1, 1))


@st.composite
def lives(draw: st.DrawFn) -> tuple[date, list[Any]]:
    start = draw(days)
    end = start + timedelta(draw(st.integers(0, 900)))
    label = LabelDays(
        starts_on=start,
        certain_from=start + timedelta(draw(st.integers(0, 400))),
        certain_until=end - timedelta(draw(st.integers(0, 400))),
        ends_on=end,
        renewable_until=end + timedelta(draw(st.integers(0, 400))),
        revoked_on=draw(st.none() | days),
        taken_over_on=draw(st.none() | days),
    )
    return start, spells(label)


@given(st.lists(lives(), min_size=1, max_size=4), days)
def test_headline_spells_follow_the_order_on_each_day(
    labels: list[tuple[date, list[Any]]], day: date
) -> None:
    found = headline_spells(labels)

    in_turn = sorted(naming_order(GOLD, state_in(life, day), start) for start, life in labels)
    shown = state_in(found, day)
    assert in_turn[0][-1] == naming_order(GOLD, shown, None)[-1]
    assert (found[0].first, found[-1].last) == (date.min, date.max)
    for before, after in pairwise(found):
        assert before.last + timedelta(1) == after.first
        assert before.state != after.state
