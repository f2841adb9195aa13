import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.directory.index import UNKNOWN, Index, IndexCache, bits_of, slots_of
from clusters.directory.towns import great_circle_km
from clusters.models import Cluster, Region
from labels.models import Label
from labels.register import holdings
from labels.register.holdings import INDEX
from labels.validity import State
from tests.factories import (
    hide_cluster,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    make_suspension,
    portfolio,
    region,
    update_label,
)

DAY = date(2015, 9, 8)
SORTS = ("name", "newest", "ending", "members", "confirmed")


@given(st.sets(st.integers(0, 3000)))
def test_slots_of_reads_what_bits_of_wrote(slots: set[int]) -> None:
    assert list(slots_of(bits_of(slots, 3001))) == sorted(slots)


def test_distance_is_that_of_a_great_circle() -> None:
    torino, oslo = (45.0703, 7.6869), (59.9139, 10.7522)

    assert great_circle_km(*torino, *oslo) == pytest.approx(1664, abs=2)
    assert great_circle_km(0, 179, 0, -179) == pytest.approx(222.4, abs=0.1)


def told(index: Index) -> dict[str, Any]:
    """Everything that an index answers, by public ids."""

    def named(bits: int) -> set[str]:
        return {index.public_id(slot) for slot in slots_of(bits)}

    values = {**index.bits, **index.on(DAY).bits}
    return {
        "everything": named(index.everything),
        "bits": {
            facet: {value: named(bits) for value, bits in found.items() if named(bits)}
            for facet, found in values.items()
            if any(found.values())
        },
        "orders": {
            sort: [index.public_id(slot) for slot in index.ordered(sort, DAY)] for sort in SORTS
        },
        "positions": {
            index.public_id(slot): index.positions[index.position[slot]]
            for slot in slots_of(index.everything)
            if index.position[slot] != UNKNOWN
        },
        "programmes": sorted(index.reference.programmes),
        "regions": {code: row.name for code, row in index.reference.regions.items()},
    }


def built_anew() -> Index:
    return IndexCache(
        holdings.facet_spells, holdings.level_options, holdings.requirements
    ).current()


def rename(draw: random.Random) -> None:
    some(draw).update(name=f"Renamed {draw.random()}")


def some(draw: random.Random) -> Any:
    return Cluster.objects.filter(pk=draw.choice(Cluster.objects.values_list("pk", flat=True)))


def hide(draw: random.Random) -> None:
    for cluster in some(draw):
        hide_cluster(cluster)


def show(draw: random.Random) -> None:
    some(draw).update(is_published=True)


def add(draw: random.Random) -> None:
    make_cluster(country=draw.choice(["IT", "NO"]), town="X", latitude="45.1", longitude="7.5")


def label(draw: random.Random) -> None:
    cluster = make_cluster()
    made = make_label(cluster=cluster, level=draw.choice(["gold", "bronze"]), assessed_on="2015-01")
    make_suspension(made, starts_on=date(2015, 9, 1), ends_on=date(2015, 9, 5))


def hide_a_label(draw: random.Random) -> None:
    for made in Label.objects.all()[:1]:
        update_label(made, is_published=False)


def manage(draw: random.Random) -> None:
    make_management(cluster=some(draw).get(), role="joint")


def change_the_kind_of_a_manager(draw: random.Random) -> None:
    management = make_management()
    INDEX.current()
    type(management.organisation).objects.update(kind="foundation")


def hide_a_manager(draw: random.Random) -> None:
    management = make_management(organisation=make_organisation(kind="consortium"))
    INDEX.current()
    management.organisation.is_published = False
    management.organisation.save()


def take_part(draw: random.Random) -> None:
    participation = make_participation(programme=make_programme())
    INDEX.current()
    if draw.random() < 0.5:
        participation.programme.is_published = False
        participation.programme.save()


def count(draw: random.Random) -> None:
    cluster = some(draw).get()
    cluster.membership_counts.all().delete()
    cluster.membership_counts.create(counted_on="2015", kind="total", count=draw.randrange(99))


def move(draw: random.Random) -> None:
    some(draw).update(region=region("IT-21"), country="IT", portfolio=portfolio("ict"))
    some(draw).update(town="Y", latitude=None, longitude=None)


def delete(draw: random.Random) -> None:
    cluster = make_cluster()
    INDEX.current()
    cluster.delete()


def rename_a_region(draw: random.Random) -> None:
    Region.objects.filter(code="IT-21").update(name=f"Piemonte {draw.random()}")


WRITES: tuple[Callable[[random.Random], None], ...] = (
    rename,
    hide,
    show,
    add,
    label,
    hide_a_label,
    manage,
    change_the_kind_of_a_manager,
    hide_a_manager,
    take_part,
    count,
    move,
    delete,
    rename_a_region,
)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_index_keeps_up_with_every_write(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    for _number in range(4):
        make_cluster()
    INDEX.current()

    for write in draw.sample(WRITES, len(WRITES)):
        write(draw)

        assert told(INDEX.current()) == told(built_anew()), write.__name__


@pytest.mark.django_db
def test_index_asks_once_where_nothing_changed(django_assert_num_queries: Any) -> None:
    make_cluster()
    before = INDEX.current()

    with django_assert_num_queries(1):
        after = INDEX.current()

    assert after.order is before.order


@pytest.mark.django_db
def test_spells_tell_the_state_of_every_day() -> None:
    first = make_label(level="gold", assessed_on="2013-03-10")
    make_label(cluster=first.cluster, level="gold", assessed_on="2016-02")
    make_label(
        level="silver", assessed_on="2014-01-15", revoked_on=date(2015, 6, 1), revocation_reason="x"
    )
    make_suspension(first, starts_on=date(2013, 8, 1), ends_on=date(2013, 9, 1))
    make_suspension(first, starts_on=date(2015, 1, 1))
    labels = list(Label.objects.published().with_succession())
    index = INDEX.current()

    day, states = date(2012, 12, 1), set()
    while day < date(2020, 1, 1):
        expected = {(row.cluster_id, row.level_id, row.state_on(day).value) for row in labels}
        holding: Any = index.day_from_spells(day.toordinal()).bits["label"]
        found = {
            (index.keys[slot], *value) for value, bits in holding.items() for slot in slots_of(bits)
        }
        assert found == expected, day
        states |= {state for _cluster, _level, state in found}
        day += timedelta(days=1)
    assert states == set(State) - {State.TRANSFERRED, State.UNDATED}
