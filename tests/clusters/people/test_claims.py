from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from clusters.models import Claim, Organisation, Role, TeamRole
from clusters.people import claims as actions
from clusters.people import invitations
from tests.factories import make_account, make_organisation, make_team_member

pytestmark = pytest.mark.django_db

ADDRESS = "/en/organisations/park/claim/"
TYPED = {"reason": "We run it.", "role_address": "info@example.org", "homepage": ""}


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation(name="Science Park", slug="park")


def send(client: Client, address: str = ADDRESS, **changes: Any) -> Any:
    """As somebody would who takes a minute to type."""
    with time_machine.travel(timezone.now() - timedelta(minutes=1), tick=False):
        stamp = client.get(address).context["form"].stamp
    return client.post(address, TYPED | {"stamp": stamp} | changes)


@pytest.mark.usefixtures("organisation")
def test_claim_is_received_without_a_cookie(client: Client) -> None:
    response = send(client)

    assert response.status_code == 302
    assert response["Location"] == f"{ADDRESS}?sent"
    claim = Claim.objects.get()
    assert (claim.reason, claim.role_address, claim.language) == (
        "We run it.",
        "info@example.org",
        "en",
    )
    assert "The answer goes to the role address." in client.get(f"{ADDRESS}?sent").content.decode()
    assert client.cookies == {}


@pytest.mark.usefixtures("organisation")
def test_claim_is_in_the_language_of_the_page(client: Client) -> None:
    send(client, "/it/organisations/park/claim/")

    assert Claim.objects.get().language == "it"


@pytest.mark.usefixtures("organisation")
def test_claim_page_says_that_a_claim_is_no_fact(client: Client) -> None:
    assert "An approved claim is no verified fact" in client.get(ADDRESS).content.decode()


@pytest.mark.usefixtures("organisation")
def test_machine_is_thanked_and_not_heard(client: Client) -> None:
    response = send(client, homepage="https://example.org")

    assert response.status_code == 302
    assert not Claim.objects.exists()


@pytest.mark.usefixtures("organisation")
@pytest.mark.parametrize(
    "changes",
    [
        {"stamp": "forged"},
        {"reason": ""},
        {"role_address": "nobody"},
        {"role_address": "a@example.org\nBcc: b@example.org"},
        {"reason": "x" * 2001},
    ],
)
def test_wrong_claim_is_told(client: Client, changes: dict[str, str]) -> None:
    response = send(client, **changes)

    assert response.status_code == 400
    assert "Not sent yet" in response.content.decode()
    assert not Claim.objects.exists()


def test_stamp_of_another_profile_does_not_count(
    client: Client, organisation: Organisation
) -> None:
    make_organisation(slug="other")
    stamp = client.get("/en/organisations/other/claim/").context["form"].stamp

    assert client.post(ADDRESS, TYPED | {"stamp": stamp}).status_code == 400


@pytest.mark.usefixtures("organisation")
def test_claims_are_limited(client: Client) -> None:
    answers = [
        send(client, role_address=f"info{number}@example.org").status_code for number in range(11)
    ]

    assert answers == [302] * 10 + [429]


@pytest.mark.parametrize("state", ["owned", "unpublished", "unknown"])
def test_profile_that_cannot_be_claimed_has_no_page(
    client: Client, organisation: Organisation, state: str
) -> None:
    if state == "owned":
        make_team_member(organisation=organisation)
    Organisation.objects.update(is_published=state != "unpublished")
    address = ADDRESS.replace("park", "nowhere") if state == "unknown" else ADDRESS

    assert client.get(address).status_code == 404
    assert client.post(address, TYPED).status_code == 404


def page(client: Client) -> str:
    return client.get("/en/organisations/park/").content.decode()


@pytest.mark.usefixtures("organisation")
def test_profile_of_nobody_may_be_claimed(client: Client) -> None:
    assert f'href="{ADDRESS}"' in page(client)
    assert "admitted after a claim" not in page(client)


def test_profile_with_an_owner_may_not_be_claimed(
    client: Client, organisation: Organisation
) -> None:
    make_team_member(organisation=organisation)

    assert ADDRESS not in page(client)
    assert "admitted after a claim" not in page(client)


def test_profile_with_editors_only_may_be_claimed(
    client: Client, organisation: Organisation
) -> None:
    make_team_member(organisation=organisation, role=TeamRole.EDITOR)

    assert f'href="{ADDRESS}"' in page(client)


def test_team_that_came_by_a_claim_is_told(client: Client, organisation: Organisation) -> None:
    now, lead = timezone.now(), make_account(Role.LEAD)
    claim = actions.submit_claim(
        organisation=organisation, role_address="info@example.org", reason="Ours.", language="en"
    )
    actions.decide_claim(claim=claim, is_approved=True, answer="", by=lead, now=now)
    assert "admitted after a claim" not in page(client)

    invitations.accept_invitation(
        invitation=organisation.invitations.get(), password="wood-from-the-mountains", now=now
    )

    assert "admitted after a claim; that is no verified fact" in page(client)
    assert ADDRESS not in page(client)
