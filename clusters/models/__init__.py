"""Clusters, the organisations that manage them, and the programmes that support them."""

from clusters.models.changes import Change, ChangeKind
from clusters.models.clusters import (
    Cluster,
    ClusterName,
    ClusterQuerySet,
    ClusterState,
    ClusterText,
    CountQualifier,
    Lineage,
    LineageKind,
    Management,
    ManagementRole,
    MemberKind,
    MembershipCount,
    published_managers,
)
from clusters.models.drafts import FormDraft
from clusters.models.events import Event, EventAddress, EventKind
from clusters.models.mails import Mail, MailState
from clusters.models.organisations import (
    Organisation,
    OrganisationKind,
    OrganisationName,
    OrganisationQuerySet,
    Shareholding,
)
from clusters.models.people import (
    Account,
    Claim,
    ClaimState,
    ConfirmationRequest,
    Invitation,
    InvitationQuerySet,
    Mandate,
    Role,
    TeamMember,
    TeamRole,
)
from clusters.models.programmes import Participation, Programme, ProgrammeQuerySet
from clusters.models.records import PublicRecord, PublicRecordQuerySet
from clusters.models.reference import Portfolio, Region, TwoNames
from clusters.models.reports import ProblemReport, RecordKind, ReportState
from clusters.models.saved_filters import SavedFilter
from clusters.models.sources import ClusterFact, Confidence, FactSource
