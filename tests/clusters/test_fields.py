from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from clusters.dates import PartialDate
from clusters.fields import PartialDateFormField, parse_partial_date
from clusters.models import Cluster
from tests.clusters.test_dates import partial_dates
from tests.factories import make_cluster

near_days = st.dates(date(2014, 12, 1), date(2017, 1, 31))


@st.composite
def near_partial_dates(draw: st.DrawFn) -> PartialDate:
    """Few years, so that the periods often meet the days."""
    day = draw(near_days)
    return PartialDate(*(day.year, day.month, day.day)[: draw(st.integers(1, 3))])


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["2013", "2015-07", "2012-04-18"])
def test_partial_date_field_keeps_the_precision(text: str) -> None:
    cluster = make_cluster(founded_on=text)

    cluster.refresh_from_db()

    assert cluster.founded_on == PartialDate.parse(text)


@pytest.mark.django_db
def test_partial_date_field_keeps_none() -> None:
    cluster = make_cluster(founded_on=None)

    cluster.refresh_from_db()

    assert cluster.founded_on is None


@pytest.mark.django_db
def test_partial_date_field_finds_an_exact_value() -> None:
    wanted = make_cluster(founded_on="2015-07")
    make_cluster(founded_on="2015")

    assert list(Cluster.objects.filter(founded_on=PartialDate(2015, 7))) == [wanted]


def test_partial_date_field_refuses_what_is_no_date() -> None:
    with pytest.raises(ValidationError, match="“2015-02-30” is not a date that exists"):
        Cluster(name="X", slug="x", country="IT", founded_on="2015-02-30").clean_fields()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, None, id="none"),
        pytest.param("", None, id="empty"),
        pytest.param(date(2015, 7, 14), PartialDate(2015, 7, 14), id="a full day"),
        pytest.param(PartialDate(2015), PartialDate(2015), id="itself"),
    ],
)
def test_parse_partial_date_takes_what_code_and_forms_give(value: Any, expected: Any) -> None:
    assert parse_partial_date(value) == expected


@given(partial_dates())
def test_form_field_shows_what_it_reads(partial: PartialDate) -> None:
    field = PartialDateFormField()

    assert field.clean(field.prepare_value(partial)) == partial


def test_form_field_has_not_changed_when_the_text_is_the_same() -> None:
    assert PartialDateFormField().has_changed(PartialDate(2015, 7), " 2015-07 ") is False


def test_form_field_has_changed_when_the_precision_has() -> None:
    assert PartialDateFormField().has_changed(PartialDate(2015, 7), "2015") is True


@pytest.fixture
def cluster(db: None) -> Cluster:
    return make_cluster()


@given(partial=near_partial_dates(), day=near_days)
def test_begun_by_and_lasting_on_agree_with_the_period(
    cluster: Cluster, partial: PartialDate, day: date
) -> None:
    """The SQL lookups against first and last day, reckoned in Python."""
    rows = Cluster.objects.filter(pk=cluster.pk)
    rows.update(founded_on=partial)

    found = (
        rows.filter(founded_on__begun_by=day).exists(),
        rows.filter(founded_on__lasting_on=day).exists(),
    )

    assert found == (partial.first_day <= day, partial.last_day >= day)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["2016", "2016-02", "2016-02-29"])
def test_lookups_turn_on_the_boundary_days(text: str) -> None:
    partial = PartialDate.parse(text)
    make_cluster(founded_on=partial)
    one = timedelta(days=1)

    begun = [
        Cluster.objects.filter(founded_on__begun_by=day).count()
        for day in (partial.first_day - one, partial.first_day)
    ]
    lasting = [
        Cluster.objects.filter(founded_on__lasting_on=day).count()
        for day in (partial.last_day, partial.last_day + one)
    ]

    assert (begun, lasting) == ([0, 1], [1, 0])


@pytest.mark.django_db
def test_lookups_leave_out_unknown_dates() -> None:
    make_cluster(founded_on=None)
    day = date(2015, 9, 8)

    assert not Cluster.objects.filter(founded_on__begun_by=day).exists()
    assert not Cluster.objects.filter(founded_on__lasting_on=day).exists()


def test_lookups_compare_with_full_days_only() -> None:
    with pytest.raises(TypeError, match="compares with a date"):
        str(Cluster.objects.filter(founded_on__begun_by="2015").query)
