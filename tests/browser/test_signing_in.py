"""Signing in as people do: with a password and a code, with a passkey, with a link by mail."""

import re
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from clusters.models import Account, Role
from tests.browser.looks import faults
from tests.factories import make_account
from tests.mails import sent_mails

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.ignore_template_errors,
]

ADDRESS, PASSWORD, NEW_PASSWORD = "team@example.org", "correct horse battery", "a new long password"


@pytest.fixture(params=["en", "it"])
def site(request: pytest.FixtureRequest, live_server: LiveServer, settings: Settings) -> str:
    """The address of the pages of accounts in one language."""
    settings.SITE_URL = live_server.url
    cache.clear()
    return f"{live_server.url}/{request.param}/account"


@pytest.fixture
def account() -> Account:
    return make_account(email=ADDRESS, password=PASSWORD)


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Afterwards nothing was blocked or broken."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    assert complaints == []


def sign_in(page: Page, site: str, password: str = PASSWORD, next_page: str = "") -> None:
    page.goto(f"{site}/login/{next_page and f'?next={next_page}'}")
    page.fill("#id_login", ADDRESS)
    page.fill("#id_password", password)
    page.click("main form:not([data-passkey]) button")


def sign_out(page: Page, site: str) -> None:
    page.goto(f"{site}/logout/")
    page.click("main form button")


def expect_signed_in(page: Page, site: str) -> None:
    page.goto(f"{site}/login/")
    expect(page).to_have_url(f"{site}/")


def code_of(secret: str, periods: int = 0) -> str:
    counter = int(timezone.now().timestamp()) // 30 + periods
    return str(format_hotp_value(hotp_value(secret, counter)))


def add_app(page: Page, site: str) -> str:
    """Its secret, as it stands on the page."""
    page.goto(f"{site}/second-factor/app/add/")
    secret = page.locator("#totp-secret").inner_text()
    page.fill("#id_code", code_of(secret))
    page.click("main form button")
    expect(page).to_have_url(f"{site}/second-factor/recovery-codes/")
    return secret


def add_authenticator(page: Page) -> None:
    """A device that keeps passkeys and always knows its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def add_passkey(page: Page, site: str) -> None:
    page.goto(f"{site}/second-factor/passkeys/add/")
    page.click("#passkey_add")
    page.wait_for_url(f"{site}/second-factor/**")
    expect(page.locator("#passkey_add")).to_have_count(0)


def test_password_and_code_sign_in(page: Page, site: str, account: Account) -> None:
    sign_in(page, site)
    secret = add_app(page, site)
    sign_out(page, site)

    sign_in(page, site)
    expect(page).to_have_url(f"{site}/login/second-factor/")
    page.fill("#id_code", code_of(secret, 1))
    page.click("main form:has(#id_code) button")

    expect(page).to_have_url(f"{site}/")
    expect_signed_in(page, site)


def test_recovery_code_signs_in(page: Page, site: str, account: Account) -> None:
    sign_in(page, site)
    add_app(page, site)
    code = page.locator(".secrets code").first.inner_text()
    sign_out(page, site)

    sign_in(page, site)
    page.fill("#id_code", code)
    page.click("main form:has(#id_code) button")

    expect_signed_in(page, site)


def test_passkey_signs_in_alone(
    page: Page, site: str, live_server: LiveServer, account: Account
) -> None:
    add_authenticator(page)
    sign_in(page, site)
    add_passkey(page, site)
    expect(page.locator(".secrets code")).to_have_count(10)
    sign_out(page, site)

    page.goto(f"{site}/login/?next=/en/about/")
    page.click("#passkey_credential_button")

    expect(page).to_have_url(f"{live_server.url}/en/about/")
    expect_signed_in(page, site)


def test_passkey_is_a_second_factor_beside_the_password(
    page: Page, site: str, account: Account
) -> None:
    add_authenticator(page)
    sign_in(page, site)
    page.goto(f"{site}/second-factor/passkeys/add/")
    page.fill("#id_name", "Key ring")
    page.uncheck("#id_passwordless")
    page.click("#passkey_add")
    expect(page.locator(".secrets")).to_be_visible()
    sign_out(page, site)

    sign_in(page, site)
    page.click("#passkey_credential_button")

    expect(page).to_have_url(f"{site}/")
    assert Authenticator.objects.get(type="webauthn").wrap().name == "Key ring"


def test_passkey_that_is_not_used_is_told(page: Page, site: str) -> None:
    page.goto(f"{site}/login/")
    page.evaluate("() => { navigator.credentials.get = () => Promise.reject(new Error()) }")
    page.click("#passkey_credential_button")

    expect(page.locator("[data-passkey-failed]")).to_be_visible()


def test_editor_is_led_from_admin_to_a_second_factor_and_back(
    page: Page, site: str, live_server: LiveServer, settings: Settings
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    make_account(Role.LEAD, email=ADDRESS, password=PASSWORD)
    add_authenticator(page)

    sign_in(page, site, next_page="/admin/clusters/cluster/")
    expect(page.locator(".notice--warn")).to_be_visible()
    page.click("main dl a.button >> nth=0")
    page.click("#passkey_add")
    page.click("main a.button[href^='/admin/']")

    expect(page).to_have_url(f"{live_server.url}/admin/clusters/cluster/")


def test_link_by_mail_lets_in(page: Page, site: str, account: Account) -> None:
    page.goto(f"{site}/password/reset/")
    page.fill("#id_email", ADDRESS)
    page.click("main form button")
    expect(page).to_have_url(f"{site}/password/reset/sent/")
    [link] = re.findall(r"^http://\S+password/reset/\S+-\S+$", str(sent_mails()[0].body), re.M)

    page.goto(link)
    page.fill("#id_password1", NEW_PASSWORD)
    page.fill("#id_password2", NEW_PASSWORD)
    page.click("main form button")

    expect(page).to_have_url(f"{site}/")
    sign_out(page, site)
    sign_in(page, site, NEW_PASSWORD)
    expect_signed_in(page, site)


def test_signing_in_with_a_code_works_without_script(
    browser: Browser, site: str, account: Account
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()

    sign_in(page, site)
    secret = add_app(page, site)
    sign_out(page, site)
    sign_in(page, site)
    expect(page.locator("#passkey_credential_button")).to_be_hidden()
    expect(page.locator("[data-passkey-unknown]")).to_be_visible()
    page.fill("#id_code", code_of(secret, 1))
    page.click("main form:has(#id_code) button")

    expect(page).to_have_url(f"{site}/")
    context.close()


def every_page(page: Page, site: str) -> Iterator[str]:
    """Opens each page of accounts, with what is wrong on it where something can be."""
    for path in ("login", "sign-up", "off", "password/reset", "password/reset/sent"):
        page.goto(f"{site}/{path}/")
        yield path
    page.goto(f"{site}/password/reset/done/")
    yield "password/reset/done"
    page.goto(f"{site}/password/reset/1-x/")
    yield "a link that no longer works"
    sign_in(page, site, "wrong")
    yield "a wrong password"
    sign_in(page, site)
    page.goto(f"{site}/second-factor/")
    yield "no second factor"
    page.goto(f"{site}/second-factor/passkeys/")
    yield "no passkey"
    page.goto(f"{site}/second-factor/app/add/")
    yield "app/add"
    page.fill("#id_code", "000000")
    page.click("main form button")
    yield "app/add with a wrong code"
    add_app(page, site)
    yield "recovery-codes"
    add_passkey(page, site)
    for path in (
        "second-factor",
        "second-factor/app/remove",
        "second-factor/recovery-codes/new",
        "second-factor/passkeys",
        "second-factor/passkeys/add",
        "password/change",
        "again/password",
        "again/code",
        "again/passkey",
        "logout",
    ):
        page.goto(f"{site}/{path}/")
        yield path
    page.goto(f"{site}/password/change/")
    for field in ("oldpassword", "password1", "password2"):
        page.fill(f"#id_{field}", "short")
    page.click("main form button")
    yield "password/change with what is wrong"
    for number, path in enumerate(("edit", "remove")):
        page.goto(f"{site}/second-factor/passkeys/")
        page.locator("main .rows a").nth(number).click()
        yield path
    sign_out(page, site)
    sign_in(page, site)
    yield "the second factor at signing in"


@pytest.mark.parametrize("site", ["en", "it"], indirect=True)
@pytest.mark.usefixtures("account")
def test_page_is_accessible_and_fits_a_narrow_screen(context: BrowserContext, site: str) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 740})
    add_authenticator(page)
    found = {}

    for name in every_page(page, site):
        if wrong := faults(page):
            found[name] = wrong

    assert found == {}
