"""Writing a message and reporting a problem in a real browser, in both languages."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from clusters.models import ProblemReport
from tests.browser.looks import faults
from tests.browser.test_pages import tab_to
from tests.factories import make_cluster, make_report
from tests.mails import sent_mails

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LANGUAGES = ["en", "it"]


@pytest.fixture(autouse=True)
def records(transactional_db: None) -> None:
    cache.clear()
    cluster = make_cluster(name="bioPmed", slug="biopmed", contact_address="desk@example.org")
    make_report(
        record_id=cluster.public_id,
        state="corrected",
        answer="Done.",
        closed_at=timezone.now(),
        is_logged=True,
        correction_en="The town was wrong.",
        correction_it="La città era sbagliata.",
    )


@pytest.fixture
def without_script(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(java_script_enabled=False)
    yield context
    context.close()


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("language", LANGUAGES)
def test_message_is_sent_without_script(
    live_server: LiveServer, without_script: BrowserContext, language: str
) -> None:
    page = without_script.new_page()
    page.goto(f"{live_server.url}/{language}/clusters/biopmed/")

    page.locator("main a[href$='/contact/']").click()
    page.fill("#id_address", "reader@example.org")
    page.fill("#id_subject", "A question")
    page.fill("#id_message", "Good day.\nMay we visit?")
    page.locator("main form button").click()

    page.wait_for_url("**/contact/?sent")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert [(message.to, message.reply_to) for message in sent_mails()] == [
        (["desk@example.org"], ["reader@example.org"])
    ]
    assert without_script.cookies() == []


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("language", LANGUAGES)
def test_problem_is_reported_by_keyboard(
    live_server: LiveServer, page: Page, language: str
) -> None:
    page.goto(f"{live_server.url}/{language}/clusters/biopmed/")
    tab_to(page, "main a[href$='/report/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/")

    tab_to(page, "#id_text")
    page.keyboard.type("The town is wrong.")
    page.keyboard.press("Tab")
    expect(page.locator("#id_reply_address")).to_be_focused()
    page.keyboard.type("reader@example.org")
    page.keyboard.press("Tab")
    expect(page.locator("main form button")).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url("**/report/?sent")
    report = ProblemReport.objects.get(reply_address="reader@example.org")
    assert (report.text, report.language) == ("The town is wrong.", language)
    assert page.context.cookies() == []


def test_message_that_was_sent_too_quickly_keeps_what_was_typed(
    live_server: LiveServer, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However busy the machine is.
    monkeypatch.setattr("clusters.contact.forms.MIN_AGE", timedelta(minutes=10))
    page.goto(f"{live_server.url}/en/clusters/biopmed/contact/")
    page.fill("#id_address", "reader@example.org")
    page.fill("#id_subject", "A question")
    page.fill("#id_message", "May we visit?")
    page.locator("main form button").click()

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#id_message")).to_have_value("May we visit?")
    monkeypatch.setattr("clusters.contact.forms.MIN_AGE", timedelta(0))
    page.locator("main form button").click()

    page.wait_for_url("**/contact/?sent")


def test_field_for_machines_is_out_of_sight_and_out_of_the_way(
    live_server: LiveServer, page: Page
) -> None:
    page.goto(f"{live_server.url}/en/clusters/biopmed/contact/")

    box = page.locator("#id_homepage").bounding_box()

    assert box is None or box["width"] <= 1 or box["x"] < 0 or is_clipped(page)
    assert page.locator("#id_homepage").get_attribute("tabindex") == "-1"


def is_clipped(page: Page) -> bool:
    around = page.locator("div:has(> #id_homepage)").bounding_box()
    return around is not None and around["width"] <= 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_form_is_accessible_and_fits(live_server: LiveServer, page: Page, language: str) -> None:
    found = {}

    for path in (
        "clusters/biopmed/contact/",
        "clusters/biopmed/contact/?sent",
        "clusters/biopmed/report/",
        "clusters/biopmed/report/?sent",
        "corrections/",
        "clusters/biopmed/contact/#refused",
    ):
        page.goto(f"{live_server.url}/{language}/{path}")
        if path.endswith("#refused"):
            page.locator("main form").evaluate("form => form.noValidate = true")
            page.fill("#id_address", "no address")
            page.locator("main form button").click()
            expect(page.get_by_role("alert")).to_be_visible()
        if wrong := faults(page):
            found[path] = wrong

    assert found == {}
