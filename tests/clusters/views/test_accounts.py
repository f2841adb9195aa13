import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from clusters.models import Account, Claim, Invitation, Organisation, Role, TeamMember, TeamRole
from clusters.people import claims, invitations
from tests.factories import (
    make_account,
    make_announcement,
    make_cluster,
    make_management,
    make_organisation,
    make_policy_maker,
    make_programme,
    make_team_member,
)
from tests.mails import sent_mails

pytestmark = pytest.mark.django_db

PASSWORD = "wood-from-the-mountains"


@pytest.fixture
def owner() -> TeamMember:
    return make_team_member(organisation=make_organisation(name="Science Park", slug="park"))


def invite(member: TeamMember, email: str = "new@example.org", **fields: Any) -> Invitation:
    invitation = Invitation(
        email=email, organisation=member.organisation, team_role=TeamRole.EDITOR, **fields
    )
    return invitations.invite(invitation=invitation, by=member.account, now=timezone.now())


def end(invitation: Invitation, how: str) -> None:
    now = timezone.now()
    if how == "used":
        invitations.accept_invitation(invitation=invitation, password=PASSWORD, now=now)
    elif how == "withdrawn":
        invitations.withdraw_invitation(
            invitation=invitation, by=Account.objects.get(invitations=invitation), now=now
        )
    else:
        Invitation.objects.filter(pk=invitation.pk).update(expires_at=now - timedelta(seconds=1))


# The link


def test_invitation_says_who_invites_to_what(client: Client, owner: TeamMember) -> None:
    response = client.get(invite(owner).get_absolute_url())

    text = response.content.decode()
    assert "You are invited to the team of Science Park, as editor." in text
    assert owner.account.email in text
    assert 'value="new@example.org"' in text


def test_invitation_address_holds_no_name(owner: TeamMember) -> None:
    address = invite(owner).get_absolute_url()

    assert re.fullmatch(r"/en/invitations/\d+:[\w-]+/", address)


def test_reading_an_invitation_changes_nothing(client: Client, owner: TeamMember) -> None:
    invitation = invite(owner)

    client.get(invitation.get_absolute_url())
    client.head(invitation.get_absolute_url())

    assert Invitation.objects.open(timezone.now()).get() == invitation
    assert not Account.objects.is_known("new@example.org")


@pytest.mark.parametrize("how", ["open", "used", "withdrawn", "expired", "wrong"])
def test_invitation_keeps_its_address_secret(client: Client, owner: TeamMember, how: str) -> None:
    invitation = invite(owner)
    address = "/en/invitations/wrong/" if how == "wrong" else invitation.get_absolute_url()
    if how not in {"open", "wrong"}:
        end(invitation, how)

    response = client.get(address)

    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Robots-Tag"] == "noindex"
    assert 'rel="canonical"' not in response.content.decode()


def test_wrong_and_unknown_link_answer_the_same(client: Client, owner: TeamMember) -> None:
    invitation = invite(owner)
    unknown = invitation.get_absolute_url()
    Invitation.objects.all().delete()
    forged = "/en/invitations/1:" + "x" * 43 + "/"

    answers = [client.get(address) for address in (unknown, forged)]

    assert [answer.status_code for answer in answers] == [404, 404]
    pages = {
        answer.content.decode().replace(address, "")
        for answer, address in zip(answers, (unknown, forged), strict=True)
    }
    assert len({re.sub(r"/(?:en|it)/invitations/[^\"<]*", "", page) for page in pages}) == 1


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("used", "was accepted already"),
        ("withdrawn", "was withdrawn"),
        ("expired", "time of this invitation is over"),
    ],
)
def test_closed_invitation_says_what_to_do(
    client: Client, owner: TeamMember, how: str, words: str
) -> None:
    invitation = invite(owner)
    end(invitation, how)

    answers = [client.get(invitation.get_absolute_url())]
    answers.append(client.post(invitation.get_absolute_url(), {"password": PASSWORD}))

    assert [answer.status_code for answer in answers] == [410, 410]
    assert all(words in answer.content.decode() for answer in answers)
    assert TeamMember.objects.count() == (2 if how == "used" else 1)


# Accepting


def test_password_makes_the_account_and_signs_in(client: Client, owner: TeamMember) -> None:
    response = client.post(invite(owner).get_absolute_url(), {"password": PASSWORD})

    assert response.status_code == 302
    assert response["Location"] == "/en/account/"
    page = client.get("/en/account/")
    assert "new@example.org" in page.content.decode()
    assert "Science Park" in page.content.decode()


def test_accepting_gives_the_session_a_new_key(client: Client, owner: TeamMember) -> None:
    client.force_login(make_account())
    client.logout()
    session = client.session
    session["planted"] = "by a stranger"
    session.save()
    planted = session.session_key

    client.post(invite(owner).get_absolute_url(), {"password": PASSWORD})

    assert client.session.session_key != planted
    assert client.session["_auth_user_id"]


def test_accepting_leads_on_to_the_second_factor(
    client: Client, owner: TeamMember, settings: Settings
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True

    response = client.post(invite(owner).get_absolute_url(), {"password": PASSWORD})

    assert response["Location"] == "/en/account/second-factor/"


@pytest.mark.parametrize("password", ["", "short", "1234567890123", "new@example.org"])
def test_weak_password_is_told_in_words(client: Client, owner: TeamMember, password: str) -> None:
    response = client.post(invite(owner).get_absolute_url(), {"password": password})

    assert response.status_code == 200
    assert response.context["form"].errors["password"]
    assert 'class="errorlist"' in response.content.decode()
    assert not Account.objects.is_known("new@example.org")


def test_known_address_is_asked_to_sign_in(client: Client, owner: TeamMember) -> None:
    account = make_account(email="new@example.org")
    address = invite(owner).get_absolute_url()

    page = client.get(address).content.decode()
    client.post(address, {"password": PASSWORD})

    assert "Sign in to accept" in page
    assert f"/en/account/login/?next={address.replace(':', '%3A')}" in page
    account.refresh_from_db()
    assert not account.has_usable_password()
    assert not account.teams.exists()


def test_account_signed_in_accepts_and_stays_signed_in(client: Client, owner: TeamMember) -> None:
    account = make_account(email="new@example.org")
    client.force_login(account)
    other = Client()
    other.force_login(account)
    address = invite(owner).get_absolute_url()

    assert "Accept with your account" in client.get(address).content.decode()
    response = client.post(address)

    assert response["Location"] == "/en/account/"
    assert account.teams.get().organisation == owner.organisation
    assert client.get("/en/account/").status_code == 200
    assert other.get("/en/account/").status_code == 302


def test_account_with_another_address_cannot_accept(client: Client, owner: TeamMember) -> None:
    account = make_account()
    client.force_login(account)
    address = invite(owner).get_absolute_url()

    page = client.get(address).content.decode()
    response = client.post(address)

    assert "The invitation is for another address" in page
    assert response.status_code == 200
    assert not account.teams.exists()


def test_accepting_needs_the_token_of_the_page(owner: TeamMember) -> None:
    client = Client(enforce_csrf_checks=True)

    response = client.post(invite(owner).get_absolute_url(), {"password": PASSWORD})

    assert response.status_code == 403


# The account page


def test_account_asks_to_sign_in(client: Client) -> None:
    response = client.get("/it/account/")

    assert response.status_code == 302
    assert response["Location"] == "/it/account/login/?next=/it/account/"


def test_account_without_a_role_says_how_to_get_one(client: Client) -> None:
    client.force_login(make_account())

    page = client.get("/en/account/").content.decode()

    assert "Nothing to edit yet" in page
    assert "/admin/" not in page


def test_account_shows_what_the_team_looks_after(client: Client, owner: TeamMember) -> None:
    colleague = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)
    managed = make_management(organisation=owner.organisation).cluster
    former = make_management(organisation=owner.organisation, ended_on="2015").cluster
    strangers = make_cluster()
    draft = make_announcement(title="A draft of ours", written_by=owner.organisation, state="draft")
    make_announcement(title="It is out", written_by=owner.organisation)
    make_announcement(title="Not ours", state="draft")
    client.force_login(owner.account)

    page = client.get("/en/account/").content.decode()

    assert f"/admin/clusters/organisation/{owner.organisation.pk}/change/" in page
    assert f"/admin/clusters/cluster/{managed.pk}/change/" in page
    assert f"/admin/news/announcement/{draft.pk}/change/" in page
    assert "A draft of ours" in page
    assert colleague.account.email in page
    assert f"/admin/clusters/invitation/add/?organisation={owner.organisation.pk}" in page
    for hidden in (f"/cluster/{former.pk}/", f"/cluster/{strangers.pk}/", "It is out", "Not ours"):
        assert hidden not in page


def test_account_of_an_editor_invites_nobody(client: Client, owner: TeamMember) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)
    client.force_login(editor.account)

    assert "/invitation/add/" not in client.get("/en/account/").content.decode()


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (Role.AUDITOR, "reads everything and changes nothing"),
        (Role.EXPERT, "assesses clusters as an expert"),
        (Role.EDITOR, "edits clusters"),
        (Role.LEAD, "decides claims"),
    ],
)
def test_account_tells_roles_in_words(client: Client, role: Role, words: str) -> None:
    client.force_login(make_account(role))

    assert words in client.get("/en/account/").content.decode()


def test_account_of_a_policy_maker_shows_its_programmes(client: Client) -> None:
    programme = make_programme()
    client.force_login(make_policy_maker(programme))

    page = client.get("/en/account/").content.decode()

    assert f"/admin/clusters/programme/{programme.pk}/change/" in page


def test_account_takes_as_many_queries_for_three_teams_as_for_one(
    client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    account = make_account()

    def team() -> None:
        member = make_team_member(account=account)
        make_team_member(organisation=member.organisation)
        make_management(organisation=member.organisation)
        make_announcement(written_by=member.organisation, state="draft")

    client.force_login(account)
    client.get("/en/account/")  # notes when the session was seen
    team()
    with django_assert_max_num_queries(30) as one:
        client.get("/en/account/")
    team()
    team()
    with django_assert_max_num_queries(30) as three:
        client.get("/en/account/")

    assert len(three) == len(one)


def test_account_sets_the_language_of_mails(client: Client) -> None:
    account = make_account()
    client.force_login(account)

    response = client.post("/en/account/", {"language": "it"})

    assert response.status_code == 302
    account.refresh_from_db()
    assert account.language == "it"


def test_account_sets_nothing_else(client: Client) -> None:
    account = make_account()
    client.force_login(account)

    client.post(
        "/en/account/",
        {"language": "it", "is_superuser": "on", "email": "x@example.org", "groups": "1"},
    )

    account.refresh_from_db()
    assert not account.is_superuser
    assert account.email != "x@example.org"
    assert not account.groups.exists()


def test_account_hands_out_its_data(client: Client) -> None:
    client.force_login(make_account())

    assert 'action="/en/account/data/"' in client.get("/en/account/").content.decode()


def test_wrong_language_is_told(client: Client) -> None:
    client.force_login(make_account())

    response = client.post("/en/account/", {"language": "xx"})

    assert response.context["form"].errors["language"]


def test_leaving_ends_the_right_at_once(client: Client, owner: TeamMember) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)
    client.force_login(editor.account)
    work = f"/admin/clusters/organisation/{owner.organisation.pk}/change/"
    assert client.get(work).status_code == 200

    response = client.post("/en/account/teams/park/leave/", follow=True)

    assert "You left the team of Science Park." in response.content.decode()
    assert client.get(work).status_code == 302
    assert client.get("/en/account/").status_code == 200


def test_last_owner_is_told_why_not_to_leave(client: Client, owner: TeamMember) -> None:
    client.force_login(owner.account)

    response = client.post("/en/account/teams/park/leave/", follow=True)

    assert "This is the last owner of Science Park." in response.content.decode()
    assert owner.organisation.team.count() == 1


def test_nobody_leaves_a_team_of_others(client: Client, owner: TeamMember) -> None:
    client.force_login(make_team_member().account)

    assert client.post("/en/account/teams/park/leave/").status_code == 404
    assert owner.organisation.team.count() == 1


def test_leaving_by_a_link_is_refused(client: Client, owner: TeamMember) -> None:
    client.force_login(owner.account)

    assert client.get("/en/account/teams/park/leave/").status_code == 405


def test_managed_cluster_is_out_in_the_next_request(client: Client, owner: TeamMember) -> None:
    management = make_management(organisation=owner.organisation)
    client.force_login(owner.account)
    work = f"/admin/clusters/cluster/{management.cluster.pk}/change/"
    assert client.get(work).status_code == 200

    type(management).objects.filter(pk=management.pk).update(ended_on="2015")

    assert client.get(work).status_code == 404


def test_footer_leads_teams_to_their_account(client: Client) -> None:
    assert 'href="/en/account/login/"' in client.get("/en/about/").content.decode()


def test_invitation_mail_leads_to_the_page(client: Client, owner: TeamMember) -> None:
    invite(owner, language="it")

    [link] = re.findall(r"http://testserver(/it/invitations/\S+)", str(sent_mails()[0].body))
    assert client.get(link).status_code == 200


# Claiming a profile

CLAIM_PAGE = "/en/organisations/park/claim/"
CLAIM = {"reason": "We run it.", "role_address": "info@example.org", "homepage": ""}


@pytest.fixture
def park() -> Organisation:
    return make_organisation(name="Science Park", slug="park")


def send_claim(client: Client, address: str = CLAIM_PAGE, **changes: Any) -> Any:
    """As somebody would who takes a minute to type."""
    with time_machine.travel(timezone.now() - timedelta(minutes=1), tick=False):
        stamp = client.get(address).context["form"].stamp
    return client.post(address, CLAIM | {"stamp": stamp} | changes)


@pytest.mark.usefixtures("park")
def test_claim_is_received_without_a_cookie(client: Client) -> None:
    response = send_claim(client)

    assert response.status_code == 302
    assert response["Location"] == f"{CLAIM_PAGE}?sent"
    claim = Claim.objects.get()
    assert (claim.reason, claim.role_address, claim.language) == (
        "We run it.",
        "info@example.org",
        "en",
    )
    assert (
        "The answer goes to the role address." in client.get(f"{CLAIM_PAGE}?sent").content.decode()
    )
    assert client.cookies == {}


@pytest.mark.usefixtures("park")
def test_claim_is_in_the_language_of_the_page(client: Client) -> None:
    send_claim(client, "/it/organisations/park/claim/")

    assert Claim.objects.get().language == "it"


@pytest.mark.usefixtures("park")
def test_claim_page_says_that_a_claim_is_no_fact(client: Client) -> None:
    assert "An approved claim is no verified fact" in client.get(CLAIM_PAGE).content.decode()


@pytest.mark.usefixtures("park")
def test_machine_that_claims_is_thanked_and_not_heard(client: Client) -> None:
    response = send_claim(client, homepage="https://example.org")

    assert response.status_code == 302
    assert not Claim.objects.exists()


@pytest.mark.usefixtures("park")
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
    response = send_claim(client, **changes)

    assert response.status_code == 400
    assert "Not sent yet" in response.content.decode()
    assert not Claim.objects.exists()


def test_claim_with_the_stamp_of_another_profile_does_not_count(
    client: Client, park: Organisation
) -> None:
    make_organisation(slug="other")
    stamp = client.get("/en/organisations/other/claim/").context["form"].stamp

    assert client.post(CLAIM_PAGE, CLAIM | {"stamp": stamp}).status_code == 400


@pytest.mark.usefixtures("park")
def test_claims_are_limited(client: Client) -> None:
    answers = [
        send_claim(client, role_address=f"info{number}@example.org").status_code
        for number in range(4)
    ]

    assert answers == [302] * 3 + [429]


@pytest.mark.parametrize("state", ["owned", "unpublished", "unknown"])
def test_profile_that_cannot_be_claimed_has_no_page(
    client: Client, park: Organisation, state: str
) -> None:
    if state == "owned":
        make_team_member(organisation=park)
    Organisation.objects.update(is_published=state != "unpublished")
    address = CLAIM_PAGE.replace("park", "nowhere") if state == "unknown" else CLAIM_PAGE

    assert client.get(address).status_code == 404
    assert client.post(address, CLAIM).status_code == 404


def profile_page(client: Client) -> str:
    return client.get("/en/organisations/park/").content.decode()


@pytest.mark.usefixtures("park")
def test_profile_of_nobody_may_be_claimed(client: Client) -> None:
    assert f'href="{CLAIM_PAGE}"' in profile_page(client)
    assert "admitted after a claim" not in profile_page(client)


def test_profile_with_an_owner_may_not_be_claimed(client: Client, park: Organisation) -> None:
    make_team_member(organisation=park)

    assert CLAIM_PAGE not in profile_page(client)
    assert "admitted after a claim" not in profile_page(client)


def test_profile_with_editors_only_may_be_claimed(client: Client, park: Organisation) -> None:
    make_team_member(organisation=park, role=TeamRole.EDITOR)

    assert f'href="{CLAIM_PAGE}"' in profile_page(client)


def test_team_that_came_by_a_claim_is_told(client: Client, park: Organisation) -> None:
    now, lead = timezone.now(), make_account(Role.LEAD)
    claim = claims.submit_claim(
        organisation=park, role_address="info@example.org", reason="Ours.", language="en"
    )
    claims.decide_claim(claim=claim, is_approved=True, answer="", by=lead, now=now)
    assert "admitted after a claim" not in profile_page(client)

    invitations.accept_invitation(invitation=park.invitations.get(), password=PASSWORD, now=now)

    assert "admitted after a claim; that is no verified fact" in profile_page(client)
    assert CLAIM_PAGE not in profile_page(client)
