"""Rows for tests: plain functions with defaults that pass every constraint."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import Group
from django.utils import timezone

from clusters.dates import PartialDate
from clusters.models import (
    Account,
    Cluster,
    Mail,
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
from labels.life import proposals
from labels.life import steps as life
from labels.life.days import save_label
from labels.life.proposals import tried
from labels.models import Decision, DecisionKind, DecisionState, Label, Level, LevelRule, Suspension
from labels.models.rule_changes import written_by_the_portal
from news.models import (
    Announcement,
    AnnouncementText,
    Correction,
    ReviewComment,
    Subscription,
    Topic,
)
from tests.databases import without_guards

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


def make_mail(**fields: Any) -> Mail:
    """Waiting since now, of use for a week."""
    written = fields.get("created_at", timezone.now())
    defaults = {
        "kind": "invitation",
        "to": f"to-{next(numbers)}@example.org",
        "language": "en",
        "subject": "Subject",
        "text": "Text",
        "created_at": written,
        "next_try_at": written,
        "expires_at": written + timedelta(days=7),
    }
    return Mail.objects.create(**(defaults | fields))


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
        decision = in_effect(
            life.award(
                new_label(**fields), reason="The jury agreed.", by=make_account(), now=DECIDED_AT
            )
        )
    return Label.objects.get(pk=decision.label_id)


def approve(
    decision: Decision, *, by: Account | None = None, now: datetime = DECIDED_AT
) -> Decision:
    """By somebody else, who has looked at it a moment ago."""
    seen = tried(decision, now=now).digest
    return proposals.approve(decision, seen=seen, by=by or make_account(), now=now)


def in_effect(decision: Decision) -> Decision:
    """A step that was taken, approved by somebody else where that is needed."""
    if decision.state != DecisionState.PROPOSED:
        return decision
    # What it does was found out a moment ago, when it was proposed.
    return proposals.approve(
        decision, seen=decision.prospect.digest, by=make_account(), now=decision.proposed_at
    )


def made_decision(label: Label, kind: DecisionKind, on: date, **fields: Any) -> Decision:
    """As the database asks for, for a change that a test makes by itself."""
    defaults: dict[str, Any] = {"reason": "For the test.", "needs_two": False}
    defaults |= {"state": DecisionState.MADE, "proposed_at": DECIDED_AT, "decided_at": DECIDED_AT}
    return Decision.objects.create(
        label=label, kind=kind, takes_effect_on=on, **(defaults | fields)
    )


def change_label(label: Label, **fields: Any) -> Label:
    """Other facts of a public label, by a decision, past the steps."""
    for name, value in fields.items():
        setattr(label, name, value)
    label.decision = made_decision(label, DecisionKind.CORRECTION, DECIDED_AT.date())
    with left_to_the_database():
        return save_label(label)


def update_label(label: Label, **columns: Any) -> None:
    """Columns as they are given, by a decision; nothing is derived from them."""
    decision = made_decision(label, DecisionKind.CORRECTION, DECIDED_AT.date())
    Label.objects.filter(pk=label.pk).update(decision=decision, **columns)


def update_labels(**columns: Any) -> None:
    for label in Label.objects.all():
        update_label(label, **columns)


def hide(*rows: Any) -> None:
    """Take records out of the public, also those that hold what is public."""
    for row in rows:
        if isinstance(row, Label):
            update_label(row, is_published=False)
        elif isinstance(row, Cluster):
            hide_cluster(row)
        elif isinstance(row, Organisation):
            of_its_clusters = Label.objects.filter(cluster__managements__organisation=row)
            hide_past_labels(row, of_its_clusters.filter(is_published=True).distinct())
        else:
            type(row).objects.filter(pk=row.pk).update(is_published=False)


def delete_label(label: Label) -> None:
    """With the decisions on it, which the database would keep."""
    hide(label)
    Label.objects.filter(pk=label.pk).update(decision=None)
    with without_guards("decision_kept", "suspension_stays"):
        label.decisions.all().delete()
        label.delete()


def hide_cluster(cluster: Cluster) -> None:
    hide_past_labels(cluster, cluster.labels.filter(is_published=True))


def hide_past_labels(row: Cluster | Organisation, labels: Iterable[Label]) -> None:
    """While public labels are known by it: they are withdrawn for that moment."""
    withdrawn = list(labels)
    for label in withdrawn:
        update_label(label, is_published=False)
    type(row)._default_manager.filter(pk=row.pk).update(is_published=False)
    for label in withdrawn:
        update_label(label, is_published=True)


@contextmanager
def rules_may_change() -> Iterator[None]:
    """Of every level, as the database asks for; the labels' days do not follow."""
    with ExitStack() as stack:
        for level in Level.objects.all():
            change = written_by_the_portal(level, reason="For the test.", now=DECIDED_AT)
            stack.enter_context(change)
        yield


def update_rules(level: str | None = None, **columns: Any) -> None:
    """Of one level or of all; nothing follows."""
    with rules_may_change():
        LevelRule.objects.filter(**{"level": level} if level else {}).update(**columns)


def add_rule(rule: LevelRule) -> LevelRule:
    with rules_may_change():
        rule.save()
    return rule


def make_suspension(label: Label, **fields: Any) -> Suspension:
    fields = {"reason": "Under review."} | fields
    ends_on = fields.pop("ends_on", None)
    made_decision(label, DecisionKind.SUSPENSION, fields["starts_on"])
    suspension = Suspension.objects.create(label=label, **fields)
    if ends_on:
        made_decision(label, DecisionKind.REINSTATEMENT, ends_on)
        suspension.ends_on = ends_on
        suspension.save()
    return suspension


def make_undated_label(**fields: Any) -> Label:
    return make_label(assessed_on=None, awarded_on=None, valid_until=None, **fields)


def transfer_label(label: Label, *, on: date, **fields: Any) -> Label:
    """The label that takes its place from that day on, with another cluster."""
    cluster = fields.pop("cluster", None) or make_cluster()
    now = datetime.combine(on, time(12), timezone.get_default_timezone())
    defaults: dict[str, Any] = {"reason": "The clusters merged.", "by": make_account(), "now": now}
    in_effect(life.transfer_label(label, on=on, cluster=cluster, **(defaults | fields)))
    label.refresh_from_db()
    return Label.objects.get(transferred_from=label)


def make_announcement(*, language: str = "en", **fields: Any) -> Announcement:
    """A published announcement of 8 September 2015, 14:38, with one text."""
    number = next(numbers)
    related = {
        name: fields.pop(name)
        for name in ("clusters", "organisations", "labels", "programmes", "statements", "topics")
        if name in fields
    }
    text = {
        name: fields.pop(name)
        for name in ("title", "slug", "lead", "body", "box_title", "box", "contact_role")
        if name in fields
    }
    announcement = Announcement.objects.create(
        **({"published_at": MOMENT, "state": "published"} | fields)
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
        "state": "ready",
    }
    return AnnouncementText.objects.create(announcement=announcement, **(defaults | fields))


def make_topic(**fields: Any) -> Topic:
    number = next(numbers)
    names = {"name_en": f"Topic {number}", "name_it": f"Tema {number}"}
    slug, rank = f"topic-{number}", number % 1_000
    return Topic.objects.create(**({"slug": slug, "rank": rank} | names | fields))


def make_correction(announcement: Announcement, **fields: Any) -> Correction:
    """A day after the announcement's usual moment."""
    texts = {"text_en": "The town is Torino.", "text_it": "La città è Torino."}
    moment = MOMENT + timedelta(days=1)
    return Correction.objects.create(
        announcement=announcement, **({"corrected_at": moment} | texts | fields)
    )


def make_subscription(**fields: Any) -> Subscription:
    """A weekly one to everything, confirmed on 1 September 2015 and told until then."""
    moment = datetime(2015, 9, 1, 12, tzinfo=UTC)
    defaults = {
        "address": f"reader-{next(numbers)}@example.org",
        "signed_up_at": moment,
        "confirmed_at": moment,
        "told_at": moment,
    }
    return Subscription.objects.create(**(defaults | fields))


def make_review_comment(announcement: Announcement, **fields: Any) -> ReviewComment:
    defaults = {"written_at": MOMENT, "text": "Name the town."}
    return ReviewComment.objects.create(announcement=announcement, **(defaults | fields))


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
