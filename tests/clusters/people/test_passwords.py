"""Which passwords are taken, and how they are typed."""

import re

import pytest
from django.test import Client

from clusters.models import Account
from tests.clusters.people.test_signing_in import PASSWORD, is_signed_in, sign_in
from tests.factories import make_account

pytestmark = pytest.mark.django_db

CHANGE = "/en/account/password/change/"


@pytest.fixture
def person(client: Client) -> Account:
    account = make_account(email="team@example.org", password=PASSWORD)
    sign_in(client)
    return account


def change(client: Client, password: str, current: str = PASSWORD) -> bool:
    """Whether the new password was taken."""
    fields = {"oldpassword": current, "password1": password, "password2": password}
    return client.post(CHANGE, fields).status_code == 302


@pytest.mark.parametrize(
    ("password", "nearly"),
    [
        pytest.param(" blanks at both ends ", "blanks at both ends", id="blanks"),
        pytest.param("Correct Horse Battery", "correct horse battery", id="case"),
        pytest.param("only small letters", "only small letter", id="no capital, number or sign"),
        pytest.param("密码是很长的一句话没有空格", "密码是很长的一句话没有空", id="another script"),
        pytest.param("long " * 20, "long " * 19, id="100 characters"),
        pytest.param("longer " * 60, "longer " * 59, id="420 characters"),
    ],
)
def test_password_counts_as_it_was_typed(
    client: Client, person: Account, password: str, nearly: str
) -> None:
    assert change(client, password)

    assert sign_in(Client(), password=nearly).status_code == 200
    other = Client()
    sign_in(other, password=password)
    assert is_signed_in(other)


def test_new_password_needs_the_current_one(client: Client, person: Account) -> None:
    assert not change(client, "another long password", current="wrong")

    assert sign_in(Client()).status_code == 302


@pytest.mark.parametrize(
    ("path", "purposes"),
    [
        ("/en/account/login/", ["current-password"]),
        (CHANGE, ["current-password", "new-password", "new-password"]),
    ],
)
def test_password_is_hidden_and_filled_in_by_managers(
    client: Client, path: str, purposes: list[str]
) -> None:
    if path == CHANGE:
        make_account(email="team@example.org", password=PASSWORD)
        sign_in(client)

    page = client.get(path).content.decode()

    fields = [field for field in re.findall(r"<input[^>]*>", page) if "password" in field]
    assert [re.findall(r'autocomplete="([\w-]+)"', field) for field in fields] == [
        [purpose] for purpose in purposes
    ]
    assert all('type="password"' in field for field in fields)
    assert "onpaste" not in page
