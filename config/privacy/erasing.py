"""Finding and erasing everything that the portal holds about an address."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Cast

from clusters.fields import NormalNameField, with_normal_names
from clusters.models import (
    Account,
    Claim,
    ClaimState,
    Cluster,
    Event,
    EventAddress,
    EventKind,
    Invitation,
    Mail,
    Organisation,
    TeamMember,
    TeamRole,
)
from clusters.people.log import record
from config.privacy.pictures import remove_unneeded_files
from labels.models import Decision, DecisionState, Expert, Label, Level, LevelRule, RuleChange
from labels.models.decisions import corrected_by_the_portal
from labels.models.rule_changes import written_by_the_portal
from news.models import Subscription
from news.models.subscriptions import spellings

ERASED = "[erased]"
REASON = "An address was erased."
# Addresses that are public only where a second field says so.
SHOWN_BY: dict[tuple[type[models.Model], str], str] = {
    (Organisation, "role_address"): "is_address_shown",
    (Cluster, "contact_address"): "is_contact_shown",
}
TEXT = (models.CharField, models.TextField, models.FileField, models.JSONField)


@dataclass(frozen=True)
class AddressPlace:
    """Rows of one table that hold the address in a field, or belong to its account by it."""

    table: str
    field: str
    keys: tuple[Any, ...]
    is_mention: bool


def account_with(address: str) -> Account | None:
    return Account.objects.filter(email__iexact=address.strip()).first()


def stored_models() -> list[type[models.Model]]:
    # Tables of versions and of relations included.
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        # Sessions are read apart: what they hold is encoded.
        if model is not Session and model._meta.managed and not model._meta.proxy
    ]


def free_text_fields(model: type[models.Model]) -> list[Any]:
    # What is made of another field is written with it.
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, TEXT)
        and not field.primary_key
        and not isinstance(field, NormalNameField)
    ]


def mention_pattern(addresses: Iterable[str]) -> re.Pattern[str]:
    # The addresses in any case, also as in a link or after a line break in JSON, and never as a
    # part of a longer one.
    words = "|".join(re.escape(word).replace("@", "(?:@|%40)") for word in sorted(addresses))
    return re.compile(rf"(?:(?<![\w.+-])|(?<=\\[nrt]))(?:{words})(?![\w-]|\.\w)", re.IGNORECASE)


def _field_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value or "")


def rows_mentioning(
    model: type[models.Model], addresses: set[str]
) -> Iterator[tuple[models.Model, list[Any]]]:
    """The rows that mention one of the addresses, and the fields that do: one query."""
    fields = free_text_fields(model)
    rows = model._base_manager.all()
    condition = Q(pk__in=[])
    for column in fields:
        name = column.attname
        if isinstance(column, models.JSONField):
            name = f"{name}_as_text"
            rows = rows.annotate(**{name: Cast(column.attname, models.TextField())})
        for address in addresses:
            # Links hold an address as %40.
            for spelling in (address, address.replace("@", "%40")):
                condition |= Q(**{f"{name}__icontains": spelling})
    mention = mention_pattern(addresses)
    # The database finds more, as in j.doe@example.organic: the pattern decides.
    for row in rows.filter(condition).order_by("pk"):
        found = [c for c in fields if mention.search(_field_text(getattr(row, c.attname)))]
        if found:
            yield row, found


def sessions_of(account: Account | None, addresses: set[str]) -> list[Session]:
    mention = mention_pattern(addresses)
    return [
        session
        for session in Session.objects.all()
        if (data := session.get_decoded())
        and (
            (account is not None and str(data.get("_auth_user_id")) == str(account.pk))
            or mention.search(json.dumps(data, default=str))
        )
    ]


def find_address(address: str) -> list[AddressPlace]:
    account = account_with(address)
    addresses = spellings(address)
    places: dict[tuple[str, str, bool], list[Any]] = {}
    for model in stored_models():
        label = model._meta.label_lower
        for row, fields in rows_mentioning(model, addresses):
            for column in fields:
                places.setdefault((label, column.name, True), []).append(row.pk)
        for name in relations_to_account(model) if account else ():
            keys = list(model._base_manager.filter(**{name: account}).values_list("pk", flat=True))
            if keys:
                places[label, name, False] = keys
    sessions = sessions_of(account, addresses)
    if sessions:
        keys = [session.pk for session in sessions]
        places[Session._meta.label_lower, "session_data", account is None] = keys
    return [
        AddressPlace(table, name, tuple(keys), is_mention)
        for (table, name, is_mention), keys in sorted(places.items())
    ]


def relations_to_account(model: type[models.Model]) -> list[str]:
    return [
        column.name for column in model._meta.concrete_fields if column.related_model is Account
    ]


@dataclass
class Erasure:
    """What erasing did, or would do: rows changed and deleted, by table."""

    changed: Counter[str] = field(default_factory=Counter)
    deleted: Counter[str] = field(default_factory=Counter)
    orphaned: list[str] = field(default_factory=list)

    @property
    def found_anything(self) -> bool:
        return bool(self.changed or self.deleted)


@transaction.atomic
def erase_address(address: str, *, now: datetime, dry_run: bool = False) -> Erasure:
    """Make the account of the address nameless and take the address out of every row.

    The lines of the event log stay, without an address. A dry run does the whole work and takes
    it back.
    """
    done = Erasure()
    account = account_with(address)
    addresses = spellings(address)
    if account is not None:
        addresses |= known_addresses(account)
        done.orphaned = [str(organisation) for organisation in orphaned_by(account)]
    delete_requests_to(addresses, done)
    delete_traces(account, addresses, done)
    if account is not None:
        delete_belongings(account, done)
        make_nameless(account, done)
    for model in stored_models():
        if model is not Event:  # the database keeps its lines as they are: they hold no address
            _clear_mentions(model, addresses, done, now)
    if done.found_anything:
        record(EventKind.ERASED, now=now, about=account)
        # What only the rows and versions named that are gone now.
        remove_unneeded_files(now)
    if dry_run:
        transaction.set_rollback(True)
    return done


def known_addresses(account: Account) -> set[str]:
    # The present and former addresses of the account, without those that another has now.
    known = {
        account.email,
        *Account.history.filter(id=account.pk).values_list("email", flat=True),
        *EmailAddress.objects.filter(user=account).values_list("email", flat=True),
    }
    # A former address may belong to somebody else today.
    others = Account.objects.exclude(pk=account.pk).values_list("email", flat=True)
    return {email for email in known if email} - set(others.filter(email__in=known))


def orphaned_by(account: Account) -> models.QuerySet[Organisation]:
    owned = TeamMember.objects.filter(account=account, role=TeamRole.OWNER)
    others = TeamMember.objects.filter(
        organisation=OuterRef("pk"), role=TeamRole.OWNER, account__is_active=True
    ).exclude(account=account)
    return Organisation.objects.filter(~Exists(others), pk__in=owned.values("organisation"))


def delete_requests_to(addresses: set[str], done: Erasure) -> None:
    pending = Claim.objects.filter(state=ClaimState.PENDING)
    for address in addresses:
        _delete(Invitation.objects.filter(email__iexact=address), done)
        # What waits in the outbox would go to a nameless address, or tell it to be answered to.
        _delete(Mail.objects.filter(Q(to__iexact=address) | Q(reply_to__iexact=address)), done)
        _delete(pending.filter(role_address__iexact=address), done)
        _delete(Subscription.objects.of_address(address), done)


def delete_traces(account: Account | None, addresses: set[str], done: Erasure) -> None:
    sessions = [session.pk for session in sessions_of(account, addresses)]
    _delete(Session.objects.filter(pk__in=sessions), done)
    typed = [row.pk for row, _fields in rows_mentioning(EventAddress, addresses)]
    traces = Q(pk__in=typed)
    if account is not None:
        traces |= Q(event__account=account) | Q(event__about=account)
    _delete(EventAddress.objects.filter(traces), done)


def belongings() -> Iterator[tuple[type[models.Model], str]]:
    # Models whose rows Django would delete with an account, and their fields that lead to it.
    for relation in Account._meta.related_objects:
        model = relation.related_model
        is_deleted = relation.on_delete is models.CASCADE and not model._meta.auto_created
        # The lines of the admin's own log stay, and lead to the nameless account.
        if is_deleted and model is not LogEntry:
            yield model, relation.field.name


def delete_belongings(account: Account, done: Erasure) -> None:
    for model, name in belongings():
        _delete(model._base_manager.filter(**{name: account}), done)
    # An expert's versions describe a person even without an address.
    _delete(Expert.history.filter(account=account), done)


def _delete(rows: models.QuerySet[Any], done: Erasure) -> None:
    number = rows.count()
    if number:
        rows.delete()
        done.deleted[rows.model._meta.label_lower] += number


def make_nameless(account: Account, done: Erasure) -> None:
    account.email = nameless_address(account.pk)
    account.is_active = account.is_superuser = False
    # Ends what sessions the deletion above did not find.
    account.session_number += 1
    account.set_unusable_password()
    account.save()
    account.groups.clear()
    account.user_permissions.clear()
    done.changed[account._meta.label_lower] += 1


def nameless_address(key: Any) -> str:
    return f"erased-{key}@invalid.example"


def writable(row: models.Model, now: datetime) -> AbstractContextManager[None]:
    # What only a change of rules may write.
    level = row if isinstance(row, Level) else getattr(row, "level", None)
    if isinstance(row, Level | LevelRule | RuleChange) and isinstance(level, Level):
        return written_by_the_portal(level, reason=REASON, now=now)
    return nullcontext()


def _clear_mentions(
    model: type[models.Model], addresses: set[str], done: Erasure, now: datetime
) -> None:
    # By `update`: a new version of a row would keep the old one beside it.
    mention = mention_pattern(addresses)
    row_model = getattr(model, "instance_type", model)
    for row, fields in rows_mentioning(model, addresses):
        values: dict[str, Any] = {}
        for column in fields:
            value = getattr(row, column.attname)
            values[column.attname] = without_mention(
                column, value, mention, key=getattr(row, "id", row.pk)
            )
            shown_by = SHOWN_BY.get((row_model, column.name))
            if shown_by:
                values[shown_by] = False
        if isinstance(row, Label) and (row.is_published or row.revoked_on):
            values["decision"] = corrected_by_the_portal(row, reason=REASON, now=now)
        if (
            isinstance(row, Decision)
            and row.state == DecisionState.PROPOSED
            and "changes" in values
        ):
            # What was proposed stays as it was proposed, or is refused.
            values |= {"state": DecisionState.REFUSED, "decided_at": now}
            values.setdefault("answer", REASON)
        with writable(row, now):
            model._base_manager.filter(pk=row.pk).update(**with_normal_names(model, values))
        done.changed[model._meta.label_lower] += 1


def without_mention(column: Any, value: Any, mention: re.Pattern[str], *, key: Any) -> Any:
    # The value without the address; empty, or a nameless address, where it was nothing else.
    if isinstance(column, models.JSONField):
        return json.loads(mention.sub(ERASED, json.dumps(value)))
    text = str(value)
    if isinstance(column, models.EmailField):
        return "" if column.blank and not column.unique else nameless_address(key)
    if column.unique:
        return f"erased-{key}"[: column.max_length]
    return mention.sub(ERASED, text)[: column.max_length]
