from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from clusters.dates import PartialDate
from labels.models import Label
from labels.validity import (
    Days,
    Interval,
    LabelDays,
    PossibleDays,
    Rule,
    State,
    rule_on,
    state_on,
    validity,
)
from tests.factories import (
    make_cluster,
    make_label,
    make_suspension,
    make_undated_label,
    update_label,
)

OLD = Rule(date(2010, 11, 1), 24, 24, True, 12)
NEW = Rule(date(2019, 11, 15), 24, 36, True, 12)
EXACT = Rule(date(2010, 11, 1), 24, 24, False, 12)
RULES = [NEW, OLD]


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "first", "last", "renewable"),
    [
        pytest.param("2015-07", "2015-07-01", "2017-07-31", "2018-07-31", id="month"),
        pytest.param("2013", "2013-01-01", "2015-12-31", "2016-12-31", id="year"),
        pytest.param("2012-04-18", "2012-04-18", "2014-04-30", "2015-04-30", id="day"),
        pytest.param("2012-02-29", "2012-02-29", "2014-02-28", "2015-02-28", id="29 February"),
        pytest.param("2012-02", "2012-02-01", "2014-02-28", "2015-02-28", id="leap February"),
        pytest.param("2018-02", "2018-02-01", "2020-02-29", "2021-02-28", id="to 29 February"),
        pytest.param("2015-12", "2015-12-01", "2017-12-31", "2018-12-31", id="December"),
    ],
)
def test_validity_of_a_first_award_without_a_printed_end(
    start: str, first: str, last: str, renewable: str
) -> None:
    days = validity(start=PartialDate.parse(start), printed_end=None, rules=RULES)

    assert days is not None
    assert (days.start.earliest, days.end.latest, days.renewable_until) == (
        day(first),
        day(last),
        day(renewable),
    )
    assert (days.start_is_computed, days.end_is_computed, days.rule) == (False, True, OLD)


@pytest.mark.parametrize(
    ("end", "first", "last"),
    [
        pytest.param("2019-01-10", "2017-01-11", "2019-01-10", id="day"),
        pytest.param("2025-09", "2023-09-02", "2025-09-30", id="month"),
        pytest.param("2017", "2015-01-02", "2017-12-31", id="year"),
        pytest.param("2020-02-29", "2018-03-01", "2020-02-29", id="29 February"),
        pytest.param("2022-02", "2020-02-02", "2022-02-28", id="end of February"),
    ],
)
def test_validity_of_a_printed_end_without_a_start(end: str, first: str, last: str) -> None:
    days = validity(start=None, printed_end=PartialDate.parse(end), rules=RULES)

    assert days is not None
    assert (days.start.earliest, days.end.latest) == (day(first), day(last))
    assert (days.start_is_computed, days.end_is_computed) == (True, False)


def test_validity_keeps_a_printed_end_whatever_the_rule_says() -> None:
    days = validity(
        start=PartialDate.parse("2015-07"), printed_end=PartialDate.parse("2016-03"), rules=RULES
    )

    assert days is not None
    assert (days.end.latest, days.end_is_computed) == (day("2016-03-31"), False)


def test_validity_of_neither_start_nor_end_is_unknown() -> None:
    assert validity(start=None, printed_end=None, rules=RULES) is None


def test_validity_refuses_an_end_before_the_start() -> None:
    with pytest.raises(ValueError, match="lies before the start"):
        validity(
            start=PartialDate.parse("2015-07"), printed_end=PartialDate.parse("2014"), rules=RULES
        )


def test_validity_on_one_day_is_allowed() -> None:
    days = validity(
        start=PartialDate.parse("2015-07-01"),
        printed_end=PartialDate.parse("2015-07-01"),
        rules=RULES,
    )

    assert days is not None
    assert {*days.start, *days.end} == {day("2015-07-01")}


@pytest.mark.parametrize(
    ("previous_end", "first", "last"),
    [
        pytest.param("2015-12-31", "2016-01-01", "2017-12-31", id="older rule: two years"),
        pytest.param("2019-11-13", "2019-11-14", "2021-11-30", id="day before the newer rule"),
        pytest.param("2019-11-14", "2019-11-15", "2022-11-30", id="first day of the newer rule"),
        pytest.param("2020-02-29", "2020-03-01", "2023-02-28", id="from 29 February"),
    ],
)
def test_validity_of_a_renewal_is_seamless(previous_end: str, first: str, last: str) -> None:
    days = validity(
        start=PartialDate.parse("2021"),
        printed_end=None,
        rules=RULES,
        is_renewal=True,
        previous_end=PossibleDays(day(previous_end), day(previous_end)),
    )

    assert days is not None
    assert (days.start.earliest, days.end.latest) == (day(first), day(last))
    assert (days.start_is_computed, days.end_is_computed) == (True, True)


@pytest.mark.parametrize(
    ("given", "rule", "exact"),
    [
        pytest.param({"start": "2015-07-14"}, OLD, (True, True), id="day"),
        pytest.param({"start": "2015-07"}, OLD, (False, True), id="month, to its end"),
        pytest.param({"start": "2015-07"}, EXACT, (False, False), id="month, to the day"),
        pytest.param({"start": "2015"}, OLD, (False, False), id="year"),
        pytest.param({"printed_end": "2017-07-31"}, OLD, (True, True), id="printed day"),
        pytest.param({"printed_end": "2017-07"}, OLD, (False, False), id="printed month"),
        pytest.param(
            {"start": "2015", "extended_until": day("2018-01-31")},
            OLD,
            (False, True),
            id="extended",
        ),
        pytest.param(
            {"previous_end": PossibleDays(day("2017-07-31"), day("2017-07-31"))},
            OLD,
            (True, True),
            id="renewal",
        ),
        pytest.param(
            {"previous_end": PossibleDays(day("2017-01-31"), day("2017-12-31"))},
            OLD,
            (False, False),
            id="renewal of a rough one",
        ),
    ],
)
def test_day_is_exact_where_it_is_known_or_follows(
    given: dict[str, Any], rule: Rule, exact: tuple[bool, bool]
) -> None:
    partial = {name: given[name] for name in ("start", "printed_end") if name in given}
    dates = {"start": None, "printed_end": None} | {
        name: PartialDate.parse(text) for name, text in partial.items()
    }

    days = validity(**given | dates, rules=[rule])

    assert days is not None
    assert tuple(len(set(one)) == 1 for one in (days.start, days.end)) == exact


def test_validity_of_a_renewal_of_an_unknown_label_counts_from_its_own_start() -> None:
    days = validity(
        start=PartialDate.parse("2020-05"), printed_end=None, rules=RULES, is_renewal=True
    )

    assert days is not None
    assert (days.start.earliest, days.end.latest) == (day("2020-05-01"), day("2023-05-31"))


LONG, SHORT = Rule(day("2000-01-01"), 36, 36, True, 12), Rule(day("2010-11-10"), 24, 12, True, 12)


@pytest.mark.parametrize("printed", ["2009", "2010", "2010-10", "2010-11", "2011"])
@pytest.mark.parametrize(
    "rules",
    [
        [LONG, SHORT],
        [
            replace(SHORT, effective_from=day("2000-01-01")),
            replace(LONG, effective_from=day("2010-11-10")),
        ],
    ],
)
@pytest.mark.parametrize("is_renewal", [False, True])
def test_end_can_be_that_of_any_day_of_the_start(
    printed: str, rules: list[Rule], is_renewal: bool
) -> None:
    """Also where a rule of another length takes effect on one of them."""
    start = PartialDate.parse(printed)
    number = (start.last_day - start.first_day).days + 1
    ends = [
        validity(
            start=PartialDate.from_date(start.first_day + timedelta(days=by)),
            printed_end=None, rules=rules, is_renewal=is_renewal,
        ).end.latest  # type: ignore[union-attr]
        for by in range(number)
    ]  # fmt: skip

    found = validity(start=start, printed_end=None, rules=rules, is_renewal=is_renewal)

    assert found is not None
    assert found.end == (min(ends), max(ends))


def test_validity_by_a_rule_that_does_not_end_with_the_month() -> None:
    days = validity(start=PartialDate.parse("2012-04-18"), printed_end=None, rules=[EXACT])

    assert days is not None
    assert days.end == (day("2014-04-18"), day("2014-04-18"))


@pytest.mark.parametrize(
    ("on", "rule"),
    [
        pytest.param("2005-01-01", OLD, id="before every rule"),
        pytest.param("2010-11-01", OLD, id="first day"),
        pytest.param("2019-11-14", OLD, id="last day"),
        pytest.param("2019-11-15", NEW, id="first day of the next"),
    ],
)
def test_rule_on_day(on: str, rule: Rule) -> None:
    assert rule_on(day(on), RULES) == rule


DATED: dict[str, Any] = {
    "starts_on": day("2015-07-01"),
    "certain_from": day("2015-07-31"),
    "certain_until": day("2017-06-30"),
    "ends_on": day("2017-07-31"),
    "renewable_until": day("2018-07-31"),
}
PAUSED = [Interval(day("2016-02-29"), day("2016-04-01"))]
LATE_PAUSE = [Interval(day("2017-07-01"))]


@pytest.mark.parametrize(
    ("on", "fields", "state"),
    [
        pytest.param("2015-06-30", {}, State.NOT_YET, id="day before the start"),
        pytest.param("2015-07-01", {}, State.UNCERTAIN, id="earliest first day"),
        pytest.param("2015-07-30", {}, State.UNCERTAIN, id="day before the latest first day"),
        pytest.param("2015-07-31", {}, State.VALID, id="latest first day"),
        pytest.param("2017-06-30", {}, State.VALID, id="earliest last day"),
        pytest.param("2017-07-01", {}, State.UNCERTAIN, id="day after the earliest last day"),
        pytest.param("2017-07-31", {}, State.UNCERTAIN, id="latest last day"),
        pytest.param(
            "2016-01-01", {"certain_from": day("2017-07-01")}, State.UNCERTAIN, id="no certain day"
        ),
        pytest.param(
            "2017-07-01",
            {"certain_from": day("2017-07-01")},
            State.UNCERTAIN,
            id="none at its latest start",
        ),
        pytest.param("2017-08-01", {}, State.RENEWABLE, id="day after the end"),
        pytest.param("2018-07-31", {}, State.RENEWABLE, id="last day of renewal"),
        pytest.param("2018-08-01", {}, State.EXPIRED, id="day after the renewal"),
        pytest.param("2016-02-28", {"suspensions": PAUSED}, State.VALID, id="before suspension"),
        pytest.param("2016-02-29", {"suspensions": PAUSED}, State.SUSPENDED, id="suspended"),
        pytest.param("2016-03-31", {"suspensions": PAUSED}, State.SUSPENDED, id="last suspended"),
        pytest.param("2016-04-01", {"suspensions": PAUSED}, State.VALID, id="reinstated"),
        pytest.param("2017-07-31", {"suspensions": LATE_PAUSE}, State.SUSPENDED, id="to its end"),
        pytest.param("2017-08-01", {"suspensions": LATE_PAUSE}, State.EXPIRED, id="not renewable"),
        pytest.param("2016-05-31", {"revoked_on": day("2016-06-01")}, State.VALID, id="not yet"),
        pytest.param("2016-06-01", {"revoked_on": day("2016-06-01")}, State.REVOKED, id="revoked"),
        pytest.param("2030-01-01", {"revoked_on": day("2016-06-01")}, State.REVOKED, id="for ever"),
        pytest.param("2016-05-31", {"transferred_on": day("2016-06-01")}, State.VALID, id="stays"),
        pytest.param(
            "2016-06-01", {"transferred_on": day("2016-06-01")}, State.TRANSFERRED, id="moves"
        ),
        pytest.param(
            "2018-12-31", {"transferred_on": day("2016-06-01")}, State.TRANSFERRED, id="moved"
        ),
        pytest.param(
            "2017-12-31", {"taken_over_on": day("2018-01-01")}, State.RENEWABLE, id="not renewed"
        ),
        pytest.param(
            "2018-01-01", {"taken_over_on": day("2018-01-01")}, State.EXPIRED, id="renewed"
        ),
        pytest.param(
            "2016-01-01", {"taken_over_on": day("2015-08-01")}, State.VALID, id="both valid"
        ),
        pytest.param("2016-01-01", dict.fromkeys(Days._fields), State.UNDATED, id="undated"),
        pytest.param(
            "2016-06-01",
            {**dict.fromkeys(Days._fields), "revoked_on": day("2016-06-01")},
            State.REVOKED,
            id="undated and revoked",
        ),
    ],
)
def test_state_on_day(on: str, fields: dict[str, Any], state: State) -> None:
    assert state_on(day(on), LabelDays(**(DATED | fields))) == state


def boundary_days(labels: Sequence[Label]) -> list[date]:
    """Each day on which a state may change, the day before and the day after."""
    days: set[date | None] = {date(2015, 1, 1)}
    for label in labels:
        days |= {*label.effective_days, label.revoked_on}
        for suspension in label.suspensions.all():
            days |= {suspension.starts_on, suspension.ends_on}
    return sorted({near + timedelta(days=by) for near in days if near for by in (-1, 0, 1)})


def assert_twins_agree() -> None:
    """The annotated state of every label equals `Label.state_on` on every boundary day."""
    labels = list(Label.objects.with_succession().order_by("pk"))
    for on in boundary_days(labels):
        in_sql = {label.pk: label.state for label in Label.objects.with_state(on)}
        assert in_sql == {label.pk: label.state_on(on).value for label in labels}, on


def suspend(label: Label, since: str, until: str | None = None) -> None:
    make_suspension(label, starts_on=since, ends_on=until, reason="The team was dissolved.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([{"assessed_on": "2015-07"}], id="month"),
        pytest.param([{"assessed_on": "2013"}], id="year"),
        pytest.param([{"assessed_on": "2012-02-29"}], id="29 February"),
        pytest.param([{"assessed_on": "2018-02"}], id="to 29 February"),
        pytest.param([{"assessed_on": "2014-01-31"}], id="month end"),
        pytest.param([{"valid_until": "2019-01-10"}], id="printed end"),
        pytest.param([{"valid_until": "2020-02-29"}], id="printed 29 February"),
        pytest.param([{"assessed_on": "2013"}, {"assessed_on": "2015-07"}], id="overlap"),
        pytest.param([{"assessed_on": "2013"}, {"assessed_on": "2016-07"}], id="late renewal"),
        pytest.param([{"assessed_on": "2013"}, {"assessed_on": "2013-01-01"}], id="same start"),
        pytest.param(
            [{"assessed_on": "2013"}, {"assessed_on": "2013", "certificate_number": "2"}],
            id="same days",
        ),
        pytest.param(
            [{"assessed_on": "2013"}, {"assessed_on": "2016", "is_published": False}],
            id="unpublished successor",
        ),
        pytest.param(
            [{"assessed_on": "2013"}, {"assessed_on": "2016", "level": "silver"}], id="other level"
        ),
        pytest.param(
            [{"assessed_on": "2013", "revoked_on": day("2014-02-28"), "revocation_reason": "x"}],
            id="revoked",
        ),
    ],
)
def test_states_of_a_cluster_agree_in_sql_and_python(rows: list[dict[str, Any]]) -> None:
    cluster = make_cluster()
    for fields in rows:
        make_label(cluster=cluster, **fields)

    assert_twins_agree()


@pytest.mark.django_db
def test_states_of_an_undated_label_agree_in_sql_and_python() -> None:
    make_undated_label()
    make_undated_label(revoked_on=day("2016-02-29"), revocation_reason="Wrong facts.")

    assert_twins_agree()


@pytest.mark.django_db
@pytest.mark.parametrize("until", ["2016-04-01", "2017-08-01", "2018-09-01", None])
def test_states_of_a_suspended_label_agree_in_sql_and_python(until: str | None) -> None:
    suspend(make_label(assessed_on="2015-07"), "2016-02-29", until)

    assert_twins_agree()


@pytest.mark.django_db
def test_states_of_other_clusters_do_not_take_over() -> None:
    label = make_label(assessed_on="2013")
    make_label(assessed_on="2016")

    assert Label.objects.with_state(day("2016-06-01")).get(pk=label.pk).state == "renewable"


days = st.dates(date(2014, 1, 1), date(2018, 12, 31))


@st.composite
def label_rows(draw: st.DrawFn) -> dict[str, Any]:
    first, last, renewable = sorted(draw(st.tuples(days, days, days)))
    certain = draw(st.tuples(*2 * [st.dates(first, last)]))
    is_dated, revoked_on = draw(st.booleans()), draw(st.none() | days)
    is_transferred = is_dated and first < last and draw(st.integers(0, 3)) == 0
    transfer = draw(st.dates(first + timedelta(days=1), last)) if is_transferred else None
    return {
        "level_id": draw(st.sampled_from(["gold", "bronze"])),
        "is_published": draw(st.integers(0, 3)) > 0,
        "starts_on": first if is_dated else None,
        "certain_from": certain[0] if is_dated else None,
        "certain_until": certain[1] if is_dated else None,
        "ends_on": last if is_dated else None,
        "renewable_until": renewable if is_dated else None,
        "transferred_on": transfer,
        "revoked_on": revoked_on,
        "revocation_reason": "Wrong facts." if revoked_on else "",
    }


suspensions = st.none() | st.tuples(days, st.none() | st.integers(1, 600))


@pytest.mark.django_db
@settings(max_examples=25)
@given(rows=st.lists(st.tuples(label_rows(), suspensions), min_size=1, max_size=4))
def test_states_of_any_labels_agree_in_sql_and_python(rows: list[Any]) -> None:
    with transaction.atomic():
        cluster = make_cluster()
        for number, (fields, suspension) in enumerate(rows):
            revocation = {name: fields[name] for name in ("revoked_on", "revocation_reason")}
            label = Label.objects.create(
                cluster=cluster,
                certificate_number=f"{number}",
                **fields | {"revoked_on": None, "revocation_reason": ""},
            )
            if suspension:
                since, length = suspension
                until = since + timedelta(days=length) if length else None
                make_suspension(label, starts_on=since, ends_on=until, reason="Under review.")
            update_label(label, **revocation)
        assert_twins_agree()
        transaction.set_rollback(True)
