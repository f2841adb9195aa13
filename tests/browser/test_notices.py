"""The page behind the mail about the end of a label, as an owner opens it days after the end."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from clusters.dates import add_months
from labels.models import Notice
from tests.browser.looks import faults
from tests.factories import (
    make_account,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_team_member,
)
from tests.mails import sent_mails

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

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
    lines = sent_mails()[-1].body.splitlines()
    address = next(line for line in lines if "/notices/" in line)
    return address.replace("http://testserver", live_server.url)


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("it", 360)])
def test_notice_page_is_accessible(link: str, page: Page, language: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    reports: list[str] = []
    page.on("console", lambda message: reports.append(message.text))

    page.goto(link.replace("/en/", f"/{language}/"))

    expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)
    assert faults(page) == []
    assert (page.context.cookies(), reports) == ([], [])


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
