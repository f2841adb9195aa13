"""Signing in: passwords, second factors, links by mail, and how often each may be tried."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
import time_machine
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.webauthn.internal.auth import WebAuthn
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData
from pytest_django.fixtures import Settings

from clusters.models import Account, EventKind, Role
from clusters.models import Event as LogEvent
from clusters.people import signing_in
from clusters.people.devices import device_of
from clusters.people.signing_in import call_later
from tests.busy import busy_counters
from tests.factories import make_account
from tests.mails import sent_mails

pytestmark = pytest.mark.django_db

LOGIN, RESET = "/en/account/login/", "/en/account/password/reset/"
AUTHENTICATE = "/en/account/login/second-factor/"
APP = "/en/account/second-factor/app/add/"
PASSWORD, NEW_PASSWORD = "correct horse battery", "another long password"
NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.get_default_timezone())
ANOTHER_NETWORK = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def person() -> Account:
    return make_account(email="team@example.org", password=PASSWORD)


@pytest.fixture
def lead(settings: Settings) -> Account:
    """Somebody who must have a second factor."""
    settings.REQUIRE_SECOND_FACTOR = True
    return make_account(Role.LEAD, email="lead@example.org", password=PASSWORD)


def sign_in(
    client: Client, email: str = "team@example.org", password: str = PASSWORD, **extra: Any
) -> Any:
    fields = {"login": email, "password": password} | extra.pop("fields", {})
    return client.post(LOGIN, fields, **extra)


def is_signed_in(client: Client) -> bool:
    return client.get(LOGIN).status_code == 302


def add_app(account: Account) -> str:
    """Its secret."""
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    TOTP.activate(account, secret)
    RecoveryCodes.activate(account)
    return secret


def add_passkey(account: Account) -> Authenticator:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    cose_key = ES256.from_cryptography_key(key)  # type: ignore[no-untyped-call]
    data = AuthenticatorData.create(
        sha256(b"testserver"),
        AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT,
        0,
        AttestedCredentialData.create(bytes(16), b"passkey", cose_key),
    )
    client_data = {"type": "webauthn.create", "challenge": "", "origin": "http://testserver"}
    credential = {
        "type": "public-key",
        "id": websafe_encode(b"passkey"),
        "rawId": websafe_encode(b"passkey"),
        "response": {
            "clientDataJSON": websafe_encode(json.dumps(client_data).encode()),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
        "clientExtensionResults": {},
    }
    passkey: Authenticator = WebAuthn.add(account, "Telephone", credential).instance
    return passkey


def code_of(secret: str, periods: int = 0) -> str:
    counter = int(timezone.now().timestamp()) // 30 + periods
    return str(format_hotp_value(hotp_value(secret, counter)))


def texts_of(response: Any) -> str:
    """The page in words, without what is different in each."""
    text = re.sub(r"<[^>]*>", " ", response.content.decode())
    return " ".join(text.split())


def masked(response: Any, *addresses: str) -> bytes:
    body: bytes = re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", response.content)
    for address in addresses:
        body = body.replace(address.encode(), b"ADDRESS")
    return body


def events() -> list[tuple[str, str]]:
    return list(LogEvent.objects.order_by("pk").values_list("kind", "detail"))


# The password


def test_password_signs_in(client: Client, person: Account) -> None:
    response = sign_in(client)

    assert (response.status_code, response["Location"]) == (302, "/en/account/")
    assert is_signed_in(client)


def test_address_is_taken_in_any_case(client: Client, person: Account) -> None:
    assert sign_in(client, "Team@Example.ORG").status_code == 302


def test_wrong_password_does_not_sign_in(client: Client, person: Account) -> None:
    response = sign_in(client, password="wrong")

    assert response.status_code == 200
    assert not is_signed_in(client)


def test_signing_in_leaves_no_version_of_the_account(client: Client, person: Account) -> None:
    before = person.history.count()

    sign_in(client)

    assert person.history.count() == before


@pytest.mark.parametrize("language", ["en", "it"])
def test_admin_asks_to_sign_in_in_the_language_of_the_browser(
    client: Client, language: str
) -> None:
    response = client.get("/admin/", headers={"accept-language": language}, follow=True)

    address, _status = response.redirect_chain[-1]
    assert address == f"/{language}/account/login/?next=/admin/"


def test_next_page_is_opened(client: Client, person: Account) -> None:
    response = sign_in(client, fields={"next": "/admin/clusters/cluster/"})

    assert response["Location"] == "/admin/clusters/cluster/"


@pytest.mark.parametrize(
    "next_page",
    [
        "//evil.example",
        "https://evil.example/",
        "http://testserver/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        " //evil.example",
    ],
)
def test_next_page_of_another_site_is_not_opened(
    client: Client, person: Account, next_page: str
) -> None:
    response = sign_in(client, fields={"next": next_page})

    assert response["Location"] == "/en/account/"


def test_sign_up_says_that_accounts_are_by_invitation(client: Client) -> None:
    response = client.get("/en/account/sign-up/")

    assert response.status_code == 200
    assert "ask one of its owners to invite you" in response.content.decode()
    client.post("/en/account/sign-up/", {"email": "x@example.org", "password1": PASSWORD})
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    "name", ["account_email", "account_confirm_login_code", "account_email_verification_sent"]
)
def test_address_that_nobody_uses_does_not_exist(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


# One answer for known, unknown and disabled accounts


@pytest.fixture
def argon2(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The real hasher; the list grows by one for each time it works, with its parameters."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    worked: list[str] = []
    encode, verify = Argon2PasswordHasher.encode, Argon2PasswordHasher.verify

    def note(self: Argon2PasswordHasher) -> None:
        worked.append(f"{self.time_cost},{self.memory_cost},{self.parallelism}")

    def counted_encode(self: Argon2PasswordHasher, *args: Any) -> str:
        note(self)
        return encode(self, *args)

    def counted_verify(self: Argon2PasswordHasher, *args: Any) -> bool:
        note(self)
        return verify(self, *args)

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counted_encode)
    monkeypatch.setattr(Argon2PasswordHasher, "verify", counted_verify)
    return worked


def test_password_is_kept_by_argon2id(argon2: list[str]) -> None:
    assert make_account(password=PASSWORD).password.startswith("argon2$argon2id$")


@pytest.fixture
def strangers(argon2: list[str]) -> dict[str, tuple[str, str]]:
    """Address and password of attempts that must look the same."""
    make_account(email="known@example.org", password=PASSWORD)
    make_account(email="disab@example.org", password=PASSWORD, is_active=False)
    make_account(email="empty@example.org")
    argon2.clear()
    return {
        "unknown": ("nobod@example.org", "wrong"),
        "known": ("known@example.org", "wrong"),
        "disabled": ("disab@example.org", "wrong"),
        "disabled, right password": ("disab@example.org", PASSWORD),
        "without a password": ("empty@example.org", "wrong"),
    }


@time_machine.travel(NOW, tick=False)
def test_failed_sign_in_answers_the_same_to_all(strangers: dict[str, tuple[str, str]]) -> None:
    answers = {}
    for name, (address, password) in strangers.items():
        client = Client()
        response = sign_in(client, address, password)
        answers[name] = (
            response.status_code,
            masked(response, address),
            sorted(client.cookies),
            {key: value for key, value in response.headers.items() if key != "Content-Length"},
        )

    assert answers == dict.fromkeys(strangers, answers["unknown"])
    assert answers["unknown"][2] == ["csrftoken"]


def test_failed_sign_in_does_the_same_work_for_all(
    strangers: dict[str, tuple[str, str]], argon2: list[str]
) -> None:
    work = {}
    for name, (address, password) in strangers.items():
        argon2.clear()
        with CaptureQueriesContext(connection) as queries:
            sign_in(Client(), address, password)
        work[name] = (list(argon2), len(queries))

    assert work == dict.fromkeys(strangers, work["unknown"])
    assert len(work["unknown"][0]) == 1


def test_exhausted_attempts_answer_the_same_to_all(
    strangers: dict[str, tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "MAX_FROM_A_NETWORK_TO_AN_ACCOUNT", 0)
    answers = {
        name: masked(sign_in(Client(), address, password), address)
        for name, (address, password) in strangers.items()
    }

    assert set(answers.values()) == {answers["unknown"]}
    assert b"have a link sent to you: it lets you in" in answers["unknown"]


def test_request_for_a_link_answers_the_same_to_all(
    strangers: dict[str, tuple[str, str]], argon2: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[Callable[[], None]] = []
    monkeypatch.setattr(signing_in, "call_later", later.append)
    answers: dict[str, tuple[object, ...]] = {}
    for name, (address, _password) in strangers.items():
        client = Client()
        with CaptureQueriesContext(connection) as queries:
            response = client.post(RESET, {"email": address})
        answers[name] = (response.status_code, response["Location"], list(client.cookies))
        answers[name] += (len(queries), masked(client.get(response["Location"]), address))

    assert answers == dict.fromkeys(strangers, answers["unknown"])
    assert argon2 == []
    for call in later:
        call()
    # Anybody may type the address of somebody who has nothing to do with the portal.
    known = [address for address, _ in strangers.values() if Account.objects.is_known(address)]
    active = Account.objects.filter(email__in=known, is_active=True)
    assert sorted(message.to[0] for message in sent_mails()) == [one.email for one in active]
    assert active


def test_disabled_account_gets_no_mail(client: Client) -> None:
    make_account(email="off@example.org", password=PASSWORD, is_active=False)

    client.post(RESET, {"email": "off@example.org"})

    assert sent_mails() == []


def test_link_that_cannot_be_written_is_logged_without_the_address(
    client: Client,
    person: Account,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*about: Any) -> None:
        raise OperationalError(f"no room for {person.email}")

    monkeypatch.setattr(signing_in.AccountAdapter, "send", fail)

    response = client.post(RESET, {"email": person.email})

    assert response.status_code == 302
    assert "A link could not be mailed: OperationalError" in caplog.text
    assert person.email not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_mail_leaves_later_by_itself() -> None:
    called = Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing_in, "MAIL_AFTER_SECONDS", 0)
        call_later(called.set)
        assert called.wait(30)


# The link by mail


def link_in_mail() -> str:
    [link] = re.findall(r"^http://\S+password/reset/\S+-\S+$", str(sent_mails()[-1].body), re.M)
    return str(link).removeprefix("http://testserver")


def set_password(client: Client, link: str) -> Any:
    address = client.get(link)["Location"]
    return client.post(address, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})


def test_link_by_mail_sets_a_password_and_signs_in(client: Client, person: Account) -> None:
    client.post(RESET, {"email": person.email})

    response = set_password(client, link_in_mail())

    assert response["Location"] == "/en/account/"
    assert is_signed_in(client)
    assert "device" in client.cookies


def test_link_by_mail_asks_for_the_second_factor(client: Client, person: Account) -> None:
    add_app(person)
    client.post(RESET, {"email": person.email})

    response = set_password(client, link_in_mail())

    assert response["Location"] == AUTHENTICATE
    assert "device" not in client.cookies


def test_link_by_mail_works_once(client: Client, person: Account) -> None:
    client.post(RESET, {"email": person.email})
    link = link_in_mail()
    set_password(client, link)

    response = Client().get(link)

    assert response.status_code == 200
    assert "This link no longer works" in response.content.decode()


@pytest.mark.parametrize(("minutes", "works"), [(179, True), (181, False)])
def test_link_by_mail_works_for_three_hours(person: Account, minutes: int, works: bool) -> None:
    with time_machine.travel(NOW, tick=False):
        Client().post(RESET, {"email": person.email})
    with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
        response = Client().get(link_in_mail())

    assert (response.status_code == 302) == works


@pytest.mark.parametrize("headers", [{"host": "localhost"}, {"x-forwarded-host": "evil.example"}])
def test_link_by_mail_is_of_this_site_whatever_the_request_says(
    client: Client, person: Account, settings: Settings, headers: dict[str, str]
) -> None:
    settings.SITE_URL = "https://portal.example.org"
    client.post(RESET, {"email": person.email}, headers=headers)

    message: Any = sent_mails()[0]
    [html] = [content for content, _type in message.alternatives]
    hosts = set(re.findall(r"https?://([^/\s\"<]+)", f"{message.body} {html}"))
    assert hosts == {"portal.example.org"}


def test_mail_is_in_the_language_of_the_page(client: Client, person: Account) -> None:
    client.post("/it/account/password/reset/", {"email": person.email})

    assert "http://testserver/it/account/password/reset/" in str(sent_mails()[0].body)


def test_mail_is_in_the_language_of_the_account_where_the_page_has_none(
    rf: Any, person: Account
) -> None:
    person.language = "it"
    with context.request_context(rf.get("/admin/")):
        signing_in.AccountAdapter().send_mail(
            "account/email/password_reset_key",
            "a@example.org",
            {"user": person, "password_reset_url": "http://testserver/"},
        )

    assert "http://testserver/it/" in str(sent_mails()[0].body)


def test_links_by_mail_are_limited_for_an_address(person: Account) -> None:
    for number in range(6):
        response = Client().post(RESET, {"email": person.email}, REMOTE_ADDR=f"192.0.2.{number}")

    assert response.status_code == 429
    assert "each of these links works until one of them is used" in response.content.decode()
    assert len(sent_mails()) == 5


def test_links_by_mail_are_limited_for_a_network(client: Client) -> None:
    for number in range(21):
        response = client.post(RESET, {"email": f"{number}@example.org"})

    assert response.status_code == 429
    assert sent_mails() == []


# How often a password may be tried


def exhaust(client: Client, times: int, **extra: Any) -> None:
    for _number in range(times):
        sign_in(client, password="wrong", **extra)


def test_stranger_is_stopped_after_ten_passwords(client: Client, person: Account) -> None:
    exhaust(client, 10)

    assert "Too many attempts" in sign_in(client).content.decode()
    assert not is_signed_in(client)


def test_attempts_come_back_after_a_quarter_of_an_hour(client: Client, person: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        exhaust(client, 10)
    with time_machine.travel(NOW + timedelta(seconds=15 * 60 - 1), tick=False):
        assert sign_in(client).status_code == 200
    with time_machine.travel(NOW + timedelta(minutes=15, seconds=1), tick=False):
        assert sign_in(client).status_code == 302


@pytest.fixture
def own_browser(person: Account) -> Client:
    """Its owner signed in from it before."""
    client = Client()
    sign_in(client)
    client.post("/en/account/logout/")
    return client


def test_stranger_cannot_lock_the_owner_out(own_browser: Client) -> None:
    exhaust(Client(), 40)

    assert sign_in(own_browser).status_code == 302


def test_strangers_everywhere_cannot_lock_the_owner_out(
    own_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "MAX_FROM_EVERYWHERE", 5)
    for number in range(6):
        exhaust(Client(), 1, REMOTE_ADDR=f"192.0.2.{number}")

    assert sign_in(Client(), REMOTE_ADDR="198.51.100.1").status_code == 200
    assert sign_in(own_browser).status_code == 302


def test_own_browser_has_ten_attempts(own_browser: Client) -> None:
    exhaust(own_browser, 10)

    assert sign_in(own_browser).status_code == 200


def test_device_of_one_account_is_a_stranger_to_another(own_browser: Client) -> None:
    make_account(email="other@example.org", password=PASSWORD)
    for _number in range(10):
        sign_in(Client(), "other@example.org", "wrong")

    assert sign_in(own_browser, "other@example.org").status_code == 200


def test_forged_device_is_a_stranger(client: Client, own_browser: Client) -> None:
    client.cookies["device"] = own_browser.cookies["device"].value + "x"
    exhaust(client, 10)

    assert sign_in(client).status_code == 200
    assert sign_in(own_browser).status_code == 302


def test_failed_sign_in_makes_no_device(client: Client, person: Account) -> None:
    sign_in(client, password="wrong")

    assert "device" not in client.cookies


def test_password_alone_makes_no_device_where_there_is_a_second_factor(
    client: Client, person: Account
) -> None:
    add_app(person)
    sign_in(client)

    assert "device" not in client.cookies


def test_device_is_kept_from_scripts_and_other_sites(own_browser: Client) -> None:
    cookie = own_browser.cookies["device"]

    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (
        True,
        "Lax",
        180 * 24 * 60 * 60,
    )
    assert "team@example.org" not in cookie.value


def test_browser_remembers_five_accounts(client: Client) -> None:
    for number in range(6):
        make_account(email=f"{number}@example.org", password=PASSWORD)
        sign_in(client, f"{number}@example.org")
        client.post("/en/account/logout/")
    request: Any = HttpResponse()
    request.COOKIES = {"device": client.cookies["device"].value}

    assert [bool(device_of(request, f"{number}@example.org")) for number in range(6)] == [
        False,
        *[True] * 5,
    ]


def test_network_is_stopped_after_thirty_attempts(client: Client, person: Account) -> None:
    for number in range(30):
        sign_in(client, f"{number}@example.org", "wrong")

    assert sign_in(client).status_code == 200
    assert sign_in(Client(), **ANOTHER_NETWORK).status_code == 302


def test_link_by_mail_lets_in_when_attempts_are_used_up(client: Client, person: Account) -> None:
    exhaust(client, 10)
    client.post(RESET, {"email": person.email})
    set_password(client, link_in_mail())

    assert is_signed_in(client)
    client.post("/en/account/logout/")
    assert sign_in(client, password=NEW_PASSWORD).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("address", "fields"),
    [
        pytest.param(LOGIN, {"login": "team@example.org", "password": PASSWORD}, id="password"),
        pytest.param(RESET, {"email": "team@example.org"}, id="link"),
    ],
)
def test_busy_database_is_told_after_one_wait(
    client: Client, person: Account, address: str, fields: dict[str, str]
) -> None:
    client.raise_request_exception = False

    with busy_counters() as refused:
        response = client.post(address, fields)

    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert len(refused) == 1
    assert client.post(address, fields).status_code == 302


# The second factor


def enrol(client: Client) -> Any:
    """Through the page; the secret stands on it."""
    page = client.get(APP).content.decode()
    [secret] = re.findall(r'id="totp-secret"[^>]*>([A-Z2-7]+)<', page)
    return client.post(APP, {"code": code_of(secret)}), secret


def test_editor_without_a_second_factor_is_led_to_enrol_one(client: Client, lead: Account) -> None:
    response = sign_in(client, lead.email, fields={"next": "/admin/clusters/cluster/"})
    response = client.get(response["Location"], follow=True)

    assert response.redirect_chain[-1][0] == "/en/account/second-factor/"
    assert "Before you go on, add a second way" in response.content.decode()


def test_enrolment_shows_recovery_codes_and_leads_on(client: Client, lead: Account) -> None:
    sign_in(client, lead.email)
    client.get("/admin/clusters/cluster/?q=x", follow=True)

    response, _secret = enrol(client)
    page = client.get(response["Location"]).content.decode()

    codes = RecoveryCodes(Authenticator.objects.get(user=lead, type="recovery_codes"))
    assert all(f"<code>{code}</code>" in page for code in codes.get_unused_codes())
    assert 'href="/admin/clusters/cluster/?q=x"' in page
    assert client.get("/admin/clusters/cluster/").status_code == 200


@pytest.mark.ignore_template_errors
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.POLICY_MAKER, Role.EXPERT])
def test_reader_of_what_is_not_public_enrols_a_second_factor_first(
    client: Client, settings: Settings, role: Role
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    sign_in(client, make_account(role, password=PASSWORD).email)
    assert client.get("/admin/").status_code == 302

    enrol(client)

    assert client.get("/admin/").status_code == 200


def test_recovery_codes_alone_are_no_second_factor(lead: Account) -> None:
    RecoveryCodes.activate(lead)

    assert signing_in.needs_second_factor(lead)


@pytest.mark.ignore_template_errors
def test_password_alone_does_not_open_admin_where_there_is_a_second_factor(
    client: Client, lead: Account
) -> None:
    add_app(lead)

    response = sign_in(client, lead.email, fields={"next": "/admin/"})

    assert response["Location"] == AUTHENTICATE
    assert client.get("/admin/").status_code == 302


def give_code(client: Client, code: str, **extra: Any) -> Any:
    return client.post(AUTHENTICATE, {"code": code}, **extra)


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("periods", "works"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_code_is_good_for_its_half_minute_and_those_beside_it(
    client: Client, person: Account, periods: int, works: bool
) -> None:
    secret = add_app(person)
    sign_in(client, fields={"next": "/en/about/"})

    response = give_code(client, code_of(secret, periods))

    assert (response.status_code == 302) == works
    assert not works or response["Location"] == "/en/about/"


@time_machine.travel(NOW)
@pytest.mark.parametrize("seconds", [0, 29, 59])
def test_code_works_once(person: Account, seconds: int) -> None:
    secret = add_app(person)
    with time_machine.travel(NOW, tick=False):
        code = code_of(secret, 1)
        first = Client()
        sign_in(first)
        assert give_code(first, code).status_code == 302
    with time_machine.travel(NOW + timedelta(seconds=seconds), tick=False):
        second = Client()
        sign_in(second)
        response = give_code(second, f" {code[:3]}-{code[3:]}")

    assert response.status_code == 200


@time_machine.travel(NOW, tick=False)
def test_code_of_the_enrolment_does_not_sign_in(client: Client, person: Account) -> None:
    sign_in(client)
    _response, secret = enrol(client)
    another = Client()
    sign_in(another)

    assert give_code(another, code_of(secret)).status_code == 200
    assert give_code(another, code_of(secret, 1)).status_code == 302


def test_recovery_code_works_once(person: Account) -> None:
    add_app(person)
    codes = RecoveryCodes(Authenticator.objects.get(user=person, type="recovery_codes"))
    code = codes.get_unused_codes()[0]
    answers = []
    for _number in range(2):
        client = Client()
        sign_in(client)
        answers.append(give_code(client, code).status_code)

    assert answers == [302, 200]
    assert len(code) == 12


def test_codes_are_limited_for_an_account(person: Account) -> None:
    secret = add_app(person)
    for number in range(11):
        client = Client()
        sign_in(client, REMOTE_ADDR=f"192.0.2.{number}")
        response = give_code(client, "000000", REMOTE_ADDR=f"192.0.2.{number}")

    assert "Too many wrong codes" in response.content.decode()
    assert give_code(client, code_of(secret)).status_code == 200


def test_recovery_code_works_when_strangers_used_up_the_codes(person: Account) -> None:
    add_app(person)
    stranger = Client()
    sign_in(stranger, **ANOTHER_NETWORK)
    for _number in range(20):
        give_code(stranger, "000000", **ANOTHER_NETWORK)
        give_code(stranger, "000000000000", **ANOTHER_NETWORK)
    codes = RecoveryCodes(Authenticator.objects.get(user=person, type="recovery_codes"))
    owner = Client()
    sign_in(owner)

    assert give_code(owner, codes.get_unused_codes()[0]).status_code == 302


def test_own_browser_has_codes_of_its_own(person: Account, own_browser: Client) -> None:
    secret = add_app(person)
    stranger = Client()
    sign_in(stranger)
    for _number in range(11):
        give_code(stranger, "000000")
    sign_in(own_browser)

    assert give_code(own_browser, code_of(secret)).status_code == 302


def test_enrolment_asks_again_who_it_is_after_a_while(client: Client, person: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        sign_in(client)
        assert client.get(APP).status_code == 200
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        response = client.get(APP)

    assert response["Location"].startswith("/en/account/again/password/?next=")


@pytest.mark.parametrize(("password", "leads_on"), [(PASSWORD, True), ("wrong", False)])
def test_password_proves_again_who_it_is(
    client: Client, person: Account, password: str, leads_on: bool
) -> None:
    with time_machine.travel(NOW, tick=False):
        sign_in(client)
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        address = client.get(APP)["Location"]
        assert client.get(address).status_code == 200
        response = client.post(address, {"password": password})
        assert (response.status_code == 302) == leads_on
        assert (client.get(APP).status_code == 200) == leads_on


# Removing a factor


@pytest.fixture
def signed_in_lead(client: Client, lead: Account) -> Client:
    secret = add_app(lead)
    sign_in(client, lead.email)
    assert give_code(client, code_of(secret)).status_code == 302
    return client


REMOVE_APP = "/en/account/second-factor/app/remove/"


def test_only_factor_is_not_removed(signed_in_lead: Client) -> None:
    page = signed_in_lead.get(REMOVE_APP).content.decode()
    signed_in_lead.post(REMOVE_APP)

    assert "This is your only second factor" in page
    assert Authenticator.objects.filter(type="totp").exists()


def test_one_of_two_factors_is_removed(signed_in_lead: Client, lead: Account) -> None:
    add_passkey(lead)

    signed_in_lead.post(REMOVE_APP)

    assert not Authenticator.objects.filter(type="totp").exists()


def test_only_passkey_is_not_removed(signed_in_lead: Client, lead: Account) -> None:
    passkey = add_passkey(lead)
    Authenticator.objects.filter(type="totp").delete()

    response = signed_in_lead.post(f"/en/account/second-factor/passkeys/{passkey.pk}/remove/")

    assert response["Location"] == "/en/account/second-factor/passkeys/"
    assert Authenticator.objects.filter(pk=passkey.pk).exists()


def test_passkey_beside_an_app_is_removed(signed_in_lead: Client, lead: Account) -> None:
    passkey = add_passkey(lead)
    address = f"/en/account/second-factor/passkeys/{passkey.pk}/remove/"

    assert signed_in_lead.get(address).status_code == 200
    signed_in_lead.post(address)

    assert not Authenticator.objects.filter(pk=passkey.pk).exists()


def test_passkey_of_somebody_else_does_not_exist(signed_in_lead: Client, person: Account) -> None:
    passkey = add_passkey(person)

    response = signed_in_lead.post(f"/en/account/second-factor/passkeys/{passkey.pk}/remove/")

    assert response.status_code == 404


def test_whoever_edits_nothing_may_remove_the_only_factor(client: Client, person: Account) -> None:
    secret = add_app(person)
    sign_in(client)
    give_code(client, code_of(secret))

    client.post(REMOVE_APP)

    assert not Authenticator.objects.exists()


def test_passkey_belongs_to_the_host_of_the_portal(settings: Settings) -> None:
    settings.SITE_URL = "https://portal.example.org:8443"

    entity = signing_in.SecondFactorAdapter().get_public_key_credential_rp_entity()

    assert entity == {"id": "portal.example.org", "name": "Cluster Register"}


# The log and the mails about it


def test_log_tells_who_signed_in_and_out(client: Client, person: Account) -> None:
    sign_in(client)
    client.post("/en/account/logout/")

    assert events() == [(EventKind.SIGNED_IN, "password"), (EventKind.SIGNED_OUT, "")]
    assert {event.account for event in LogEvent.objects.all()} == {person}
    assert {event.address.network_address for event in LogEvent.objects.all()} == {"127.0.0.1"}


def test_log_keeps_the_address_that_was_typed_apart(client: Client) -> None:
    sign_in(client, "nobody@example.org", "wrong")

    event = LogEvent.objects.get()
    assert (event.kind, event.account, event.about, event.detail) == (
        EventKind.SIGN_IN_FAILED,
        None,
        None,
        "",
    )
    assert event.address.typed_address == "nobody@example.org"


def test_log_tells_of_a_wrong_code(client: Client, person: Account) -> None:
    add_app(person)
    sign_in(client)
    give_code(client, "000000")

    event = LogEvent.objects.get()
    assert (event.kind, event.about, event.detail) == (
        EventKind.SIGN_IN_FAILED,
        person,
        "second factor",
    )


def test_log_is_not_flooded_by_refused_attempts(client: Client, person: Account) -> None:
    exhaust(client, 15)

    assert LogEvent.objects.count() == 10


def test_log_and_mail_tell_of_a_new_password(client: Client, person: Account) -> None:
    sign_in(client)
    client.post(
        "/en/account/password/change/",
        {
            "oldpassword": PASSWORD,
            "password1": "a second long one",
            "password2": "a second long one",
        },
    )

    assert events()[-1] == (EventKind.PASSWORD_CHANGED, "")
    assert sent_mails()[0].to == [person.email]
    assert "The password was changed." in str(sent_mails()[0].body)


@pytest.mark.django_db(transaction=True)
def test_log_and_mail_tell_of_a_second_factor(client: Client, person: Account) -> None:
    sign_in(client)
    enrol(client)
    client.post(REMOVE_APP)

    assert [detail for kind, detail in events() if kind == EventKind.SECOND_FACTOR_CHANGED] == [
        "app added",
        "app removed",
    ]
    assert [message.subject for message in sent_mails()] == ["A change to your account"] * 2


@pytest.mark.parametrize("change", [*signing_in.PASSWORD_CHANGES, *signing_in.FACTOR_CHANGES])
def test_every_notice_has_its_words(client: Client, person: Account, rf: Any, change: str) -> None:
    request = rf.get("/en/account/")
    request.session, request.user = client.session, person
    with context.request_context(request):
        signing_in.AccountAdapter().send_notification_mail(change, person)

    known = signing_in.PASSWORD_CHANGES.get(change) or signing_in.FACTOR_CHANGES[change][0]
    assert str(known) in str(sent_mails()[0].body)


# What a password must be


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("eleven char", "Use at least 12 characters"),
        ("password1234", "too common"),
        ("837465019283", "entirely numeric"),
        ("team@example.org", "too similar"),
    ],
)
def test_weak_password_is_refused(client: Client, person: Account, password: str, why: str) -> None:
    sign_in(client)
    response = client.post(
        "/en/account/password/change/",
        {"oldpassword": PASSWORD, "password1": password, "password2": password},
    )

    assert why in texts_of(response)


# Every page


OPEN_PAGES = [
    LOGIN,
    "/en/account/sign-up/",
    "/en/account/off/",
    RESET,
    "/en/account/password/reset/sent/",
    "/en/account/password/reset/done/",
    "/en/account/password/reset/1-x/",
]
OWN_PAGES = [
    "/en/account/logout/",
    "/en/account/password/change/",
    "/en/account/second-factor/",
    APP,
    "/en/account/second-factor/passkeys/",
    "/en/account/second-factor/passkeys/add/",
]


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_page_opens_to_everyone(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert '<meta name="robots" content="noindex">' in response.content.decode()


@pytest.mark.parametrize("path", OWN_PAGES)
def test_page_opens_to_whoever_is_signed_in(client: Client, person: Account, path: str) -> None:
    assert client.get(path).status_code == 302

    sign_in(client)

    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "passkeys/{passkey}/edit/",
        "passkeys/{passkey}/remove/",
        "recovery-codes/",
        "recovery-codes/new/",
        "recovery-codes/download/",
        "app/remove/",
        "passkeys/",
        "",
    ],
)
def test_page_of_a_factor_opens(signed_in_lead: Client, lead: Account, path: str) -> None:
    passkey = add_passkey(lead)

    response = signed_in_lead.get(f"/en/account/second-factor/{path.format(passkey=passkey.pk)}")

    assert response.status_code == 200


@pytest.mark.parametrize("way", ["password", "code", "passkey"])
def test_page_that_asks_again_opens(person: Account, way: str) -> None:
    secret = add_app(person)
    add_passkey(person)
    client = Client()
    sign_in(client)
    give_code(client, code_of(secret))

    assert client.get(f"/en/account/again/{way}/").status_code == 200


def test_step_of_the_second_factor_opens(client: Client, person: Account) -> None:
    add_app(person)
    sign_in(client)

    assert client.get(AUTHENTICATE).status_code == 200


def test_passkey_is_renamed(signed_in_lead: Client, lead: Account) -> None:
    passkey = add_passkey(lead)

    signed_in_lead.post(
        f"/en/account/second-factor/passkeys/{passkey.pk}/edit/", {"name": "Key ring"}
    )

    assert Authenticator.objects.get(pk=passkey.pk).wrap().name == "Key ring"
