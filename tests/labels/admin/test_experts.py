import pytest
from django.test import Client

from clusters.models import Role
from labels.models import Expert
from tests.admin_forms import errors, form_data
from tests.factories import make_account, make_team_member, portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


def make_expert() -> Expert:
    return Expert.objects.create(account=make_account(Role.EXPERT), country="IT")


def page_of(expert: Expert) -> str:
    return f"/admin/labels/expert/{expert.pk}/change/"


def test_expert_edits_own_languages_and_portfolios(client: Client) -> None:
    expert = make_expert()
    client.force_login(expert.account)

    response = client.post(
        page_of(expert),
        form_data(client, page_of(expert))
        | {"languages": "it, en", "portfolios": [portfolio().pk], "accredited_on": "2015"},
    )

    assert errors(response) == []
    expert.refresh_from_db()
    assert expert.languages == "it, en"
    assert list(expert.portfolios.all()) == [portfolio()]
    assert expert.accredited_on is None


def test_other_experts_do_not_exist_for_an_expert(client: Client) -> None:
    client.force_login(make_expert().account)

    assert client.get(page_of(make_expert())).status_code == 404
    assert client.get("/admin/labels/expert/add/").status_code == 403


def test_pool_does_not_exist_for_a_team(client: Client) -> None:
    client.force_login(make_team_member().account)

    assert client.get("/admin/labels/expert/").status_code == 404
    assert client.get(page_of(make_expert())).status_code == 404


def test_lead_adds_an_expert(client: Client) -> None:
    client.force_login(make_account(Role.LEAD))
    account = make_account(Role.EXPERT)
    address = "/admin/labels/expert/add/"

    response = client.post(
        address,
        form_data(client, address)
        | {"account": account.pk, "country": "DE", "accredited_on": "2015-03"},
    )

    assert errors(response) == []
    assert Expert.objects.get().account == account
