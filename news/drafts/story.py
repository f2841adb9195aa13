"""What the register knows of an award, for who writes about it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from clusters.dates import PartialDate, add_months
from clusters.models import Management, ManagementRole, Organisation, Participation
from labels.models import Label, LabelKind, Level, Statement
from labels.register.standing import Holders, Precedence, earlier_labels, holders_beside, precedence

MONTHS_NEAR = 6


@dataclass(frozen=True)
class Story:
    """What the register knows of an award, for a day; the same for every language."""

    label: Label
    day: date
    written_on: date
    managers: list[Organisation]
    earlier: list[Label]
    holders: Holders
    precedence: Precedence | None
    participations: list[Participation]
    statements: list[Statement]
    levels: list[Level]

    @property
    def is_again(self) -> bool:
        return any(earlier.level_id == self.label.level_id for earlier in self.earlier)


def story_now(label: Label, now: datetime) -> Story | None:
    # None where the label is not public.
    today = timezone.localdate(now, timezone.get_default_timezone())
    public = Label.objects.for_pages(today).select_related("rule", "renews")
    stored = public.filter(pk=label.pk).first()
    return story_of(stored, today) if stored else None


def story_of(label: Label, today: date) -> Story:
    day = day_of(label, today)
    has_first = label.cluster.portfolio_id is not None and label.kind != LabelKind.RENEWAL
    taking_part = Participation.objects.public().on(day).filter(cluster=label.cluster)
    return Story(
        label=label,
        day=day,
        written_on=today,
        managers=managers_then(label, day),
        earlier=earlier_labels(label),
        holders=holders_beside(label, day),
        precedence=precedence(label) if has_first else None,
        participations=list(taking_part),
        statements=statements_near(day, label.level),
        levels=list(Level.objects.order_by("rank")),
    )


def day_of(label: Label, today: date) -> date:
    """The day of which the figures speak: of the announcement, else of the award, the assessment.

    Of a month or a year it is the last day, by which the label was there; never a day to come.
    Where none is known it is today.
    """
    known = label.announced_on or label.awarded_on or label.assessed_on
    return min(known.last_day, today) if known else today


def managers_then(label: Label, day: date) -> list[Organisation]:
    # Public ones; the label's own first, and beside it only whose beginning is known.
    own = label.managing_organisation
    managers = [own] if own is not None and own.is_published else []
    beside = managements(label, day)
    if own is not None:
        beside = [one for one in beside if one.started_on and one.organisation_id != own.pk]
    return managers + [one.organisation for one in beside]


def managements(label: Label, day: date) -> list[Management]:
    # The members' association manages nothing.
    found = Management.objects.on(day).filter(
        cluster=label.cluster,
        organisation__is_published=True,
        role__in=(ManagementRole.LEAD, ManagementRole.JOINT),
    )
    return list(found.select_related("organisation").order_by("-role", "pk"))


def statements_near(day: date, level: Level) -> list[Statement]:
    """Published counts of the half year before and after the day; of each kind the nearest one.

    A statement is tied to a level by its definition only, so it is quoted in those words. It is
    left out where these name other levels and not this one.
    """
    found = Statement.objects.filter(
        as_of_on__begun_by=add_months(day, MONTHS_NEAR),
        as_of_on__lasting_on=add_months(day, -MONTHS_NEAR),
    )
    others = [other.name_en for other in Level.objects.exclude(pk=level.pk)]
    nearest: dict[str, Statement] = {}
    for statement in sorted(found.latest_first(), key=lambda one: days_outside(one.as_of_on, day)):
        definition = statement.definition_en
        if has_word(definition, [level.name_en]) or not has_word(definition, others):
            nearest.setdefault(definition, statement)
    return sorted(nearest.values(), key=lambda one: (days_outside(one.as_of_on, day), one.pk))


def has_word(text: str, words: Iterable[str]) -> bool:
    return any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in words)


def days_outside(period: PartialDate, day: date) -> int:
    # In days; none where the day lies in the period.
    return max((period.first_day - day).days, (day - period.last_day).days, 0)
