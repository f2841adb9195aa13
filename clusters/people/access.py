from datetime import datetime
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Model
from django.http import HttpRequest
from django.utils import timezone

from clusters import mail
from clusters.models import Account
from clusters.people import policy


def signed_in_account(request: HttpRequest) -> Account:
    # The account behind a request; for views that let only signed-in people in.
    assert isinstance(request.user, Account)
    return request.user


def require_right(by: Account, verb: str, row: Model, now: datetime) -> None:
    if not policy.may_on_row(by, verb, row, timezone.localdate(now)):
        raise PermissionDenied


def send_after_commit(template: str, *, to: str, language: str, context: dict[str, Any]) -> None:
    # A mail that cannot be sent is logged, and takes nothing back.
    transaction.on_commit(
        # Only once the change is stored: a transaction that is rolled back sends no mail.
        partial(mail.send, template, to=to, language=language, context=context),
        robust=True,
    )


def mail_access_change(account: Account, change: str, **context: Any) -> None:
    known = {"change": change, "organisation": "", "role": "", "roles": "", **context}
    send_after_commit("access", to=account.email, language=account.language, context=known)


@transaction.atomic
def end_sessions(*, account: Account) -> None:
    # Sign the account out everywhere; the caller gives a request's own session a new key.
    Account.objects.filter(pk=account.pk).update(session_number=F("session_number") + 1)
    account.refresh_from_db(fields=["session_number"])
    # `policy.roles_of` remembers the roles on the loaded account.
    account.__dict__.pop("roles_in_force", None)


def lock_account(account: Account) -> Account:
    # No key is changed, so rows that refer to the account may still be written.
    return Account.objects.select_for_update(no_key=True).get(pk=account.pk)
