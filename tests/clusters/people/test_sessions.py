"""How long a session lasts, what ends it, and which cookies there are."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import get_resolver
from django.utils import timezone

from clusters.models import Account, Role
from clusters.people import access, signing_in
from clusters.people.signing_in import renew_session
from tests.addresses import walk
from tests.clusters.people.test_signing_in import (
    APP,
    AUTHENTICATE,
    LOGIN,
    NEW_PASSWORD,
    PASSWORD,
    add_app,
    code_of,
    enrol,
    is_signed_in,
    sign_in,
)
from tests.factories import make_account, make_cluster

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 8, tzinfo=timezone.get_default_timezone())
CHANGE = "/en/account/password/change/"


@pytest.fixture
def person() -> Account:
    return make_account(email="team@example.org", password=PASSWORD)


def key_of(client: Client) -> str:
    return str(client.cookies["sessionid"].value)


# How long


@pytest.mark.parametrize(
    ("pause", "goes_on"),
    [
        pytest.param(timedelta(hours=2) - timedelta(seconds=1), True, id="last second"),
        pytest.param(timedelta(hours=2), False, id="two hours"),
    ],
)
def test_session_ends_after_a_pause(
    client: Client, person: Account, pause: timedelta, goes_on: bool
) -> None:
    with time_machine.travel(NOW, tick=False):
        sign_in(client)
    with time_machine.travel(NOW + pause, tick=False):
        assert is_signed_in(client) == goes_on


@pytest.mark.parametrize(
    ("length", "goes_on"),
    [
        pytest.param(timedelta(hours=12) - timedelta(seconds=1), True, id="last second"),
        pytest.param(timedelta(hours=12), False, id="twelve hours"),
    ],
)
def test_session_ends_after_half_a_day_of_work(
    client: Client, person: Account, length: timedelta, goes_on: bool
) -> None:
    with time_machine.travel(NOW, tick=False):
        sign_in(client)
    for hours in range(1, 12):
        with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
            assert is_signed_in(client)
    with time_machine.travel(NOW + length, tick=False):
        assert is_signed_in(client) == goes_on


def test_session_that_ended_is_deleted(client: Client, person: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        sign_in(client)
    key = key_of(client)
    with time_machine.travel(NOW + timedelta(hours=3), tick=False):
        client.get("/en/account/")

    assert not Session.objects.filter(session_key=key).exists()


def test_session_of_another_way_in_is_limited_too(client: Client, person: Account) -> None:
    """Whoever signs somebody in without a moment, the first request notes it."""
    with time_machine.travel(NOW, tick=False):
        client.force_login(person)
        assert is_signed_in(client)
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        assert not is_signed_in(client)


@pytest.mark.parametrize(("seconds", "is_written"), [(59, False), (60, True)])
def test_session_is_written_once_a_minute(
    client: Client, person: Account, seconds: int, is_written: bool
) -> None:
    with time_machine.travel(NOW, tick=False):
        sign_in(client)
        before = client.session["seen_at"]
    with time_machine.travel(NOW + timedelta(seconds=seconds), tick=False):
        client.get(CHANGE)
        after = client.session["seen_at"]

    assert (after != before) == is_written


# New keys


def test_key_is_new_after_the_password(client: Client, person: Account) -> None:
    """A key that a stranger planted in the browser does not become the owner's."""
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    planted = key_of(client)

    sign_in(client)

    stranger = Client()
    stranger.cookies["sessionid"] = planted
    assert is_signed_in(client)
    assert key_of(client) != planted
    assert not is_signed_in(stranger)


def test_key_is_new_after_the_password_and_after_the_code(client: Client, person: Account) -> None:
    secret = add_app(person)
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    keys = [key_of(client)]
    sign_in(client)
    keys.append(key_of(client))
    client.post(AUTHENTICATE, {"code": code_of(secret)})
    keys.append(key_of(client))

    assert len(set(keys)) == 3
    assert is_signed_in(client)
    for key in keys[:2]:
        stranger = Client()
        stranger.cookies["sessionid"] = key
        assert stranger.get(AUTHENTICATE).status_code == 302
        assert not is_signed_in(stranger)


@pytest.mark.django_db(transaction=True)
def test_key_is_new_after_a_second_factor_was_added(client: Client, person: Account) -> None:
    sign_in(client)
    client.get(APP)
    before = key_of(client)

    enrol(client)

    assert key_of(client) != before
    assert is_signed_in(client)


@pytest.mark.parametrize("way", ["password", "code"])
def test_key_is_new_after_proving_again_who_it_is(
    client: Client, person: Account, way: str
) -> None:
    secret = add_app(person)
    sign_in(client)
    client.post(AUTHENTICATE, {"code": code_of(secret)})
    before = key_of(client)

    proof = {"password": PASSWORD, "code": code_of(secret, 1)}
    response = client.post(f"/en/account/again/{way}/", {way: proof[way]})

    assert response.status_code == 302
    assert key_of(client) != before
    assert is_signed_in(client)
    stranger = Client()
    stranger.cookies["sessionid"] = before
    assert not is_signed_in(stranger)


# What ends all sessions of an account


@pytest.fixture
def elsewhere(person: Account) -> Client:
    """Signed in, in another browser."""
    client = Client()
    sign_in(client)
    return client


def change_password(client: Client) -> Any:
    passwords = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    return client.post(CHANGE, passwords)


def test_new_password_ends_the_sessions_elsewhere(client: Client, elsewhere: Client) -> None:
    sign_in(client)
    before = key_of(client)

    response = change_password(client)

    assert response["Location"] == "/en/account/"
    assert is_signed_in(client)
    assert key_of(client) != before
    assert not is_signed_in(elsewhere)


def test_new_password_by_mail_ends_the_sessions_elsewhere(
    client: Client, person: Account, elsewhere: Client
) -> None:
    signing_in.AccountAdapter().set_password(person, NEW_PASSWORD)

    assert not is_signed_in(elsewhere)


@pytest.mark.django_db(transaction=True)
def test_new_second_factor_ends_the_sessions_elsewhere(client: Client, elsewhere: Client) -> None:
    sign_in(client)

    enrol(client)

    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)


def test_removed_second_factor_ends_the_sessions_elsewhere(client: Client, person: Account) -> None:
    secret, elsewhere = add_app(person), Client()
    for number, browser in enumerate((elsewhere, client)):
        sign_in(browser)
        browser.post(AUTHENTICATE, {"code": code_of(secret, number)})
    assert is_signed_in(elsewhere)

    client.post("/en/account/second-factor/app/remove/")

    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)


def test_account_that_is_switched_off_is_signed_out(person: Account, elsewhere: Client) -> None:
    Account.objects.filter(pk=person.pk).update(is_active=False)

    assert not is_signed_in(elsewhere)


def test_ended_sessions_end_everywhere(person: Account, elsewhere: Client) -> None:
    access.end_sessions(account=person)

    assert not is_signed_in(elsewhere)


def test_own_session_goes_on_with_a_new_key_when_the_others_end(
    client: Client, person: Account, elsewhere: Client, rf: RequestFactory
) -> None:
    sign_in(client)
    before = key_of(client)
    request: Any = rf.get("/")
    request.session, request.user = client.session, person
    access.end_sessions(account=person)
    renew_session(request)
    request.session.save()
    client.cookies["sessionid"] = request.session.session_key

    assert is_signed_in(client)
    assert key_of(client) != before
    assert not is_signed_in(elsewhere)


def test_every_page_of_an_account_signs_out(client: Client, person: Account) -> None:
    sign_in(client)
    found = {}
    for address in walk(get_resolver().url_patterns):
        # Not those of one row or mail.
        if not address.route.startswith("account/") or address.arguments:
            continue
        response = client.get(f"/en/{address.route}")
        if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            found[address.route] = b'action="/en/account/logout/"' in response.content

    assert len(found) >= 5
    assert [name for name, signs_out in found.items() if not signs_out] == []


# Cookies


@pytest.mark.parametrize("path", ["/en/", "/en/clusters/", "/en/account/sign-up/", "/en/about/"])
def test_visitor_gets_no_cookie(client: Client, path: str) -> None:
    assert not client.get(path).cookies


def test_login_page_sets_only_the_cookie_that_protects_its_form(client: Client) -> None:
    assert list(client.get(LOGIN).cookies) == ["csrftoken"]


def test_sign_in_sets_three_cookies_for_this_site_only(client: Client, person: Account) -> None:
    client.get(LOGIN)
    sign_in(client)

    assert sorted(client.cookies) == ["csrftoken", "device", "sessionid"]
    for cookie in client.cookies.values():
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (
            True,
            "Lax",
            "/",
            "",
        )


def test_public_page_does_not_touch_the_session(client: Client, person: Account) -> None:
    make_cluster()
    public = Client().get("/en/clusters/")
    sign_in(client)

    response = client.get("/en/clusters/")

    assert response.content == public.content
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")


def test_cookies_are_bound_to_the_host_with_https() -> None:
    """The settings are read in a process of their own, as in production."""
    names = "SESSION_COOKIE_NAME CSRF_COOKIE_NAME DEVICE_COOKIE_NAME SESSION_COOKIE_SECURE"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from config import settings as s; print(*[getattr(s, n) for n in {names.split()}])",
        ],
        env=os.environ | {"HTTPS": "True"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["__Host-sessionid", "__Host-csrftoken", "__Host-device", "True"]


def test_signing_out_needs_a_form(client: Client, person: Account) -> None:
    sign_in(client)

    page = client.get("/en/account/logout/")
    assert page.status_code == 200
    assert is_signed_in(client)

    response = client.post("/en/account/logout/")
    assert response["Location"] == "/en/"
    assert not is_signed_in(client)


@pytest.mark.ignore_template_errors
def test_admin_signs_out_by_its_button(client: Client) -> None:
    make_account(Role.AUDITOR, email="team@example.org", password=PASSWORD)
    sign_in(client)

    assert client.get("/admin/logout/")["Location"] == "/en/account/logout/"
    assert is_signed_in(client)
    client.post("/admin/logout/")
    assert not is_signed_in(client)


def test_signing_out_leaves_no_session(client: Client, person: Account) -> None:
    sign_in(client)

    client.post("/en/account/logout/")

    assert not Session.objects.exists()
    assert client.cookies["sessionid"].value == ""
