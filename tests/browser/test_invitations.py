"""Joining as people do: by a link in a mail, or by claiming a profile that nobody looks after."""

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from clusters.models import Account, Invitation, Organisation, Role, TeamMember, TeamRole
from tests.browser.looks import faults
from tests.factories import make_account, make_management, make_organisation, make_team_member
from tests.mails import sent_mails

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.ignore_template_errors,
]

PASSWORD = "wood-from-the-mountains"


@pytest.fixture(params=["en", "it"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def site(live_server: LiveServer, settings: Settings) -> str:
    settings.SITE_URL = live_server.url
    cache.clear()
    return str(live_server.url)


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation(name="Science Park", slug="park", website="https://example.org")


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Afterwards nothing was blocked or broken."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and "410 (Gone)" not in message.text
            else None
        ),
    )
    yield page
    assert complaints == []


def enter(context: BrowserContext, site: str, account: Account) -> None:
    client = Client()
    client.force_login(account)
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}]
    )


def link_in_mail(to: str) -> str:
    """The only one that was sent there."""
    texts = "".join(str(message.body) for message in sent_mails() if message.to == [to])
    [link] = re.findall(r"http://\S+/invitations/\S+", texts)
    return str(link)


def test_person_joins_by_invitation_and_leaves(
    page: Page, context: BrowserContext, site: str, language: str, organisation: Organisation
) -> None:
    owner = make_team_member(organisation=organisation)
    make_management(organisation=organisation)
    enter(context, site, owner.account)
    page.goto(f"{site}/admin/clusters/invitation/add/?organisation={organisation.pk}")
    page.fill("#id_email", "new@example.org")
    page.select_option("#id_language", language)
    page.locator("input[name=_save]").first.click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    context.clear_cookies()

    page.goto(link_in_mail("new@example.org"))
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator(".lede")).to_contain_text("Science Park")
    assert faults(page) == []
    page.fill("#id_password", "short")
    page.click("main button")
    expect(page.locator(".errorlist")).to_be_visible()
    assert faults(page) == []
    page.fill("#id_password", PASSWORD)
    page.click("main button")

    expect(page).to_have_url(f"{site}/{language}/account/")
    expect(page.locator("main")).to_contain_text("new@example.org")
    expect(page.locator("main h2").first).to_have_text("Science Park")
    assert faults(page) == []
    page.click("details summary >> nth=-1")
    page.click("details form button")

    expect(page).to_have_url(f"{site}/{language}/account/")
    expect(page.locator(".empty")).to_be_visible()
    assert faults(page) == []
    assert list(organisation.team.all()) == [owner]
    page.goto(link_in_mail("new@example.org"))
    expect(page.locator("h1")).not_to_have_text("")
    assert faults(page) == []


def test_account_that_exists_signs_in_and_accepts(
    page: Page, context: BrowserContext, site: str, language: str, organisation: Organisation
) -> None:
    account = make_account(email="known@example.org", password=PASSWORD)
    owner = make_team_member(organisation=organisation)
    enter(context, site, owner.account)
    page.goto(f"{site}/admin/clusters/invitation/add/?organisation={organisation.pk}")
    page.fill("#id_email", account.email)
    page.select_option("#id_language", language)
    page.locator("input[name=_save]").first.click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    context.clear_cookies()

    page.goto(link_in_mail(account.email))
    assert faults(page) == []
    page.click("main a.button")
    page.fill("#id_login", account.email)
    page.fill("#id_password", PASSWORD)
    page.click("main form:not([data-passkey]) button")
    expect(page).to_have_url(re.compile("/invitations/"))
    assert faults(page) == []
    page.click("main button")

    expect(page).to_have_url(f"{site}/{language}/account/")
    assert TeamMember.objects.get(account=account).role == TeamRole.EDITOR


@pytest.mark.usefixtures("unhurried")
def test_claim_is_approved_and_its_team_told(
    page: Page, context: BrowserContext, site: str, language: str, organisation: Organisation
) -> None:
    public = f"{site}/{language}/organisations/park/"
    page.goto(public)
    page.click("a[href$='/claim/']")
    assert faults(page) == []
    page.fill("#id_reason", "We run it.")
    page.fill("#id_role_address", "info@example.org")
    page.click("main button")
    expect(page).to_have_url(f"{public}claim/?sent")
    assert context.cookies() == []

    enter(context, site, make_account(Role.LEAD))
    page.goto(f"{site}/admin/")
    page.click("a[href*='claim/?attention=waiting'] >> nth=0")
    page.click("#result_list tbody th a")
    page.select_option("#id_state", "approved")
    page.locator("input[name=_save]").first.click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    context.clear_cookies()

    page.goto(link_in_mail("info@example.org"))
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    expect(page).to_have_url(f"{site}/{language}/account/")
    assert Invitation.objects.get().team_role == TeamRole.OWNER
    page.goto(public)
    expect(page.locator("a[href$='/claim/']")).to_have_count(0)
    assert faults(page) == []
