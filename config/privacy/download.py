"""Everything that the portal holds about an account, for it to take along."""

from collections.abc import Callable, Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import models
from django.db.models import F, Q

from clusters.models import Account, Claim, Event, Invitation, Mail, ProblemReport
from config.privacy.erasing import find_address, sessions_of, stored_models
from labels.models import Delivery, Expert
from news.models import Subscription

Rows = Callable[[Account], models.QuerySet[Any]]

# By key of the download; docs/privacy-data.md says what each key holds.
PARTS: dict[str, tuple[Rows, str]] = {
    "addresses": (lambda account: EmailAddress.objects.filter(user=account), "email verified"),
    # No secret of a factor is handed out.
    "second_factors": (
        lambda account: Authenticator.objects.filter(user=account),
        "type created_at last_used_at",
    ),
    "teams": (lambda account: account.teams.all(), "organisation__name role joined_at"),
    "mandates": (lambda account: account.mandates.all(), "programme__name_en"),
    "expert": (
        lambda account: Expert.objects.filter(account=account),
        "country languages accredited_on portfolios__code",
    ),
    "invitations": (
        lambda account: Invitation.objects.filter(
            Q(email__iexact=account.email) | Q(invited_by=account)
        ),
        "email organisation__name team_role role created_at expires_at accepted_at withdrawn_at",
    ),
    "claims": (
        lambda account: Claim.objects.filter(role_address__iexact=account.email),
        "organisation__name reason state answer created_at decided_at",
    ),
    "reports": (
        lambda account: ProblemReport.objects.filter(reply_address__iexact=account.email),
        "record_name path text state answer created_at closed_at",
    ),
    "mails": (
        lambda account: Delivery.objects.filter(account=account),
        "notice__label__public_id notice__kind week_from written_at",
    ),
    "filters": (lambda account: account.saved_filters.all(), "model name query"),
    "drafts": (lambda account: account.form_drafts.all(), "address opening saved_at data"),
    "outbox": (
        lambda account: Mail.objects.filter(to__iexact=account.email),
        "kind state created_at sent_at",
    ),
    "subscriptions": (
        lambda account: Subscription.objects.of_address(account.email),
        "language rhythm kinds clusters topics countries signed_up_at confirmed_at told_at",
    ),
    "events": (
        lambda account: Event.objects.filter(Q(account=account) | Q(about=account)),
        "happened_at kind detail address__network_address address__typed_address",
    ),
}


def collect_account_data(account: Account) -> dict[str, Any]:
    return {
        "account": {
            "email": account.email,
            "language": account.language,
            "is_active": account.is_active,
            "is_superuser": account.is_superuser,
            "created_at": account.created_at,
            "roles": sorted(account.groups.values_list("name", flat=True)),
        },
        "sessions": [
            {"expires_at": session.expire_date} for session in sessions_of(account, {account.email})
        ],
        **{key: _values(rows(account), fields) for key, (rows, fields) in PARTS.items()},
        "changes": list(versions_by(account)),
        "found_in": [
            {"table": place.table, "field": place.field, "rows": len(place.keys)}
            for place in find_address(account.email)
            if place.is_mention
        ],
    }


def versions_by(account: Account) -> Iterator[dict[str, Any]]:
    # The versions of any row that the account wrote.
    for model in stored_models():
        if hasattr(model, "history_user"):
            versions: Any = model
            table = versions.instance_type._meta
            written = versions.objects.filter(history_user=account)
            rows = written.annotate(row=F(table.pk.attname))
            fields = "row history_date history_type history_change_reason"
            for version in _values(rows, fields):
                yield {"table": table.label_lower, **version}


def _values(rows: models.QuerySet[Any], fields: str) -> list[dict[str, Any]]:
    return list(rows.order_by("pk").values(*fields.split()))
