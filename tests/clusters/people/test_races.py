"""What eight do at the same moment is there once, and the others are told so in words."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Model

from clusters.models import (
    Account,
    Claim,
    ConfirmationRequest,
    Invitation,
    Mandate,
    Role,
    TeamMember,
    TeamRole,
)
from clusters.people import accounts, claims, confirmation, invitations
from tests.clusters.people.access import NOW, accept, invite_to_role, invite_to_team
from tests.factories import (
    make_account,
    make_organisation,
    make_policy_maker,
    make_programme,
    make_team_member,
)
from tests.races import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)

EIGHT = 8
Rows = models.QuerySet[Any]
Race = tuple[Callable[[], Any], Callable[[], Rows]]


def team_invitation() -> Race:
    owner = make_team_member()
    return lambda: invite_to_team(owner), lambda: Invitation.objects.open(NOW)


def role_invitation() -> Race:
    lead = make_account(Role.LEAD)
    return lambda: invite_to_role(Role.AUDITOR, by=lead), lambda: Invitation.objects.open(NOW)


def role_invitation_beside_another() -> Race:
    """The one before is withdrawn by all, and comes back for none."""
    lead = make_account(Role.LEAD)
    invite_to_role(Role.AUDITOR, by=lead)
    return lambda: invite_to_role(Role.AUDITOR, by=lead), lambda: Invitation.objects.unanswered()


def account_by_invitation() -> Race:
    invitation = invite_to_team(make_team_member())
    return lambda: accept(invitation), lambda: Account.objects.filter(email=invitation.email)


def membership() -> Race:
    invitation = invite_to_team(make_team_member())
    account = make_account(email=invitation.email)
    return (
        lambda: accept(invitation, account=account),
        lambda: TeamMember.objects.filter(account=account),
    )


def mandate_by_a_lead() -> Race:
    lead, programme, account = make_account(Role.LEAD), make_programme(), make_policy_maker()
    return (
        lambda: accounts.give_mandate(
            mandate=Mandate(account=account, programme=programme), by=lead, now=NOW
        ),
        lambda: Mandate.objects.all(),
    )


def claim_of_a_profile() -> Race:
    organisation = make_organisation()
    return (
        lambda: claims.submit_claim(
            organisation=organisation, role_address="info@example.org", reason="x", language="en"
        ),
        lambda: Claim.objects.all(),
    )


def request_to_confirm() -> Race:
    organisation = make_organisation(role_address="info@example.org")
    day = NOW.date()
    return (
        lambda: confirmation.send_request(organisation, day=day, now=NOW),
        lambda: ConfirmationRequest.objects.all(),
    )


RACES: dict[Callable[[], Race], type[Model]] = {
    team_invitation: Invitation,
    role_invitation: Invitation,
    role_invitation_beside_another: Invitation,
    account_by_invitation: Account,
    membership: TeamMember,
    mandate_by_a_lead: Mandate,
    claim_of_a_profile: Claim,
    request_to_confirm: ConfirmationRequest,
}


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_what_eight_do_at_once_is_there_once(race: Callable[[], Race]) -> None:
    act, rows = race()

    raised = run_at_once(*[act] * EIGHT)

    assert rows().count() == 1
    assert None in raised
    refused = [error for error in raised if error is not None]
    assert {type(error) for error in refused} <= {ValidationError}
    assert all(str(error) for error in refused)


def people_models() -> list[type[Model]]:
    return [
        model
        for model in apps.get_app_config("clusters").get_models()
        if model.__module__ == "clusters.models.people" and not hasattr(model, "history_object")
    ]


def test_every_model_of_people_has_its_race() -> None:
    assert set(people_models()) == set(RACES.values())


def test_every_model_of_people_is_once_by_a_constraint() -> None:
    """The lock of an action is not there for what is written without it."""
    for model in people_models():
        constraints = model._meta.constraints
        assert any(isinstance(one, models.UniqueConstraint) for one in constraints), model


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(
            lambda: {"organisation": make_organisation(), "team_role": "editor"}, id="team"
        ),
        pytest.param(lambda: {"role": Role.AUDITOR}, id="role"),
    ],
)
def test_database_has_one_unanswered_invitation_for_a_place(
    place: Callable[[], dict[str, Any]],
) -> None:
    values = place() | {"email": "new@example.org", "expires_at": NOW}
    first = Invitation.objects.create(**values)

    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(**values)
    with pytest.raises(ValidationError, match="at the same moment"):
        Invitation(**values).full_clean()

    invitations.withdraw(first, NOW)
    Invitation.objects.create(**values)


def test_invitation_that_expired_is_no_obstacle(owner: TeamMember) -> None:
    first = invite_to_team(owner)
    Invitation.objects.filter(pk=first.pk).update(expires_at=NOW)

    second = invite_to_team(owner, team_role=TeamRole.OWNER)

    assert list(Invitation.objects.unanswered()) == [second]
