"""What one field of a form says about others."""

from datetime import date
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from clusters.models import ManagementRole, Region, Role
from tests.factories import (
    make_account,
    make_cluster,
    make_management,
    make_organisation,
    make_team_member,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_account(Role.EDITOR))
    return client


def ask(client: Client, model: str, field: str, **typed: Any) -> dict[str, Any]:
    query = {"model": model, "field": field} | typed
    found: dict[str, Any] = client.get(reverse("admin:suggest"), query).json()
    return found


def test_town_says_where_it_is(client: Client) -> None:
    other = make_cluster(town="Torino", country="IT", latitude="45.07", longitude="7.68")

    found = ask(client, "clusters.cluster", "town", town=" torino ", country="IT")

    assert {name: float(one["value"]) for name, one in found.items()} == {
        "latitude": 45.07,
        "longitude": 7.68,
    }
    assert found["latitude"]["origin"] == f"As of {other.name} in the same town."
    for typed in ({"town": "Torino", "country": "FR"}, {"town": "", "country": "IT"}, {}):
        assert ask(client, "clusters.cluster", "town", **typed) == {}


def test_region_says_its_country_and_is_offered_by_it(client: Client) -> None:
    region = Region.objects.filter(country="FR")[0]

    found = ask(client, "clusters.organisation", "region", region=region.pk)

    assert (found["country"]["value"], found["country"]["text"]) == ("FR", "France")
    assert ask(client, "clusters.organisation", "region", region="1 x") == {}
    of_field = {"app_label": "clusters", "model_name": "cluster", "field_name": "region"}
    offered = {
        country: client.get(reverse("admin:autocomplete"), of_field | query).json()["results"]
        for country, query in (("FR", {"country": "FR"}), ("", {}))
    }
    keys = [int(one["id"]) for one in offered["FR"]]
    assert {region.country.code for region in Region.objects.filter(pk__in=keys)} == {"FR"}
    assert len(offered[""]) > len(offered["FR"]) > 0


def test_cluster_says_who_manages_it_today(client: Client) -> None:
    cluster, park = make_cluster(), make_organisation(name="Park")
    make_management(cluster=cluster, organisation=make_organisation(), ended_on="2020")
    make_management(cluster=cluster, organisation=park, started_on="2020")

    found = ask(client, "labels.label", "cluster", cluster=cluster.pk)

    assert found["managing_organisation"]["value"] == str(park.pk)
    assert found["managing_organisation"]["text"] == "Park"
    add = reverse("admin:labels_label_add")
    page = client.get(f"{add}?cluster={cluster.pk}")
    assert page.context["adminform"].form["managing_organisation"].value() == str(park.pk)


def test_no_manager_is_guessed(client: Client) -> None:
    unmanaged, joint = make_cluster(), make_cluster()
    for _number in range(2):
        make_management(cluster=joint, role=ManagementRole.JOINT, started_on=date(2020, 1, 1))

    for value in (unmanaged.pk, joint.pk, "0", "x", ""):
        assert ask(client, "labels.label", "cluster", cluster=value) == {}


def test_nobody_learns_of_what_they_do_not_see() -> None:
    client, member = Client(), make_team_member()
    client.force_login(member.account)
    make_cluster(town="Torino", country="IT", latitude="45", longitude="7", is_published=False)

    assert ask(client, "clusters.cluster", "town", town="Torino", country="IT") == {}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"model": "clusters.cluster"},
        {"model": "clusters.cluster", "field": "name"},
        {"model": "clusters.nothing", "field": "town"},
        {"model": "clusters.event", "field": "kind"},
    ],
)
def test_what_suggests_nothing_is_not_there(client: Client, query: dict[str, str]) -> None:
    assert client.get(reverse("admin:suggest"), query).status_code == 404


def test_fields_that_are_named_exist() -> None:
    named = {
        (model, name)
        for model, model_admin in admin.site._registry.items()
        for field, suggester in getattr(model_admin, "suggesters", {}).items()
        for name in (field, *suggester.fields)
    } | {
        (model, name)
        for model, model_admin in admin.site._registry.items()
        for pair in getattr(model_admin, "narrowed", {}).items()
        for name in pair
    }

    assert named
    assert [
        (model, name)
        for model, name in named
        if name not in {one.name for one in model._meta.get_fields()}
    ] == []
