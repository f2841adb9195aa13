"""The history of a row on the admin's pages: who, when, from where, what, and the way back."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_countries.fields import Country
from simple_history.admin import SimpleHistoryAdmin

from clusters.models import Account
from clusters.models.history import ADMIN, COMMAND, DEMO, IMPORT, PAGE, Restored, came_from
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
}
LINES_AROUND = 1


@dataclass(frozen=True)
class DiffLine:
    """A line of a long text: `sign` is “+”, “-”, or a space where it stayed."""

    sign: str
    text: str


@dataclass(frozen=True)
class FieldChange:
    field: str
    old: str
    new: str
    lines: tuple[DiffLine, ...] = ()


@dataclass(frozen=True)
class HistoryLine:
    """A version in words. Beside it, as a row may have fields of these names."""

    pk: int
    history_date: datetime
    who: str
    kind: Promise
    origin: str
    differences: tuple[FieldChange, ...]


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
        self.fields = [field for field in model.history.model.tracked_fields if field.editable]
        self.m2m_fields = list(model.history.model._history_m2m_fields)
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
        self.names = {
            related: {row.pk: str(row) for row in self.named(related, pks, viewer)}
            for related, pks in keys.items()
        }

    def named(self, related: type[models.Model], pks: set[Any], viewer: Any) -> Iterable[Any]:
        rows = related._base_manager.filter(pk__in=list(pks))
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
        known = self.people if related is Account else self.names.get(related, {})
        return known.get(key) or gettext("deleted (%(key)s)") % {"key": key}

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


class HistoryAdmin(SimpleHistoryAdmin):  # type: ignore[misc]  # it comes without types
    """The list of versions, and an old one with the button that restores it."""

    object_history_template: Any = "admin/history.html"
    object_history_list_template = "admin/history_list.html"
    object_history_form_template = "admin/history_version.html"

    def history_view_title(self, request: HttpRequest, obj: Any) -> str:
        return gettext("History of %(row)s") % {"row": obj}

    def history_form_view_title(self, request: HttpRequest, obj: Any) -> str:
        return gettext("%(row)s, as it was on %(moment)s") % {
            "row": obj,
            "moment": moment_in_words(obj._history.history_date),
        }

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.may_restore(request, obj)

    def may_restore(self, request: HttpRequest, obj: Any) -> bool:
        # What no form changes, no old version changes either.
        may: bool = self.allows(request, policy.RESTORE, obj)
        return may and bool(self.has_change_permission(request, obj))

    def set_history_delta_changes(
        self, request: HttpRequest, historical_records: Any, foreign_keys_are_objs: bool = True
    ) -> None:
        # Give each version of the page its words; the page's last one is compared, too.
        page = list(historical_records)
        # The oldest version of the page is compared with one of the page after.
        before = page[-1].prev_record if page else None
        versions = [*page, before] if before else page
        comparison = Comparison(self.model, versions, request.user)
        historical_records.object_list = [
            HistoryLine(
                pk=version.pk,
                history_date=version.history_date,
                who=comparison.who(version),
                kind=KINDS[version.history_type],
                origin=origin_in_words(version.history_change_reason),
                differences=tuple(comparison.changes(older, version)) if older else (),
            )
            for version, older in zip(page, [*versions[1:], None], strict=False)
        ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if hasattr(obj, "_history"):
            obj._state.db = obj._history._state.db  # else its relations cannot be set
            if request.method == "GET":
                restore_relations(obj._history, obj)
        return super().get_form(request, obj, change=change, **kwargs)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        # An old version holds fields that a team may not write, so only who may restore it reads
        # it.
        self.hide_from_strangers(request, object_id)
        obj = self.get_object(request, unquote(object_id))
        if not self.may_restore(request, obj):
            raise PermissionDenied
        version = self.model.history.filter(pk=version_id).first()
        origin = str(Restored(version.pk, version.history_date)) if version else ADMIN
        respond = partial(super().history_form_view, request, object_id, version_id, extra_context)
        with came_from(origin):
            response: HttpResponse = self.on_locked_screen(request, object_id, respond)
        return response


def restore_relations(version: Any, obj: Any) -> None:
    # The version's row itself has the relations of today.
    for field in version._history_m2m_fields:
        keys = getattr(version, field.name).values_list(field.m2m_reverse_field_name(), flat=True)
        related = field.related_model._base_manager.filter(pk__in=list(keys))
        obj.__dict__.setdefault("_prefetched_objects_cache", {})[field.name] = related
