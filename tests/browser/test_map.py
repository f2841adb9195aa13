"""The large map in a real browser: reachable by everyone, and zoomed by keyboard alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import faults
from tests.browser.test_pages import tab_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


@pytest.mark.parametrize("path", ["en/clusters/map/", "it/clusters/map/?country=IT"])
def test_map_is_accessible_and_zoomed_by_keyboard(portal: str, page: Page, path: str) -> None:
    reports: list[str] = []
    page.on("console", lambda message: reports.append(message.text))
    page.goto(f"{portal}/{path}")
    page.locator(".mapbox__controls").wait_for()
    assert faults(page) == []
    assert page.evaluate("document.querySelector('use.land').getBBox().width") > 900

    seen = page.locator("svg[data-map]")
    whole = seen.get_attribute("viewBox")
    tab_to(page, "svg[data-map]")
    page.keyboard.press("+")
    page.keyboard.press("ArrowDown")
    near = seen.get_attribute("viewBox")
    page.keyboard.press("0")

    assert near != whole
    expect(seen).to_have_attribute("viewBox", str(whole))
    tab_to(page, "svg[data-map] a[href*='box=']")
    told = str(page.locator("*:focus").get_attribute("aria-label"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/clusters/?*box=*")
    expect(page.get_by_role("status").first).to_contain_text(told.split()[0])
    assert reports == []


def test_journey_from_search_to_download_works_by_keyboard(portal: str, page: Page) -> None:
    page.goto(f"{portal}/en/clusters/")
    tab_to(page, "input[type=search]")
    page.keyboard.type("energy")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clusters/?q=energy")
    tab_to(page, ".facet a[href*='country=DK']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clusters/?q=energy&country=DK")
    tab_to(page, "a[href*='/clusters/map/']", most=200)
    page.keyboard.press("Enter")
    page.wait_for_url("**/clusters/map/?q=energy&country=DK")
    tab_to(page, "svg[data-map] a", most=200)
    expect(page.locator("*:focus")).to_have_attribute("aria-label", re.compile("."))
    page.go_back()
    for _number in range(2):
        tab_to(page, "input[name=c]", most=200)
        page.keyboard.press("Space")
    tab_to(page, "form#compare button", most=200)
    page.keyboard.press("Enter")
    page.wait_for_url("**/clusters/compare/?c=*&c=*")

    with page.expect_download() as download:
        tab_to(page, "a[href^='/clusters/compare.csv']", most=200)
        page.keyboard.press("Enter")
    rows = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(rows) > 5
