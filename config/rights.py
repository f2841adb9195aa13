"""The table of rights: what each role may do to which rows, and which fields it may write."""

from collections.abc import Iterable, Mapping

from django.db.models import Model

from clusters.models import (
    Account,
    Claim,
    Cluster,
    ClusterName,
    ClusterText,
    ConfirmationRequest,
    Event,
    Invitation,
    Lineage,
    Management,
    Mandate,
    MembershipCount,
    Organisation,
    OrganisationName,
    Participation,
    Portfolio,
    ProblemReport,
    Programme,
    Region,
    Role,
    Shareholding,
    TeamMember,
)
from clusters.people.policy import (
    ADD,
    CHANGE,
    CONFIRM,
    DECIDE,
    DELETE,
    DOWNLOAD,
    IMPORT,
    PUBLISH,
    RESTORE,
    VIEW,
    Grant,
    GrantsOfARole,
    and_also,
    below_a_lead,
    in_mandated_programmes,
    in_owned_teams,
    in_teams,
    managed,
    mandated,
    own,
)
from labels.models import (
    Decision,
    Delivery,
    Expert,
    Indicator,
    IndicatorSet,
    IssuingBody,
    IssuingBodyRole,
    Label,
    Level,
    LevelRule,
    Notice,
    RequiredLevel,
    Statement,
    Suspension,
)
from news.models import Announcement, AnnouncementText

READ = frozenset({VIEW})
WRITE = frozenset({VIEW, ADD, CHANGE, DELETE, RESTORE})
KEEP = frozenset({VIEW, ADD, CHANGE, RESTORE})


def fields(*names: str) -> frozenset[str]:
    return frozenset(names)


def each(models: Iterable[type[Model]], *grants: Grant) -> dict[type[Model], tuple[Grant, ...]]:
    return dict.fromkeys(models, grants)


CONTENT = (
    Cluster,
    ClusterName,
    ClusterText,
    Management,
    Lineage,
    MembershipCount,
    Organisation,
    OrganisationName,
    Shareholding,
    Programme,
    Participation,
    Label,
    Suspension,
    RequiredLevel,
    Statement,
    Announcement,
    AnnouncementText,
)
TABLES = (Cluster, Organisation, Programme, Label)
SCHEME = (
    Portfolio,
    Region,
    Level,
    LevelRule,
    IssuingBody,
    IssuingBodyRole,
    IndicatorSet,
    Indicator,
)
PEOPLE = (
    Account,
    TeamMember,
    Mandate,
    Invitation,
    Expert,
)
QUEUES = (
    Claim,
    ProblemReport,
    ConfirmationRequest,
    Notice,
    Delivery,
)
DECISIONS = (Decision,)
LOG = (Event,)
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

TEAM: GrantsOfARole = {
    Organisation: (
        Grant(
            frozenset({VIEW, CHANGE, CONFIRM}),
            in_teams("pk"),
            fields("town", "website", "role_address", "is_address_shown"),
        ),
    ),
    OrganisationName: (Grant(READ, in_teams("organisation")),),
    Cluster: (
        Grant(
            frozenset({VIEW, CHANGE, CONFIRM}),
            managed("pk"),
            fields("town", "website", "eccp_url", "contact_address", "is_contact_shown", "logo"),
        ),
    ),
    ClusterText: (
        Grant(
            frozenset({VIEW, ADD, CHANGE, DELETE}),
            managed("cluster"),
            fields("language", "tagline", "description"),
        ),
    ),
    MembershipCount: (
        Grant(
            frozenset({VIEW, ADD, CHANGE, DELETE}),
            managed("cluster"),
            fields("counted_on", "kind", "count", "source"),
        ),
    ),
    ClusterName: (Grant(READ, managed("cluster")),),
    Management: (
        Grant(READ, and_also(managed("cluster"), organisation__is_published=True)),
        Grant(READ, and_also(in_teams("organisation"), cluster__is_published=True)),
    ),
    Label: (Grant(READ, and_also(managed("cluster"), is_published=True)),),
    Announcement: (
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
    AnnouncementText: (
        Grant(READ, in_teams("announcement__written_by")),
        Grant(
            frozenset({ADD, CHANGE, DELETE}),
            and_also(in_teams("announcement__written_by"), announcement__is_published=False),
        ),
    ),
    TeamMember: (
        Grant(READ, in_teams("organisation")),
        Grant(frozenset({CHANGE, DELETE}), in_owned_teams("organisation"), fields("role")),
        Grant(frozenset({DELETE}), own("account")),
    ),
    Invitation: (
        Grant(
            frozenset({VIEW, ADD, CHANGE}),
            in_owned_teams("organisation"),
            fields("email", "organisation", "team_role", "language"),
        ),
    ),
}

EXPERT: GrantsOfARole = {
    Expert: (Grant(frozenset({VIEW, CHANGE}), own("account"), fields("languages", "portfolios")),),
    Portfolio: (Grant(READ),),
}

POLICY_MAKER: GrantsOfARole = {
    Programme: (Grant(frozenset({VIEW, DOWNLOAD}), mandated("pk")),),
    Participation: (Grant(READ, and_also(mandated("programme"), cluster__is_published=True)),),
    RequiredLevel: (Grant(READ, mandated("programme")),),
    Cluster: (Grant(frozenset({VIEW, DOWNLOAD}), in_mandated_programmes("pk")),),
    ClusterText: (Grant(READ, in_mandated_programmes("cluster")),),
    ClusterName: (Grant(READ, in_mandated_programmes("cluster")),),
    MembershipCount: (Grant(READ, in_mandated_programmes("cluster")),),
    Management: (
        Grant(READ, and_also(in_mandated_programmes("cluster"), organisation__is_published=True)),
    ),
    Label: (Grant(READ, and_also(in_mandated_programmes("cluster"), is_published=True)),),
}

SECRETARIAT: GrantsOfARole = {
    **each(CONTENT, Grant(WRITE | {PUBLISH, DOWNLOAD})),
    **each(TABLES, Grant(WRITE | {PUBLISH, DOWNLOAD, IMPORT})),
    **each(SCHEME, Grant(READ)),
    **each(QUEUES, Grant(READ)),
    **each(DECISIONS, Grant(READ)),
    # Written by the steps in the life of a label.
    Suspension: (Grant(READ),),
    ProblemReport: (
        Grant(
            frozenset({VIEW, CHANGE}),
            None,
            fields("state", "answer", "is_logged", "correction_en", "correction_it"),
        ),
    ),
}

EDITOR: GrantsOfARole = {
    **SECRETARIAT,
    Label: (
        Grant(
            frozenset({VIEW, ADD, CHANGE, DELETE, DOWNLOAD, IMPORT}),
            None,
            LABEL_FIELDS_OF_AN_EDITOR,
        ),
    ),
    TeamMember: (Grant(READ),),
}

LEAD: GrantsOfARole = {
    **SECRETARIAT,
    **each(SCHEME, Grant(KEEP | {DELETE})),
    Label: (Grant(WRITE | {PUBLISH, DOWNLOAD, IMPORT, DECIDE}),),
    **each(DECISIONS, Grant(frozenset({VIEW, DECIDE}))),
    Claim: (Grant(frozenset({VIEW, CHANGE}), None, fields("state", "answer")),),
    Account: (
        Grant(frozenset({VIEW, CHANGE}), below_a_lead(), fields("is_active", "language", "groups")),
        Grant(READ, own("pk")),
    ),
    TeamMember: (
        Grant(READ),
        Grant(frozenset({CHANGE, DELETE}), None, fields("role")),
    ),
    Mandate: (Grant(frozenset({VIEW, ADD, DELETE})),),
    Invitation: (
        Grant(
            frozenset({VIEW, ADD, CHANGE}),
            None,
            fields("email", "organisation", "team_role", "role", "programme", "language"),
        ),
    ),
    Expert: (Grant(KEEP | {DELETE}),),
    **each(LOG, Grant(READ | {DOWNLOAD})),
}

GRANTS: Mapping[str, GrantsOfARole] = {
    Role.TEAM: TEAM,
    Role.EXPERT: EXPERT,
    Role.POLICY_MAKER: POLICY_MAKER,
    Role.AUDITOR: each(ALL_MODELS, Grant(READ)),
    Role.EDITOR: EDITOR,
    Role.LEAD: LEAD,
}
