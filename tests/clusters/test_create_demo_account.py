from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from clusters.models import Account, Cluster
from clusters.people import policy
from labels.models import Label
from news.models import Announcement

ADDRESS, SECOND = "secretariat@example.org", "direction@example.org"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)


def run() -> list[str]:
    out = StringIO()
    call_command("create_demo_account", stdout=out)
    return out.getvalue().splitlines()


def test_account_can_sign_in_with_the_printed_password(client: Client) -> None:
    where, password, *_more = run()

    assert where == "Sign in at http://testserver/admin/ as secretariat@example.org."
    assert password.startswith("Password: ")
    assert client.login(email=ADDRESS, password=password.removeprefix("Password: "))


def test_second_account_has_a_password_of_its_own(client: Client) -> None:
    _where, first, where, second, *_more = run()

    assert where == "Sign in at http://testserver/admin/ as direction@example.org."
    assert first != second
    assert client.login(email=SECOND, password=second.removeprefix("Password: "))


def test_it_says_that_one_approves_what_the_other_proposes(settings: Any) -> None:
    words = "What one of them proposes about a label, the other approves."
    assert words in run()

    settings.REQUIRE_TWO_PERSONS = False
    assert words not in run()


@pytest.mark.parametrize("address", [ADDRESS, SECOND])
def test_account_is_a_lead_and_no_superuser(address: str) -> None:
    run()

    account = Account.objects.get(email=address)
    assert policy.roles_of(account) == frozenset({"secretariat-lead"})
    assert not account.is_superuser


@pytest.mark.parametrize("model", [Cluster, Label, Announcement])
def test_account_may_edit_the_portal(model: type[Cluster | Label | Announcement]) -> None:
    run()

    assert policy.may(Account.objects.get(email=ADDRESS), policy.CHANGE, model)


def test_it_says_that_the_second_factor_is_off(settings: Any) -> None:
    assert run()[-1].startswith("The second factor is off here")

    settings.REQUIRE_SECOND_FACTOR = True
    assert not run()[-1].startswith("The second factor")


def test_password_is_taken_from_the_environment(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "a password of my own")

    assert run()[1] == "Password: a password of my own"
    assert client.login(email=ADDRESS, password="a password of my own")


def test_second_run_keeps_the_password_and_says_how_to_set_another(client: Client) -> None:
    password = run()[1].removeprefix("Password: ")

    assert run()[:2] == [
        "Sign in at http://testserver/admin/ as secretariat@example.org.",
        "Its password was shown at the first run. A new one: DEMO_PASSWORD=… make demo",
    ]
    assert client.login(email=ADDRESS, password=password)
    assert Account.objects.count() == 2


def test_second_run_with_a_password_sets_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setenv("DEMO_PASSWORD", "another one")

    run()

    assert client.login(email=ADDRESS, password="another one")


def test_second_run_keeps_the_session(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "the same")
    run()
    before = Account.objects.get(email=ADDRESS).password

    run()

    assert Account.objects.get(email=ADDRESS).password == before
