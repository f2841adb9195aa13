from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_PASSWORD", raising=False)


def run() -> list[str]:
    out = StringIO()
    call_command("create_demo_account", stdout=out)
    return out.getvalue().splitlines()


def test_account_can_sign_in_with_the_printed_password(client: Client) -> None:
    where, password = run()

    assert where == "Sign in at http://testserver/admin/ as secretariat."
    assert password.startswith("Password: ")
    assert client.login(username="secretariat", password=password.removeprefix("Password: "))


def test_account_is_of_the_secretariat_and_no_superuser() -> None:
    run()

    user = User.objects.get(username="secretariat")
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert [group.name for group in user.groups.all()] == ["secretariat"]
    assert not user.user_permissions.exists()


def test_account_may_edit_the_portal_and_nothing_else() -> None:
    run()

    user = User.objects.get(username="secretariat")
    for model in ("clusters.{}_cluster", "labels.{}_label", "news.{}_announcement"):
        for action in ("add", "change", "delete", "view"):
            assert user.has_perm(model.format(action))
    labels = Group.objects.get().permissions.values_list("content_type__app_label", flat=True)
    assert set(labels) == {"clusters", "labels", "news"}
    assert not user.has_perm("clusters.delete_historicalcluster")


def test_password_is_taken_from_the_environment(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "a password of my own")

    assert run()[1] == "Password: a password of my own"
    assert client.login(username="secretariat", password="a password of my own")


def test_second_run_keeps_the_password_and_says_how_to_set_another(client: Client) -> None:
    password = run()[1].removeprefix("Password: ")

    assert run() == [
        "Sign in at http://testserver/admin/ as secretariat.",
        "Its password was shown at the first run. A new one: DEMO_PASSWORD=… make demo",
    ]
    assert client.login(username="secretariat", password=password)
    assert User.objects.count() == 1


def test_second_run_with_a_password_sets_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setenv("DEMO_PASSWORD", "another one")

    run()

    assert client.login(username="secretariat", password="another one")


def test_second_run_keeps_the_session(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "the same")
    run()
    before = User.objects.get().password

    run()

    assert User.objects.get().password == before
