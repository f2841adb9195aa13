"""Two people on one screen: a save that would undo what somebody wrote meanwhile is refused."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Max
from django.db.models.fields.files import FieldFile
from django.forms.models import _get_foreign_key
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.admin.refusals import RefusedForm, refusal_of
from clusters.admin.versions import EMPTY, Comparison, moment_in_words, none_for_empty
from clusters.fields import MomentFormField

# The hidden field with the versions that the screen shows: templates/admin/change_form.html.
VERSIONS = "_versions"
NOT_KNOWN = object()
LOST = gettext_lazy(
    "The register was put back to an earlier state after you opened this page. Nothing is saved "
    "yet, and what you typed is still here. Compare it with the page of the row, and save again."
)


@dataclass(frozen=True)
class Part:
    """Rows on a screen that have one history: the row itself, or those of an inline."""

    key: str
    model: Any
    rows: Mapping[str, Any]  # the condition for being on the screen

    def history(self) -> Any:
        # Also of rows that are not there any more: deleted, or moved to another screen.
        pk = self.model._meta.pk.attname
        ever_there = self.model.history.filter(**self.rows).order_by().values(pk)
        return self.model.history.filter(**{f"{pk}__in": ever_there})

    def latest(self) -> int:
        found: int | None = self.history().order_by().aggregate(latest=Max("history_id"))["latest"]
        return found or 0

    def lock(self) -> None:
        rows = self.model._base_manager.filter(**self.rows).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))


def versions_text(parts: Iterable[Part]) -> str:
    return " ".join(f"{part.key}={part.latest()}" for part in parts)


def read_versions(text: str) -> dict[str, int]:
    pairs = (pair.partition("=") for pair in text.split())
    return {
        key: int(number)
        for key, _equals, number in pairs
        if number.isdecimal() and number.isascii()
    }


class StoredForm(forms.ModelForm):
    """Writes into a copy of its row: what is read-only beside it follows what is stored.

    `is_restored`: shown as it was typed, half done as it may be, and neither checked nor saved.
    """

    is_restored: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = self.instance
        self.instance = copy(self.instance)

    def full_clean(self) -> None:
        if not self.is_restored:
            super().full_clean()
            return
        self._errors = ErrorDict()
        self.cleaned_data: dict[str, Any] = {}

    def is_valid(self) -> bool:
        return not self.is_restored and super().is_valid()


class ConflictForm(RefusedForm, StoredForm):
    find_conflicts: ClassVar[Callable[[Any], Iterable[ValidationError]] | None] = None

    def _post_clean(self) -> None:
        super()._post_clean()
        for name, field in self.fields.items():
            # The browser gives seconds only: what nobody typed anew stays as exact as it was.
            if isinstance(field, MomentFormField) and name not in self.changed_data:
                setattr(self.instance, name, self.initial.get(name))
        # What else is wrong is told first: the versions then stay those that were opened.
        find_conflicts: Any = type(self).find_conflicts
        if find_conflicts and not self.errors:
            for problem in find_conflicts(self):
                self.add_error(None, problem)


@cache
def with_conflicts(form: type[forms.ModelForm]) -> Any:
    return type(form.__name__, (ConflictForm, form), {"__module__": form.__module__})


def part_of_inline(admin: Any, inline: Any, obj: Any) -> Part:
    parent = _get_foreign_key(admin.model, inline.model, fk_name=inline.fk_name)
    key = f"{inline.model._meta.model_name}.{parent.name}"
    return Part(key, inline.model, {parent.attname: obj.pk})


class ConflictAdmin(admin.ModelAdmin):
    """Compares, before it saves, the versions that the person opened with those stored now.

    The row and the rows of its inlines are locked first, so what is compared stays. Refused is
    what would overwrite a field that somebody else changed; other fields of one row may be
    changed by two people.
    """

    def screen_parts(self, request: HttpRequest, obj: Any) -> Iterator[tuple[Part, Any]]:
        # With the inline, None for the row itself.
        admin: Any = self
        yield Part("row", admin.model, {admin.model._meta.pk.attname: obj.pk}), None
        for inline in admin.get_inline_instances(request, obj):
            if inline.has_change_permission(request, obj):
                yield part_of_inline(self, inline, obj), inline

    def lock_screen(self, request: HttpRequest, obj: Any) -> None:
        for part, _inline in self.screen_parts(request, obj):
            part.lock()

    def show_versions(self, request: HttpRequest, obj: Any) -> None:
        parts = (part for part, _inline in self.screen_parts(request, obj))
        request.__dict__["screen_versions"] = versions_text(parts)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        respond = partial(super().changeform_view, request, object_id, form_url, extra_context)
        return self.on_locked_screen(request, object_id, respond)

    def on_locked_screen(
        self, request: HttpRequest, object_id: str | None, respond: Callable[[], HttpResponse]
    ) -> HttpResponse:
        admin: Any = self
        obj = admin.get_object(request, unquote(object_id)) if object_id else None
        if obj is None:
            return respond()
        if request.method != "POST":
            # Before the row is read again for the page: an older version is told, a newer not.
            self.show_versions(request, obj)
            return respond()
        request.__dict__["screen_versions"] = request.POST.get(VERSIONS, "")
        with transaction.atomic():
            self.lock_screen(request, obj)
            return respond()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        admin: Any = self
        kwargs["form"] = with_conflicts(kwargs.get("form", admin.form))
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refused = refusal_of(request)
        if obj is not None and request.method == "POST":
            form.find_conflicts = partial(self.find_conflicts, request)
        return form

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:
        # The one place where Django makes them; the form looks at them when it is checked.
        made = super()._create_formsets(request, obj, change)  # type: ignore[misc]  # not in the stubs
        request.__dict__["screen_formsets"] = dict(zip(map(type, made[1]), made[0], strict=True))
        return made

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if "data" in kwargs and obj.pk is not None:
            part = part_of_inline(self, inline, obj)
            sent = kwargs["data"]
            kwargs["data"], gone, order = without_rows_gone(sent, prefix, part)
            if order:
                kwargs["files"] = renumbered(kwargs["files"], prefix, order)
            request.__dict__.setdefault("screen_rows_gone", {})[type(inline)] = gone
        return kwargs

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # Nothing is saved any more: what the page only shows is read from the rows as stored.
        shown = [context["adminform"].form]
        for inline in context["inline_admin_formsets"]:
            shown += inline.formset.forms
        for form in shown:
            if isinstance(form, StoredForm):
                form.instance = form.stored
        return super().render_change_form(request, context, *args, **kwargs)

    def find_conflicts(self, request: HttpRequest, form: Any) -> list[ValidationError]:
        formsets = request.__dict__.get("screen_formsets", {})
        if not all(formset.is_valid() for formset in formsets.values()):
            return []
        opened = read_versions(request.POST.get(VERSIONS, ""))
        found: list[tuple[Any, str]] = []
        parts = [
            (part, inline)
            for part, inline in self.screen_parts(request, form.instance)
            if inline is None or type(inline) in formsets
        ]
        for part, inline in parts:
            if part.key not in opened:
                return [
                    ValidationError(
                        _("The page does not say which version it shows. Open it again.")
                    )
                ]
            formset = formsets.get(type(inline))
            sent = (
                {form.instance.pk: form}
                if inline is None
                else {one.instance.pk: one for one in formset.initial_forms}
            )
            conflicts = PartConflicts(
                part,
                opened[part.key],
                sent,
                [] if formset is None else formset.deleted_forms,
                request.__dict__.get("screen_rows_gone", {}).get(type(inline), ()),
                request.user,
            )
            if conflicts.opened_version_is_lost():
                request.__dict__["screen_versions"] = versions_text(part for part, _inline in parts)
                return [ValidationError(LOST)]
            found += conflicts.find()
        if not found:
            return []
        # Told once: who saves again has seen them.
        request.__dict__["screen_versions"] = versions_text(part for part, _inline in parts)
        last = max((version for version, _text in found), key=lambda version: version.history_date)
        comparison = Comparison(type(last.instance), [last], request.user)
        heading = _(
            "Somebody else changed this after you opened it (%(who)s, %(moment)s). Nothing is "
            "saved yet, and what you typed is still here. Compare, correct the form, and save "
            "again."
        ) % {"who": comparison.who(last), "moment": moment_in_words(last.history_date)}
        return [ValidationError(heading), *(ValidationError(text) for _version, text in found)]


@dataclass(frozen=True)
class PartConflicts:
    """What others wrote into the rows of a part since `opened`, and the forms say otherwise."""

    part: Part
    opened: int
    sent: Mapping[Any, Any]  # forms by the key of their row
    deleted: Iterable[Any]
    gone: Iterable[str]  # keys of rows that the screen showed and that are not there any more
    viewer: Any

    def opened_version_is_lost(self) -> bool:
        # As when a backup was put back: versions are never removed otherwise.
        return self.opened > 0 and all(one.history_id != self.opened for one in self.since)

    @cached_property
    def since(self) -> list[Any]:
        # The version that was opened, and those after it.
        later = self.part.history().filter(history_id__gte=self.opened)
        return list(later.order_by("history_id"))

    def find(self) -> Iterator[tuple[Any, str]]:
        pk = self.part.model._meta.pk.attname
        latest = {
            getattr(version, pk): version
            for version in self.since
            if version.history_id > self.opened
        }
        for key, theirs in latest.items():
            if str(key) in self.gone:
                yield theirs, self.row_gone(theirs)
            elif key in self.sent:
                past = self.part.model.history.filter(**{pk: key}, history_id__lte=self.opened)
                base = past.order_by("history_id").last()
                yield from ((theirs, text) for text in self.compare(base, theirs, self.sent[key]))

    def row_gone(self, theirs: Any) -> str:
        return _(
            "“%(row)s” is not there any more. It stands in the form as a new row: empty it, or "
            "save to add it again."
        ) % {"row": theirs.instance}

    def compare(self, base: Any, theirs: Any, form: Any) -> Iterator[str]:
        mine = self.as_version(form.instance)
        versions = [version for version in (base, theirs, mine) if version is not None]
        comparison = Comparison(self.part.model, versions, self.viewer)
        is_deleted = form in self.deleted
        for field in comparison.fields:
            old = getattr(base, field.attname) if base else NOT_KNOWN
            now, typed = getattr(theirs, field.attname), getattr(mine, field.attname)
            if field.name not in form.fields or not differ(old, now):
                continue
            if is_deleted or differ(now, typed):
                yours = _("deleted") if is_deleted else comparison.in_words(field, typed)
                yield self.line(theirs, field, comparison.in_words(field, now), yours)
        for field in comparison.m2m_fields:
            if field.name not in form.fields or base is None:
                continue
            offered = {*form.fields[field.name].queryset.values_list("pk", flat=True)}
            had = comparison.related[field.name][base.pk] & offered
            has = comparison.related[field.name][theirs.pk] & offered
            typed = form.cleaned_data[field.name]
            if had != has != {row.pk for row in typed}:
                yours = ", ".join(sorted(map(str, typed))) or EMPTY
                yield self.line(theirs, field, comparison.together(field, has), yours)

    def line(self, theirs: Any, field: Any, now: str, yours: str) -> str:
        values = {
            "field": field.verbose_name,
            "theirs": now,
            "yours": yours,
            "row": theirs.instance,
        }
        if self.part.key == "row":
            values["field"] = capfirst(str(field.verbose_name))
            return _("%(field)s: now “%(theirs)s”, yours “%(yours)s”.") % values
        return _("%(row)s, %(field)s: now “%(theirs)s”, yours “%(yours)s”.") % values

    def as_version(self, row: models.Model) -> Any:
        version = self.part.model.history.model
        return version(
            **{
                field.attname: stored_value(getattr(row, field.attname))
                for field in version.tracked_fields
            }
        )


def stored_value(value: Any) -> Any:
    # A history keeps the name of a file.
    return value.name or "" if isinstance(value, FieldFile) else value


def differ(one: Any, other: Any) -> bool:
    return bool(none_for_empty(one) != none_for_empty(other))


def without_rows_gone(data: Any, prefix: str, part: Part) -> tuple[Any, frozenset[str], list[int]]:
    """The data of a formset in which rows that another person deleted or moved are new ones.

    Django would pass over what was typed there. Rows that were to be deleted are left out. Also
    returns the keys of those made new, and which row stands where now, if any moved.
    """
    total, initial = (data.get(f"{prefix}-{name}_FORMS", "") for name in ("TOTAL", "INITIAL"))
    if not all(re.fullmatch("[0-9]{1,4}", number) for number in (total, initial)):
        return data, frozenset(), []
    pk = part.model._meta.pk.name
    numbers = range(int(total))
    keys = [data.get(f"{prefix}-{number}-{pk}", "") for number in numbers[: int(initial)]]
    there = {
        str(key)
        for key in part.model._base_manager.filter(**part.rows).values_list("pk", flat=True)
    }
    left = gone_from(part) if {*keys} - there - {""} else frozenset()
    dead = [number for number, key in enumerate(keys) if key in left]
    if not dead:
        return data, frozenset(), []
    revived = [number for number in dead if not data.get(f"{prefix}-{number}-DELETE")]
    order = [*(number for number in numbers if number not in dead), *revived]
    moved = renumbered(data, prefix, order)
    for place, number in enumerate(order):
        if number in revived:
            moved[f"{prefix}-{place}-{pk}"] = ""
    moved[f"{prefix}-TOTAL_FORMS"] = str(len(order))
    moved[f"{prefix}-INITIAL_FORMS"] = str(len(keys) - len(dead))
    return moved, frozenset(keys[number] for number in revived), order


def renumbered(data: Any, prefix: str, order: list[int]) -> Any:
    # What was sent for the rows, or their files, with each row at its place in the order.
    start = f"{prefix}-"
    moved = data.copy()
    for name in data:
        number, _hyphen, field = name.removeprefix(start).partition("-")
        if name.startswith(start) and number.isdecimal():
            del moved[name]
    for place, number in enumerate(order):
        for name in data:
            if name.startswith(f"{prefix}-{number}-"):
                field = name.removeprefix(f"{prefix}-{number}-")
                moved.setlist(f"{prefix}-{place}-{field}", data.getlist(name))
    return moved


def gone_from(part: Part) -> frozenset[str]:
    # Keys of rows that once were on the screen.
    ever = part.model.history.filter(**part.rows).order_by()
    there = part.model._base_manager.filter(**part.rows).values("pk")
    name = part.model._meta.pk.attname
    left = ever.exclude(**{f"{name}__in": there}).values_list(name, flat=True)
    return frozenset(map(str, left))
