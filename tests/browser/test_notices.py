"""The page behind the mail about the end of a label, as an owner opens it days after the end."""

from io import StringIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from clusters.dates import add_months
from labels.models import Notice
from tests.factories import (
    make_account,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_team_member,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NAME = "A cluster with a rather long name in the valley of the river"


@pytest.fixture
def link(live_server: LiveServer) -> str:
    """The address in a mail of a month before the end of a label that ended two months ago."""
    end = add_months(timezone.localdate(), -2)
    organisation = make_organisation()
    make_team_member(organisation=organisation, account=make_account())
    cluster = make_cluster(name=NAME)
    make_management(cluster=cluster, organisation=organisation)
    make_label(cluster=cluster, valid_until=end.isoformat())
    call_command("send_notices", "--on", add_months(end, -1).isoformat(), stdout=StringIO())
    lines = mail.outbox[-1].body.splitlines()
    address = next(line for line in lines if "/notices/" in line)
    return address.replace("http://testserver", live_server.url)


# Colours are the same in every language.
@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", 1280), ("it", "light", 360), ("en", "dark", 360)],
)
def test_notice_page_is_accessible(
    link: str, browser: Browser, language: str, scheme: str, width: int
) -> None:
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 800},
    )
    page = context.new_page()
    reports: list[str] = []
    page.on("console", lambda message: reports.append(message.text))

    page.goto(link.replace("/en/", f"/{language}/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    is_wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    cookies = context.cookies()
    context.close()

    assert results.violations_count == 0, results.generate_report()
    assert (is_wide, cookies, reports) == (False, [], [])


def test_team_says_after_the_end_that_it_will_renew_by_keyboard_without_script(
    link: str, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_text("may still be renewed until")).to_be_visible()

    page.get_by_role("button", name="We will renew").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("we will renew")
    expect(page.get_by_role("button")).to_have_count(0)
    context.close()
    assert Notice.objects.get().answer == "renewing"
