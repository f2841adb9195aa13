"""Public pages in a real browser: reachable by everyone, on any screen, and by keyboard alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.looks import faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

PAGES = [
    "",
    "clusters/",
    "clusters/?q=zzzz&country=IT",
    "clusters/?country=IT&level=gold&on=2015-09-08",
    "clusters/biopmed/",
    "clusters/cgreen/",
    "clusters/gce-ocean-technology/",
    "search/?q=piemonte",
    "organisations/",
    "organisations/bioindustry-park-silvano-fumero-spa/",
    "labels/",
    "labels/?on=2015-09-08",
    "labels/how-it-works/",
    "verify/",
    "verify/?q=biopmed",
    "verify/?q=biomped",
    "figures/",
    "figures/?country=IT&level=gold&on=2015-09-08",
    "programmes/",
    "programmes/ace/",
    "programmes/compare/?on=2015-09-08",
    "news/",
    "news/2015/",
    "news/2015/biopmed-gold-label/",
    "about/",
    "accessibility/",
    "privacy/",
    "data/",
]
GOLD_LABEL = "main a.label:has-text('Gold')"


@pytest.mark.parametrize("language", ["en", "it"])
def test_page_is_accessible_fits_the_screen_and_keeps_to_its_site(
    portal: str, page: Page, language: str
) -> None:
    reports: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: reports.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    found = {}

    for path in [*PAGES, gold_label_of_biopmed(page, portal, language)]:
        page.goto(f"{portal}/{language}/{path}")
        if wrong := faults(page):
            found[path] = wrong

    assert found == {}
    assert reports == []
    assert page.context.cookies() == []
    assert [url for url in asked if not url.startswith((portal, "data:"))] == []


def gold_label_of_biopmed(page: Page, portal: str, language: str) -> str:
    """The path of its page below the language."""
    page.goto(f"{portal}/{language}/clusters/biopmed/")
    link = page.locator("main a.is-gold, main a.label:has(.is-gold), main a.label").first
    return str(link.get_attribute("href")).removeprefix(f"/{language}/")


def test_slash_leads_to_the_search_of_everything(portal: str, page: Page) -> None:
    page.goto(f"{portal}/en/")
    page.keyboard.press("/")
    page.keyboard.type("a/b piemonte")
    expect(page.get_by_role("searchbox")).to_have_value("a/b piemonte")
    page.get_by_role("searchbox").fill("piemonte")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("Clusters")
    page.get_by_role("link", name="of them").first.click()
    expect(page).to_have_url(f"{portal}/en/clusters/?q=piemonte")


@pytest.fixture
def without_script(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(java_script_enabled=False)
    yield context
    context.close()


def test_journey_from_home_to_announcement_works_without_script(
    portal: str, without_script: BrowserContext
) -> None:
    page = without_script.new_page()

    page.goto(f"{portal}/en/")
    page.get_by_role("searchbox").fill("biopmed")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="bioPmed", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("bioPmed")
    page.locator(GOLD_LABEL).first.click()
    expect(page.locator("main")).to_contain_text("Proven for Cluster Excellence")
    expect(page.locator("main")).to_contain_text("31 July 2017")
    page.get_by_role("link", name="bioPmed reaches the Gold Label").click()

    expect(page.locator("main time").first).to_have_attribute(
        "datetime", "2015-09-08T14:38:00+02:00"
    )


def test_journey_from_home_to_announcement_works_by_keyboard(portal: str, page: Page) -> None:
    page.goto(f"{portal}/en/")
    tab_to(page, "input[type=search]")
    page.keyboard.type("biopmed")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=biopmed*")
    tab_to(page, "main h2 a[href='/en/clusters/biopmed/'], main h3 a[href='/en/clusters/biopmed/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clusters/biopmed/")
    tab_to(page, GOLD_LABEL.replace("main ", ""))
    page.keyboard.press("Enter")
    page.wait_for_url("**/labels/*/")
    tab_to(page, "a[href$='/news/2015/biopmed-gold-label/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/news/2015/biopmed-gold-label/")

    page.evaluate("window.print = () => { document.body.dataset.printed = 'yes' }")
    tab_to(page, "button:has-text('Print')")
    page.keyboard.press("Enter")

    expect(page.locator("body")).to_have_attribute("data-printed", "yes")


def tab_to(page: Page, selector: str, *, most: int = 140) -> None:
    """Press Tab until the focus is on a visible element that the selector names."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        if focused.count() and page.locator(selector).and_(focused).count():
            expect(focused).to_be_visible()
            return
    raise AssertionError(f"no Tab reaches {selector}")


def test_language_switch_keeps_page_and_filters(portal: str, page: Page) -> None:
    page.goto(f"{portal}/en/clusters/?country=IT&level=gold&on=2015-09-08")

    page.get_by_role("link", name="Italiano").click()

    assert page.url == f"{portal}/it/clusters/?country=IT&level=gold&on=2015-09-08"


def test_print_hides_what_paper_cannot_use(portal: str, page: Page) -> None:
    page.emulate_media(media="print")

    page.goto(f"{portal}/en/news/2015/biopmed-gold-label/")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("nav.nav, .foot, .actions").locator("visible=true")).to_have_count(0)
