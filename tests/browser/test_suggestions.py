"""A form of admin fills what is empty from what was chosen beside it."""

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from clusters.models import Account
from tests.factories import make_cluster, make_management, make_organisation

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.ignore_template_errors,
]


@pytest.fixture
def desk(context: BrowserContext, live_server: LiveServer, transactional_db: None) -> Page:
    client = Client()
    client.force_login(Account.objects.create_superuser("secretariat@example.org"))
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return context.new_page()


def choose(page: Page, field: str, words: str) -> None:
    page.locator(f".field-{field} .select2-selection").click()
    page.locator(".select2-search__field").last.fill(words)
    page.locator(".select2-results__option", has_text=words).first.click()


def test_town_fills_its_coordinates_and_the_country_narrows_regions(
    desk: Page, live_server: LiveServer
) -> None:
    make_cluster(name="bioPmed", town="Torino", country="IT", latitude="45.07", longitude="7.68")
    desk.goto(f"{live_server.url}/admin/clusters/cluster/add/")
    desk.locator("#id_country").select_option("IT")
    desk.locator("#id_town").fill("Torino")
    desk.locator("#id_website").focus()

    expect(desk.locator("#id_latitude")).to_have_value("45.0700")
    expect(desk.locator("#id_longitude")).to_have_value("7.6800")
    expect(desk.get_by_text("As of bioPmed in the same town.").first).to_be_visible()
    desk.locator(".field-region .select2-selection").click()
    desk.locator(".select2-search__field").last.fill("Bre")
    expect(desk.locator(".select2-results")).to_contain_text("No results found")

    # What is filled in stays.
    desk.locator("#id_latitude").fill("46")
    desk.locator("#id_town").fill("torino")
    desk.locator("#id_website").focus()
    expect(desk.locator("#id_latitude")).to_have_value("46")


def test_cluster_fills_its_manager(desk: Page, live_server: LiveServer) -> None:
    park = make_organisation(name="Parco Tecnologico")
    make_management(cluster=make_cluster(name="bioPmed"), organisation=park, started_on="2010")
    desk.goto(f"{live_server.url}/admin/labels/label/add/")

    choose(desk, "cluster", "bioPmed")

    manager = desk.locator(".field-managing_organisation .select2-selection__rendered")
    expect(manager).to_contain_text("Parco Tecnologico")
    expect(desk.get_by_text("It manages the cluster today.")).to_be_visible()
