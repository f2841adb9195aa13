"""Who may do what to which rows: a table of grants, and the questions that admin and pages ask.

A grant gives a role some verbs on some rows of a model, and says which fields it may write. A
person has the grants of all their roles. What no grant gives is forbidden; a row that the person
may not view answers as if it did not exist. The scopes are read anew for every request, so a right
ends with the team, the management or the mandate that it came from.

The table itself is `config.rights`, which knows the models of every app; this module imports none
of those above, and finds it by `settings.GRANTS`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from clusters.models import Account, Cluster, Mandate, Participation, Role, TeamMember, TeamRole

VIEW, ADD, CHANGE, DELETE, PUBLISH, RESTORE, DOWNLOAD, IMPORT, CONFIRM, DECIDE = (
    "view",
    "add",
    "change",
    "delete",
    "publish",
    "restore",
    "download",
    "import",
    "confirm",
    "decide",
)
WRITING = frozenset({ADD, CHANGE, DELETE, PUBLISH, RESTORE, IMPORT, CONFIRM, DECIDE})

Person = Account | AnonymousUser
Scope = Callable[[Account, date], Q]
AnyModel = TypeVar("AnyModel", bound=Model)


@dataclass(frozen=True)
class Grant:
    """`scope` None: every row; `fields` None: every field that the form offers."""

    verbs: frozenset[str]
    scope: Scope | None = None
    fields: frozenset[str] | None = None


GrantsOfARole = Mapping[type[Model], Sequence[Grant]]


@cache
def all_grants() -> Mapping[str, GrantsOfARole]:
    # By role, the table that `settings.GRANTS` names: it knows the models of every app.
    grants: Mapping[str, GrantsOfARole] = import_string(settings.GRANTS)
    return grants


def teams_of(account: Account) -> QuerySet[Any, Any]:
    # Ids of the organisations in whose team the account is.
    return TeamMember.objects.filter(account=account).values("organisation")


def owned_by(account: Account) -> QuerySet[Any, Any]:
    # Ids of the organisations whose team the account owns.
    return TeamMember.objects.filter(account=account, role=TeamRole.OWNER).values("organisation")


def followed_by(account: Account) -> QuerySet[Any, Any]:
    # Ids of the programmes that a policy maker follows.
    return Mandate.objects.filter(account=account).values("programme")


def among(keys: Callable[[Account, date], QuerySet[Any, Any]]) -> Callable[[str], Scope]:
    # A scope for each path of a model: its rows from which the path leads to one of the keys.
    return lambda path: lambda account, day: Q(**{f"{path}__in": keys(account, day)})


in_teams = among(lambda account, day: teams_of(account))
in_owned_teams = among(lambda account, day: owned_by(account))
mandated = among(lambda account, day: followed_by(account))


@among
def managed(account: Account, day: date) -> QuerySet[Any, Any]:
    # Clusters that an organisation of one's teams manages that day.
    return Cluster.objects.managed_on(day, teams_of(account)).values("pk")


@among
def in_mandated_programmes(account: Account, day: date) -> QuerySet[Any, Any]:
    # Published clusters that take part that day in a programme which one follows.
    taking_part = Participation.objects.on(day).filter(programme__in=followed_by(account))
    found = Cluster.objects.published().filter(pk__in=taking_part.values("cluster"))
    return found.values("pk")


def own(path: str) -> Scope:
    return lambda account, day: Q(**{path: account.pk})


def and_also(scope: Scope, **conditions: Any) -> Scope:
    return lambda account, day: scope(account, day) & Q(**conditions)


def below_a_lead() -> Scope:
    leads = Account.objects.filter(groups__name=Role.LEAD).values("pk")
    return lambda account, day: Q(is_superuser=False) & ~Q(pk__in=leads)


# The roles that a lead gives and takes; leads themselves are made by a superuser.
ROLES_BELOW_A_LEAD = (Role.EXPERT, Role.POLICY_MAKER, Role.AUDITOR, Role.EDITOR)

SECRETARIAT_ROLES = (Role.EDITOR, Role.LEAD)


def reads_addresses_of_accounts(person: Person) -> bool:
    return is_superuser(person) or not roles_of(person).isdisjoint(
        (*SECRETARIAT_ROLES, Role.AUDITOR)
    )


def givable_roles(person: Person) -> frozenset[str]:
    if is_superuser(person):
        return frozenset({*ROLES_BELOW_A_LEAD, Role.LEAD})
    return frozenset(ROLES_BELOW_A_LEAD if Role.LEAD in roles_of(person) else ())


def roles_of(person: Person) -> frozenset[str]:
    # The roles in force; read once for a loaded account, that is once in a request.
    if not isinstance(person, Account) or not person.is_active:
        return frozenset()
    # Kept on the object, as admin asks many times in a request.
    known: frozenset[str] | None = person.__dict__.get("roles_in_force")
    if known is None:
        known = frozenset(person.groups.values_list("name", flat=True)) - {Role.TEAM.value}
        # The role of a team is no group: it follows from the rows of the team.
        if person.teams.exists():
            known |= {Role.TEAM.value}
        person.__dict__["roles_in_force"] = known
    return known


def grants_of(person: Person, model: type[Model]) -> list[Grant]:
    table = all_grants()
    return [grant for role in roles_of(person) for grant in table.get(role, {}).get(model, ())]


def is_superuser(person: Person) -> bool:
    return person.is_active and person.is_superuser


def may(person: Person, verb: str, model: type[Model]) -> bool:
    # Whether the person may do this to some row, or to a new one.
    return is_superuser(person) or any(verb in grant.verbs for grant in grants_of(person, model))


def may_enter(person: Person) -> bool:
    # Admin has something for whoever has a grant.
    return is_superuser(person) or any(all_grants().get(role) for role in roles_of(person))


def may_edit(person: Person) -> bool:
    # Who writes anything needs a second factor.
    return is_superuser(person) or any(
        grant.verbs & WRITING
        for role in roles_of(person)
        for grants in all_grants().get(role, {}).values()
        for grant in grants
    )


def allowed_rows(
    person: Person, verb: str, queryset: QuerySet[AnyModel], day: date
) -> QuerySet[AnyModel]:
    if is_superuser(person):
        return queryset
    scopes = [grant.scope for grant in grants_of(person, queryset.model) if verb in grant.verbs]
    if any(scope is None for scope in scopes):
        return queryset
    if not scopes or not isinstance(person, Account):
        return queryset.none()
    # Matches no row, so that the first scope can be added to it.
    allowed = Q(pk__in=[])
    for scope in scopes:
        assert scope is not None
        allowed |= scope(person, day)
    return queryset.filter(allowed)


def nameable_rows(person: Person, queryset: QuerySet[AnyModel], day: date) -> QuerySet[AnyModel]:
    # The rows whose names the person may read beside another row: what is public, and theirs.
    # What has no such field is reference data, whose names everybody may read.
    if all(field.name != "is_published" for field in queryset.model._meta.fields):
        return queryset
    seen = allowed_rows(person, VIEW, queryset.model._base_manager.all(), day)
    return queryset.filter(Q(is_published=True) | Q(pk__in=seen.values("pk")))


def may_on_row(person: Person, verb: str, row: Model, day: date) -> bool:
    # Whether the person may do this to the row as it is stored.
    stored: QuerySet[Model] = type(row)._base_manager.filter(pk=row.pk)
    return may(person, verb, type(row)) and allowed_rows(person, verb, stored, day).exists()


def writable_fields(
    person: Person, verb: str, model: type[Model], row: Model | None, day: date
) -> frozenset[str] | None:
    """Names of the fields that the person may write, None for all.

    For a stored row only the grants whose scope includes it count; for a new one (`row` None) all.
    """
    if is_superuser(person):
        return None
    stored: QuerySet[Model] | None = model._base_manager.filter(pk=row.pk) if row else None
    names: frozenset[str] = frozenset()
    for grant in grants_of(person, model):
        if verb not in grant.verbs or not _is_in_scope(grant, person, stored, day):
            continue
        if grant.fields is None:
            return None
        names |= grant.fields
    return names


def _is_in_scope(grant: Grant, person: Person, stored: "QuerySet[Model] | None", day: date) -> bool:
    if stored is None or grant.scope is None or not isinstance(person, Account):
        return True
    return stored.filter(grant.scope(person, day)).exists()


def account_names(pks: Iterable[int | None], viewer: Person) -> dict[int, str]:
    """A name for each account that there is: one query for who reads addresses, else three."""
    accounts = Account.objects.filter(pk__in={pk for pk in pks if pk is not None})
    if reads_addresses_of_accounts(viewer) or not isinstance(viewer, Account):
        return dict(accounts.values_list("pk", "email"))
    of_the_secretariat = Q(is_superuser=True) | Q(groups__name__in=SECRETARIAT_ROLES)
    # A team reads that it was the secretariat, not who of it.
    secretariat = set(accounts.filter(of_the_secretariat).values_list("pk", flat=True))
    team = TeamMember.objects.filter(organisation__in=teams_of(viewer), account__in=accounts)
    colleagues = set(team.values_list("account", flat=True))
    return {
        pk: gettext("you")
        if pk == viewer.pk
        else gettext("a colleague")
        if pk in colleagues
        else gettext("the secretariat")
        if pk in secretariat
        else gettext("somebody else")
        for pk in accounts.values_list("pk", flat=True)
    }
