"""Who may do what to which rows: a table of grants, and the questions that admin and pages ask.

A grant gives a role some verbs on some rows of a model, and says which fields it may write and
which it does not read. A person has the grants of all their roles. What no grant gives is
forbidden; a row that the person may not view answers as if it did not exist. The scopes are read
anew for every request, so a right ends with the team, the management or the mandate that it came
from.

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
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Prefetch, Q, QuerySet
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

Person = Account | AnonymousUser
Scope = Callable[[Account, date], Q]
AnyModel = TypeVar("AnyModel", bound=Model)


@dataclass(frozen=True)
class Grant:
    """`scope` None: every row; `fields` None: every field that the form offers.

    `fields` are written, `hides` are not even read.
    """

    verbs: frozenset[str]
    scope: Scope | None = None
    fields: frozenset[str] | None = None
    hides: frozenset[str] = frozenset()


GrantsOfARole = Mapping[type[Model], Sequence[Grant]]


@cache
def all_grants() -> Mapping[str, GrantsOfARole]:
    # By role, the table that `settings.GRANTS` names: it knows the models of every app.
    grants: Mapping[str, GrantsOfARole] = import_string(settings.GRANTS)
    return grants


def accounts_with(verb: str, model: type[Model]) -> QuerySet[Account]:
    # Active ones that may do this to some row, by a role that is a group.
    roles = [
        role
        for role, table in all_grants().items()
        if any(verb in grant.verbs for grant in table.get(model, ()))
    ]
    in_charge = Q(is_superuser=True) | Q(groups__name__in=roles)
    return Account.objects.filter(in_charge, is_active=True).distinct().order_by("pk")


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
    # Admin has something for whoever has a grant. What it shows is not public, so who enters it
    # needs a second factor.
    return is_superuser(person) or any(all_grants().get(role) for role in roles_of(person))


def allowed_rows(
    person: Person, verb: str, queryset: QuerySet[AnyModel], day: date
) -> QuerySet[AnyModel]:
    allowed = scope_of(person, verb, queryset.model, day)
    return queryset if allowed is None else queryset.filter(allowed)


def scope_of(person: Person, verb: str, model: type[Model], day: date) -> Q | None:
    # The condition on the rows, None for every row.
    if is_superuser(person):
        return None
    scopes = [grant.scope for grant in grants_of(person, model) if verb in grant.verbs]
    if any(scope is None for scope in scopes):
        return None
    # Matches no row, so that the first scope can be added to it.
    allowed = Q(pk__in=[])
    for scope in scopes:
        assert scope is not None
        assert isinstance(person, Account)  # who is nobody has no grants
        allowed |= scope(person, day)
    return allowed


def allowed_versions(
    person: Person, verb: str, model: Any, versions: QuerySet[Any], day: date
) -> QuerySet[Any]:
    """Versions of rows that the person may see; of a deleted row, by what it held last."""
    scope = scope_of(person, verb, model, day)
    if scope is None:
        return versions
    key, rows = model._meta.pk.attname, model._base_manager.order_by()
    deleted = model.history.filter(history_type="-").exclude(**{f"{key}__in": rows.values("pk")})
    return versions.filter(
        Q(**{f"{key}__in": rows.filter(scope).values("pk")})
        | Q(**{f"{key}__in": deleted.filter(on_versions(scope, key)).order_by().values(key)})
    )


def on_versions(scope: Q, key: str) -> Q:
    # The condition asked of versions, whose `pk` is not that of their row.
    conditions = [
        on_versions(one, key)
        if isinstance(one, Q)
        else (key + one[0][2:] if one[0].split("__")[0] == "pk" else one[0], one[1])
        for one in scope.children
        if isinstance(one, Q | tuple)
    ]
    return Q(*conditions, _connector=scope.connector, _negated=scope.negated)


def hides_rows(person: Person, model: type[Model]) -> bool:
    # Whether there may be rows of whose names the person is not to know. What is not published by
    # itself is reference data, or a part of a record that says whether it is.
    return (
        is_published_by_itself(model)
        and not is_superuser(person)
        and not any(VIEW in g.verbs and g.scope is None for g in grants_of(person, model))
    )


def is_published_by_itself(model: type[Model]) -> bool:
    return any(field.name == "is_published" for field in model._meta.fields)


def nameable_rows(person: Person, queryset: QuerySet[AnyModel], day: date) -> QuerySet[AnyModel]:
    # The rows whose names the person may read beside another row: what is public, and theirs.
    model = queryset.model
    if not hides_rows(person, model):
        return queryset
    # A label is named after its cluster: a row is public with the records that it must have.
    fields: list[Any] = [field for field in model._meta.fields if is_required(field)]
    is_public = {"is_published": True} | {
        f"{field.name}__is_published": True
        for field in fields
        if is_published_by_itself(field.related_model)
    }
    seen = allowed_rows(person, VIEW, model._base_manager.all(), day)
    return queryset.filter(Q(**is_public) | Q(pk__in=seen.values("pk")))


def is_required(field: Any) -> bool:
    # Whether each row has one such related row, without which it would not be seen itself.
    return bool(field.is_relation and field.concrete and not field.many_to_many and not field.null)


def is_partly_seen(person: Person, field: Any) -> bool:
    # Whether a row that the person sees may be related by it to one that they do not know of.
    return bool(
        field.is_relation and not is_required(field) and hides_rows(person, field.related_model)
    )


def partly_seen(person: Person, model: type[Model]) -> list[str]:
    options = model._meta
    fields = (*options.fields, *options.many_to_many)
    return [field.name for field in fields if is_partly_seen(person, field)]


def with_known_relations(
    person: Person, queryset: QuerySet[AnyModel], day: date
) -> QuerySet[AnyModel]:
    """Rows on which a relation to what the person may not know of reads as if it were empty.

    A query for each such relation; a relation loaded by `select_related` is not looked at.
    """
    options = queryset.model._meta
    fields: list[Any] = [options.get_field(name) for name in partly_seen(person, queryset.model)]
    return queryset.prefetch_related(
        *(
            Prefetch(
                field.name, nameable_rows(person, field.related_model._default_manager.all(), day)
            )
            for field in fields
        )
    )


def hidden_fields(person: Person, verb: str, model: type[Model]) -> frozenset[str]:
    # Names of the fields that a list of the rows leaves out: what is hidden in any of them.
    grants = [grant for grant in grants_of(person, model) if verb in grant.verbs]
    if is_superuser(person) or any(g.scope is None and not g.hides for g in grants):
        return frozenset()
    return frozenset().union(*(grant.hides for grant in grants))


def hidden_fields_of(person: Person, row: Model, day: date) -> frozenset[str]:
    # Of a stored row: what none of the grants on it shows.
    if not hidden_fields(person, VIEW, type(row)):
        return frozenset()
    stored: QuerySet[Model] = type(row)._base_manager.filter(pk=row.pk)
    hidden = [
        grant.hides
        for grant in grants_of(person, type(row))
        if VIEW in grant.verbs and _is_in_scope(grant, person, stored, day)
    ]
    # A row that was deleted lies in no scope any more.
    return frozenset.intersection(*hidden) if hidden else hidden_fields(person, VIEW, type(row))


def reads_path(person: Person, model: type[Model], path: str, *, any_row: bool = True) -> bool:
    """Whether rows may be narrowed or ordered by the path and tell nothing that is hidden.

    With `any_row` False the caller leaves out the related rows that the person does not know of.
    """
    for name in path.split("__"):
        try:
            field: Any = model._meta.get_field(name)
        except FieldDoesNotExist:
            return True  # a lookup, or an annotation of the queryset
        if name in hidden_fields(person, VIEW, model):
            return False
        if any_row and is_partly_seen(person, field):
            return False
        if not field.is_relation:
            return True
        model = field.related_model
    return True


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
