"""The draft announcement of an award, written from the register in both languages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel.lists import format_list
from django.db import transaction
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.text import Truncator

from clusters.dates import PartialDate, add_months
from clusters.models import Management, ManagementRole, Organisation, Participation
from clusters.models.addresses import TakenSlugs, free_slug
from clusters.templatetags.clusters_tags import country_name
from labels.models import Label, LabelKind, Level, Statement
from labels.register.standing import Holders, Precedence, earlier_labels, holders_beside, precedence
from news.markup import escaped_markup, unescaped
from news.models import Announcement, AnnouncementText

LANGUAGES = ("en", "it")
MONTHS_NEAR = 6
LONGEST_TITLE = 200
LONGEST_NAME_IN_TITLE = 120
# The parts of a template, in their order, stand between lines of dashes.
PARTS = ("title", "lead", "body", "box_title", "box", "contact_role")


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


@transaction.atomic
def draft_award(label: Label, now: datetime) -> Announcement | None:
    """Write what can truly be said of the award, for an editor to complete and to publish.

    None where the label is not public, or where an announcement is tied to it already. Every
    figure is of a day and of this register, and stays as it is written, whatever the register
    learns later. Two at once write one draft: the label is locked.
    """
    Label.objects.select_for_update(of=("self",)).get(pk=label.pk)
    today = timezone.localdate(now, timezone.get_default_timezone())
    public = Label.objects.for_pages(today).select_related("rule", "renews")
    stored = public.filter(pk=label.pk).first()
    if stored is None or Announcement.objects.filter(labels=stored).exists():
        return None
    story = story_of(stored, today)
    managers_today = [one.organisation for one in managements(stored, today)]
    announcement = Announcement.objects.create(
        written_by=next((one for one in story.managers if one in managers_today), None),
        contact_organisation=next(iter(story.managers), None),
    )
    announcement.clusters.set([stored.cluster])
    announcement.organisations.set(story.managers)
    announcement.labels.set([stored])
    announcement.programmes.set([one.programme for one in story.participations])
    announcement.statements.set(story.statements)
    address = address_of(stored, story.day)
    for language in LANGUAGES:
        text = AnnouncementText(
            announcement=announcement,
            language=language,
            slug=address,
            **text_fields(story, language),
        )
        text.full_clean()
        text.save()
    return announcement


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


def address_of(label: Label, day: date) -> str:
    name = f"{label.cluster.slug[:60]} {label.level_id} label {day.year}"
    taken = TakenSlugs(AnnouncementText)
    return free_slug(AnnouncementText, name, taken, [label.public_id])


# The words. They stand in templates/news/drafts/award.<language>.md, written directly in that
# language: an editor reads and mends a whole page, not thirty sentences of a catalogue.


def text_fields(story: Story, language: str) -> dict[str, str]:
    # The fields of a text. Titles and the lead are plain text, the rest is Markdown.
    with translation.override(language):
        template: Any = get_template(f"news/drafts/award.{language}.md")
        whole = template.template.render(Context(words(story, language), autoescape=False))
    parts = dict(zip(PARTS, map(tidy, re.split(r"^-{5,}$", whole, flags=re.M)), strict=True))
    plain = {name: unescaped(parts[name]) for name in PARTS if name not in ("body", "box")}
    return parts | plain | {"title": Truncator(plain["title"]).chars(LONGEST_TITLE)}


def words(story: Story, language: str) -> dict[str, Any]:
    # What a template may say: names are escaped for Markdown, in the active language.
    label, cluster, body = story.label, story.label.cluster, story.label.awarded_by
    return {
        "cluster": escaped_markup(cluster.name),
        "cluster_in_title": escaped_markup(Truncator(cluster.name).chars(LONGEST_NAME_IN_TITLE)),
        "country": escaped_markup(country_name(cluster.country.code)),
        "portfolio": escaped_markup(cluster.portfolio.name) if cluster.portfolio else "",
        "managers": list_in_words((one.name for one in story.managers), language),
        "managers_number": len(story.managers),
        "level": escaped_markup(label.level.name),
        "wording": escaped_markup(label.level.official_wording),
        "process": escaped_markup(label.level.process),
        "levels": list_in_words((level.name for level in story.levels), language),
        "awarder": escaped_markup(f"{body.short_name} ({body.name})") if body else "",
        "is_renewal": label.kind == LabelKind.RENEWAL,
        "is_again": story.is_again,
        "announced_on": label.announced_on,
        "awarded_on": label.awarded_on,
        "assessed_on": label.assessed_on,
        "end": known_end(label),
        "rule": label.rule if label.end_is_computed else None,
        "day": story.day,
        "written_on": story.written_on,
        "earlier": [
            {
                "level": escaped_markup(earlier.level.name),
                "start": earlier.start,
                "end": earlier.valid_until,
                "revoked_on": revocation_by(earlier, story.day),
            }
            for earlier in story.earlier
        ],
        "holders": story.holders,
        "precedence": None if story.is_again else story.precedence,
        "participations": [
            {"programme": escaped_markup(one.programme.name), "since": one.started_on}
            for one in story.participations
        ],
        "statements": [
            {
                "definition": escaped_markup(one.definition),
                "count": one.count,
                "is_more_than": one.is_more_than,
                "detail": escaped_markup(one.detail),
                "as_of_on": one.as_of_on,
                "source": escaped_markup(one.source),
            }
            for one in story.statements
        ],
    }


def list_in_words(names: Iterable[str], language: str) -> str:
    # “A, B and C”.
    locale = {"en": "en_GB"}.get(language, language)
    return format_list([escaped_markup(name) for name in names], locale=locale)


def known_end(label: Label) -> PartialDate | date | None:
    # As printed or extended; computed only where the dates behind it settle the very day.
    if not label.end_is_computed:
        return label.extended_until or label.valid_until
    return label.ends_on if label.end_is_exact else None


def revocation_by(label: Label, day: date) -> date | None:
    return label.revoked_on if label.revoked_on and label.revoked_on <= day else None


def tidy(markdown: str) -> str:
    """Each paragraph, heading and point on a line of its own, however the template breaks them.

    A point begins with “- ”, a heading with “## ”; an empty line ends a paragraph.
    """
    blocks: list[str] = []
    is_open = False
    for line in (" ".join(line.split()) for line in markdown.splitlines()):
        begins = line.startswith(("- ", "## ")) or not is_open
        if line and begins:
            blocks.append(line)
        elif line:
            blocks[-1] += f" {line}"
        is_open = bool(line)
    lines = [""]
    for block in blocks:
        follows_on = block.startswith("- ") and lines[-1].startswith("- ")
        lines += [block] if follows_on else ["", block]
    return "\n".join(lines).strip()
