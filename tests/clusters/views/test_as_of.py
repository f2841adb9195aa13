"""Pages of another day: names, managers, members and shareholders as they were."""

from typing import Any

import pytest
from django.test import Client

from clusters.models import MembershipCount, OrganisationName, Shareholding
from tests.factories import make_cluster, make_management, make_organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster() -> Any:
    """Managed since nobody knows when by an organisation that had another name until 2021."""
    park = make_organisation(name="Fondazione Innova", slug="innova")
    OrganisationName.objects.create(organisation=park, name="Torino Wireless", ended_on="2021-04")
    cluster = make_cluster(name="Polo ICT", slug="polo-ict")
    cluster.names.create(name="Polo Torino", kind="former", started_on="2009", ended_on="2012")
    make_management(cluster=cluster, organisation=park)
    MembershipCount.objects.create(cluster=cluster, counted_on="2013", count=150)
    MembershipCount.objects.create(cluster=cluster, counted_on="2020-05", count=240)
    return cluster


def page_of(client: Client, path: str) -> str:
    return " ".join(client.get(path).content.decode().split())


def test_manager_has_the_name_of_the_day(client: Client, cluster: Any) -> None:
    then = page_of(client, "/en/clusters/polo-ict/?on=2014-06-10")
    today = page_of(client, "/en/clusters/polo-ict/")

    assert "Fondazione Innova</a> (then called Torino Wireless)" in then
    assert "since when is not recorded" in then
    assert "Torino Wireless" not in today


@pytest.mark.parametrize(
    ("on", "name"),
    [
        ("2008-12-31", ""),
        ("2009-01-01", "Polo Torino"),
        ("2012-12-31", "Polo Torino"),
        ("2013-01-01", ""),
    ],
)
def test_cluster_has_the_name_of_the_day(client: Client, cluster: Any, on: str, name: str) -> None:
    page = page_of(client, f"/en/clusters/polo-ict/?on={on}")

    assert ("it was called Polo Torino" in page) == bool(name)


def test_members_are_those_counted_by_the_day(client: Client, cluster: Any) -> None:
    assert client.get("/en/clusters/polo-ict/").context["members_then"].latest_total.number == 240
    then = client.get("/en/clusters/polo-ict/?on=2014-06-10").context["members_then"]
    assert then.latest_total.number == 150
    before = client.get("/en/clusters/polo-ict/?on=2012-06-10").context["members_then"]
    assert before.latest_total is None


def test_shareholders_are_those_of_the_day(client: Client, cluster: Any) -> None:
    park = cluster.managements.get().organisation
    for name, since, until in (("Provincia", "2000", "2010"), ("Finpiemonte", "2005", None)):
        owner = make_organisation(name=name)
        Shareholding.objects.create(
            organisation=park, shareholder=owner, started_on=since, ended_on=until
        )

    def shown(query: str) -> list[str]:
        rows = client.get(f"/en/organisations/innova/{query}").context["shareholders"]
        return [str(row) for row in rows]

    assert shown("") == ["Provincia", "Finpiemonte"]
    assert shown("?on=2003-01-01") == ["Provincia"]
    assert shown("?on=2014-01-01") == ["Finpiemonte"]
