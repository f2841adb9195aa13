"""The week in one mail for the secretariat: what ends, what was answered, what waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters import mail
from clusters.dates import add_months
from clusters.http.asof import midnight
from clusters.models import Account
from clusters.people.policy import SECRETARIAT_ROLES
from labels.models import Decision, DecisionKind, Delivery, Label, Notice, NoticeAnswer, RuleChange
from labels.notices.deadlines import BEFORE_THE_END, MONTHS_BEFORE_THE_WINDOW_CLOSES

MOST_ROWS = 20


@dataclass(frozen=True)
class DigestRow:
    label: Label
    detail: str | Promise = ""


@dataclass(frozen=True)
class Section:
    """A number, the list that it counts, and the first rows where they are worth a mail."""

    title: Promise
    number: int
    address: str
    rows: Sequence[DigestRow] = ()


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def readers(day: date) -> QuerySet[Account]:
    # The secretariat's active accounts to whom the mail of the week is not written yet.
    told = Delivery.objects.filter(week_from=monday_of(day), account=OuterRef("pk"))
    # Distinct: who has two roles gets one mail.
    in_charge = Account.objects.filter(is_active=True, groups__name__in=SECRETARIAT_ROLES)
    return in_charge.filter(~Exists(told)).distinct()


def sections(day: date) -> list[Section]:
    """What there is to tell; nothing in a quiet week.

    What happened is told of the days from the Monday before to the Sunday before, whenever in
    the week the mail is written.
    """
    monday = monday_of(day)
    before = monday - timedelta(days=7)
    labels = Label.objects.all()
    lapsed = labels.published().ending_between(before, monday - timedelta(days=1)).with_holder()
    answered = Notice.objects.answered_between(midnight(before), midnight(monday))
    waiting = Decision.objects.waiting().with_label()
    ending = labels.ending_between(day, add_months(day, max(BEFORE_THE_END.values())))
    closing = labels.closing_between(day, add_months(day, MONTHS_BEFORE_THE_WINDOW_CLOSES))
    found = [
        Section(
            _("Labels ending within 6 months"),
            ending.count(),
            admin_list("label", "attention=ending"),
        ),
        Section(
            _("Labels renewable for less than 3 months more"),
            closing.count(),
            admin_list("label", "attention=closing"),
        ),
        Section(
            _("Labels that ended last week"),
            lapsed.count(),
            admin_list("label", f"ends_on__gte={before}&ends_on__lt={monday}"),
            [DigestRow(label) for label in lapsed.order_by("ends_on", "pk")[:MOST_ROWS]],
        ),
        Section(
            _("Teams that answered last week"),
            answered.count(),
            admin_list("notice"),
            [
                DigestRow(notice.label, NoticeAnswer(notice.answer).label)
                for notice in answered.order_by("answered_at", "pk")[:MOST_ROWS]
            ],
        ),
        Section(
            _("Notices for which there is nobody to tell"),
            Notice.objects.untold(day).count(),
            admin_list("notice", "attention=untold"),
        ),
        Section(
            _("Decisions waiting for approval"),
            waiting.count(),
            admin_list("decision", "attention=waiting"),
            [
                DigestRow(decision.label, DecisionKind(decision.kind).label)
                for decision in waiting.order_by("proposed_at", "pk")[:MOST_ROWS]
            ],
        ),
        Section(
            _("Changes of rules waiting"),
            RuleChange.objects.waiting().count(),
            admin_list("rulechange", "attention=waiting"),
        ),
    ]
    return [section for section in found if section.number]


def admin_list(model: str, query: str = "") -> str:
    address = f"{settings.SITE_URL}{reverse(f'admin:labels_{model}_changelist')}"
    return f"{address}?{query}" if query else address


@transaction.atomic
def tell_secretariat(
    account: Account, told: Sequence[Section], *, day: date, now: datetime
) -> bool:
    """Write the mail of the week to this account; False where another run did."""
    _delivery, is_new = Delivery.objects.get_or_create(
        week_from=monday_of(day), account=account, defaults={"written_at": now}
    )
    if is_new:
        mail.send(
            "label_digest",
            to=account.email,
            language=account.language,
            context={"sections": told, "week": monday_of(day), "day": day},
        )
    return is_new
