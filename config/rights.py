"""The table of rights: what each role may do to which rows, which fields it writes and reads."""

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
    FactSource,
    Invitation,
    Lineage,
    Mail,
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
    Scope,
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
    LabelSource,
    Level,
    LevelRule,
    Notice,
    RequiredLevel,
    RuleChange,
    Statement,
    Suspension,
)
from news.models import (
    Announcement,
    AnnouncementText,
    Correction,
    ReviewComment,
    Subscription,
    Topic,
)

EDIT = (VIEW, ADD, CHANGE, DELETE)
WRITE = (*EDIT, RESTORE)


def grant(*verbs: str, on: Scope | None = None, fields: str = "", hides: str = "") -> Grant:
    # On the rows `on`, by default all; to write the fields named, by default all of the form; to
    # read all but those that it hides.
    writes = frozenset(fields.split()) if fields else None
    return Grant(frozenset(verbs), on, writes, frozenset(hides.split()))


def same_grants(models: Iterable[type[Model]], *grants: Grant) -> GrantsOfARole:
    return dict.fromkeys(models, grants)


TABLES = (Cluster, Organisation, Programme, Label)
# Of a cluster, what goes out and comes in as a table of its own.
PART_TABLES = (ClusterText, Management, MembershipCount)
CONTENT = (
    *TABLES,
    ClusterName,
    ClusterText,
    Management,
    Lineage,
    MembershipCount,
    FactSource,
    OrganisationName,
    Shareholding,
    Participation,
    LabelSource,
    RequiredLevel,
    Statement,
    Announcement,
    AnnouncementText,
    Correction,
    Topic,
)
# Written by the steps in the life of a label and of the rules, so nobody edits them.
STEPS = (Decision, RuleChange, Suspension)
# Of a label, what is for the secretariat: a Silver names where it is weak.
ASSESSMENT = "benchmarked_on areas_of_improvement"
# Who of the secretariat reads an announcement, a team is not told.
REVIEWER = "reviewer"
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
PEOPLE = (Account, TeamMember, Mandate, Invitation, Expert)
# Of a subscription admin shows no address and no choice (news/admin/subscriptions.py).
QUEUES = (Claim, ProblemReport, ConfirmationRequest, Notice, Delivery, Subscription)

TEAM: GrantsOfARole = {
    Organisation: [
        grant(
            VIEW,
            CHANGE,
            CONFIRM,
            on=in_teams("pk"),
            fields="town website role_address is_address_shown",
        )
    ],
    OrganisationName: [grant(VIEW, on=in_teams("organisation"))],
    Cluster: [
        grant(
            VIEW,
            CHANGE,
            CONFIRM,
            on=managed("pk"),
            fields="town website eccp_url contact_address is_contact_shown logo",
        )
    ],
    ClusterText: [grant(*EDIT, on=managed("cluster"), fields="language tagline description")],
    MembershipCount: [
        grant(*EDIT, on=managed("cluster"), fields="counted_on kind count qualifier source")
    ],
    ClusterName: [grant(VIEW, on=managed("cluster"))],
    FactSource: [grant(VIEW, on=managed("cluster"))],
    # Both ends of a management are named, so neither may be unpublished.
    Management: [
        grant(VIEW, on=and_also(managed("cluster"), organisation__is_published=True)),
        grant(VIEW, on=and_also(in_teams("organisation"), cluster__is_published=True)),
    ],
    Label: [grant(VIEW, on=and_also(managed("cluster"), is_published=True), hides=ASSESSMENT)],
    LabelSource: [grant(VIEW, on=and_also(managed("label__cluster"), label__is_published=True))],
    # A team writes drafts; what it submitted, and what is published, the secretariat changes.
    Announcement: [
        grant(VIEW, on=in_teams("written_by"), hides=REVIEWER),
        grant(
            ADD,
            CHANGE,
            DELETE,
            on=and_also(in_teams("written_by"), state="draft"),
            fields="kind written_by picture begins_at ends_at place address deadline_at topics"
            " clusters organisations labels contact_organisation",
            hides=REVIEWER,
        ),
    ],
    AnnouncementText: [
        grant(VIEW, on=in_teams("announcement__written_by")),
        grant(
            ADD,
            CHANGE,
            DELETE,
            on=and_also(in_teams("announcement__written_by"), announcement__state="draft"),
        ),
    ],
    Correction: [grant(VIEW, on=in_teams("announcement__written_by"))],
    ReviewComment: [grant(VIEW, on=in_teams("announcement__written_by"), hides="author")],
    Topic: [grant(VIEW)],
    TeamMember: [
        grant(VIEW, on=in_teams("organisation")),
        grant(CHANGE, DELETE, on=in_owned_teams("organisation"), fields="role"),
        # Everybody may leave.
        grant(DELETE, on=own("account")),
    ],
    Invitation: [
        grant(
            VIEW,
            ADD,
            CHANGE,
            on=in_owned_teams("organisation"),
            fields="email organisation team_role language",
            # An address of the secretariat.
            hides="invited_by",
        )
    ],
}

EXPERT: GrantsOfARole = {
    # When and where one was accredited the secretariat writes.
    Expert: [grant(VIEW, CHANGE, on=own("account"), fields="languages portfolios")],
    Portfolio: [grant(VIEW)],
}

POLICY_MAKER: GrantsOfARole = {
    Programme: [grant(VIEW, DOWNLOAD, on=mandated("pk"))],
    Participation: [grant(VIEW, on=and_also(mandated("programme"), cluster__is_published=True))],
    RequiredLevel: [grant(VIEW, on=mandated("programme"))],
    # An address that is shown stands on the cluster's page.
    Cluster: [
        grant(
            VIEW,
            DOWNLOAD,
            on=in_mandated_programmes("pk"),
            hides="contact_address is_contact_shown",
        )
    ],
    **same_grants(
        (ClusterText, ClusterName, MembershipCount, FactSource),
        grant(VIEW, on=in_mandated_programmes("cluster")),
    ),
    Management: [
        grant(VIEW, on=and_also(in_mandated_programmes("cluster"), organisation__is_published=True))
    ],
    Label: [
        grant(
            VIEW,
            on=and_also(in_mandated_programmes("cluster"), is_published=True),
            hides=ASSESSMENT,
        )
    ],
    LabelSource: [
        grant(VIEW, on=and_also(in_mandated_programmes("label__cluster"), label__is_published=True))
    ],
}

SECRETARIAT: GrantsOfARole = {
    **same_grants(CONTENT, grant(*WRITE, PUBLISH, DOWNLOAD)),
    # Behind CONTENT, which holds these as well: the later entry counts.
    **same_grants((*TABLES, *PART_TABLES), grant(*WRITE, PUBLISH, DOWNLOAD, IMPORT)),
    **same_grants((*STEPS, *SCHEME, *QUEUES), grant(VIEW)),
    ReviewComment: [grant(VIEW, CHANGE, fields="is_resolved")],
    ProblemReport: [
        grant(VIEW, CHANGE, fields="state answer is_logged correction_en correction_it")
    ],
}

EDITOR: GrantsOfARole = {
    **SECRETARIAT,
    Label: [
        grant(
            # Without `is_published`: an editor proposes, and the decision publishes.
            *EDIT,
            DOWNLOAD,
            IMPORT,
            fields="cluster managing_organisation level certificate_number kind renews assessed_on"
            " awarded_on announced_on valid_until awarded_by score benchmarked_on"
            " areas_of_improvement source",
        )
    ],
    TeamMember: [grant(VIEW)],
}

LEAD: GrantsOfARole = {
    **SECRETARIAT,
    **same_grants((*SCHEME, Expert), grant(*WRITE)),
    Label: [grant(*WRITE, PUBLISH, DOWNLOAD, IMPORT, DECIDE)],
    Decision: [grant(VIEW, DECIDE)],
    RuleChange: [grant(VIEW, DECIDE)],
    Claim: [grant(VIEW, CHANGE, fields="state answer")],
    # Not other leads, and of oneself only to read.
    Account: [
        grant(VIEW, CHANGE, on=below_a_lead(), fields="is_active language groups"),
        grant(VIEW, on=own("pk")),
    ],
    TeamMember: [grant(VIEW), grant(CHANGE, DELETE, fields="role")],
    Mandate: [grant(VIEW, ADD, DELETE)],
    Invitation: [
        grant(VIEW, ADD, CHANGE, fields="email organisation team_role role programme language")
    ],
    Event: [grant(VIEW, DOWNLOAD)],
    # To decide is to have a failed one sent again.
    Mail: [grant(VIEW, DECIDE)],
}

GRANTS: Mapping[str, GrantsOfARole] = {
    Role.TEAM: TEAM,
    Role.EXPERT: EXPERT,
    Role.POLICY_MAKER: POLICY_MAKER,
    Role.AUDITOR: same_grants(
        (*CONTENT, ReviewComment, *STEPS, *SCHEME, *PEOPLE, *QUEUES, Event), grant(VIEW)
    ),
    Role.EDITOR: EDITOR,
    Role.LEAD: LEAD,
}
