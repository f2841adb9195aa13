"""A form that cannot be taken comes back with what was typed, and only to whoever typed it."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from clusters.models import Account, Role
from tests.admin_forms import errors, form_data
from tests.factories import make_account, make_cluster

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

SAME = {"Sec-Fetch-Site": "same-origin"}
TYPED = 'One "two" <three>\r\nfour & five'


@pytest.fixture
def account() -> Account:
    return make_account(Role.EDITOR)


@pytest.fixture
def desk(account: Account) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(account)
    return client


@pytest.fixture
def address() -> str:
    return f"/admin/clusters/cluster/{make_cluster(town='Torino').pk}/change/"


def sent_back(response: Any) -> dict[str, list[str]]:
    """The fields of the form on the page, as a browser sends them."""
    page = response.content.decode()
    fields: dict[str, list[str]] = {}
    form = page.split("data-renew-token>")[1].split("</form>")[0]
    for part in form.split("<input ")[1:]:
        name, value = part.split('name="')[1].split('"')[0], part.split('value="')[1].split('"')[0]
        fields.setdefault(unescape(name), []).append(unescape(value))
    return fields


def fill(client: Client, address: str) -> dict[str, Any]:
    token = client.get(address).context["csrf_token"]
    data = form_data(client, address) | {"csrfmiddlewaretoken": str(token), "town": "Ivrea"}
    return data | {"texts-0-language": "en", "texts-0-description": TYPED}


def test_form_of_an_ended_session_comes_back_and_is_saved(
    desk: Client, account: Account, address: str
) -> None:
    data = fill(desk, address)
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        page = desk.post(address, data)
        assert page.status_code == 401
        assert page["Cache-Control"] == "private, no-store"
        assert "Your session has ended." in page.content.decode()
        again = sent_back(page)
        token = again.pop("csrfmiddlewaretoken")
        typed = {name: value for name, value in data.items() if name != "csrfmiddlewaretoken"}
        assert {n: v[0] for n, v in again.items()} == {n: str(v) for n, v in typed.items()}

        desk.force_login(account)
        saved = desk.post(address, again | {"csrfmiddlewaretoken": token}, headers=SAME)

    assert (errors(saved), saved.status_code) == ([], 302)
    assert desk.get(address, follow=True).status_code == 200


def test_form_of_the_sign_in_before_comes_back(desk: Client, address: str) -> None:
    data = fill(desk, address) | {"csrfmiddlewaretoken": "x" * 64}

    page = desk.post(address, data, headers=SAME)

    assert page.status_code == 403
    assert "You signed in again" in page.content.decode()
    assert sent_back(page)["texts-0-description"] == [TYPED]
    assert desk.post(address, sent_back(page), headers=SAME).status_code == 302


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {},
    ],
)
def test_what_another_site_sends_does_not_come_back(
    desk: Client, address: str, headers: dict[str, str]
) -> None:
    response = desk.post(address, {"town": "Ivrea"}, headers=headers)

    assert response.status_code == 403
    assert "Ivrea" not in response.content.decode()
    assert "csrfmiddlewaretoken" not in response.content.decode().split("<main")[1]


@pytest.mark.parametrize(
    "path", ["/en/account/login/", "/admin/login/", "/en/account/password/change/"]
)
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_secret_never_comes_back(desk: Client, path: str, is_signed_in: bool) -> None:
    if not is_signed_in:
        desk.logout()

    response = desk.post(path, {"login": "a@example.org", "password": "verysecret"}, headers=SAME)

    assert response.status_code == 403
    assert "a@example.org" not in response.content.decode()
    assert "verysecret" not in response.content.decode()


def test_field_with_a_password_is_left_out(desk: Client, address: str) -> None:
    page = desk.post(address, {"town": "Ivrea", "Password1": "verysecret"}, headers=SAME)

    assert "Ivrea" in page.content.decode()
    assert "verysecret" not in page.content.decode()


def test_form_of_a_signed_in_page_comes_back(client: Client) -> None:
    page = client.post("/en/account/", {"language": "it"})

    assert page.status_code == 401
    assert sent_back(page)["language"] == ["it"]


def test_nothing_typed_leads_to_the_page_to_sign_in(client: Client, address: str) -> None:
    assert client.post(address).status_code == 302
    assert client.post("/admin/drafts/", {"address": address, "data": "[]"}).status_code == 302


def test_chosen_file_is_named(client: Client, address: str) -> None:
    page = client.post(address, {"town": "x", "logo": SimpleUploadedFile("logo.png", b"x")})

    assert "Choose again when it is saved: logo.png" in page.content.decode()
