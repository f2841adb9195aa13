"""Fifteen people, and for every model of admin one row that is theirs and one that is not.

Every row bears a word that occurs nowhere else, so that an answer that tells of it is caught.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from clusters.models import (
    Account,
    Claim,
    ClusterName,
    ClusterText,
    ConfirmationRequest,
    Event,
    EventKind,
    FactSource,
    Invitation,
    Lineage,
    Mandate,
    MembershipCount,
    OrganisationName,
    Portfolio,
    ProblemReport,
    Region,
    Role,
    Shareholding,
    TeamMember,
    TeamRole,
)
from labels.life.rules import scheme_of
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
)
from labels.proofs.status import label_with_place
from news.models import Topic
from tests.factories import (
    MOMENT,
    make_account,
    make_announcement,
    make_cluster,
    make_correction,
    make_label,
    make_mail,
    make_management,
    make_organisation,
    make_participation,
    make_policy_maker,
    make_programme,
    make_review_comment,
    make_subscription,
    make_suspension,
)

MARK = "zq"
MARKED = re.compile(rf"{MARK}[a-z]+")

# What a request may write wherever it leads: who is signed in, what was counted and logged.
INCIDENTAL = {"django_session", "cache", "clusters_event", "clusters_eventaddress"}
WRITTEN = re.compile(r"""\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)""", re.IGNORECASE)

Row = tuple[str, str]  # label of the model, state


def mark(label: str, state: str) -> str:
    return MARK + label.partition(".")[2] + state.replace("-", "")


@dataclass
class World:
    people: dict[str, Any] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    rows: dict[Row, Any] = field(default_factory=dict)
    tables: dict[str, dict[Any, dict[str, Any]]] = field(default_factory=dict)
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    nothing: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    @cached_property
    def words(self) -> set[str]:
        """Every word that tells of a row or of a person."""
        words = {mark(label, state) for label, state in self.rows}
        return words | {mark("clusters.account", name) for name in self.people}

    @cached_property
    def secrets(self) -> set[str]:
        """Words that no public page tells."""
        public = {"clusters.organisationname", "clusters.clustername", "clusters.clustertext"}
        public |= {"clusters.management", "clusters.shareholding", "clusters.membershipcount"}
        public |= {"clusters.factsource", "labels.labelsource"}
        public |= {"clusters.programme", "labels.label", "labels.suspension", "labels.statement"}
        public |= {"clusters.cluster", "clusters.organisation", "news.announcement"}
        public |= {"news.announcementtext", "clusters.lineage", "labels.requiredlevel"}
        public |= {"labels.decision", "news.correction", "news.topic"}
        hidden = (
            "hidden",
            "draft",
            "review",
            "unpublished",
            "otherdraft",
            "secretariat",
            "waiting",
        )
        return {
            mark(label, state)
            for label, state in self.rows
            if label not in public or state in hidden
        } | {mark("clusters.account", name) for name in self.people}

    def put(self, label: str, state: str, row: Any) -> Any:
        self.rows[label, state] = row
        return row

    def states(self, label: str) -> list[str]:
        return [state for known, state in self.rows if known == label]

    def row(self, label: str, state: str) -> Any:
        return self.rows[label, state]

    def state_of(self, label: str, pk: str) -> str | None:
        for (known, state), row in self.rows.items():
            if known == label and str(row.pk) == pk:
                return state
        return None

    def version(self, label: str, state: str) -> int:
        row = self.row(label, state)
        return int(row.history.earliest("history_date", "history_id").pk)

    @contextmanager
    def undone(self) -> Iterator[None]:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    def before(self, table: str) -> dict[Any, dict[str, Any]]:
        """The table as the world was built; asked while nothing is changed."""
        if table not in self.tables:
            self.tables[table] = dump(table)
        return self.tables[table]


def dump(table: str) -> dict[Any, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {next(iter(row.values())): row for row in rows}


@contextmanager
def watched(tables: set[str]) -> Iterator[None]:
    """Collect the names of the tables that are written."""

    def watch(execute: Any, sql: Any, parameters: Any, many: Any, context: Any) -> Any:
        match = WRITTEN.match(str(sql))
        if match and match[1] not in INCIDENTAL:
            tables.add(match[1])
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(watch):
        yield


def differences(old: dict[Any, Any], new: dict[Any, Any], table: str) -> set[str]:
    """`+table`, `-table` and `-table key`, or `table.column`."""
    found = {f"+{table}"} if new.keys() - old.keys() else set()
    for key in old.keys() - new.keys():
        found |= {f"-{table}", f"-{table} {key}"}
    for key in old.keys() & new.keys():
        found |= {
            f"{table}.{column}" for column in old[key] if old[key][column] != new[key][column]
        }
    return found


def build() -> World:
    world = World()
    now = timezone.now()
    put_scheme(world)
    put_directory(world, now)
    put_labels(world)
    put_announcements(world)
    put_people(world, now)
    put_queues(world, now)
    for row in world.rows.values():
        if hasattr(row, "history"):
            row.save()  # an older version to bring back
    for name, person in world.people.items():
        world.clients[name] = Client(raise_request_exception=False)
        if isinstance(person, Account):
            world.clients[name].force_login(person)
        cookies = world.clients[name].cookies.values()
        world.cookies[name] = "; ".join(f"{one.key}={one.value}" for one in cookies)
    disable(world.people["disabled"])
    return world


def disable(account: Any) -> None:
    """While its session lives."""
    account.is_active = False
    account.save()


def put_scheme(world: World) -> None:
    known: dict[str, type[Model]] = {
        "clusters.portfolio": Portfolio,
        "clusters.region": Region,
        "labels.level": Level,
        "labels.levelrule": LevelRule,
        "labels.issuingbody": IssuingBody,
        "labels.issuingbodyrole": IssuingBodyRole,
        "labels.indicatorset": IndicatorSet,
        "labels.indicator": Indicator,
    }
    for label, model in known.items():
        world.put(label, "row", model._default_manager.order_by("pk")[:1].get())
    world.put("labels.statement", "row", Statement.objects.create(
        definition_en="zqstatementrow", definition_it="zqstatementrow", as_of_on="2020-01-01",
        count=7, source="zqstatementrow",
    ))  # fmt: skip


def put_directory(world: World, now: datetime) -> None:
    put = world.put
    day = timezone.localdate(now)
    yesterday = str(day - timedelta(days=1))
    for state in ("own", "other", "former", "hidden"):
        word = mark("clusters.organisation", state)
        organisation = make_organisation(
            name=word,
            slug=word,
            website="https://example.org/",
            role_address="info@example.org",
            is_published=state != "hidden",
        )
        put("clusters.organisation", state, organisation)
        word = mark("clusters.organisationname", state)
        row = OrganisationName.objects.create(organisation=organisation, name=word)
        put("clusters.organisationname", state, row)
    for state in ("own", "draft", "other", "hidden"):
        word = mark("clusters.cluster", state)
        cluster = make_cluster(
            name=word,
            slug=word,
            region=Region.objects.get(code="IT-21"),
            contact_address="info@example.org",
            is_published=state in ("own", "other"),
        )
        put("clusters.cluster", state, cluster)
        put_parts(world, state, cluster)
    put_relations(world, yesterday)


def put_relations(world: World, yesterday: str) -> None:
    put = world.put
    row: Any
    cluster: str | None
    clusters = {state: world.row("clusters.cluster", state) for state in ("own", "draft", "other")}
    organisation = {
        state: world.row("clusters.organisation", state)
        for state in ("own", "other", "former", "hidden")
    }
    for state, cluster, organisation_of, days in (
        ("own", "own", "own", {"started_on": yesterday}),
        ("draft", "draft", "own", {}),
        ("ended", "own", "former", {"ended_on": yesterday, "started_on": "2001"}),
        ("hidden", "own", "hidden", {"ended_on": "2000", "started_on": "1999"}),
        ("other", "other", "other", {}),
    ):
        row = make_management(
            cluster=clusters[cluster],
            organisation=organisation[organisation_of],
            role="lead" if state in ("own", "draft", "other") else "joint",
            source=mark("clusters.management", state),
            **days,
        )
        put("clusters.management", state, row)
    for state, one, another in (("own", "own", "other"), ("hidden", "own", "hidden")):
        row = Shareholding.objects.create(
            organisation=organisation[one],
            shareholder=organisation[another],
            source=mark("clusters.shareholding", state),
        )
        put("clusters.shareholding", state, row)
    for state, cluster in (("mine", "own"), ("theirs", "other"), ("hidden", None)):
        word = mark("clusters.programme", state)
        programme = make_programme(
            name_en=word, name_it=word, slug=word, is_published=state != "hidden"
        )
        put("clusters.programme", state, programme)
        word = mark("labels.requiredlevel", state)
        row = RequiredLevel.objects.create(programme=programme, level_id="silver", source=word)
        put("labels.requiredlevel", state, row)
        if cluster:
            row = make_participation(programme=programme, cluster=clusters[cluster])
            put("clusters.participation", state, row)
    mine = world.row("clusters.programme", "mine")
    row = make_participation(programme=mine, cluster=clusters["draft"])
    put("clusters.participation", "draft", row)


def put_parts(world: World, state: str, cluster: Any) -> None:
    def word(label: str) -> str:
        return mark(label, state)

    world.put("clusters.clustername", state, ClusterName.objects.create(
        cluster=cluster, name=word("clusters.clustername"), kind="former"
    ))  # fmt: skip
    world.put("clusters.clustertext", state, ClusterText.objects.create(
        cluster=cluster, language="en", tagline=word("clusters.clustertext"), description="Text."
    ))  # fmt: skip
    world.put("clusters.membershipcount", state, MembershipCount.objects.create(
        cluster=cluster, counted_on="2020", count=10, source=word("clusters.membershipcount")
    ))  # fmt: skip
    world.put("clusters.factsource", state, FactSource.objects.create(
        cluster=cluster, fact="town", source=word("clusters.factsource")
    ))  # fmt: skip
    if state in ("draft", "hidden"):
        world.put("clusters.lineage", state, Lineage.objects.create(
            cluster=cluster,
            other=world.row("clusters.cluster", "own"),
            kind="split_from",
            source=word("clusters.lineage"),
        ))  # fmt: skip


def put_labels(world: World) -> None:
    for state, cluster, is_published in (
        ("own", "own", True),
        ("unpublished", "own", False),
        ("other", "other", True),
    ):
        label = make_label(
            cluster=world.row("clusters.cluster", cluster),
            certificate_number=mark("labels.label", state),
            is_published=is_published,
        )
        world.put("labels.label", state, label)
        # So that it is not drawn by who happens to ask first.
        label_with_place(Label.objects.published().with_certificate(), label.public_id)
        source = LabelSource.objects.create(label=label, source=mark("labels.labelsource", state))
        world.put("labels.labelsource", state, source)
    for state in ("own", "other"):
        row = make_suspension(
            world.row("labels.label", state),
            starts_on="2016-01-01",
            ends_on="2016-02-01",
            reason=mark("labels.suspension", state),
        )
        world.put("labels.suspension", state, row)


def put_announcements(world: World) -> None:
    topic = Topic.objects.create(
        name_en=mark("news.topic", "row"), name_it=mark("news.topic", "row"), slug="topic"
    )
    world.put("news.topic", "row", topic)
    for state, writer, stored in (
        ("draft", "own", "draft"),
        ("review", "own", "in_review"),
        ("public", "own", "published"),
        ("otherdraft", "other", "draft"),
        ("other", "other", "published"),
        ("secretariat", None, "draft"),
    ):
        word = mark("news.announcement", state)
        is_published = stored == "published"
        moment: dict[str, Any] = {} if is_published else {"published_at": None}
        row = make_announcement(
            title=word,
            slug=word,
            lead=mark("news.announcementtext", state),
            state=stored,
            written_by=writer and world.row("clusters.organisation", writer),
            # What the secretariat added to it, out of the team's sight.
            clusters=[world.row("clusters.cluster", "hidden")] if state == "public" else [],
            kind="event",
            begins_at=MOMENT,
            **moment,
        )
        world.put("news.announcement", state, row)
        world.put("news.announcementtext", state, row.texts.get())
        if is_published:
            text = mark("news.correction", state)
            world.put("news.correction", state, make_correction(row, text_en=text, text_it=text))
        else:
            comment = make_review_comment(row, text=mark("news.reviewcomment", state))
            world.put("news.reviewcomment", state, comment)


def put_people(world: World, now: datetime) -> None:
    def account(name: str, *roles: Role, **fields: Any) -> Account:
        return make_account(*roles, email=f"{mark('clusters.account', name)}@example.org", **fields)

    people = world.people
    people["anonymous"] = AnonymousUser()
    for name in ("owner", "editor", "other", "former", "removed", "norole"):
        people[name] = account(name)
    for name, team, role in (
        ("owner", "own", TeamRole.OWNER),
        ("editor", "own", TeamRole.EDITOR),
        ("other", "other", TeamRole.OWNER),
        ("former", "former", TeamRole.OWNER),
        ("removed", "own", TeamRole.OWNER),
    ):
        member = TeamMember.objects.create(
            account=people[name], organisation=world.row("clusters.organisation", team), role=role
        )
        if name == "removed":
            member.delete()
        else:
            world.put("clusters.teammember", name, member)
    people["expert"] = account("expert", Role.EXPERT)
    world.put("labels.expert", "own", Expert.objects.create(account=people["expert"], country="IT"))
    other_expert = account("otherexpert", Role.EXPERT)
    world.put("labels.expert", "other", Expert.objects.create(account=other_expert, country="FR"))
    for name, programme in (("policymaker", "mine"), ("policyother", "theirs")):
        email = f"{mark('clusters.account', name)}@example.org"
        people[name] = make_policy_maker(world.row("clusters.programme", programme), email=email)
        world.put("clusters.mandate", programme, Mandate.objects.get(account=people[name].pk))
    people["secretariat"] = account("secretariat", Role.EDITOR)
    people["lead"] = account("lead", Role.LEAD)
    people["auditor"] = account("auditor", Role.AUDITOR)
    people["disabled"] = account("disabled", Role.LEAD)
    people["root"] = account("root", is_superuser=True)
    world.put("clusters.account", "below", people["secretariat"])
    world.put("clusters.account", "member", people["owner"])
    world.put("clusters.account", "lead", people["lead"])
    world.put("clusters.account", "otherlead", account("otherlead", Role.LEAD))
    world.put("clusters.account", "root", people["root"])
    expires = now + timedelta(days=7)
    for state in ("own", "other", "role"):
        place: dict[str, Any] = {"role": Role.AUDITOR}
        if state != "role":
            place = {
                "organisation": world.row("clusters.organisation", state),
                "team_role": TeamRole.EDITOR,
            }
        word = mark("clusters.invitation", state)
        row = Invitation.objects.create(
            email=f"{word}@example.org", expires_at=expires, invited_by=people["root"], **place
        )
        world.put("clusters.invitation", state, row)


def put_queues(world: World, now: datetime) -> None:
    own = world.row("clusters.organisation", "own")
    world.put("clusters.claim", "row", Claim.objects.create(
        organisation=own, role_address="zqclaimrow@example.org", reason="zqclaimrow"
    ))  # fmt: skip
    world.put("clusters.problemreport", "row", ProblemReport.objects.create(
        kind="cluster", record_id="ABCDEFGH", record_name="zqproblemreportrow", path="/clusters/x/",
        text="zqproblemreportrow",
    ))  # fmt: skip
    world.put("clusters.confirmationrequest", "row", ConfirmationRequest.objects.create(
        organisation=own, due_on=timezone.localdate(now), asked_at=now
    ))  # fmt: skip
    notice = Notice.objects.create(
        label=world.row("labels.label", "own"), kind="end", due_on=timezone.localdate(now)
    )
    world.put("labels.notice", "row", notice)
    world.put("labels.delivery", "row", Delivery.objects.create(notice=notice, written_at=now))
    world.put("clusters.mail", "row", make_mail(to="zqmailrow@example.org"))
    # Nobody reads it, whoever sees that there is a row.
    world.put("news.subscription", "row", make_subscription(address="zqhiddenaddress@example.org"))
    for state, label, decided in (
        ("waiting", "unpublished", {"kind": "award", "needs_two": True}),
        ("made", "own", {"kind": "correction", "state": "made", "needs_two": False}),
    ):
        if state == "made":
            decided |= {"decided_at": now, "decided_by": world.people["secretariat"]}
        row = Decision.objects.create(
            label=world.row("labels.label", label),
            takes_effect_on=timezone.localdate(now),
            reason=mark("labels.decision", state),
            proposed_by=world.people["secretariat"],
            proposed_at=now,
            **decided,
        )
        world.put("labels.decision", state, row)
    changes: dict[str, dict[str, Any]] = {
        "waiting": {"needs_two": True},
        "made": {"needs_two": False, "state": "made", "decided_at": now, "is_in_effect": True},
    }
    for state, decided in changes.items():
        level = Level.objects.get(pk="gold")
        scheme = scheme_of(level, level.rules.all())
        change = RuleChange.objects.create(
            level=level,
            before=scheme,
            after=scheme,
            reason=mark("labels.rulechange", state),
            proposed_by=world.people["secretariat"],
            proposed_at=now,
            **decided,
        )
        world.put("labels.rulechange", state, change)
    world.put("clusters.event", "row", Event.objects.create(
        happened_at=now, kind=EventKind.SIGNED_IN, account=world.row("clusters.account", "lead"),
        detail="zqeventrow",
    ))  # fmt: skip
