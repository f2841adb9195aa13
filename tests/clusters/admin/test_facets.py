"""Facets of the lists of admin: numbers of rows beside each choice."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster, Role
from tests.factories import (
    award_label,
    make_account,
    make_cluster,
    make_label,
    make_organisation,
    portfolio,
)

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

LISTS = ("labels_label", "clusters_cluster", "clusters_organisation", "news_announcement")


@pytest.fixture
def secretariat(client: Client) -> Client:
    client.force_login(make_account(Role.LEAD))
    return client


@pytest.fixture
def _register() -> None:
    for country in ("IT", "FR"):
        cluster = make_cluster(country=country, portfolio=portfolio(), town="Torino")
        make_label(cluster=cluster)
        make_label(cluster=cluster, level="silver", assessed_on="2025-11-03")
        make_label(cluster=cluster, level="bronze", valid_until="2027", is_published=False)
        make_organisation(country=country)
    award_label()


@pytest.mark.usefixtures("_register")
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", ["", "&q=cluster"])
def test_each_number_is_that_of_the_list_that_it_leads_to(
    secretariat: Client, name: str, query: str
) -> None:
    address = reverse(f"admin:{name}_changelist")
    found = secretariat.get(f"{address}?_facets=True{query}").context["cl"]

    compared = 0
    for spec in found.filter_specs:
        for choice in spec.choices(found):
            if not choice.get("query_string") or not str(choice["display"]).endswith(")"):
                continue
            number = int(str(choice["display"]).rpartition("(")[2].rstrip(")"))
            listed = secretariat.get(f"{address}{choice['query_string']}").context["cl"]
            assert listed.result_count == number, (spec.title, choice["display"])
            compared += 1
    assert compared > (1 if name == "news_announcement" else 4)


@pytest.mark.usefixtures("_register")
@pytest.mark.parametrize(("name", "most"), [("labels_label", 24), ("clusters_cluster", 24)])
def test_facets_ask_once_each(
    secretariat: Client, django_assert_max_num_queries: Any, name: str, most: int
) -> None:
    address = reverse(f"admin:{name}_changelist")
    secretariat.get(address)

    with django_assert_max_num_queries(most):
        secretariat.get(f"{address}?_facets=True")


@pytest.mark.usefixtures("_register")
def test_line_of_years_tells_the_years_that_there_are(secretariat: Client) -> None:
    Cluster.objects.update(confirmed_on="2024-02-29")
    make_cluster(confirmed_on="2026-01-01")

    page = secretariat.get(reverse("admin:clusters_cluster_changelist")).text

    for year in (2024, 2026):
        assert f"?confirmed_on__year={year}" in page
    assert "?confirmed_on__year=2025" not in page
