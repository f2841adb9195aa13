"""Rows for tests: plain functions with defaults that pass every constraint."""

from datetime import date, datetime, time
from itertools import count
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import Group
from django.utils import timezone

from clusters.dates import PartialDate
from clusters.models import (
    Account,
    Cluster,
    Management,
    ManagementRole,
    Mandate,
    Organisation,
    Participation,
    Portfolio,
    ProblemReport,
    Programme,
    Region,
    Role,
    TeamMember,
    TeamRole,
)
from labels.life import steps as life
from labels.life.days import save_label
from labels.models import DecisionState, Label
from news.models import Announcement, AnnouncementText

numbers = count(1)

MOMENT = datetime(2015, 9, 8, 14, 38, tzinfo=timezone.get_default_timezone())
DECIDED_AT = datetime(2026, 11, 22, 12, tzinfo=timezone.get_default_timezone())


def make_account(*roles: Role, **fields: Any) -> Account:
    """An account with these roles of the portal and no password, unless one is given."""
    defaults = {"email": f"account-{next(numbers)}@example.org"}
    account = Account.objects.create_user(**(defaults | fields))
    account.groups.set(Group.objects.filter(name__in=roles))
    return account


def make_team_member(**fields: Any) -> TeamMember:
    """An owner, unless told otherwise."""
    defaults: dict[str, Any] = {"role": TeamRole.OWNER}
    if "organisation" not in fields:
        defaults["organisation"] = make_organisation()
    if "account" not in fields:
        defaults["account"] = make_account()
    return TeamMember.objects.create(**(defaults | fields))


def make_policy_maker(*programmes: Programme, **fields: Any) -> Account:
    account = make_account(Role.POLICY_MAKER, **fields)
    for programme in programmes:
        Mandate.objects.create(account=account, programme=programme)
    return account


def make_cluster(**fields: Any) -> Cluster:
    number = next(numbers)
    defaults = {"name": f"Cluster {number}", "slug": f"cluster-{number}", "country": "IT"}
    return Cluster.objects.create(**(defaults | fields))


def make_organisation(**fields: Any) -> Organisation:
    number = next(numbers)
    defaults = {"name": f"Organisation {number}", "slug": f"organisation-{number}", "country": "IT"}
    return Organisation.objects.create(**(defaults | fields))


def make_management(**fields: Any) -> Management:
    defaults: dict[str, Any] = {"role": ManagementRole.LEAD}
    if "cluster" not in fields:
        defaults["cluster"] = make_cluster()
    if "organisation" not in fields:
        defaults["organisation"] = make_organisation()
    return Management.objects.create(**(defaults | fields))


def make_programme(**fields: Any) -> Programme:
    number = next(numbers)
    defaults = {
        "name_en": f"Programme {number}",
        "name_it": f"Programma {number}",
        "slug": f"programme-{number}",
    }
    return Programme.objects.create(**(defaults | fields))


def make_participation(**fields: Any) -> Participation:
    defaults: dict[str, Any] = {}
    if "programme" not in fields:
        defaults["programme"] = make_programme()
    if "cluster" not in fields:
        defaults["cluster"] = make_cluster()
    return Participation.objects.create(**(defaults | fields))


def left_to_the_database() -> Any:
    """Its constraints, which Django would ask for one by one in most of the time of a test."""
    return patch.object(Label, "validate_constraints")


def make_label(**fields: Any) -> Label:
    """A Gold of July 2015, unless told otherwise; partial dates are given as ISO text."""
    if "cluster" not in fields:
        fields["cluster"] = make_cluster()
    level = fields.pop("level", "gold")
    if not {"assessed_on", "awarded_on", "valid_until"} & fields.keys():
        fields["assessed_on"] = "2015-07"
    with left_to_the_database():
        return save_label(Label(level_id=level, **fields))


def new_label(**fields: Any) -> Label:
    """A Gold assessed on 10 March 2026, not saved; a Silver brings what it needs."""
    level = fields.pop("level", "gold")
    defaults: dict[str, Any] = {"level_id": level, "assessed_on": PartialDate(2026, 3, 10)}
    if "cluster" not in fields:
        defaults["cluster"] = make_cluster()
    if level == "silver":
        areas = "Strategy\nFinancing\nServices"
        defaults |= {"benchmarked_on": PartialDate(2023, 5), "areas_of_improvement": areas}
    return Label(**(defaults | fields))


def award_label(**fields: Any) -> Label:
    """Proposed by one person and approved by another on 22 November 2026, noon in Rome."""
    with left_to_the_database():
        decision = life.award(
            new_label(**fields), reason="The jury agreed.", by=make_account(), now=DECIDED_AT
        )
        if decision.state == DecisionState.PROPOSED:
            decision = life.approve(decision, by=make_account(), now=DECIDED_AT)
    return Label.objects.get(pk=decision.label_id)


def make_undated_label(**fields: Any) -> Label:
    return make_label(assessed_on=None, awarded_on=None, valid_until=None, **fields)


def transfer_label(label: Label, *, on: date, **fields: Any) -> Label:
    """The label that takes its place from that day on, with another cluster."""
    cluster = fields.pop("cluster", None) or make_cluster()
    now = datetime.combine(on, time(12), timezone.get_default_timezone())
    defaults: dict[str, Any] = {"reason": "The clusters merged.", "by": make_account(), "now": now}
    life.transfer_label(label, on=on, cluster=cluster, **(defaults | fields))
    label.refresh_from_db()
    return Label.objects.get(transferred_from=label)


def make_announcement(*, language: str = "en", **fields: Any) -> Announcement:
    """A published announcement of 8 September 2015, 14:38, with one text."""
    number = next(numbers)
    related = {
        name: fields.pop(name)
        for name in ("clusters", "organisations", "labels", "programmes", "statements")
        if name in fields
    }
    text = {
        name: fields.pop(name)
        for name in ("title", "slug", "lead", "body", "box_title", "box", "contact_role")
        if name in fields
    }
    announcement = Announcement.objects.create(
        **({"published_at": MOMENT, "is_published": True} | fields)
    )
    make_announcement_text(announcement, language=language, number=number, **text)
    for name, rows in related.items():
        getattr(announcement, name).set(rows)
    return announcement


def make_announcement_text(
    announcement: Announcement, *, number: int | None = None, **fields: Any
) -> AnnouncementText:
    number = number or next(numbers)
    defaults = {
        "title": f"Announcement {number}",
        "slug": f"announcement-{number}",
        "body": "Text.",
    }
    return AnnouncementText.objects.create(announcement=announcement, **(defaults | fields))


def make_report(**fields: Any) -> ProblemReport:
    """A new report about a cluster that need not exist."""
    defaults = {
        "kind": "cluster",
        "record_id": "BCDFGHJK",
        "record_name": "bioPmed",
        "path": "/clusters/biopmed/",
        "text": "The town is wrong.",
    }
    return ProblemReport.objects.create(**(defaults | fields))


def portfolio(code: str = "health-and-medical-science") -> Portfolio:
    return Portfolio.objects.get(code=code)


def region(code: str = "IT-21") -> Region:
    return Region.objects.get(code=code)
