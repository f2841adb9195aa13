"""Versions of rows in words: who, when, from where, what was before and after."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_countries.fields import Country

from clusters.models import Account
from clusters.models.history import ADMIN, COMMAND, DEMO, IMPORT, PAGE, REGISTER, Restored
from clusters.people import policy
from clusters.people.policy import account_names
from clusters.templatetags.clusters_tags import day_in_words

EMPTY = "–"
KINDS = {"+": _("added"), "~": _("changed"), "-": _("deleted")}
ORIGINS = {
    ADMIN: _("in the admin"),
    PAGE: _("on a page of the portal"),
    COMMAND: _("by a command"),
    IMPORT: _("by an import"),
    DEMO: _("with the demo data"),
    REGISTER: _("from what the register knows of a label"),
}
LINES_AROUND = 1


@dataclass(frozen=True)
class DiffLine:
    """A line of a long text: `sign` is “+”, “-”, or a space where it stayed."""

    sign: str
    text: str


@dataclass(frozen=True)
class FieldChange:
    """`is_new` and `is_gone`: of a row that came, or went, with all that it held."""

    field: str
    old: str
    new: str
    lines: tuple[DiffLine, ...] = ()
    is_new: bool = False
    is_gone: bool = False


@dataclass(frozen=True)
class HistoryLine:
    """A version in words. Beside it, as a row may have fields of these names.

    `part` and `name` say of which part of the record; the record itself has neither.
    """

    pk: int
    history_date: datetime
    who: str
    kind: Promise
    origin: str
    differences: tuple[FieldChange, ...]
    part: str = ""
    name: str = ""
    links: tuple[tuple[str, str], ...] = ()


def moment_in_words(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{day_in_words(local)}, {date_format(local, 'H:i')}"


def origin_in_words(reason: str | None) -> str:
    # Where a version came from; a reason that a person gave is shown as it is.
    restored = Restored.parse(reason or "")
    if restored:
        return gettext("restored from the version of %(moment)s") % {
            "moment": moment_in_words(restored.moment)
        }
    return str(ORIGINS.get(reason or "", reason or EMPTY))


class Comparison:
    """The versions of one row, in words for a viewer; a few queries for all of them."""

    def __init__(self, model: Any, versions: Sequence[Any], viewer: Any) -> None:
        tracked, relations = (
            model.history.model.tracked_fields,
            model.history.model._history_m2m_fields,
        )
        hidden = self.hidden(model, versions, viewer)
        self.fields = [f for f in tracked if f.editable and f.name not in hidden]
        self.m2m_fields = [field for field in relations if field.name not in hidden]
        self.related = {field.name: self.related_keys(field, versions) for field in self.m2m_fields}
        keys: dict[type[models.Model], set[Any]] = {}
        for field in self.fields:
            if field.is_relation:
                # All keys first, so that each model is asked once.
                found = {getattr(version, field.attname) for version in versions}
                keys.setdefault(field.related_model, set()).update(found - {None})
        for field in self.m2m_fields:
            for found in self.related[field.name].values():
                keys.setdefault(field.related_model, set()).update(found)
        self.people = account_names(
            [*keys.pop(Account, ()), *(version.history_user_id for version in versions)], viewer
        )
        self.rows: dict[type[models.Model], dict[Any, Any]] = {
            related: {row.pk: row for row in self.named(related, pks, viewer)}
            for related, pks in keys.items()
        }

    def hidden(self, model: Any, versions: Sequence[Any], viewer: Any) -> frozenset[str]:
        # What the form of the row does not show, its versions do not tell either; of several rows
        # what a list of them would leave out.
        keys = {getattr(version, model._meta.pk.attname) for version in versions}
        if len(keys) == 1:
            return policy.hidden_fields_of(viewer, model(pk=keys.pop()), timezone.localdate())
        return policy.hidden_fields(viewer, policy.VIEW, model)

    def named(self, related: type[models.Model], pks: set[Any], viewer: Any) -> Iterable[Any]:
        # With those that it must have, after which it is named, as a label after its cluster.
        rows = related._base_manager.filter(pk__in=list(pks)).select_related()
        return policy.nameable_rows(viewer, rows, timezone.localdate())

    def related_keys(self, field: Any, versions: Sequence[Any]) -> dict[int, set[Any]]:
        found: dict[int, set[Any]] = {version.pk: set() for version in versions}
        if versions:
            table = getattr(type(versions[0]), field.name).model
            rows = table.objects.filter(history__in=list(found))
            for version, key in rows.values_list("history", field.m2m_reverse_field_name()):
                found[version].add(key)
        return found

    def who(self, version: Any) -> str:
        if version.history_user_id is None:
            return gettext("the portal")
        return self.people.get(version.history_user_id, EMPTY)

    def changes(self, old: Any, new: Any) -> Iterator[FieldChange]:
        for field in self.fields:
            before, after = getattr(old, field.attname), getattr(new, field.attname)
            if none_for_empty(before) != none_for_empty(after):
                yield self.change(field, before, after)
        for field in self.m2m_fields:
            had, has = self.related[field.name][old.pk], self.related[field.name][new.pk]
            if had != has:
                yield FieldChange(
                    capfirst(str(field.verbose_name)),
                    self.together(field, had),
                    self.together(field, has),
                )

    def change(self, field: Any, before: Any, after: Any) -> FieldChange:
        name = capfirst(str(field.verbose_name))
        old, new = self.in_words(field, before), self.in_words(field, after)
        if isinstance(field, models.TextField) and "\n" in f"{before}{after}":
            return FieldChange(name, old, new, tuple(diff_lines(before or "", after or "")))
        return FieldChange(name, old, new)

    def together(self, field: Any, keys: Iterable[Any]) -> str:
        return (
            ", ".join(sorted(self.row_in_words(field.related_model, key) for key in keys)) or EMPTY
        )

    def row_in_words(self, related: type[models.Model], key: Any) -> str:
        known: Any = self.people if related is Account else self.rows.get(related, {})
        return str(known.get(key) or gettext("deleted (%(key)s)") % {"key": key})

    def name_of(self, version: Any) -> str:
        """What the row was called then; "" where the viewer may not know all of it."""
        row = version.instance
        for field in self.fields:
            if field.is_relation:
                key = getattr(version, field.attname)
                known: Any = self.rows.get(field.related_model, {}).get(key)
                if field.related_model is Account and key in self.people:
                    known = Account(email=self.people[key])
                row._state.fields_cache[field.name] = known
        try:
            return str(row)
        except ObjectDoesNotExist:
            return ""

    def facts(self, version: Any, parent: Any, *, are_gone: bool = False) -> Iterator[FieldChange]:
        """What a row held that came, or went, but not to which record it belongs."""
        for field in self.fields:
            value = getattr(version, field.attname)
            if field.primary_key or field.name == parent.name or none_for_empty(value) is None:
                continue
            name, words = capfirst(str(field.verbose_name)), self.in_words(field, value)
            if are_gone:
                yield FieldChange(name, words, EMPTY, is_gone=True)
            else:
                yield FieldChange(name, EMPTY, words, is_new=True)

    def in_words(self, field: Any, value: Any) -> str:
        if value is None or value == "":
            return EMPTY
        if field.is_relation:
            return self.row_in_words(field.related_model, value)
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        if isinstance(value, Country):
            return str(value.name) if value.code else EMPTY
        if isinstance(value, datetime):
            return moment_in_words(value)
        if isinstance(value, date):
            return day_in_words(value)
        return str(dict(field.flatchoices or ()).get(value, value))


def none_for_empty(value: Any) -> Any:
    # Empty text and no value read the same; false and zero are values.
    return None if value == "" or (isinstance(value, Country) and not value.code) else value


def diff_lines(old: str, new: str) -> Iterator[DiffLine]:
    compared = difflib.unified_diff(old.splitlines(), new.splitlines(), n=LINES_AROUND, lineterm="")
    # The first two lines name the files of a diff.
    for line in list(compared)[2:]:
        yield DiffLine(" ", "…") if line.startswith("@@") else DiffLine(line[0], line[1:])
