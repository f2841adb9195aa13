import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from clusters.models import (
    Account,
    Claim,
    Event,
    EventKind,
    Invitation,
    Mandate,
    Role,
    TeamMember,
    TeamRole,
)
from clusters.people import claims as actions
from clusters.people import invitations
from tests.admin_forms import errors, form_data
from tests.factories import (
    make_account,
    make_organisation,
    make_policy_maker,
    make_programme,
    make_team_member,
)
from tests.mails import sent_mails

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

PEOPLE = "/admin/clusters"


@pytest.fixture
def lead(client: Client) -> Account:
    account = make_account(Role.LEAD)
    client.force_login(account)
    return account


@pytest.fixture
def owner(client: Client) -> TeamMember:
    member = make_team_member(organisation=make_organisation(name="Science Park"))
    client.force_login(member.account)
    return member


def page_of(row: Any, page: str = "change") -> str:
    return f"{PEOPLE}/{row._meta.model_name}/{row.pk}/{page}/"


def send(client: Client, address: str, **changes: Any) -> Any:
    return client.post(address, form_data(client, address) | changes)


def told(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def group_ids(*roles: Role) -> list[int]:
    return list(Group.objects.filter(name__in=roles).values_list("pk", flat=True))


def make_claim(**fields: Any) -> Claim:
    defaults = {"role_address": "info@example.org", "reason": "It is ours.", "language": "en"}
    return actions.submit_claim(**({"organisation": make_organisation()} | defaults | fields))


def make_invitation(member: TeamMember, email: str = "new@example.org") -> Invitation:
    invitation = Invitation(email=email, organisation=member.organisation, team_role="editor")
    return invitations.invite(invitation=invitation, by=member.account, now=timezone.now())


# Accounts


@pytest.mark.usefixtures("lead")
def test_lead_gives_roles(client: Client) -> None:
    account = make_account(Role.AUDITOR)

    send(client, page_of(account), groups=group_ids(Role.EDITOR))

    assert account.groups.get().name == Role.EDITOR
    assert set(Event.objects.values_list("kind", flat=True)) == {
        EventKind.ROLE_GIVEN,
        EventKind.ROLE_TAKEN,
    }


@pytest.mark.usefixtures("lead")
def test_lead_is_offered_roles_below_a_lead(client: Client) -> None:
    page = client.get(page_of(make_account())).context["adminform"].form

    assert sorted(label for _pk, label in page.fields["groups"].choices) == [
        "auditor",
        "expert",
        "policy maker",
        "secretariat editor",
    ]


@pytest.mark.usefixtures("lead")
def test_lead_forges_no_lead(client: Client) -> None:
    account = make_account()

    response = send(client, page_of(account), groups=group_ids(Role.LEAD), is_superuser="on")

    assert errors(response)
    account.refresh_from_db()
    assert not account.groups.exists()
    assert not account.is_superuser


@pytest.mark.usefixtures("lead")
def test_lead_disables_and_enables(client: Client) -> None:
    account = make_account()
    theirs = Client()
    theirs.force_login(account)

    send(client, page_of(account), is_active="")
    account.refresh_from_db()
    assert not account.is_active
    assert theirs.get("/en/account/").status_code == 302

    send(client, page_of(account), is_active="on")
    account.refresh_from_db()
    assert account.is_active


@pytest.mark.usefixtures("lead")
def test_lead_sets_the_language_of_mails(client: Client) -> None:
    account = make_account()

    send(client, page_of(account), language="it")

    account.refresh_from_db()
    assert account.language == "it"
    assert account.is_active


def test_own_account_of_a_lead_is_read_only(client: Client, lead: Account) -> None:
    assert client.get(page_of(lead)).status_code == 200

    response = client.post(page_of(lead), {"language": "it", "groups": []})

    assert response.status_code == 403
    assert lead.groups.get().name == Role.LEAD


@pytest.mark.usefixtures("lead")
def test_other_leads_and_superusers_do_not_exist_for_a_lead(client: Client) -> None:
    for account in (make_account(Role.LEAD), Account.objects.create_superuser("r@example.org")):
        assert client.get(page_of(account)).status_code == 404
        assert client.post(page_of(account), {"language": "it"}).status_code == 404
        assert client.get(page_of(account, "history")).status_code == 404


@pytest.mark.usefixtures("lead")
def test_account_page_holds_no_password(client: Client) -> None:
    account = make_account(password="wood-from-the-mountains")

    page = client.get(page_of(account)).content.decode()
    history = client.get(page_of(account, "history")).content.decode()

    for text in (page, history):
        assert account.password not in text
        assert "password" not in re.sub(r'/account/password/[^"]*"[^<]*<', "", text).lower()


@pytest.mark.parametrize("page", ["add/", "{pk}/delete/", "{pk}/password/"])
def test_accounts_are_neither_added_nor_deleted(client: Client, page: str) -> None:
    account = make_account()
    client.force_login(Account.objects.create_superuser("root@example.org"))
    address = f"{PEOPLE}/account/" + page.format(pk=account.pk)

    assert client.post(address, {"email": "x@example.org"}).status_code in {302, 403, 404}
    assert Account.objects.count() == 2


def test_superuser_makes_a_lead_and_stays_signed_in(client: Client) -> None:
    superuser = Account.objects.create_superuser("root@example.org")
    client.force_login(superuser)
    account = make_account()

    send(client, page_of(account), groups=group_ids(Role.LEAD))
    send(client, page_of(superuser), groups=group_ids(Role.EDITOR))

    assert account.groups.get().name == Role.LEAD
    assert superuser.groups.get().name == Role.EDITOR
    assert client.get("/admin/").status_code == 200


def test_superuser_cannot_lock_themselves_out(client: Client) -> None:
    superuser = Account.objects.create_superuser("root@example.org")
    client.force_login(superuser)

    response = send(client, page_of(superuser), is_active="", language="it")

    assert errors(response) == ["You cannot disable your own account."]
    assert response.context["adminform"].form["language"].value() == "it"
    superuser.refresh_from_db()
    assert superuser.is_active


# Teams


def test_owner_sees_own_team_only(client: Client, owner: TeamMember) -> None:
    stranger = make_team_member()

    page = client.get(f"{PEOPLE}/teammember/")

    assert {row.pk for row in page.context["cl"].queryset} == {owner.pk}
    assert client.get(page_of(stranger)).status_code == 404
    assert client.post(page_of(stranger), {"role": "editor"}).status_code == 404
    assert client.post(page_of(stranger, "delete"), {"post": "yes"}).status_code == 404
    assert client.get(f"{page_of(stranger)}?_popup=1").status_code == 404


def test_owner_changes_a_role(client: Client, owner: TeamMember) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)

    send(client, page_of(editor), role="owner")

    editor.refresh_from_db()
    assert editor.role == TeamRole.OWNER


def test_owner_moves_nobody_to_another_team(client: Client, owner: TeamMember) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)

    send(client, page_of(editor), organisation=make_organisation().pk, account=owner.account.pk)

    editor.refresh_from_db()
    assert editor.organisation == owner.organisation
    assert editor.account != owner.account


def test_owner_removes_a_colleague(client: Client, owner: TeamMember) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)

    client.post(page_of(editor, "delete"), {"post": "yes"})

    assert not TeamMember.objects.filter(pk=editor.pk).exists()
    assert Event.objects.get().kind == EventKind.ROLE_TAKEN


@pytest.mark.parametrize("page", ["change", "delete"])
def test_last_owner_is_kept_in_words(client: Client, owner: TeamMember, page: str) -> None:
    typed = {"post": "yes", "role": "editor"}
    data = typed if page == "delete" else form_data(client, page_of(owner, page)) | typed
    response = client.post(page_of(owner, page), data)

    words = errors(response) or [told(client.get(response["Location"]))]
    assert "This is the last owner of Science Park." in " ".join(words)
    owner.refresh_from_db()
    assert owner.role == TeamRole.OWNER


def test_owner_who_steps_down_stays_signed_in(client: Client, owner: TeamMember) -> None:
    make_team_member(organisation=owner.organisation)

    send(client, page_of(owner), role="editor")

    assert client.get("/admin/").status_code == 200
    assert client.get(f"{PEOPLE}/invitation/").status_code == 200
    owner.refresh_from_db()
    assert owner.role == TeamRole.EDITOR


def test_owner_who_leaves_the_only_team_ends_on_the_account_page(
    client: Client, owner: TeamMember
) -> None:
    make_team_member(organisation=owner.organisation)

    response = client.post(page_of(owner, "delete"), {"post": "yes"})

    assert response["Location"] == "/en/account/"
    assert client.get("/en/account/").status_code == 200


def test_editor_of_a_team_reads_it(client: Client, owner: TeamMember) -> None:
    editor = make_team_member(organisation=owner.organisation, role=TeamRole.EDITOR)
    client.force_login(editor.account)

    assert client.get(page_of(owner)).status_code == 200
    assert client.post(page_of(owner), {"role": "editor"}).status_code == 403
    assert client.post(page_of(owner, "delete"), {"post": "yes"}).status_code == 403
    assert client.get(f"{PEOPLE}/invitation/add/").status_code == 403


@pytest.mark.parametrize("model", ["teammember", "account", "mandate", "invitation", "claim"])
def test_nothing_is_deleted_in_bulk(client: Client, model: str) -> None:
    make_claim()
    make_invitation(make_team_member())
    Mandate.objects.create(account=make_policy_maker(), programme=make_programme())
    client.force_login(Account.objects.create_superuser("root@example.org"))
    address = f"{PEOPLE}/{model}/"
    rows = [str(row.pk) for row in client.get(address).context["cl"].queryset]
    assert rows

    client.post(address, {"action": "delete_selected", "_selected_action": rows, "post": "yes"})

    assert [str(row.pk) for row in client.get(address).context["cl"].queryset] == rows


def test_team_is_shown_with_its_organisation(client: Client, owner: TeamMember) -> None:
    page = client.get(f"{PEOPLE}/organisation/{owner.organisation.pk}/change/").content.decode()

    assert owner.account.email in page
    assert page_of(owner) in page
    assert 'name="team-0-role"' not in page


# Mandates


@pytest.mark.usefixtures("lead")
def test_lead_gives_and_takes_a_mandate(client: Client) -> None:
    account, programme = make_policy_maker(), make_programme()
    address = f"{PEOPLE}/mandate/add/"

    send(client, address, account=account.pk, programme=programme.pk)
    mandate = account.mandates.get()
    client.post(page_of(mandate, "delete"), {"post": "yes"})

    assert not account.mandates.exists()
    assert sorted(Event.objects.values_list("kind", flat=True)) == [
        EventKind.ROLE_GIVEN,
        EventKind.ROLE_TAKEN,
    ]


@pytest.mark.usefixtures("lead")
def test_mandate_is_for_policy_makers(client: Client) -> None:
    response = send(
        client,
        f"{PEOPLE}/mandate/add/",
        account=make_account(Role.EDITOR).pk,
        programme=make_programme().pk,
    )

    assert errors(response)
    assert not Mandate.objects.exists()


# Invitations


def test_owner_invites_into_the_own_team(client: Client, owner: TeamMember) -> None:
    send(
        client,
        f"{PEOPLE}/invitation/add/",
        email="New@example.org",
        organisation=owner.organisation.pk,
    )

    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.team_role) == ("new@example.org", TeamRole.EDITOR)
    assert invitation.invited_by == owner.account
    assert sent_mails()[0].to == ["new@example.org"]


def test_second_invitation_says_that_the_first_counts_no_more(
    client: Client, owner: TeamMember
) -> None:
    told = []
    for email in ("new@example.org", "New@example.org", "other@example.org"):
        sent = {"email": email, "organisation": owner.organisation.pk}
        send(client, f"{PEOPLE}/invitation/add/", **sent)
        page = client.get(f"{PEOPLE}/invitation/")
        told.append([str(message) for message in page.context["messages"]])

    assert ["earlier invitation" in " ".join(one) for one in told] == [False, True, False]


def test_link_of_the_account_page_chooses_the_organisation(
    client: Client, owner: TeamMember
) -> None:
    page = client.get(f"{PEOPLE}/invitation/add/?organisation={owner.organisation.pk}")

    assert f'value="{owner.organisation.pk}" selected' in page.content.decode()


def test_owner_is_offered_own_organisations_and_no_role(client: Client, owner: TeamMember) -> None:
    member_only = make_team_member(account=owner.account, role=TeamRole.EDITOR)

    form = client.get(f"{PEOPLE}/invitation/add/").context["adminform"].form

    assert sorted(form.fields) == ["email", "language", "organisation", "team_role"]
    assert list(form.fields["organisation"].queryset) == [owner.organisation]
    assert member_only.organisation not in form.fields["organisation"].queryset


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("kind", ["strange", "role", "nothing"])
def test_owner_forges_no_invitation(client: Client, kind: str) -> None:
    forgeries: dict[str, dict[str, Any]] = {
        "strange": {"organisation": make_organisation().pk, "team_role": "owner"},
        "role": {"organisation": "", "team_role": "", "role": "secretariat-lead"},
        "nothing": {"organisation": "", "team_role": ""},
    }

    response = send(client, f"{PEOPLE}/invitation/add/", email="x@example.org", **forgeries[kind])

    assert errors(response)
    assert not Invitation.objects.exists()


def test_member_is_not_invited_again_in_words(client: Client, owner: TeamMember) -> None:
    member = make_team_member(organisation=owner.organisation)

    response = send(
        client,
        f"{PEOPLE}/invitation/add/",
        email=member.account.email.upper(),
        organisation=owner.organisation.pk,
    )

    assert errors(response) == ["This address is in the team already."]


@pytest.mark.usefixtures("lead")
def test_lead_invites_to_a_role_with_a_programme(client: Client) -> None:
    programme = make_programme()

    send(
        client,
        f"{PEOPLE}/invitation/add/",
        email="p@example.org",
        role="policy-maker",
        programme=programme.pk,
    )

    assert Invitation.objects.get().programme == programme


@pytest.mark.usefixtures("lead")
def test_lead_invites_no_lead(client: Client) -> None:
    response = send(
        client, f"{PEOPLE}/invitation/add/", email="p@example.org", role="secretariat-lead"
    )

    assert errors(response)
    assert not Invitation.objects.exists()


@pytest.mark.usefixtures("lead")
def test_invitation_is_to_something(client: Client) -> None:
    response = send(client, f"{PEOPLE}/invitation/add/", email="p@example.org")

    assert errors(response) == [
        "Give an organisation with a role in its team, or a role in the portal."
    ]


def test_owner_withdraws(client: Client, owner: TeamMember) -> None:
    invitation = make_invitation(owner)

    response = client.post(
        f"{PEOPLE}/invitation/",
        {"action": "withdraw", "_selected_action": [invitation.pk]},
        follow=True,
    )

    assert told(response) == "1 invitation was withdrawn."
    assert not Invitation.objects.open(timezone.now()).exists()


def test_invitation_used_meanwhile_is_not_withdrawn(client: Client, owner: TeamMember) -> None:
    invitation = make_invitation(owner)
    invitations.accept_invitation(
        invitation=invitation, password="wood-from-the-mountains", now=timezone.now()
    )

    response = client.post(
        f"{PEOPLE}/invitation/",
        {"action": "withdraw", "_selected_action": [invitation.pk]},
        follow=True,
    )

    assert "This invitation was used" in told(response)


def test_invitation_of_others_does_not_exist(client: Client, owner: TeamMember) -> None:
    invitation = make_invitation(make_team_member())

    assert client.get(page_of(invitation)).status_code == 404
    client.post(
        f"{PEOPLE}/invitation/", {"action": "withdraw", "_selected_action": [invitation.pk]}
    )
    assert Invitation.objects.open(timezone.now()).get() == invitation


def test_invitation_sent_is_not_changed(client: Client, owner: TeamMember) -> None:
    invitation = make_invitation(owner)

    assert client.get(page_of(invitation)).status_code == 200
    assert client.post(page_of(invitation), {"email": "x@example.org"}).status_code == 403


def test_invitation_page_does_not_hold_the_link(client: Client, owner: TeamMember) -> None:
    """Whoever holds it is taken for the person invited."""
    invitation = make_invitation(owner)
    token = invitation.get_absolute_url().split("/")[-2]

    for address in (page_of(invitation), f"{PEOPLE}/invitation/", page_of(invitation, "history")):
        assert token not in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("how", "state"),
    [("open", "open"), ("withdrawn", "withdrawn"), ("accepted", "accepted"), ("late", "expired")],
)
def test_list_of_invitations_tells_their_state(
    client: Client, owner: TeamMember, how: str, state: str
) -> None:
    invitation, now = make_invitation(owner), timezone.now()
    changes = {
        "open": {},
        "withdrawn": {"withdrawn_at": now},
        "accepted": {"accepted_at": now},
        "late": {"expires_at": now},
    }[how]
    Invitation.objects.filter(pk=invitation.pk).update(email="new@example.org", **changes)

    page = client.get(f"{PEOPLE}/invitation/").content.decode()
    listed = client.get(f"{PEOPLE}/invitation/?state=open").context["cl"].queryset

    assert f'<td class="field-state">{state}</td>' in page
    assert list(listed) == ([invitation] if how == "open" else [])


# Claims


@pytest.mark.usefixtures("lead")
@pytest.mark.parametrize(
    ("address", "is_marked"),
    [("park@gmail.com", True), ("park@LIBERO.it", True), ("info@mail.example.org", False)],
)
def test_claim_from_a_free_mail_address_is_marked(
    client: Client, address: str, is_marked: bool
) -> None:
    claim = make_claim(role_address=address)

    for path in (page_of(claim), f"{PEOPLE}/claim/"):
        assert ("free mail" in client.get(path).text) == is_marked


@pytest.mark.usefixtures("lead")
def test_lead_approves_a_claim(client: Client) -> None:
    claim = make_claim()

    send(client, page_of(claim), state="approved", answer="Welcome.")

    claim.refresh_from_db()
    assert claim.state == "approved"
    assert Invitation.objects.get().email == "info@example.org"
    assert "/en/invitations/" in sent_mails()[0].body


@pytest.mark.usefixtures("lead")
@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ({"state": "denied", "answer": ""}, "Say why the claim is denied."),
        ({"state": "pending", "answer": "Perhaps."}, "an answer alone is not sent"),
    ],
)
def test_decision_is_a_whole_one(client: Client, decision: dict[str, str], words: str) -> None:
    claim = make_claim()

    response = send(client, page_of(claim), **decision)

    assert words in " ".join(errors(response))
    claim.refresh_from_db()
    assert (claim.state, claim.answer) == ("pending", "")


@pytest.mark.usefixtures("lead")
def test_profile_owned_meanwhile_is_told(client: Client) -> None:
    claim = make_claim()
    make_team_member(organisation=claim.organisation)

    response = send(client, page_of(claim), state="approved", answer="Welcome.")

    assert errors(response) == ["This profile has an owner by now. Deny the claim and say so."]


@pytest.mark.usefixtures("lead")
def test_decision_stays(client: Client) -> None:
    claim = make_claim()
    send(client, page_of(claim), state="denied", answer="No.")

    response = client.post(page_of(claim), {"state": "approved", "answer": ""})

    assert response.status_code == 403
    claim.refresh_from_db()
    assert claim.state == "denied"


def test_editor_reads_claims(client: Client) -> None:
    claim = make_claim()
    client.force_login(make_account(Role.EDITOR))

    assert client.get(page_of(claim)).status_code == 200
    assert client.post(page_of(claim), {"state": "approved"}).status_code == 403


@pytest.mark.usefixtures("owner")
def test_claims_do_not_exist_for_a_team(client: Client) -> None:
    claim = make_claim()

    assert client.get(page_of(claim)).status_code == 404
    assert client.get(f"{PEOPLE}/claim/").status_code == 404


@pytest.mark.usefixtures("lead")
def test_dashboard_counts_claims_waiting(client: Client) -> None:
    make_claim()
    decided = make_claim()
    send(client, page_of(decided), state="denied", answer="No.")

    page = client.get("/admin/")
    listed = client.get(f"{PEOPLE}/claim/?attention=waiting").context["cl"].queryset

    assert "Claims waiting" in page.content.decode()
    assert listed.count() == 1


# What nobody of a team may look up


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("field", ["account", "invited_by"])
def test_team_looks_up_no_account(client: Client, field: str) -> None:
    make_account(email="somewhere-else@example.org")
    model = "teammember" if field == "account" else "invitation"

    answer = client.get(
        "/admin/autocomplete/",
        {"app_label": "clusters", "model_name": model, "field_name": field, "term": "somewhere"},
    )

    assert answer.status_code in {403, 404}
    assert b"somewhere-else" not in answer.content


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    "address",
    [
        "/account/",
        "/account/?_popup=1",
        "/account/?_to_field=email",
        "/account/?account__email__startswith=a",
        "/mandate/",
        "/claim/?_popup=1",
        "/mandate/add/?_popup=1",
    ],
)
def test_accounts_mandates_and_claims_do_not_exist_for_a_team(client: Client, address: str) -> None:
    assert client.get(f"{PEOPLE}{address}").status_code == 404


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    "query", ["account__password__startswith=a", "account__is_superuser=1", "_to_field=password"]
)
def test_lookup_through_a_team_is_refused(client: Client, query: str) -> None:
    assert client.get(f"{PEOPLE}/teammember/?{query}").status_code in {302, 400}
