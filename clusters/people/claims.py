from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clusters import mail
from clusters.models import (
    Account,
    Claim,
    ClaimState,
    EventKind,
    Invitation,
    Organisation,
    TeamRole,
)
from clusters.people import policy
from clusters.people.access import lock_team, require_right
from clusters.people.invitations import mail_invitation, save_invitation
from clusters.people.log import record

# Where anybody opens an address at once: it shows nothing of who stands behind it.
FREE_MAIL = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "outlook.it",
        "hotmail.com",
        "hotmail.it",
        "live.com",
        "live.it",
        "msn.com",
        "yahoo.com",
        "yahoo.it",
        "ymail.com",
        "icloud.com",
        "me.com",
        "aol.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "mail.com",
        "proton.me",
        "protonmail.com",
        "tutanota.com",
        "zoho.com",
        "yandex.com",
        "yandex.ru",
        "mail.ru",
        "libero.it",
        "virgilio.it",
        "alice.it",
        "tin.it",
        "tiscali.it",
        "email.it",
        "iol.it",
        "inwind.it",
        "fastwebnet.it",
        "orange.fr",
        "laposte.net",
        "free.fr",
        "wanadoo.fr",
        "seznam.cz",
        "wp.pl",
        "o2.pl",
        "onet.pl",
        "interia.pl",
        "abv.bg",
        "ukr.net",
        "t-online.de",
    ]
)


def is_free_mail(address: str) -> bool:
    return address.rpartition("@")[2].lower().rstrip(".") in FREE_MAIL


@transaction.atomic
def submit_claim(
    *, organisation: Organisation, role_address: str, reason: str, language: str
) -> Claim:
    """The claim that now waits; sent twice it is one. Raises ValidationError: there is a team."""
    # Nobody becomes an owner between the look and the claim.
    lock_team(organisation.pk)
    if not Organisation.objects.published().without_owner().filter(pk=organisation.pk).exists():
        raise ValidationError(_("A team looks after this profile already."))
    # A constraint allows one pending claim for an address, also when two come at once.
    claim, _is_new = Claim.objects.get_or_create(
        organisation=organisation,
        role_address=role_address.strip().lower(),
        state=ClaimState.PENDING,
        defaults={"reason": reason, "language": language},
    )
    return claim


@transaction.atomic
def decide_claim(
    *, claim: Claim, is_approved: bool, answer: str, by: Account, now: datetime
) -> None:
    """Approved: an invitation as owner goes to the role address; denied: the answer does.

    Raises ValidationError: decided already, denied without a word, or others have come first.
    """
    # Locked, as two leads may decide at the same moment.
    row = Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
    require_right(by, policy.CHANGE, row, now)
    if row.state != ClaimState.PENDING:
        raise ValidationError(_("This claim is decided already."))
    row.state = ClaimState.APPROVED if is_approved else ClaimState.DENIED
    row.answer, row.decided_at, row.decided_by = answer.strip(), now, by
    row.full_clean()
    row.save()
    record(
        EventKind.CLAIM_DECIDED,
        now=now,
        account=by,
        detail=f"{row.organisation.public_id}: {row.state}",
    )
    if is_approved:
        lock_team(row.organisation_id)
        invite_claimant(row, by, now)
    else:
        mail.send(
            # The role address gets the answer; who typed it is not known.
            "claim_denied",
            to=row.role_address,
            language=row.language,
            context={"organisation": row.organisation.name, "answer": row.answer},
        )


def refuse_owned_profile(organisation_id: int) -> None:
    if not Organisation.objects.without_owner().filter(pk=organisation_id).exists():
        raise ValidationError(_("This profile has an owner by now. Deny the claim and say so."))


def invite_claimant(claim: Claim, by: Account, now: datetime) -> None:
    refuse_owned_profile(claim.organisation_id)
    invitation = Invitation(
        email=claim.role_address,
        organisation=claim.organisation,
        team_role=TeamRole.OWNER,
        language=claim.language,
    )
    save_invitation(invitation=invitation, by=by, now=now)
    mail_invitation("claim_approved", invitation, answer=claim.answer)
