"""The texts about an award.

They stand in templates/news/drafts/award.<language>.md, written directly in that language: an
editor reads and mends a whole page, not thirty sentences of a catalogue.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from babel.lists import format_list
from django.template import Context
from django.template.loader import get_template
from django.utils import translation
from django.utils.text import Truncator

from clusters.dates import PartialDate
from clusters.templatetags.clusters_tags import country_name
from labels.models import Label, LabelKind
from news.drafts.story import Story
from news.markup import escaped_markup, unescaped

LANGUAGES = ("en", "it")
LONGEST_TITLE = 200
LONGEST_NAME_IN_TITLE = 120
# The parts of a template, in their order, stand between lines of dashes.
PARTS = ("title", "lead", "body", "box_title", "box", "contact_role")


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
