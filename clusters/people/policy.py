"""Who may do what to which rows: a table of grants, and the questions that admin and pages ask.

A grant gives a role some verbs on some rows of a model, and says which fields it may write. A
person has the grants of all their roles. What no grant gives is forbidden; a row that the person
may not view answers as if it did not exist. The scopes are read anew for every request, so a right
ends with the team, the management or the mandate that it came from.

Models of the apps above are named by their label and reached by lookups: this module imports none.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext

from clusters.models import (
    Account,
    Cluster,
    Mandate,
    Participation,
    Role,
    TeamMember,
    TeamRole,
)
from clusters.people import policy

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
READ = frozenset({VIEW})
WRITE = frozenset({VIEW, ADD, CHANGE, DELETE, RESTORE})
KEEP = frozenset({VIEW, ADD, CHANGE, RESTORE})

Person = Account | AnonymousUser
Scope = Callable[[Account, date], Q]
AnyModel = TypeVar("AnyModel", bound=Model)


@dataclass(frozen=True)
class Grant:
    """`scope` None: every row; `fields` None: every field that the form offers."""

    verbs: frozenset[str]
    scope: Scope | None = None
    fields: frozenset[str] | None = None


def teams_of(account: Account) -> QuerySet[Any, Any]:
    """Ids of the organisations in whose team the account is."""
    return TeamMember.objects.filter(account=account).values("organisation")


def owned_by(account: Account) -> QuerySet[Any, Any]:
    """Ids of the organisations whose team the account owns."""
    return TeamMember.objects.filter(account=account, role=TeamRole.OWNER).values("organisation")


def in_teams(path: str) -> Scope:
    return lambda account, day: Q(**{f"{path}__in": teams_of(account)})


def in_owned_teams(path: str) -> Scope:
    return lambda account, day: Q(**{f"{path}__in": owned_by(account)})


def managed(path: str) -> Scope:
    """Rows of clusters that an organisation of one's teams manages that day."""
    return lambda account, day: Q(
        **{f"{path}__in": Cluster.objects.managed_on(day, teams_of(account)).values("pk")}
    )


def mandated(path: str) -> Scope:
    return lambda account, day: Q(
        **{f"{path}__in": Mandate.objects.filter(account=account).values("programme")}
    )


def in_mandated_programmes(path: str) -> Scope:
    """Rows of published clusters that take part that day in a programme which one follows."""

    def scope(account: Account, day: date) -> Q:
        mandates = Mandate.objects.filter(account=account).values("programme")
        taking_part = Participation.objects.on(day).filter(programme__in=mandates)
        clusters = Cluster.objects.published().filter(pk__in=taking_part.values("cluster"))
        return Q(**{f"{path}__in": clusters.values("pk")})

    return scope


def own(path: str) -> Scope:
    return lambda account, day: Q(**{path: account.pk})


def and_also(scope: Scope, **conditions: Any) -> Scope:
    return lambda account, day: scope(account, day) & Q(**conditions)


def below_a_lead(prefix: str = "") -> Scope:
    """Accounts that a lead manages: neither a superuser nor another lead."""
    leads = Account.objects.filter(groups__name=Role.LEAD).values("pk")
    return lambda account, day: (
        Q(**{f"{prefix}is_superuser": False}) & ~Q(**{f"{prefix}pk__in": leads})
    )


def fields(*names: str) -> frozenset[str]:
    return frozenset(names)


def each(models: Iterable[str], *grants: Grant) -> dict[str, tuple[Grant, ...]]:
    return dict.fromkeys(models, grants)


CONTENT = (
    "clusters.cluster",
    "clusters.clustername",
    "clusters.clustertext",
    "clusters.management",
    "clusters.lineage",
    "clusters.membershipcount",
    "clusters.organisation",
    "clusters.organisationname",
    "clusters.shareholding",
    "clusters.programme",
    "clusters.participation",
    "labels.label",
    "labels.suspension",
    "labels.requiredlevel",
    "labels.statement",
    "news.announcement",
    "news.announcementtext",
)
TABLES = ("clusters.cluster", "clusters.organisation", "clusters.programme", "labels.label")
SCHEME = (
    "clusters.portfolio",
    "clusters.region",
    "labels.level",
    "labels.levelrule",
    "labels.issuingbody",
    "labels.issuingbodyrole",
    "labels.indicatorset",
    "labels.indicator",
)
PEOPLE = (
    "clusters.account",
    "clusters.teammember",
    "clusters.mandate",
    "clusters.invitation",
    "labels.expert",
)
QUEUES = (
    "clusters.claim",
    "clusters.problemreport",
    "clusters.confirmationrequest",
    "labels.notice",
    "labels.delivery",
)
DECISIONS = ("labels.decision",)
LOG = ("clusters.event",)
ALL_MODELS = (*CONTENT, *SCHEME, *PEOPLE, *QUEUES, *DECISIONS, *LOG)

LABEL_FIELDS_OF_AN_EDITOR = fields(
    "cluster",
    "managing_organisation",
    "level",
    "certificate_number",
    "kind",
    "renews",
    "assessed_on",
    "awarded_on",
    "announced_on",
    "valid_until",
    "awarded_by",
    "score",
    "benchmarked_on",
    "areas_of_improvement",
    "source",
)

TEAM: Mapping[str, tuple[Grant, ...]] = {
    "clusters.organisation": (
        Grant(
            frozenset({VIEW, CHANGE, CONFIRM}),
            in_teams("pk"),
            fields("town", "website", "role_address", "is_address_shown"),
        ),
    ),
    "clusters.organisationname": (Grant(READ, in_teams("organisation")),),
    "clusters.cluster": (
        Grant(
            frozenset({VIEW, CHANGE, CONFIRM}),
            managed("pk"),
            fields("town", "website", "eccp_url", "contact_address", "is_contact_shown", "logo"),
        ),
    ),
    "clusters.clustertext": (
        Grant(
            frozenset({VIEW, ADD, CHANGE, DELETE}),
            managed("cluster"),
            fields("language", "tagline", "description"),
        ),
    ),
    "clusters.membershipcount": (
        Grant(
            frozenset({VIEW, ADD, CHANGE, DELETE}),
            managed("cluster"),
            fields("counted_on", "kind", "count", "source"),
        ),
    ),
    "clusters.clustername": (Grant(READ, managed("cluster")),),
    "clusters.management": (
        Grant(READ, and_also(managed("cluster"), organisation__is_published=True)),
        Grant(READ, and_also(in_teams("organisation"), cluster__is_published=True)),
    ),
    "labels.label": (Grant(READ, and_also(managed("cluster"), is_published=True)),),
    "news.announcement": (
        Grant(READ, in_teams("written_by")),
        Grant(
            frozenset({ADD, CHANGE, DELETE}),
            and_also(in_teams("written_by"), is_published=False),
            fields(
                "written_by",
                "picture",
                "clusters",
                "organisations",
                "labels",
                "contact_organisation",
            ),
        ),
    ),
    "news.announcementtext": (
        Grant(READ, in_teams("announcement__written_by")),
        Grant(
            frozenset({ADD, CHANGE, DELETE}),
            and_also(in_teams("announcement__written_by"), announcement__is_published=False),
        ),
    ),
    "clusters.teammember": (
        Grant(READ, in_teams("organisation")),
        Grant(frozenset({CHANGE, DELETE}), in_owned_teams("organisation"), fields("role")),
        Grant(frozenset({DELETE}), own("account")),
    ),
    "clusters.invitation": (
        Grant(
            frozenset({VIEW, ADD, CHANGE}),
            in_owned_teams("organisation"),
            fields("email", "organisation", "team_role", "language"),
        ),
    ),
}

EXPERT: Mapping[str, tuple[Grant, ...]] = {
    "labels.expert": (
        Grant(frozenset({VIEW, CHANGE}), own("account"), fields("languages", "portfolios")),
    ),
    "clusters.portfolio": (Grant(READ),),
}

POLICY_MAKER: Mapping[str, tuple[Grant, ...]] = {
    "clusters.programme": (Grant(frozenset({VIEW, DOWNLOAD}), mandated("pk")),),
    "clusters.participation": (
        Grant(READ, and_also(mandated("programme"), cluster__is_published=True)),
    ),
    "labels.requiredlevel": (Grant(READ, mandated("programme")),),
    "clusters.cluster": (Grant(frozenset({VIEW, DOWNLOAD}), in_mandated_programmes("pk")),),
    "clusters.clustertext": (Grant(READ, in_mandated_programmes("cluster")),),
    "clusters.clustername": (Grant(READ, in_mandated_programmes("cluster")),),
    "clusters.membershipcount": (Grant(READ, in_mandated_programmes("cluster")),),
    "clusters.management": (
        Grant(READ, and_also(in_mandated_programmes("cluster"), organisation__is_published=True)),
    ),
    "labels.label": (Grant(READ, and_also(in_mandated_programmes("cluster"), is_published=True)),),
}

SECRETARIAT: Mapping[str, tuple[Grant, ...]] = {
    **each(CONTENT, Grant(WRITE | {PUBLISH, DOWNLOAD})),
    **each(TABLES, Grant(WRITE | {PUBLISH, DOWNLOAD, IMPORT})),
    **each(SCHEME, Grant(READ)),
    **each(QUEUES, Grant(READ)),
    **each(DECISIONS, Grant(READ)),
    # Written by the steps in the life of a label.
    "labels.suspension": (Grant(READ),),
    "clusters.problemreport": (
        Grant(
            frozenset({VIEW, CHANGE}),
            None,
            fields("state", "answer", "is_logged", "correction_en", "correction_it"),
        ),
    ),
}

EDITOR: Mapping[str, tuple[Grant, ...]] = {
    **SECRETARIAT,
    "labels.label": (
        Grant(
            frozenset({VIEW, ADD, CHANGE, DELETE, DOWNLOAD, IMPORT}),
            None,
            LABEL_FIELDS_OF_AN_EDITOR,
        ),
    ),
    "clusters.teammember": (Grant(READ),),
}

LEAD: Mapping[str, tuple[Grant, ...]] = {
    **SECRETARIAT,
    **each(SCHEME, Grant(KEEP | {DELETE})),
    "labels.label": (Grant(WRITE | {PUBLISH, DOWNLOAD, IMPORT, DECIDE}),),
    **each(DECISIONS, Grant(frozenset({VIEW, DECIDE}))),
    "clusters.claim": (Grant(frozenset({VIEW, CHANGE}), None, fields("state", "answer")),),
    "clusters.account": (
        Grant(frozenset({VIEW, CHANGE}), below_a_lead(), fields("is_active", "language", "groups")),
        Grant(READ, own("pk")),
    ),
    "clusters.teammember": (
        Grant(READ),
        Grant(frozenset({CHANGE, DELETE}), None, fields("role")),
    ),
    "clusters.mandate": (Grant(frozenset({VIEW, ADD, DELETE})),),
    "clusters.invitation": (
        Grant(
            frozenset({VIEW, ADD, CHANGE}),
            None,
            fields("email", "organisation", "team_role", "role", "programme", "language"),
        ),
    ),
    "labels.expert": (Grant(KEEP | {DELETE}),),
    **each(LOG, Grant(READ | {DOWNLOAD})),
}

GRANTS: Mapping[str, Mapping[str, tuple[Grant, ...]]] = {
    Role.TEAM: TEAM,
    Role.EXPERT: EXPERT,
    Role.POLICY_MAKER: POLICY_MAKER,
    Role.AUDITOR: each(ALL_MODELS, Grant(READ)),
    Role.EDITOR: EDITOR,
    Role.LEAD: LEAD,
}

# The roles that a lead gives and takes; leads themselves are made by a superuser.
ROLES_BELOW_A_LEAD = (Role.EXPERT, Role.POLICY_MAKER, Role.AUDITOR, Role.EDITOR)

SECRETARIAT_ROLES = (Role.EDITOR, Role.LEAD)


def reads_addresses_of_accounts(person: Person) -> bool:
    """Whether a history names who changed something by the address of the account."""
    return is_superuser(person) or not roles_of(person).isdisjoint(
        (*SECRETARIAT_ROLES, Role.AUDITOR)
    )


def givable_roles(person: Person) -> frozenset[str]:
    """The roles of the portal that the person gives and takes."""
    if is_superuser(person):
        return frozenset({*ROLES_BELOW_A_LEAD, Role.LEAD})
    return frozenset(ROLES_BELOW_A_LEAD if Role.LEAD in roles_of(person) else ())


def roles_of(person: Person) -> frozenset[str]:
    """The roles in force; read once for a loaded account, that is once in a request."""
    if not isinstance(person, Account) or not person.is_active:
        return frozenset()
    known: frozenset[str] | None = person.__dict__.get("roles_in_force")
    if known is None:
        known = frozenset(person.groups.values_list("name", flat=True)) - {Role.TEAM.value}
        if person.teams.exists():
            known |= {Role.TEAM.value}
        person.__dict__["roles_in_force"] = known
    return known


def grants_of(person: Person, model: type[Model]) -> list[Grant]:
    label = model._meta.label_lower
    return [grant for role in roles_of(person) for grant in GRANTS.get(role, {}).get(label, ())]


def is_superuser(person: Person) -> bool:
    return person.is_active and person.is_superuser


def may(person: Person, verb: str, model: type[Model]) -> bool:
    """Whether the person may do this to some row, or to a new one."""
    return is_superuser(person) or any(verb in grant.verbs for grant in grants_of(person, model))


def may_enter(person: Person) -> bool:
    """Whether admin has anything for this person."""
    return is_superuser(person) or any(GRANTS.get(role) for role in roles_of(person))


def may_edit(person: Person) -> bool:
    """Whether any grant of the person writes: those need a second factor."""
    return is_superuser(person) or any(
        grant.verbs & WRITING
        for role in roles_of(person)
        for grants in GRANTS.get(role, {}).values()
        for grant in grants
    )


def rows(person: Person, verb: str, queryset: QuerySet[AnyModel], day: date) -> QuerySet[AnyModel]:
    """The rows to which the person may do this that day."""
    if is_superuser(person):
        return queryset
    scopes = [grant.scope for grant in grants_of(person, queryset.model) if verb in grant.verbs]
    if any(scope is None for scope in scopes):
        return queryset
    if not scopes or not isinstance(person, Account):
        return queryset.none()
    allowed = Q(pk__in=[])
    for scope in scopes:
        assert scope is not None
        allowed |= scope(person, day)
    return queryset.filter(allowed)


def named(person: Person, queryset: QuerySet[AnyModel], day: date) -> QuerySet[AnyModel]:
    """The rows whose names the person may read beside another row: what is public, and theirs."""
    if all(field.name != "is_published" for field in queryset.model._meta.fields):
        return queryset
    seen = rows(person, VIEW, queryset.model._base_manager.all(), day)
    return queryset.filter(Q(is_published=True) | Q(pk__in=seen.values("pk")))


def may_row(person: Person, verb: str, row: Model, day: date) -> bool:
    """Whether the person may do this to the row as it is stored."""
    stored: QuerySet[Model] = type(row)._base_manager.filter(pk=row.pk)
    return may(person, verb, type(row)) and rows(person, verb, stored, day).exists()


def writable_fields(
    person: Person, verb: str, model: type[Model], row: Model | None, day: date
) -> frozenset[str] | None:
    """Names of the fields that the person may write, None for all.

    For a stored row only the grants whose scope holds it count; for a new one (`row` None) all.
    """
    if is_superuser(person):
        return None
    stored: QuerySet[Model] | None = model._base_manager.filter(pk=row.pk) if row else None
    names: frozenset[str] = frozenset()
    for grant in grants_of(person, model):
        if verb not in grant.verbs or not holds(grant, person, stored, day):
            continue
        if grant.fields is None:
            return None
        names |= grant.fields
    return names


def holds(grant: Grant, person: Person, stored: "QuerySet[Model] | None", day: date) -> bool:
    if stored is None or grant.scope is None or not isinstance(person, Account):
        return True
    return stored.filter(grant.scope(person, day)).exists()


def names_of(pks: Iterable[int | None], viewer: policy.Person) -> dict[int, str]:
    """A name for each account that there is: one query for who reads addresses, else three."""
    accounts = Account.objects.filter(pk__in={pk for pk in pks if pk is not None})
    if policy.reads_addresses_of_accounts(viewer) or not isinstance(viewer, Account):
        return dict(accounts.values_list("pk", "email"))
    of_the_secretariat = Q(is_superuser=True) | Q(groups__name__in=policy.SECRETARIAT_ROLES)
    secretariat = set(accounts.filter(of_the_secretariat).values_list("pk", flat=True))
    team = TeamMember.objects.filter(organisation__in=policy.teams_of(viewer), account__in=accounts)
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
