from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from clusters.models import Account, EventKind, Invitation, Mandate, Role
from clusters.people import policy
from clusters.people.access import (
    end_sessions,
    lock_account,
    mail_access_change,
    require_right,
    save_or_refuse,
)
from clusters.people.invitations import withdraw_all
from clusters.people.log import record


@transaction.atomic
def give_roles(*, account: Account, roles: Iterable[str], by: Account, now: datetime) -> None:
    # Make these the account's roles, among those that `by` may give; others stay as they are.
    account = lock_account(account)
    require_right(by, policy.CHANGE, account, now)
    givable, wanted = policy.givable_roles(by), set(roles)
    if wanted - givable:
        raise PermissionDenied
    # Roles that `by` may not give are not among these: they stay.
    held = set(account.groups.values_list("name", flat=True)) & givable
    if wanted == held:
        return
    account.groups.add(*Group.objects.filter(name__in=wanted - held))
    account.groups.remove(*Group.objects.filter(name__in=held - wanted))
    for kind, changed in (
        (EventKind.ROLE_GIVEN, wanted - held),
        (EventKind.ROLE_TAKEN, held - wanted),
    ):
        for name in sorted(changed):
            record(kind, now=now, account=by, about=account, detail=name)
    # Who is no lead any more lets nobody in by a link sent before.
    if Role.LEAD in held - wanted:
        withdraw_all(Invitation.objects.open(now).filter(invited_by=account), now)
    end_sessions(account=account)
    # In the language of the account: the labels are translated when they become text.
    names = account.groups.order_by("name").values_list("name", flat=True)
    with translation.override(account.language):
        mail_access_change(
            account, "roles", roles=", ".join(str(Role(name).label) for name in names)
        )


@transaction.atomic
def disable_account(*, account: Account, by: Account, now: datetime) -> None:
    # Also the last owner of a profile, which then has none.
    account = lock_account(account)
    require_right(by, policy.CHANGE, account, now)
    if account == by:
        raise ValidationError(_("You cannot disable your own account."))
    if not account.is_active:
        return
    account.is_active = False
    account.save()
    withdraw_all(Invitation.objects.open(now).filter(invited_by=account), now)
    record(EventKind.ACCOUNT_DISABLED, now=now, account=by, about=account)
    end_sessions(account=account)
    mail_access_change(account, "disabled")


@transaction.atomic
def enable_account(*, account: Account, by: Account, now: datetime) -> None:
    account = lock_account(account)
    require_right(by, policy.CHANGE, account, now)
    if account.is_active:
        return
    account.is_active = True
    account.save()
    record(EventKind.ACCOUNT_ENABLED, now=now, account=by, about=account)
    mail_access_change(account, "enabled")


@transaction.atomic
def give_mandate(*, mandate: Mandate, by: Account, now: datetime) -> None:
    save_or_refuse(mandate)
    # After the save: a scope is a condition on stored rows. A refused one is rolled back.
    require_right(by, policy.ADD, mandate, now)
    _record_mandate(EventKind.ROLE_GIVEN, mandate, by, now)


@transaction.atomic
def take_mandate(*, mandate: Mandate, by: Account, now: datetime) -> None:
    require_right(by, policy.DELETE, mandate, now)
    _record_mandate(EventKind.ROLE_TAKEN, mandate, by, now)
    mandate.delete()


def _record_mandate(kind: EventKind, mandate: Mandate, by: Account, now: datetime) -> None:
    detail = f"mandate: {mandate.programme.public_id}"
    record(kind, now=now, account=by, about=mandate.account, detail=detail)


@transaction.atomic
def set_language(*, account: Account, language: str) -> None:
    account = lock_account(account)
    account.language = language
    account.save()
