"""Clusters side by side in a real browser: chosen by keyboard, on any screen, on paper."""

import pytest
from playwright.sync_api import Browser, Page, expect

from clusters.dates import PartialDate
from clusters.models import Cluster, MembershipCount
from tests.browser.looks import faults
from tests.browser.test_pages import tab_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

SIX = (
    "?c=biopmed&c=cgreen&c=gce-ocean-technology&c=polo-ict&c=silicon-saxony-e-v&c=hamburg-aviation"
)
PAGES = ["", "?c=biopmed", "?c=biopmed&c=cgreen", f"{SIX}&on=2015-09-08", "?c=none&add=zzzz"]


@pytest.fixture(scope="module")
def counted(portal: str) -> None:
    for number, cluster in enumerate(Cluster.objects.filter(slug__in=("biopmed", "cgreen"))):
        for year in (2012, 2018):
            MembershipCount.objects.create(
                cluster=cluster, counted_on=PartialDate(year), count=40 + number + year % 7
            )


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("it", 320)])
def test_comparison_is_accessible_and_fits(
    portal: str, page: Page, language: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    reports: list[str] = []
    page.on("console", lambda message: reports.append(message.text))
    found = {}

    for query in PAGES:
        page.goto(f"{portal}/{language}/clusters/compare/{query}")
        if wrong := faults(page):
            found[query] = wrong

    assert found == {}
    assert reports == []


@pytest.mark.parametrize("language", ["en", "it"])
def test_comparison_is_made_and_downloaded_by_keyboard(
    portal: str, page: Page, language: str
) -> None:
    page.goto(f"{portal}/{language}/clusters/compare/?c=biopmed")
    tab_to(page, "#add")
    page.keyboard.type("CGREEN")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clusters/compare/?c=biopmed&c=cgreen*")
    expect(page.locator(".compare thead th")).to_contain_text(["bioPmed", "CGREEN"])

    with page.expect_download() as download:
        tab_to(page, "a[href^='/clusters/compare.csv']")
        page.keyboard.press("Enter")
    # For the spreadsheets of the language.
    header = download.value.path().read_text(encoding="utf-8-sig").splitlines()[0]
    assert header.split(";" if language == "it" else ",")[1:] == ["bioPmed", "CGREEN"]

    tab_to(page, ".compare a[href$='/clusters/compare/?c=cgreen']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clusters/compare/?c=cgreen")


def test_comparison_on_paper_stands_side_by_side(portal: str, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.emulate_media(media="print")

    page.goto(f"{portal}/en/clusters/compare/{SIX}")

    tops = {
        box["y"] for cell in page.locator(".compare thead th").all() if (box := cell.bounding_box())
    }
    assert len(tops) == 1
    expect(page.locator("form, .compare__remove").locator("visible=true")).to_have_count(0)


def test_ticks_in_the_list_lead_to_the_comparison_without_script(
    portal: str, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()

    page.goto(f"{portal}/en/clusters/?country=IT&on=2015-09-08")
    page.get_by_role("checkbox", name="Compare CGREEN").check()
    page.get_by_role("checkbox", name="Compare bioPmed").check()
    page.get_by_role("button", name="Compare the ticked clusters").click()

    expect(page.locator(".compare thead th")).to_contain_text(["bioPmed", "CGREEN"])
    assert page.url.endswith("/en/clusters/compare/?c=biopmed&c=cgreen&on=2015-09-08")
    context.close()
