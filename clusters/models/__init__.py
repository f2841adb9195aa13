"""Clusters, the organisations that manage them, and the programmes that support them."""

from clusters.models.clusters import (
    Cluster,
    ClusterName,
    ClusterQuerySet,
    ClusterState,
    ClusterText,
    Lineage,
    LineageKind,
    Management,
    ManagementRole,
    MemberKind,
    MembershipCount,
)
from clusters.models.organisations import (
    Organisation,
    OrganisationKind,
    OrganisationName,
    OrganisationQuerySet,
    Shareholding,
)
from clusters.models.programmes import Participation, Programme, ProgrammeQuerySet
from clusters.models.reference import Portfolio, Region, TwoNames

__all__ = [
    "Cluster",
    "ClusterName",
    "ClusterQuerySet",
    "ClusterState",
    "ClusterText",
    "Lineage",
    "LineageKind",
    "Management",
    "ManagementRole",
    "MemberKind",
    "MembershipCount",
    "Organisation",
    "OrganisationKind",
    "OrganisationName",
    "OrganisationQuerySet",
    "Participation",
    "Portfolio",
    "Programme",
    "ProgrammeQuerySet",
    "Region",
    "Shareholding",
    "TwoNames",
]
