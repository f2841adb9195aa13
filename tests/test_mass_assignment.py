"""Every form is sent every field of its model: only those that it declares are written."""

from collections.abc import Callable, Iterable
from copy import copy, deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from io import BytesIO
from pkgutil import walk_packages
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.forms import BaseForm, inlineformset_factory
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django_countries.fields import CountryField
from PIL import Image

from clusters.fields import NormalNameField, PartialDateField
from clusters.models import (
    Account,
    Claim,
    ClusterName,
    ClusterText,
    ConfirmationRequest,
    FactSource,
    Invitation,
    Lineage,
    Management,
    ManagementRole,
    Mandate,
    MembershipCount,
    OrganisationName,
    Portfolio,
    ProblemReport,
    Region,
    Role,
    Shareholding,
    TeamRole,
)
from clusters.people.confirmation import make_token
from labels.life.proposals import BEGINS_A_LABEL
from labels.life.rules import propose_rules
from labels.life.steps import extend, revoke
from labels.models import (
    Decision,
    Delivery,
    Expert,
    Indicator,
    IndicatorSet,
    IssuingBody,
    IssuingBodyRole,
    LabelSource,
    Level,
    LevelRule,
    Notice,
    RequiredLevel,
    Statement,
)
from labels.notices.addressees import addressees_of
from labels.notices.mails import token_of as token_of_notice
from news.admin.steps import FORMS as NEWS_STEPS
from news.models import Announcement
from news.subscriptions.links import confirm_url, manage_url
from tests.admin_forms import errors, form_data
from tests.factories import (
    approve,
    in_effect,
    make_account,
    make_announcement,
    make_attachment,
    make_cluster,
    make_correction,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_picture,
    make_policy_maker,
    make_programme,
    make_review_comment,
    make_subscription,
    make_suspension,
    make_team_member,
    make_topic,
    rules_may_change,
)
from tests.uploads import document_upload

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

APPS = ("clusters", "labels", "news")
OWNER, MEMBER, EXPERT, EDITOR, LEAD = "owner", "member", "expert", "editor", "lead"
ROLES = (OWNER, MEMBER, EXPERT, EDITOR, LEAD)

# What a form may write, by hand: form -> roles -> model -> fields.

CLUSTER = (
    "name slug state is_published portfolio country region town latitude longitude founded_on "
    "website eccp_url confirmed_on contact_address is_contact_shown logo"
)
ORGANISATION = (
    "name slug kind legal_form is_published country region town website role_address "
    "is_address_shown vat_number lei confirmed_on"
)
PROGRAMME = (
    "name_en name_it slug is_published owner country region started_on ended_on website "
    "description_en description_it"
)
DRAFT = (
    "kind written_by begins_at ends_at place address deadline_at topics clusters organisations "
    "labels contact_organisation"
)
# What becomes of it is written by the steps only.
ANNOUNCEMENT = f"{DRAFT} published_at reviewer programmes statements"
ANNOUNCEMENT_TEXT = "language state title slug lead body box_title box contact_role"
PICTURE = "image position focus_x focus_y alt_en alt_it credit_en credit_it"
ATTACHMENT = "file position title_en title_it"
LABEL = (
    "cluster certificate_number kind assessed_on awarded_on announced_on valid_until "
    "managing_organisation awarded_by source"
)
CORRECTION = "corrected_at text_en text_it"
TOPIC = "name_en name_it slug rank"
GOLD, SILVER = f"{LABEL} renews level score", f"{LABEL} benchmarked_on areas_of_improvement"
COUNT = "counted_on kind count qualifier source"
FACT_SOURCE = "fact confidence source note"
LABEL_SOURCE = {"labels.labelsource": "source confidence note"}
REQUIRED_LEVEL = "level required_from required_until source"
CLUSTER_PARTS = {
    "clusters.clustertext": "language tagline description",
    "clusters.clustername": "name kind started_on ended_on",
    "clusters.management": "organisation role started_on ended_on source",
    "clusters.lineage": "kind other happened_on source",
    "clusters.membershipcount": COUNT,
    "clusters.factsource": FACT_SOURCE,
    "clusters.participation": "programme started_on ended_on",
}
STATEMENT = (
    "as_of_on level count is_more_than source definition_en definition_it detail_en detail_it"
)
LEVEL = "rank name_en name_it official_wording process_en process_it"
RULE = (
    "effective_from is_confirmed first_months renewal_months renewal_window_months "
    "ends_at_month_end experts minimum_score note_en note_it"
)
BODY = "short_name name code website"
SET = "level version name_en name_it is_official note_en note_it"
INDICATOR = "number dimension name_en name_it maximum weight threshold is_minimum_requirement"

Fields = dict[str, str]
SECRETARIAT = (EDITOR, LEAD)
TEAM = (OWNER, MEMBER)


def by(*given: tuple[Iterable[str], Fields]) -> dict[str, Fields]:
    return {role: fields for roles, fields in given for role in roles}


TABLE: dict[str, dict[str, Fields]] = {
    "change clusters.cluster": by(
        (SECRETARIAT, {"clusters.cluster": CLUSTER} | CLUSTER_PARTS),
        (
            TEAM,
            {
                "clusters.cluster": "town website eccp_url contact_address is_contact_shown logo",
                "clusters.clustertext": "language tagline description",
                "clusters.membershipcount": COUNT,
            },
        ),
    ),
    "add clusters.cluster": by((SECRETARIAT, {"clusters.cluster": CLUSTER})),
    "change clusters.clustertext": by(
        ((*SECRETARIAT, *TEAM), {"clusters.clustertext": "language tagline description"})
    ),
    "change clusters.clustername": by(
        (SECRETARIAT, {"clusters.clustername": "name kind started_on ended_on"})
    ),
    "change clusters.management": by(
        (SECRETARIAT, {"clusters.management": "organisation role started_on ended_on source"})
    ),
    "change clusters.lineage": by(
        (SECRETARIAT, {"clusters.lineage": "kind other happened_on source"})
    ),
    "change clusters.membershipcount": by(
        ((*SECRETARIAT, *TEAM), {"clusters.membershipcount": COUNT})
    ),
    "change clusters.factsource": by((SECRETARIAT, {"clusters.factsource": FACT_SOURCE})),
    "change labels.labelsource": by((SECRETARIAT, LABEL_SOURCE)),
    "change clusters.organisation": by(
        (
            SECRETARIAT,
            {
                "clusters.organisation": ORGANISATION,
                "clusters.organisationname": "name started_on ended_on",
                "clusters.shareholding": "shareholder started_on ended_on source",
                "clusters.management": "cluster role started_on ended_on source",
            },
        ),
        (TEAM, {"clusters.organisation": "town website role_address is_address_shown"}),
    ),
    "add clusters.organisation": by((SECRETARIAT, {"clusters.organisation": ORGANISATION})),
    "change clusters.organisationname": by(
        (SECRETARIAT, {"clusters.organisationname": "name started_on ended_on"})
    ),
    "change clusters.shareholding": by(
        (SECRETARIAT, {"clusters.shareholding": "shareholder started_on ended_on source"})
    ),
    "change clusters.programme": by(
        (
            SECRETARIAT,
            {
                "clusters.programme": PROGRAMME,
                "clusters.participation": "cluster started_on ended_on",
                "labels.requiredlevel": REQUIRED_LEVEL,
            },
        )
    ),
    "add clusters.programme": by((SECRETARIAT, {"clusters.programme": PROGRAMME})),
    "change clusters.participation": by(
        (SECRETARIAT, {"clusters.participation": "started_on ended_on"})
    ),
    "change labels.requiredlevel": by((SECRETARIAT, {"labels.requiredlevel": REQUIRED_LEVEL})),
    "change clusters.portfolio": by(
        ((LEAD,), {"clusters.portfolio": "name_en name_it other_names code"})
    ),
    "add clusters.portfolio": by(
        ((LEAD,), {"clusters.portfolio": "name_en name_it other_names code"})
    ),
    "change clusters.region": by(((LEAD,), {"clusters.region": "name other_names country code"})),
    "add clusters.region": by(((LEAD,), {"clusters.region": "name other_names country code"})),
    "change clusters.problemreport": by(
        (
            SECRETARIAT,
            {"clusters.problemreport": "state answer is_logged correction_en correction_it"},
        )
    ),
    "change clusters.claim": by(((LEAD,), {"clusters.claim": "state answer"})),
    "change clusters.account": by(((LEAD,), {"clusters.account": "is_active language groups"})),
    "change clusters.teammember": by(((OWNER, LEAD), {"clusters.teammember": "role"})),
    "add clusters.mandate": by(((LEAD,), {"clusters.mandate": "account programme"})),
    "add clusters.invitation": by(
        ((OWNER, LEAD), {"clusters.invitation": "email organisation team_role language"})
    ),
    "add clusters.invitation to a role": by(
        ((LEAD,), {"clusters.invitation": "email role programme language"})
    ),
    "change labels.label to a gold": by(
        ((EDITOR,), {"labels.label": GOLD} | LABEL_SOURCE),
        ((LEAD,), {"labels.label": f"{GOLD} is_published"} | LABEL_SOURCE),
    ),
    "change labels.label as a silver": by(
        ((EDITOR,), {"labels.label": SILVER} | LABEL_SOURCE),
        ((LEAD,), {"labels.label": f"{SILVER} is_published"} | LABEL_SOURCE),
    ),
    # What is proposed is not public, whatever was sent.
    "add labels.label of a gold": by((SECRETARIAT, {"labels.label": GOLD})),
    "add labels.label of a silver": by((SECRETARIAT, {"labels.label": SILVER})),
    "change labels.level": by(((LEAD,), {"labels.level": LEVEL, "labels.levelrule": RULE})),
    "add labels.level": by(((LEAD,), {"labels.level": f"code {LEVEL}", "labels.levelrule": RULE})),
    "change labels.issuingbody": by(
        (
            (LEAD,),
            {"labels.issuingbody": BODY, "labels.issuingbodyrole": "role started_on ended_on"},
        )
    ),
    "add labels.issuingbody": by(((LEAD,), {"labels.issuingbody": BODY})),
    "change labels.issuingbodyrole": by(
        ((LEAD,), {"labels.issuingbodyrole": "role started_on ended_on"})
    ),
    "change labels.indicatorset": by(
        ((LEAD,), {"labels.indicatorset": SET, "labels.indicator": INDICATOR})
    ),
    "add labels.indicatorset": by(((LEAD,), {"labels.indicatorset": SET})),
    "change labels.indicator": by(((LEAD,), {"labels.indicator": INDICATOR})),
    "change labels.statement": by((SECRETARIAT, {"labels.statement": STATEMENT})),
    "add labels.statement": by((SECRETARIAT, {"labels.statement": STATEMENT})),
    "change labels.expert": by(
        ((EXPERT,), {"labels.expert": "languages portfolios"}),
        ((LEAD,), {"labels.expert": "account country languages portfolios accredited_on"}),
    ),
    "add labels.expert": by(
        ((LEAD,), {"labels.expert": "account country languages portfolios accredited_on"})
    ),
    "change news.announcement to an event": by(
        (
            SECRETARIAT,
            {
                "news.announcement": ANNOUNCEMENT,
                "news.announcementtext": ANNOUNCEMENT_TEXT,
                "news.picture": PICTURE,
                "news.attachment": ATTACHMENT,
                "news.correction": CORRECTION,
                "news.reviewcomment": "is_resolved",
            },
        ),
        (
            TEAM,
            {
                "news.announcement": DRAFT,
                "news.announcementtext": ANNOUNCEMENT_TEXT,
                "news.picture": PICTURE,
                "news.attachment": ATTACHMENT,
            },
        ),
    ),
    "add news.announcement of an event": by(
        (SECRETARIAT, {"news.announcement": ANNOUNCEMENT}), (TEAM, {"news.announcement": DRAFT})
    ),
    "add news.announcement of a call": by(
        (SECRETARIAT, {"news.announcement": ANNOUNCEMENT}), (TEAM, {"news.announcement": DRAFT})
    ),
    "change news.announcementtext": by(
        ((*SECRETARIAT, *TEAM), {"news.announcementtext": ANNOUNCEMENT_TEXT})
    ),
    "change news.picture": by(((*SECRETARIAT, *TEAM), {"news.picture": PICTURE})),
    "change news.attachment": by(((*SECRETARIAT, *TEAM), {"news.attachment": ATTACHMENT})),
    "change news.correction": by((SECRETARIAT, {"news.correction": CORRECTION})),
    "change news.reviewcomment": by((SECRETARIAT, {"news.reviewcomment": "is_resolved"})),
    "change news.topic": by((SECRETARIAT, {"news.topic": TOPIC})),
    "add news.topic": by((SECRETARIAT, {"news.topic": TOPIC})),
}
# What follows from the fields that were written; never what was sent for it.
CONSEQUENCES = {
    "clusters.account": {"session_number"},
    "clusters.claim": {"decided_at", "decided_by"},
    "clusters.problemreport": {"closed_at", "closed_by"},
    "clusters.invitation": {"invited_by", "expires_at"},
    # Of the file.
    "news.picture": {"width", "height"},
    "news.attachment": {"size"},
    "labels.label": {
        "starts_on", "certain_from", "certain_until", "ends_on", "renewable_until",
        "start_is_computed", "end_is_computed", "rule", "days_are_exact", "minimum_score",
        "decision",
    },
}  # fmt: skip
# Rows that come with what a form writes: the decision behind it.
CONSEQUENT_ROWS = {"labels.label": "labels.decision", "labels.level": "labels.rulechange"}
# Derived, with two values only: that one of them is what was sent says nothing.
DERIVED_FLAGS = {"start_is_computed", "end_is_computed", "days_are_exact"}
# Fields that one form cannot take together with its others.
WITHOUT = {
    # They stay public with a label: tests/labels/facts/test_names.py.
    "change clusters.cluster": {"is_published"},
    "change clusters.organisation": {"is_published"},
    "add clusters.invitation": {"role", "programme"},
    "add clusters.invitation to a role": {"organisation", "team_role"},
    "change labels.label to a gold": {"benchmarked_on", "areas_of_improvement"},
    "change labels.label as a silver": {"level", "score", "renews"},
    # Sent “on” with what no form declares, and off all the same.
    "add labels.label of a gold": {"benchmarked_on", "areas_of_improvement", "is_published"},
    "add labels.label of a silver": {"level", "score", "renews", "is_published"},
    "change news.announcement to an event": {"deadline_at"},
    "add news.announcement of an event": {"deadline_at"},
    "add news.announcement of a call": {"kind", "begins_at", "ends_at", "place", "address"},
}
# What a form takes that is no field of its model, and what it needs to be saved.
TYPED = {
    "change labels.label to a gold": {"reason": "A slip."},
    "change labels.label as a silver": {"reason": "A slip."},
    "add labels.label of a gold": {"reason": "Told by a list.", "is_recorded": "on"},
    "add labels.label of a silver": {
        "reason": "Told by a list.", "is_recorded": "on", "level": "silver",
    },
    "add news.announcement of a call": {"kind": "call"},
    "change labels.level": {"reason": "A new scheme."},
    "add labels.level": {"reason": "A new scheme."},
}  # fmt: skip
UNDECLARED = {
    "is_superuser": "on",
    "is_staff": "on",
    "password": "poisoned",
    "session_number": "99",
    "public_id": "POISONED",
    "confirmed_on": "2011-11-11",
    "revoked_on": "2011-11-11",
    "is_published": "on",
    "history_user": "1",
}

DAY, MOMENT, YEAR = date(2016, 2, 1), datetime(2014, 5, 6, 10, 30), "2014-02"


def image() -> SimpleUploadedFile:
    stream = BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "PNG")
    return SimpleUploadedFile("poisoned.png", stream.getvalue(), "image/png")


@dataclass
class World:
    """A row for each form, accounts for each role, and rows to refer to instead."""

    accounts: dict[str, Account] = field(default_factory=dict)
    rows: dict[str, models.Model] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)

    def keep(self, row: Any) -> Any:
        self.rows[row._meta.label_lower] = row
        return row


def build() -> World:
    world = World()
    own, second = make_organisation(role_address="desk@example.org"), make_organisation()
    cluster, other = make_cluster(), make_cluster()
    for name, role in ((OWNER, TeamRole.OWNER), (MEMBER, TeamRole.EDITOR)):
        world.accounts[name] = make_account()
        for organisation in (own, second):
            make_team_member(organisation=organisation, account=world.accounts[name], role=role)
    world.accounts[EXPERT] = make_account(Role.EXPERT)
    world.accounts[EDITOR] = make_account(Role.EDITOR)
    world.accounts[LEAD] = make_account(Role.LEAD)
    make_management(cluster=other, organisation=second)
    programme = make_programme()
    earlier = make_label(cluster=cluster, assessed_on="2012-01")
    later = make_label(cluster=other, assessed_on="2012-01")
    world.others = {
        "clusters.organisation": second,
        "clusters.cluster": other,
        "clusters.portfolio": Portfolio.objects.order_by("pk")[1],
        "clusters.region": Region.objects.filter(country="FR").order_by("pk")[0],
        "clusters.programme": programme,
        "clusters.account": make_policy_maker(),
        "labels.label": later,
        "labels.level": Level.objects.get(pk="gold"),
        "labels.issuingbody": IssuingBody.objects.order_by("pk")[1],
        "labels.indicatorset": IndicatorSet.objects.order_by("-pk")[0],
        "labels.statement": Statement.objects.create(
            as_of_on="2013", definition_en="x", definition_it="x", count=1, source="y"
        ),
        "news.topic": make_topic(),
        "auth.group": Group.objects.get(name=Role.AUDITOR),
        "earlier": earlier,
        "unowned": make_organisation(website="https://example.org/"),
    }
    keep_directory(world, own, cluster)
    keep_labels(world, cluster)
    keep_scheme(world)
    keep_people(world, own)
    return world


def keep_directory(world: World, own: Any, cluster: Any) -> None:
    world.keep(own)
    world.keep(cluster)
    world.keep(ClusterText.objects.create(cluster=cluster, language="en"))
    world.keep(ClusterName.objects.create(cluster=cluster, name="Old"))
    world.keep(make_management(cluster=cluster, organisation=own))
    third = make_cluster()
    world.keep(Lineage.objects.create(cluster=cluster, other=third, kind="split_from"))
    world.keep(MembershipCount.objects.create(cluster=cluster, counted_on="2015", count=1))
    world.keep(FactSource.objects.create(cluster=cluster, fact="town", confidence="doubtful"))
    world.keep(OrganisationName.objects.create(organisation=own, name="Old"))
    world.keep(Shareholding.objects.create(organisation=own, shareholder=make_organisation()))
    programme = world.keep(make_programme())
    world.keep(make_participation(cluster=cluster, programme=programme))
    world.keep(RequiredLevel.objects.create(programme=programme, level_id="silver"))
    world.keep(Portfolio.objects.order_by("pk")[0])
    world.keep(Region.objects.filter(country="IT").order_by("pk")[0])
    announcement = world.keep(make_announcement(state="draft", published_at=None, written_by=own))
    world.keep(announcement.texts.get())
    world.keep(make_picture(announcement))
    world.keep(make_attachment(announcement))
    world.keep(make_correction(announcement))
    world.keep(make_review_comment(announcement))
    world.keep(make_topic())


def keep_labels(world: World, cluster: Any) -> None:
    label = world.keep(make_label(cluster=cluster, level="silver", assessed_on="2013-01"))
    world.keep(LabelSource.objects.create(label=label, confidence="reported"))
    world.keep(make_suspension(label, starts_on=date(2013, 5, 1), ends_on=date(2013, 6, 1)))


def keep_scheme(world: World) -> None:
    world.keep(Level.objects.get(pk="bronze"))
    world.keep(LevelRule.objects.filter(level="bronze").earliest("pk"))
    body = world.keep(IssuingBody.objects.filter(roles__isnull=False).order_by("pk")[0])
    world.keep(IssuingBodyRole.objects.filter(body=body).order_by("pk")[0])
    indicators = world.keep(IndicatorSet.objects.create(level_id="silver", version="1"))
    world.keep(Indicator.objects.create(set=indicators, number=1, dimension="structure"))
    world.keep(
        Statement.objects.create(
            as_of_on="2015", definition_en="a", definition_it="a", count=1, source="b"
        )
    )


def keep_people(world: World, own: Any) -> None:
    account = make_account(Role.POLICY_MAKER)
    world.keep(account)
    world.keep(make_team_member(organisation=own, account=account, role=TeamRole.EDITOR))
    world.keep(Mandate.objects.create(account=account, programme=make_programme()))
    world.keep(
        Invitation.objects.create(
            email="invited@example.org",
            organisation=own,
            team_role=TeamRole.EDITOR,
            expires_at=timezone.now() + timedelta(days=9),
        )
    )
    world.keep(
        Claim.objects.create(
            organisation=make_organisation(), role_address="a@example.org", reason="x"
        )
    )
    world.keep(
        ProblemReport.objects.create(
            kind="cluster", record_id="x", record_name="x", path="/x/", text="x"
        )
    )
    world.keep(
        ConfirmationRequest.objects.create(
            organisation=own, due_on=timezone.localdate(), asked_at=timezone.now()
        )
    )
    label: Any = world.rows["labels.label"]
    notice = Notice.objects.create(label=label, kind="6-months", due_on=MORNING.date())
    world.keep(notice)
    world.keep(Delivery.objects.create(notice=notice, written_at=MORNING))
    world.keep(make_subscription(confirmed_at=None, told_at=None))
    world.keep(Expert.objects.create(account=world.accounts[EXPERT], country="IT"))


@pytest.fixture(scope="module")
def built(module_rows: None) -> World:
    with time_machine.travel(MORNING):
        return build()


@pytest.fixture(scope="module")
def before(built: World) -> "Snapshot":
    return snapshot()


@pytest.fixture
def world(built: World) -> World:
    return deepcopy(built)


# A poisoned value for every field


@dataclass(frozen=True)
class Poison:
    """What is sent, by the ending of the name, and what the row holds when it was taken."""

    sent: dict[str, Any]
    held: Any


SPECIAL = {
    "clusters.problemreport.state": "corrected",
    "clusters.claim.state": "denied",
    "clusters.invitation.role": Role.POLICY_MAKER.value,
    "labels.label.kind": "renewal",
    "labels.label.score": "88.25",
    "labels.label.benchmarked_on": "2013-02",
    "clusters.region.code": "FR-99",
    "clusters.organisation.vat_number": "FR40303265045",
    "clusters.organisation.lei": "969500UP76J52A9OXU27",
    "labels.expert.languages": "en, fr",
}
LATER: dict[str, Any] = {
    "ended_on": "2018-02",
    "valid_until": "2018-02",
    "ends_on": date(2016, 3, 1),
}


def poison(column: Any, row: models.Model, world: World, *, in_part: bool) -> Poison:
    name = f"{row._meta.label_lower}.{column.name}"
    now = getattr(row, column.attname) if column.concrete and not column.many_to_many else None
    if column.name == "renews":
        return referring(world.others["earlier" if in_part else "labels.label"], column)
    if column.name == "reviewer":
        return referring(world.accounts[LEAD], column)
    if column.is_relation:
        other = world.others.get(column.related_model._meta.label_lower)
        return referring(other, column) if other else Poison({"": "1"}, None)
    if name in SPECIAL:
        return Poison({"": SPECIAL[name]}, SPECIAL[name])
    if column.choices and not isinstance(column, CountryField):
        value = next(key for key, _name in column.flatchoices if key and key != now)
        return Poison({"": value}, value)
    return by_type(column, now)


def referring(other: Any, column: Any) -> Poison:
    if column.many_to_many:
        return Poison({"": [other.pk]}, {other.pk})
    return Poison({"": other.pk}, other.pk)


def by_type(column: Any, now: Any) -> Poison:
    if isinstance(column, models.BooleanField):
        return Poison({"": None if now else "on"}, not now)
    if isinstance(column, models.ImageField):
        return Poison({"": image()}, ...)
    if isinstance(column, models.FileField):
        return Poison({"": document_upload()}, ...)
    if isinstance(column, CountryField):
        return Poison({"": "FR"}, "FR")
    if isinstance(column, models.DateTimeField):
        return Poison({"": MOMENT.isoformat()}, timezone.make_aware(MOMENT))
    if isinstance(column, PartialDateField):
        text = str(LATER.get(column.name, YEAR))
        return Poison({"": text}, text)
    if isinstance(column, models.DateField):
        day = LATER.get(column.name, DAY)
        return Poison({"": str(day)}, day)
    if isinstance(column, models.DecimalField):
        return Poison({"": "48.25"}, Decimal("48.25"))
    if isinstance(column, models.IntegerField):
        return Poison({"": "97"}, 97)
    if isinstance(column, models.URLField):
        return Poison({"": "https://poisoned.example.org/"}, "https://poisoned.example.org/")
    if isinstance(column, models.EmailField):
        return Poison({"": "poisoned@example.org"}, "poisoned@example.org")
    text = "poisoned"[: column.max_length] if column.max_length else "poisoned"
    return Poison({"": text}, text)


def columns(model: type[models.Model]) -> list[Any]:
    return [*model._meta.concrete_fields, *model._meta.many_to_many]


# What a request changed


Snapshot = dict[tuple[str, Any], dict[str, Any]]


def snapshot() -> Snapshot:
    """Every row of the portal but its history, its logs and its outbox."""
    return {
        (model._meta.label_lower, key): row
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        if not model.__name__.startswith(("Historical", "Event", "Change", "Mail"))
        for key, row in rows_of(model).items()
    }


def rows_of(model: type[models.Model]) -> dict[Any, dict[str, Any]]:
    options = model._meta
    # A normal form is made of its name, whatever is sent for it.
    stored = [one for one in options.fields if not isinstance(one, NormalNameField)]
    rows: dict[Any, dict[str, Any]] = {
        row[options.pk.attname]: {column.name: row[column.attname] for column in stored}
        for row in model._base_manager.values()
    }
    for column in options.many_to_many:
        through: Any = column.remote_field.through
        if not through._meta.auto_created:
            continue  # its rows are looked at themselves
        for row in rows.values():
            row[column.name] = set()
        names = column.m2m_field_name(), column.m2m_reverse_field_name()
        for key, related in through.objects.values_list(*names):
            rows[key][column.name].add(related)
    return rows


def changes(before: Snapshot, after: Snapshot, poisons: dict[str, dict[str, Poison]]) -> set[str]:
    """`label.field` where the poison was taken; anything else that happened says what it was."""
    found = {f"deleted {label}" for label, pk in before.keys() - after.keys()}
    for (label, pk), row in after.items():
        old = before.get((label, pk))
        sent = poisons.get(label, {})
        follows = any(CONSEQUENT_ROWS.get(sent) == label for sent in poisons)
        if old is None and follows:
            continue
        if old is None and label not in poisons:
            found.add(f"added {label}")
        for name, value in row.items():
            if (old is not None and old[name] == value) or name in DERIVED_FLAGS:
                continue
            if name in sent and sent[name].held is not None and is_held(value, sent[name].held):
                found.add(f"{label}.{name}")
            elif old is not None and name not in CONSEQUENCES.get(label, set()):
                found.add(f"{label}.{name} became {value!r}")
    return found


def is_held(value: Any, held: Any) -> bool:
    if held is ...:
        return bool(value)
    return value == held or (isinstance(held, str) and str(value) == held)


def declared(fields: Fields) -> set[str]:
    return {f"{label}.{name}" for label, names in fields.items() for name in names.split()}


# The forms of admin


Data = dict[str, Any]
Poisons = dict[str, dict[str, Poison]]


def address(form: str, world: World) -> str:
    verb, label = form.split()[:2]
    arguments = [world.rows[label].pk] if verb == "change" else []
    return reverse(f"admin:{label.replace('.', '_')}_{verb}", args=arguments)


@dataclass(frozen=True)
class Part:
    """A row on its parent's screen; `number` is None where the screen has no form of it."""

    row: models.Model
    prefix: str
    number: int | None
    key: str
    parent: str


def part(data: dict[str, Any], model: type[models.Model], inline: Any, world: World) -> Part:
    options = inline.model._meta
    formset = inlineformset_factory(model, inline.model, fk_name=inline.fk_name, fields=())
    prefix, row = formset.get_default_prefix(), world.rows[options.label_lower]
    keys = {
        str(data.get(f"{prefix}-{number}-{options.pk.name}")): number
        for number in range(int(data.get(f"{prefix}-INITIAL_FORMS", 0)))
    }
    return Part(row, prefix, keys.get(str(row.pk)), options.pk.name, formset.fk.name)  # type: ignore[attr-defined]


def poisoned_form(client: Client, form: str, world: World, fields: Fields) -> tuple[Data, Poisons]:
    """The form as its page would send it, with every field of its models poisoned."""
    verb, label = form.split()[:2]
    model = apps.get_model(label)
    data = form_data(client, address(form, world))
    row = world.rows[label] if verb == "change" else model()
    poisons = {label: put(data, "", row, world, without=WITHOUT.get(form, set()))}
    for inline in admin.site._registry[model].inlines:
        kind = inline.model._meta.label_lower
        found = part(data, model, inline, world)
        fixed = {found.key, found.parent}
        if found.number is not None:
            prefix = f"{found.prefix}-{found.number}-"
            poisons[kind] = put(data, prefix, found.row, world, without=fixed)
        elif verb == "add" and kind in fields:
            data |= {f"{found.prefix}-TOTAL_FORMS": "1"}
            poisons[kind] = put(data, f"{found.prefix}-0-", inline.model(), world, without=fixed)
        elif f"{found.prefix}-TOTAL_FORMS" not in data:
            smuggle(data, found, world)
    data |= {name: value for name, value in UNDECLARED.items() if name not in poisons[label]}
    return data | TYPED.get(form, {}), poisons


def smuggle(data: Data, hidden: Part, world: World) -> None:
    """A formset that the page does not have: a changed, a deleted and a new row."""
    prefix = hidden.prefix
    data |= {f"{prefix}-TOTAL_FORMS": "3", f"{prefix}-INITIAL_FORMS": "2"}
    for number in range(3):
        put(data, f"{prefix}-{number}-", hidden.row, world, without={hidden.key})
    data |= {f"{prefix}-{number}-{hidden.key}": hidden.row.pk for number in range(2)}
    data[f"{prefix}-1-DELETE"] = "on"


def put(
    data: Data, prefix: str, row: models.Model, world: World, *, without: set[str]
) -> dict[str, Poison]:
    poisons = {
        column.name: poison(column, row, world, in_part=bool(prefix))
        for column in columns(type(row))
        if column.name not in without
    }
    for name, given in poisons.items():
        for ending, value in given.sent.items():
            data.pop(f"{prefix}{name}{ending}", None)
            if value is not None:
                data[f"{prefix}{name}{ending}"] = value
    return poisons


CASES = [
    pytest.param(form, role, id=f"{role}: {form}")
    for form, roles in TABLE.items()
    for role in roles
]


def enter(world: World, role: str) -> Client:
    client = Client()
    client.force_login(world.accounts[role])
    return client


@pytest.mark.parametrize(("form", "role"), CASES)
def test_form_writes_what_it_declares_and_nothing_else(
    world: World, before: Snapshot, settings: Any, form: str, role: str
) -> None:
    # Else a level waits for somebody else.
    settings.REQUIRE_TWO_PERSONS = form.split()[1] != "labels.level"
    client, fields = enter(world, role), TABLE[form][role]
    data, poisons = poisoned_form(client, form, world, fields)

    response = client.post(address(form, world), data)
    if response.context and "seen" in response.context:
        response = client.post(address(form, world), data | {"seen": response.context["seen"]})

    assert (response.status_code, errors(response)) == (302, [])
    approve_corrections(world, role)
    left_out = {f"{form.split()[1]}.{name}" for name in WITHOUT.get(form, ())}
    assert changes(before, snapshot(), poisons) == declared(fields) - left_out


def approve_corrections(world: World, proposer: str) -> None:
    """What a form proposed takes effect, as somebody else approves it."""
    other: Any = next(account for role, account in world.accounts.items() if role != proposer)
    for decision in Decision.objects.waiting().exclude(kind__in=BEGINS_A_LABEL):
        approve(decision, by=other, now=decision.proposed_at)


# Once for the roles that write the same fields.
PARTS = [
    pytest.param(form, role, kind, id=f"{role}: {form}, {kind}")
    for form, roles in TABLE.items()
    for role, fields in {id(fields): (role, fields) for role, fields in roles.items()}.values()
    for kind in fields
    if form.startswith("change ") and kind != form.split()[1]
]


PARENTS: dict[str, Callable[[], models.Model]] = {
    "clusters.cluster": make_cluster,
    "clusters.organisation": make_organisation,
    "clusters.programme": make_programme,
    "labels.indicatorset": lambda: IndicatorSet.objects.create(level_id="gold", version="9"),
    "labels.issuingbody": lambda: IssuingBody.objects.create(code="new", short_name="New"),
    "labels.label": lambda: make_label(),
    "labels.level": lambda: Level.objects.create(code="new", rank=50),
    "news.announcement": lambda: Announcement.objects.create(),
}


def of_another_parent(found: Part) -> models.Model:
    """The same row once more, of a new parent."""
    twin: Any = copy(found.row)
    column = twin._meta.get_field(found.parent)
    twin.pk = None
    twin._state.adding = True
    if isinstance(twin, Management):
        twin.role = ManagementRole.JOINT  # a cluster has one lead
    setattr(twin, column.name, PARENTS[column.related_model._meta.label_lower]())
    for name in {"public_id", "slug"} & {column.name for column in twin._meta.concrete_fields}:
        setattr(twin, name, "another1")
    with rules_may_change():
        twin.save()
    return twin  # type: ignore[no-any-return]


@pytest.mark.parametrize("stolen", ["key", "parent"])
@pytest.mark.parametrize(("form", "role", "kind"), PARTS)
def test_row_of_another_parent_is_out_of_reach(
    world: World, form: str, role: str, kind: str, stolen: str
) -> None:
    client, model = enter(world, role), apps.get_model(form.split()[1])
    inline = next(
        inline
        for inline in admin.site._registry[model].inlines
        if inline.model._meta.label_lower == kind
    )
    data = form_data(client, address(form, world))
    found = part(data, model, inline, world)
    twin = of_another_parent(found)
    prefix = f"{found.prefix}-{found.number}-"
    put(data, prefix, found.row, world, without={found.key, found.parent})
    data[f"{prefix}{getattr(found, stolen)}"] = (
        twin.pk if stolen == "key" else getattr(twin, found.parent).pk
    )
    before = snapshot()

    response = client.post(address(form, world), data)

    assert changes(before, snapshot(), {}) == set()
    # A key that the screen does not have is passed over, as that of a row deleted meanwhile.
    assert stolen == "key" or (response.status_code == 200 and errors(response) != [])


def test_every_form_of_admin_is_in_the_table(world: World, rf: RequestFactory) -> None:
    """By role; what is missing here or there is named."""
    found = set()
    for role in ROLES:
        request = rf.get("/")
        request.user = world.accounts[role]
        for model, model_admin in admin.site._registry.items():
            label = model._meta.label_lower
            if model_admin.has_view_permission(request) and model_admin.has_add_permission(request):
                found.add((f"add {label}", role))
            row = world.rows.get(label)
            if row and model_admin.has_change_permission(request, row):
                found.add((f"change {label}", role))

    assert found == {
        (" ".join(form.split()[:2]), role) for form, roles in TABLE.items() for role in roles
    }
    assert {model._meta.label_lower for model in admin.site._registry} - world.rows.keys() == set(
        READ_ONLY
    )


# Nobody changes them in admin.
READ_ONLY = {"clusters.event", "clusters.mail", "labels.decision", "labels.rulechange"}


# The forms of pages

MORNING = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Sending:
    """A form on a page: what a person types, and what that may change."""

    form: str
    path: Callable[[World], str]
    typed: Data
    changed: set[str]
    role: str = ""


def invitation_link(world: World) -> str:
    invitation: Any = world.rows["clusters.invitation"]
    return str(invitation.get_absolute_url())


def confirmation_link(world: World) -> str:
    asked: Any = world.rows["clusters.confirmationrequest"]
    token = make_token(asked, day=MORNING.date())
    return reverse("clusters:confirm_profile", args=[token])


def notice_link(world: World) -> str:
    notice: Any = world.rows["labels.notice"]
    addressee = addressees_of([notice.label], MORNING.date())[notice.label_id][0]
    return reverse("labels:notice", args=[token_of_notice(notice, addressee, date(2099, 1, 1))])


CHOICE = {
    "language": "it", "rhythm": "monthly", "kinds": "event", "clusters": "", "topics": [],
    "countries": [],
}  # fmt: skip
CHOSEN = {
    "news.subscription.language",
    "news.subscription.rhythm became 'monthly'",
    "news.subscription.kinds became ['event']",
}


def subscription_link(link: Callable[[Any], str]) -> Callable[[World], str]:
    return lambda world: urlsplit(link(world.rows["news.subscription"])).path


def step(name: str, **fields: Any) -> Callable[[World], str]:
    """The page of a step of a Bronze that is valid that morning, or of a decision on one."""

    def path(world: World) -> str:
        label = make_label(level="bronze", assessed_on="2026-01-01", **fields)
        by: Any = world.accounts[EDITOR]
        if name == "reinstate":
            make_suspension(label, starts_on=date(2026, 2, 1))
        if name == "annul":
            longer = date(2029, 2, 20)
            made = in_effect(extend(label, until=longer, reason="Flood.", by=by, now=MORNING))
            return reverse("admin:labels_decision_annul", args=[made.pk])
        if name not in ("approve", "refuse"):
            return reverse(f"admin:labels_label_{name}", args=[label.pk])
        decision = revoke(label, on=date(2026, 2, 1), reason="Closed.", by=by, now=MORNING)
        return reverse(f"admin:labels_decision_{name}", args=[decision.pk])

    return path


def approval_of_rules(world: World) -> str:
    level = Level.objects.get(pk="bronze")
    rules = list(level.rules.all())
    rules[0].experts = 9
    by: Any = world.accounts[EDITOR]
    change = propose_rules(level, rules, reason="More.", by=by, now=MORNING)
    return reverse("admin:labels_rulechange_approve", args=[change.pk])


def page_of(label: str, name: str) -> Callable[[World], str]:
    return lambda world: reverse(f"clusters:{name}", args=[world.rows[label].slug])  # type: ignore[attr-defined]


SENDINGS = [
    Sending(
        "clusters.contact.forms.ContactForm",
        page_of("clusters.organisation", "organisation_contact"),
        {"address": "a@example.org", "subject": "x", "message": "x"},
        set(),
    ),
    Sending(
        "clusters.contact.forms.ReportForm",
        page_of("clusters.cluster", "cluster_report"),
        {},
        {"clusters.problemreport.text", "clusters.problemreport.reply_address"},
    ),
    Sending(
        "clusters.people.forms.ClaimForm",
        lambda world: reverse("clusters:organisation_claim", args=[world.others["unowned"].slug]),
        {},
        {"clusters.claim.role_address", "clusters.claim.reason"},
    ),
    Sending(
        "clusters.people.forms.LanguageForm",
        lambda world: reverse("clusters:account"),
        {"language": "it"},
        {"clusters.account.language"},
        OWNER,
    ),
    Sending(
        "clusters.people.forms.PasswordForm",
        invitation_link,
        {"password": "wood-from-the-mountains"},
        {"clusters.invitation.accepted_at became the moment"},
    ),
    Sending(
        "labels.admin.forms.SuspensionStep",
        step("suspend"),
        {"on": "2026-02-20"},
        {"labels.suspension.reason"},
        LEAD,
    ),
    Sending(
        "labels.admin.forms.Reinstatement",
        step("reinstate"),
        {"on": "2026-02-20"},
        {"labels.suspension.ends_on became datetime.date(2026, 2, 20)"},
        LEAD,
    ),
    Sending(
        "labels.admin.forms.Extension",
        step("extend"),
        {"until": "2029-02-20"},
        {"labels.label.extended_until became datetime.date(2029, 2, 20)"},
        LEAD,
    ),
    Sending(
        "labels.admin.forms.Transfer",
        step("transfer"),
        {"on": "2026-02-20", "cluster": ""},
        {"labels.label.managing_organisation"},
        LEAD,
    ),
    Sending(
        "labels.admin.forms.Revocation",
        step("revoke"),
        {"on": "2026-02-20"},
        {
            "labels.label.revoked_on became datetime.date(2026, 2, 20)",
            "labels.label.revocation_reason",
        },
        LEAD,
    ),
    Sending(
        "labels.admin.forms.Annulment",
        step("annul"),
        {},
        {"labels.label.extended_until became None"},
        LEAD,
    ),
    Sending(
        "labels.admin.forms.Approval",
        step("approve"),
        {},
        {
            "labels.decision.state became 'made'",
            "labels.decision.decided_by became the person",
            "labels.decision.decided_at became the moment",
            "labels.label.revoked_on became datetime.date(2026, 2, 1)",
            "labels.label.revocation_reason became 'Closed.'",
        },
        LEAD,
    ),
    Sending(
        "labels.admin.forms.RuleApproval",
        approval_of_rules,
        {},
        {
            "labels.rulechange.state became 'made'",
            "labels.rulechange.decided_by became the person",
            "labels.rulechange.decided_at became the moment",
            "labels.rulechange.is_in_effect became True",
            "labels.levelrule.experts became 9",
        },
        LEAD,
    ),
    Sending(
        "labels.admin.forms.Refusal",
        step("refuse"),
        {"answer": "poisoned"},
        {
            "labels.decision.state became 'refused'",
            "labels.decision.decided_by became the person",
            "labels.decision.decided_at became the moment",
            "labels.decision.answer became 'poisoned'",
        },
        LEAD,
    ),
    Sending(
        "news.subscriptions.forms.SignUpForm",
        lambda world: reverse("news:subscribe"),
        {"address": "a@example.org", **CHOICE, "rhythm": "at_once"},
        {"news.subscription.language", "news.subscription.rhythm"},
    ),
    Sending("news.subscriptions.forms.ChoiceForm", subscription_link(manage_url), CHOICE, CHOSEN),
    Sending(
        "no form: the button that confirms a subscription",
        subscription_link(confirm_url),
        {},
        {
            "news.subscription.confirmed_at became the moment",
            "news.subscription.told_at became the moment",
        },
    ),
    Sending(
        "no form: the button that confirms",
        confirmation_link,
        {},
        {
            "clusters.organisation.confirmed_on became the day",
            "clusters.cluster.confirmed_on became the day",
            "clusters.confirmationrequest.confirmed_at became the moment",
        },
    ),
    Sending(
        "no form: the buttons that answer a notice",
        notice_link,
        {"answer": "received"},
        {"labels.notice.answer", "labels.notice.answered_at became the moment"},
    ),
]


def every_field(world: World) -> tuple[Data, Poisons]:
    """Of every model, under its plain name."""
    data: Data = dict(UNDECLARED)
    poisons = {label: put(data, "", row, world, without=set()) for label, row in world.rows.items()}
    return data, poisons


def in_words(change: str) -> str:
    return change.replace(repr(MORNING.date()), "the day").replace(repr(MORNING), "the moment")


@pytest.mark.parametrize("sending", SENDINGS, ids=lambda sending: sending.form)
def test_page_writes_what_its_form_declares_and_nothing_else(
    client: Client, world: World, sending: Sending
) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        cache.clear()
        path = sending.path(world)
        if sending.role:
            client.force_login(world.accounts[sending.role])
        page = client.get(path)
        form: Any = page.context.get("form")
        data, poisons = every_field(world)
        data |= {"text": "poisoned", "reason": "poisoned"} | sending.typed
        data |= {"stamp": form.stamp} if hasattr(form, "stamp") else {}
        before = snapshot()
        clock.shift(5 if hasattr(form, "stamp") else 0)

        data |= {"seen": form.initial["seen"]} if "seen" in getattr(form, "fields", {}) else {}
        response = client.post(path, data)
        if response.context and response.context.get("differences"):
            data["seen"] = response.context["form"].data["seen"]
            response = client.post(path, data)
        if sending.role and sending.role != OWNER and not path.endswith("/refuse/"):
            approve_corrections(world, sending.role)

        assert (page.status_code, response.status_code) == (200, 302)
        found = changes(before, snapshot(), poisons)
        person = f"decided_by became {world.accounts[LEAD].pk}"
        found = {change.replace(person, "decided_by became the person") for change in found}
        assert {in_words(change) for change in found} == sending.changed


# Their fields stand in the table of admin above, or belong to no model.
ADMIN_FORMS = {
    "clusters.admin.base.WholeRowForm",
    "clusters.admin.conflicts.ConflictForm",
    "clusters.admin.conflicts.StoredForm",
    "clusters.admin.refusals.RefusedForm",
    "clusters.admin.people.DecisionForm",
    "clusters.admin.people.InvitationForm",
    "clusters.admin.queues.ProblemReportForm",
    "labels.admin.forms.CorrectionForm",
    "labels.admin.forms.LabelForm",
    "labels.admin.forms.LevelForm",
    "labels.admin.forms.ProposalForm",
    "labels.admin.forms.Renewal",  # its fields: tests/labels/admin/test_steps.py
    "news.admin.announcements.AnnouncementForm",
    # Their fields: tests/news/admin/test_steps.py.
    *(f"news.admin.steps.{form.__name__}" for form in NEWS_STEPS.values()),
}
OF_NO_MODEL = {
    "news.admin.steps.AnnouncementStepForm",
    "clusters.contact.forms.OpenForm",
    "labels.admin.forms.DatedStep",
    "labels.admin.forms.StepForm",
    "labels.admin.forms.TellingForm",
    "clusters.admin.tables.ConfirmForm",
    "clusters.admin.tables.UploadForm",
    "clusters.people.second_factor.AppForm",
    "clusters.people.second_factor.CodeForm",
    "clusters.people.second_factor.PasskeyForm",
    "clusters.people.second_factor.SecondFactorAgainForm",
    "clusters.people.second_factor.SecondFactorForm",
}


def forms_below(kind: type[BaseForm]) -> set[str]:
    own = {
        f"{form.__module__}.{form.__qualname__}"
        for form in kind.__subclasses__()
        if form.__module__.startswith((*APPS, "config"))
    }
    return own.union(*(forms_below(form) for form in kind.__subclasses__()))


def test_every_form_of_the_portal_is_in_a_table() -> None:
    for app in APPS:
        for module in walk_packages(import_module(app).__path__, f"{app}."):
            import_module(module.name)

    sent = {sending.form for sending in SENDINGS if not sending.form.startswith("no form")}
    assert forms_below(BaseForm) == sent | ADMIN_FORMS | OF_NO_MODEL
