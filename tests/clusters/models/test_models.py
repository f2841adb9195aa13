from collections.abc import Callable
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models

from clusters.models import (
    Cluster,
    ClusterName,
    ClusterText,
    Lineage,
    Management,
    MembershipCount,
    Organisation,
    OrganisationName,
    Participation,
    Region,
    Shareholding,
)
from tests.factories import (
    make_cluster,
    make_management,
    make_organisation,
    make_participation,
    region,
)

pytestmark = pytest.mark.django_db


def half_located() -> Cluster:
    return Cluster(name="A", slug="a", country="IT", latitude=45)


def off_earth() -> Cluster:
    return Cluster(name="A", slug="a", country="IT", latitude=91, longitude=8)


def contact_without_address() -> Cluster:
    return Cluster(name="A", slug="a", country="IT", is_contact_shown=True)


def same_text() -> ClusterText:
    cluster = make_cluster()
    ClusterText.objects.create(cluster=cluster, language="en", tagline="One")
    return ClusterText(cluster=cluster, language="en", tagline="Two")


def same_other_name() -> ClusterName:
    cluster = make_cluster()
    ClusterName.objects.create(cluster=cluster, name="Old")
    return ClusterName(cluster=cluster, name="Old")


def ended_before_it_started() -> Management:
    return Management(
        cluster=make_cluster(),
        organisation=make_organisation(),
        started_on="2016-02",
        ended_on="2016-01",
    )


def second_lead() -> Management:
    first = make_management()
    return Management(cluster=first.cluster, organisation=make_organisation(), role="lead")


def same_role() -> Management:
    first = make_management(role="joint")
    return Management(cluster=first.cluster, organisation=first.organisation, role="joint")


def merged_into_itself() -> Lineage:
    cluster = make_cluster()
    return Lineage(cluster=cluster, other=cluster, kind="merged_into")


def same_lineage() -> Lineage:
    cluster, other = make_cluster(), make_cluster()
    Lineage.objects.create(cluster=cluster, other=other, kind="merged_into")
    return Lineage(cluster=cluster, other=other, kind="merged_into")


def same_count() -> MembershipCount:
    cluster = make_cluster()
    MembershipCount.objects.create(cluster=cluster, counted_on="2022", count=1)
    return MembershipCount(cluster=cluster, counted_on="2022", count=2)


def address_shown_without_one() -> Organisation:
    return Organisation(name="A", slug="a", country="IT", is_address_shown=True)


def same_vat_number() -> Organisation:
    make_organisation(vat_number="IT00743110157")
    return Organisation(name="A", slug="a", country="IT", vat_number="IT00743110157")


def same_former_name() -> OrganisationName:
    organisation = make_organisation()
    OrganisationName.objects.create(organisation=organisation, name="Old")
    return OrganisationName(organisation=organisation, name="Old")


def own_shareholder() -> Shareholding:
    organisation = make_organisation()
    return Shareholding(organisation=organisation, shareholder=organisation)


def same_shareholder() -> Shareholding:
    organisation, shareholder = make_organisation(), make_organisation()
    Shareholding.objects.create(organisation=organisation, shareholder=shareholder)
    return Shareholding(organisation=organisation, shareholder=shareholder)


def same_participation() -> Participation:
    first = make_participation()
    return Participation(programme=first.programme, cluster=first.cluster)


def same_region() -> Region:
    return Region(country="IT", name=region().name)


REFUSED = [
    pytest.param(half_located, "cluster_has_both_coordinates_or_none", id="half located"),
    pytest.param(off_earth, "cluster_coordinates_are_on_earth", id="off Earth"),
    pytest.param(contact_without_address, "cluster_shows_only_a_given_contact", id="no contact"),
    pytest.param(same_text, "cluster_text_once_per_language", id="same language"),
    pytest.param(same_other_name, "cluster_other_name_once", id="same other name"),
    pytest.param(ended_before_it_started, "management_ends_after_it_starts", id="end first"),
    pytest.param(second_lead, "management_has_one_lead_today", id="second lead"),
    pytest.param(same_role, "management_role_once", id="same role"),
    pytest.param(merged_into_itself, "lineage_leads_elsewhere", id="merged into itself"),
    pytest.param(same_lineage, "lineage_once_per_pair", id="same lineage"),
    pytest.param(same_count, "membership_count_once", id="same count"),
    pytest.param(
        address_shown_without_one, "organisation_shows_only_a_given_address", id="no address"
    ),
    pytest.param(same_vat_number, "organisation_vat_number_once", id="same VAT number"),
    pytest.param(same_former_name, "organisation_former_name_once", id="same former name"),
    pytest.param(own_shareholder, "shareholding_is_not_of_itself", id="own shareholder"),
    pytest.param(same_shareholder, "shareholder_once_per_organisation", id="same shareholder"),
    pytest.param(same_participation, "participation_once_per_cluster", id="same participation"),
    pytest.param(same_region, "region_name_once_per_country", id="same region"),
]


@pytest.mark.parametrize(("make", "constraint"), REFUSED)
def test_row_is_refused_by_the_form(make: Callable[[], models.Model], constraint: str) -> None:
    row = make()

    with pytest.raises(ValidationError):
        row.full_clean()


@pytest.mark.parametrize(("make", "constraint"), REFUSED)
def test_row_is_refused_by_the_database(make: Callable[[], models.Model], constraint: str) -> None:
    row = make()

    with pytest.raises(IntegrityError) as refusal:
        row.save()

    # SQLite names the table and columns of a unique constraint, everything else its name.
    unique = f"UNIQUE constraint failed: {row._meta.db_table}"
    assert constraint in str(refusal.value) or unique in str(refusal.value)


@pytest.mark.parametrize(
    ("day", "is_on"),
    [
        pytest.param(date(2008, 12, 31), False, id="day before the first"),
        pytest.param(date(2009, 1, 1), True, id="first day of the year"),
        pytest.param(date(2016, 6, 30), True, id="last day of the month"),
        pytest.param(date(2016, 7, 1), False, id="day after the last"),
    ],
)
def test_management_is_on_the_days_of_its_periods(day: date, is_on: bool) -> None:
    management = make_management(started_on="2009", ended_on="2016-06")
    management.refresh_from_db()

    assert (management.is_on(day), Management.objects.on(day).exists()) == (is_on, is_on)


def test_lead_that_surely_overlaps_another_is_refused() -> None:
    first = make_management(started_on="2009", ended_on="2016")
    second = Management(
        cluster=first.cluster, organisation=make_organisation(), started_on="2014", ended_on="2018"
    )

    with pytest.raises(ValidationError, match="at the same time"):
        second.full_clean()


def test_lead_of_the_year_in_which_another_ended_is_taken() -> None:
    first = make_management(started_on="2009", ended_on="2016")

    Management(
        cluster=first.cluster, organisation=make_organisation(), started_on="2016"
    ).full_clean()
