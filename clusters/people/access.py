from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from clusters import mail
from clusters.models import Account, Organisation
from clusters.people import policy


def signed_in_account(request: HttpRequest) -> Account:
    # The account behind a request; for views that let only signed-in people in.
    assert isinstance(request.user, Account)
    return request.user


def require_right(by: Account, verb: str, row: Model, now: datetime) -> None:
    if not policy.may_on_row(by, verb, row, timezone.localdate(now)):
        raise PermissionDenied


def mail_access_change(account: Account, change: str, **context: Any) -> None:
    known = {"change": change, "organisation": "", "role": "", "roles": "", **context}
    mail.send("access", to=account.email, language=account.language, context=known)


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


def lock_team(organisation_id: int) -> None:
    # Until the transaction ends, nobody else joins, leaves or is invited to the team.
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation_id)


def save_or_refuse(row: Model) -> None:
    """Save a row that was checked; raises ValidationError where another one came between."""
    try:
        # A savepoint: PostgreSQL ends a transaction with the first error.
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        # The other one is stored by now, so that the same checks say in words what it is.
        row.full_clean()
        raise ValidationError(_("Somebody wrote the same at the same moment.")) from error
