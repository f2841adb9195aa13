"""The page behind the mail, as an owner opens it: one button, by keyboard too, on any screen."""

from io import StringIO

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from clusters.models import Cluster, ClusterText, Organisation
from tests.browser.looks import faults
from tests.factories import make_cluster, make_management, make_organisation, portfolio, region
from tests.mails import sent_mails

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BUTTON = "All of this is right"


@pytest.fixture
def link(live_server: LiveServer) -> str:
    """The address in a mail to an organisation with two clusters, in English."""
    organisation = make_organisation(
        name="Bioindustry Park", role_address="info@example.org", country="NO"
    )
    for name in ("bioPmed", "A cluster with a rather long name in the valley of the river"):
        cluster = make_cluster(name=name, portfolio=portfolio(), region=region(), town="Ivrea")
        ClusterText.objects.create(
            cluster=cluster, language="en", tagline="Health", description="x"
        )
        make_management(organisation=organisation, cluster=cluster)
    call_command("send_confirmations", stdout=StringIO())
    lines = sent_mails()[-1].body.splitlines()
    address = next(line for line in lines if "/confirm/" in line)
    return address.replace("http://testserver", live_server.url)


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("it", 360)])
def test_confirm_page_is_accessible(link: str, page: Page, language: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    reports: list[str] = []
    page.on("console", lambda message: reports.append(message.text))

    page.goto(link.replace("/en/", f"/{language}/"))

    expect(page.get_by_role("heading", level=1)).to_have_text("Bioindustry Park")
    assert faults(page) == []
    assert (page.context.cookies(), reports) == ([], [])


def test_profile_is_confirmed_by_keyboard_without_script(link: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page: Page = context.new_page()
    page.goto(link)

    page.get_by_role("button", name=BUTTON).focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Thank you")
    expect(page.get_by_role("button", name=BUTTON)).to_have_count(0)
    context.close()
    assert Organisation.objects.get().confirmed_on is not None
    assert Cluster.objects.filter(confirmed_on=None).count() == 0
