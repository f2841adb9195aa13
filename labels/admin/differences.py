"""What a proposal changes, in words: by fact, before and after."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext

from clusters.admin.versions import EMPTY
from clusters.dates import PartialDate
from clusters.templatetags.clusters_tags import date_in_words, day_in_words
from labels.life.changes import read
from labels.life.preview import Preview, StateChange
from labels.life.proposals import Facts, Prospect
from labels.models import STATE_NAMES, Decision, Label, Level, LevelRule, RuleChange
from labels.models.labels import facts_of_a_label
from labels.validity import Days, State

MOST_LABELS = 100


@dataclass(frozen=True)
class ChangedFact:
    """A fact of a label or of a rule that changes, in words."""

    label: str
    name: str
    before: str
    after: str


def rows_of_changes(prospect: Prospect) -> Iterator[ChangedFact]:
    # Days that are shown as one fact change as one.
    for label, before, after in prospect.labels_changed():
        shown_before, shown_after = facts_in_words(before), facts_in_words(after)
        for name, text in shown_after.items():
            if shown_before.get(name, EMPTY) != text:
                yield ChangedFact(str(label), name, shown_before.get(name, EMPTY), text)


def facts_in_words(facts: Facts | None) -> dict[str, str]:
    """What is known of a label by the name of the fact; empty of a label that is not there yet."""
    if facts is None:
        return {}
    found: dict[Any, str] = {
        capfirst(str(column.verbose_name)): value_in_words(column, facts[column.attname])
        for column in facts_of_a_label()
        if column.attname in facts
    }
    found[gettext("Valid from")] = days_in_words(facts["starts_on"], facts["certain_from"])
    found[gettext("Valid until")] = days_in_words(facts["certain_until"], facts["ends_on"])
    last = facts["renewable_until"]
    found[gettext("Renewable until")] = days_in_words(last, last)
    found[gettext("Suspended")] = ", ".join(spell(*one) for one in facts["suspensions"]) or EMPTY
    return found


def days_in_words(first: date | None, last: date | None) -> str:
    # A day, or the two between which it lies.
    if first is None or last is None:
        return EMPTY
    return day_in_words(first) if first == last else f"{day_in_words(first)} … {day_in_words(last)}"


def spell(first: date, last: date | None) -> str:
    return f"{day_in_words(first)} – {day_in_words(last) if last else ''}".strip()


def value_in_words(column: Any, value: Any) -> str:
    if value in (None, ""):
        return EMPTY
    if column.is_relation:
        return str(column.related_model._base_manager.filter(pk=value).first() or EMPTY)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, PartialDate):
        return date_in_words(value)
    if isinstance(value, date):
        return day_in_words(value)
    return str(dict(column.flatchoices or ()).get(value, value))


def changes_in_words(decision: Decision) -> Iterator[ChangedFact]:
    # What a decision that is stored says of its label.
    for name, (before, after) in decision.changes.items():
        column = Label._meta.get_field(name)
        values = (value_in_words(column, read(Label, name, value)) for value in (before, after))
        yield ChangedFact("", capfirst(str(getattr(column, "verbose_name", name))), *values)


# Of a level and its rules


def rules_in_words(change: RuleChange) -> Iterator[ChangedFact]:
    before, after = change.before, change.after
    name = str(change.level)
    yield from rows_in_words(Level, name, before.get("level", {}), after.get("level", {}))
    old = {rule["id"]: rule for rule in before.get("rules", ())}
    kept = {rule["id"] for rule in after.get("rules", ())}
    for rule in after.get("rules", ()):
        was = old.get(rule["id"], {})
        yield from rows_in_words(LevelRule, rule_name(was or rule, is_new=not was), was, rule)
    for key in old.keys() - kept:
        yield from rows_in_words(LevelRule, rule_name(old[key]), old[key], {})


def rule_name(rule: dict[str, Any], *, is_new: bool = False) -> str:
    day = day_in_words(read(LevelRule, "effective_from", rule["effective_from"]))
    text = gettext("New rule from %(day)s") if is_new else gettext("Rule from %(day)s")
    return text % {"day": day}


def rows_in_words(
    model: type[models.Model], label: str, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[ChangedFact]:
    for name in before or after:
        if name == "id" or before.get(name) == after.get(name):
            continue
        column = model._meta.get_field(name)
        values = (
            value_in_words(column, read(model, name, facts.get(name))) for facts in (before, after)
        )
        yield ChangedFact(label, capfirst(str(getattr(column, "verbose_name", name))), *values)


def re_dated(preview: Preview) -> dict[str, Any]:
    # What templates/admin/labels/re_dated.html shows: how many, and the first of them.
    number = len(preview.changes)
    return {
        "number": number,
        "all": preview.number_of_labels,
        "rows": [*label_rows(preview.changes)],
        "more": max(0, number - MOST_LABELS),
    }


def label_rows(changes: Iterable[StateChange]) -> Iterator[ChangedFact]:
    for one in islice(changes, MOST_LABELS):
        label = one.label
        holder = label.cluster
        if not label.is_published:
            holder = gettext("%(holder)s (not public)") % {"holder": holder}
        yield ChangedFact(
            holder,
            label.public_id,
            standing(label.before, one.state_before),
            standing(label.after, one.state_after),
        )


def standing(days: Days, state: State) -> str:
    first = days_in_words(days.starts_on, days.certain_from)
    last = days_in_words(days.certain_until, days.ends_on)
    renewable = days_in_words(days.renewable_until, days.renewable_until)
    until = gettext("renewable until %(day)s") % {"day": renewable}
    return f"{first} – {last}\n{until}\n{STATE_NAMES[state]}"
