"""What every admin of the portal shares: rows and fields by the policy, history, publishing."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import flatten, flatten_fieldsets, unquote
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.fields.files import FieldFile
from django.forms import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_countries import countries

from clusters.admin.conflicts import ConflictAdmin, StoredForm
from clusters.admin.drafts import DraftAdmin
from clusters.admin.history_pages import HistoryAdmin
from clusters.admin.lists import (
    CountedFilter,
    PortalChangeList,
    found_by_words,
    found_everywhere,
    normal_search,
    parameters_of,
)
from clusters.admin.refusals import read_files_again, remember_refusal
from clusters.admin.suggestions import SuggestingAdmin
from clusters.admin.uploads import UploadAdmin
from clusters.admin.versions import EMPTY
from clusters.fields import DayFormField, DayInput, MomentFormField, MomentInput
from clusters.models import EventKind
from clusters.models.images import NotStored
from clusters.models.reference import languages
from clusters.models.unions import count_each
from clusters.people import policy
from clusters.people.log import record
from clusters.views.saved_filters import saved_filters_for

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Concern:
    """Rows that need attention: the dashboard counts what the filter of the list shows."""

    title: Promise
    narrow: Callable[[Any, date], QuerySet[Any]]


class AttentionFilter(CountedFilter):
    title = _("what needs attention")
    parameter_name = "attention"

    def __init__(self, request: Any, params: Any, model: Any, model_admin: "PortalAdmin") -> None:
        # Before Django’s own, which asks for the lookups at once.
        self.concerns = model_admin.concerns
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, str(concern.title)) for key, concern in self.concerns.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        concern = self.concerns.get(str(self.value()))
        return concern.narrow(queryset, timezone.localdate()) if concern else queryset

    def count_choices(self, rows: QuerySet[Any]) -> dict[str, int]:
        day = timezone.localdate()
        return count_each(
            {key: concern.narrow(rows, day) for key, concern in self.concerns.items()}
        )


class CountryFilter(CountedFilter):
    """Only the countries that some row has."""

    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.get_queryset(request)
        codes = rows.order_by().values_list("country", flat=True).distinct()
        named = [(str(code), str(countries.name(code))) for code in codes if code]
        return sorted(named, key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(country=self.value()) if self.value() else queryset

    def count_choices(self, rows: QuerySet[Any]) -> dict[str, int]:
        counted = rows.values_list("country").annotate(Count("pk"))
        return {str(code): number for code, number in counted}


class PartFormSet(BaseInlineFormSet):
    """Rows of one screen, compared with each other where Django compares with stored rows only."""

    def clean(self) -> None:
        super().clean()
        rows = self.kept_rows()
        for constraint in rows[0]._meta.constraints if rows else ():
            if not isinstance(constraint, models.UniqueConstraint):
                continue
            # Django checks those without a condition by itself.
            if constraint.condition and constraint.fields:
                self.refuse_duplicates(constraint, rows)

    def kept_rows(self) -> list[models.Model]:
        return [
            form.instance
            for form in self.forms
            if form.is_valid()
            and form not in self.deleted_forms
            and (form.instance.pk or form.has_changed())
        ]

    def refuse_duplicates(
        self, constraint: models.UniqueConstraint, rows: list[models.Model]
    ) -> None:
        assert constraint.condition is not None
        keys: list[list[Any]] = []
        for row in rows:
            values = {
                field.name: models.Value(getattr(row, field.name), output_field=field)
                for field in row._meta.concrete_fields
                if not field.is_relation
            }
            key = [getattr(row, name) for name in constraint.fields]
            if constraint.condition.check(values):
                if key in keys:
                    raise ValidationError(constraint.get_violation_error_message())
                keys.append(key)


class PortalFields(BaseModelAdmin):
    """Days in one notation; links to add and change what a row refers to, not to delete it."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, models.DateTimeField):
            # One that is "now" by default is compared with what is stored, as any other.
            compared = {"show_hidden_initial": False}
            kwargs |= {"form_class": MomentFormField, "widget": MomentInput} | compared
        elif isinstance(db_field, models.DateField):
            kwargs |= {"form_class": DayFormField, "widget": DayInput}
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and hasattr(field.widget, "can_delete_related"):
            field.widget.can_delete_related = False
        if isinstance(field, forms.FileField) and "is_storage_full" in request.__dict__:
            field.validators.append(refuse_file)
        return field


class PossibleKeys(forms.Select):
    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        # Of a form that comes back, Django asks the database for whatever was sent.
        field: Any = self.field  # type: ignore[attr-defined]  # of Django's autocomplete
        possible = [key for key in value if may_be_key(field.related_model, key)]
        return super().optgroups(name, possible, attrs)


class SeveralAutocomplete(PossibleKeys, AutocompleteSelectMultiple):
    pass


class NamedAutocomplete(PossibleKeys, AutocompleteSelect):
    """Names the field where nothing is chosen: there its label does not reach a screen reader."""

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> dict[str, Any]:
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)
        return attrs | {"data-placeholder": f"{capfirst(str(self.field.verbose_name))}…"}


class Scoped(BaseModelAdmin):
    """Rows, verbs and fields by the policy; a row out of one's view is as if it did not exist."""

    view_on_site: Any = False  # only what is published has a page (PublishedAdmin)
    never: Sequence[str] = ()  # what nobody does here, not even a superuser

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        every: QuerySet[Any] = super().get_queryset(request)
        day = timezone.localdate()
        seen = policy.allowed_rows(request.user, policy.VIEW, every, day)
        return policy.with_known_relations(request.user, seen, day)

    def own_row(self, obj: models.Model | None) -> models.Model | None:
        # The row of this admin's model; an inline is asked with the row of its screen.
        return obj

    def allows(self, request: HttpRequest, verb: str, obj: models.Model | None) -> bool:
        if verb in self.never:
            return False
        # Remembered for the request: Django asks the same many times.
        known = request.__dict__.setdefault("_allowed", {})
        key = (verb, self.model, obj.pk if obj else None)
        if key not in known:
            known[key] = (
                policy.may_on_row(request.user, verb, obj, timezone.localdate())
                if obj is not None and obj.pk is not None
                else policy.may(request.user, verb, self.model)
            )
        return bool(known[key])

    def writable(self, request: HttpRequest, obj: models.Model | None) -> frozenset[str] | None:
        # Remembered for the request, as `allows`.
        known = request.__dict__.setdefault("_writable", {})
        key = (self.model, obj.pk if obj else None)
        if key not in known:
            verb = policy.CHANGE if obj is not None else policy.ADD
            day = timezone.localdate()
            known[key] = policy.writable_fields(request.user, verb, self.model, obj, day)
        writable: frozenset[str] | None = known[key]
        return writable

    def hidden(self, request: HttpRequest, obj: models.Model | None) -> frozenset[str]:
        # Names of the fields that the person may not read; in a list, where `obj` is None, all that
        # are hidden in one of its rows. Remembered for the request, as `allows`.
        known = request.__dict__.setdefault("_hidden", {})
        key = (self.model, obj.pk if obj else None)
        if key not in known:
            known[key] = (
                policy.hidden_fields(request.user, policy.VIEW, self.model)
                if obj is None or obj.pk is None
                else policy.hidden_fields_of(request.user, obj, timezone.localdate())
            )
        hidden: frozenset[str] = known[key]
        return hidden

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readable(request, obj, super().get_fieldsets(request, obj))

    def readable(self, request: HttpRequest, obj: Any, fieldsets: Any) -> Any:
        # The groups of a form without what the person may not read.
        hidden = self.hidden(request, self.own_row(obj))
        if not hidden:
            return fieldsets
        groups = (
            (title, {**options, "fields": without_hidden(options["fields"], hidden)})
            for title, options in fieldsets
        )
        return [(title, options) for title, options in groups if options["fields"]]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, policy.VIEW, self.own_row(obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, policy.CHANGE, self.own_row(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, policy.DELETE, self.own_row(obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        given = tuple(super().get_readonly_fields(request, obj))
        return (
            *given,
            *fields_not_writable(self, self.writable(request, self.own_row(obj)), given),
        )

    def visible(self, request: HttpRequest, related: type[models.Model]) -> QuerySet[Any]:
        related_admin = self.admin_site._registry.get(related)
        if related_admin:
            rows: QuerySet[Any] = related_admin.get_queryset(request)
            return rows
        return policy.allowed_rows(
            request.user, policy.VIEW, related._default_manager.all(), timezone.localdate()
        )

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        readonly = self.get_readonly_fields(request, obj)
        given: dict[str, Any] = super().get_prepopulated_fields(request, obj)
        return {name: sources for name, sources in given.items() if name not in readonly}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # What is not offered is not accepted either.
        kwargs.setdefault("queryset", self.visible(request, db_field.remote_field.model))
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", NamedAutocomplete(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", self.visible(request, db_field.remote_field.model))
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", SeveralAutocomplete(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class ReadOnly:
    """Rows that are written elsewhere, or by commands."""

    never: Sequence[str] = (policy.ADD, policy.CHANGE, policy.DELETE)


class ScopedPart(Scoped):
    """Rows on another row's screen."""

    is_folded_when_empty = False

    def own_row(self, obj: models.Model | None) -> models.Model | None:
        return None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, policy.ADD, None)


def without_hidden(names: Sequence[Any], hidden: frozenset[str]) -> tuple[Any, ...]:
    # Of names of fields, of which some stand on one line.
    lines = (without_hidden(name, hidden) if isinstance(name, tuple) else name for name in names)
    return tuple(line for line in lines if line and line not in hidden)


def fields_not_writable(
    part: Any, writable: frozenset[str] | None, given: Sequence[str]
) -> tuple[str, ...]:
    if writable is None:
        return ()
    if part.fieldsets:
        shown = flatten_fieldsets(part.fieldsets)
    elif part.fields:
        shown = flatten(part.fields)
    else:
        options = part.model._meta
        shown = [field.name for field in (*options.fields, *options.many_to_many) if field.editable]
    return tuple(name for name in shown if name not in writable and name not in given)


class TableFormSet(PartFormSet):
    """Names each field of a row to who does not see the head of its column."""

    def add_fields(self, form: Any, index: "int | None") -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            widget = getattr(field.widget, "widget", field.widget)  # within Django's links to rows
            if field.label and not widget.is_hidden:
                widget.attrs.setdefault("aria-label", capfirst(str(field.label)))


class TabularPart(ScopedPart, PortalFields, admin.TabularInline):
    form = StoredForm
    formset = TableFormSet
    extra = 0
    show_change_link = True


class StackedPart(ScopedPart, PortalFields, admin.StackedInline):
    form = StoredForm
    formset = PartFormSet
    extra = 0
    show_change_link = True


class TextPart(StackedPart):
    """A form for each language, an empty one where the text is missing."""

    def get_max_num(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        # Django makes it none for who may add nothing.
        return len(languages()) if self.max_num is None else self.max_num

    def missing_languages(self, obj: Any) -> list[str]:
        there = {text.language for text in obj.texts.all()} if obj else set()
        return [code for code, _name in languages() if code not in there]

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(self.missing_languages(obj))


class ScopedAdmin(Scoped, PortalFields, admin.ModelAdmin):
    """The rows that one may see; what one may not see answers 404, what one may not do 403.

    A list is narrowed, searched and ordered by what it shows to the person, and by nothing else.
    """

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PortalChangeList]:
        return PortalChangeList

    def reads(self, request: HttpRequest, path: str, *, any_row: bool = True) -> bool:
        return policy.reads_path(request.user, self.model, path, any_row=any_row)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        hidden = self.hidden(request, None)
        return [name for name in super().get_list_display(request) if name not in hidden]

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        return [
            name
            for name in self.get_list_display(request)
            if self.reads(request, order_of(self, name))
        ]

    def get_list_select_related(self, request: HttpRequest) -> Any:
        # What `get_queryset` loads as far as the person knows of it is not loaded before.
        partly = policy.partly_seen(request.user, self.model)
        loaded = self.loaded_in_lists()
        return [path for path in loaded if path.partition("__")[0] not in partly]

    def loaded_in_lists(self) -> Sequence[str]:
        given = self.list_select_related
        return () if isinstance(given, bool) else given

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [
            given
            for given in super().get_list_filter(request)
            if (path := filter_path(given)) is None or self.reads(request, path)
        ]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Django lets anybody ask for any field of the row, shown or not, letter by letter.
        known = request.__dict__.setdefault("_lookups", {})
        if self.model not in known:
            known[self.model] = parameters_of(self, request)
        return lookup in known[self.model]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        paths = super().get_search_fields(request)
        return [
            normal_search(self.model, path)
            for path in paths
            if self.reads(request, path, any_row=False)
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        paths = self.get_search_fields(request)
        return found_by_words(request, queryset, paths, search_term), False

    # By relation to its parts, the fields in which a record is found from every page.
    searched_parts: ClassVar[Mapping[str, Sequence[str]]] = {}
    # The rows whose texts no document of the public search has.
    without_document: ClassVar = Q(is_published=False)

    def found_everywhere(self, request: HttpRequest, text: str) -> QuerySet[Any]:
        return found_everywhere(self, request, text)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, policy.VIEW, None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, policy.ADD, None)

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, policy.PUBLISH, None)

    def has_download_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, policy.DOWNLOAD, None)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nobody saves a row out of their own sight: then nothing is saved.

        Relations to rows that the person does not see stay as they are.
        """
        # Django would take every relation away that the form does not send.
        unseen = relations_not_offered(form) if change else {}
        super().save_related(request, form, formsets, change)
        for name, related in unseen.items():
            getattr(form.instance, name).add(*related)
        day = timezone.localdate()
        if not policy.may_on_row(request.user, policy.VIEW, form.instance, day):
            raise PermissionDenied

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self.hide_from_strangers(request)
        if ACTION_CHECKBOX_NAME in request.POST:
            request.POST = self.possible_keys(request.POST)
        shown = saved_filters_for(request, self.opts.label_lower) | (extra_context or {})
        return super().changelist_view(request, shown)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        self.hide_from_strangers(request, object_id)
        if "_saveasnew" in request.POST:
            # No form offers it, and Django would save the parts of the row once more all the same.
            sent: Any = request.POST.copy()
            del sent["_saveasnew"]
            sent._mutable = False
            request.POST = sent
        return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        self.hide_from_strangers(request, object_id)
        return super().delete_view(request, object_id, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        self.hide_from_strangers(request, object_id)
        response: HttpResponse = super().history_view(request, object_id, extra_context)
        return response

    def hide_from_strangers(self, request: HttpRequest, object_id: str | None = None) -> None:
        # Django would answer 403, which says that there is something.
        if not self.allows(request, policy.VIEW, None):
            raise Http404
        if object_id is not None and self.get_object(request, unquote(object_id)) is None:
            raise Http404

    def possible_keys(self, sent: Any) -> Any:
        # Django asks the database for whatever was ticked.
        name = ACTION_CHECKBOX_NAME
        possible = sent.copy()
        possible.setlist(name, [key for key in sent.getlist(name) if may_be_key(self.model, key)])
        possible._mutable = False
        return possible

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        # Of `_to_field=` nothing is meant, and Django looks for a field without a name.
        return super().get_object(request, object_id, from_field or None)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        # Django asks the database for whatever the address says.
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        for field in (*self.opts.fields, *self.opts.many_to_many):
            if field.name in initial and field.related_model:
                given = initial[field.name]
                keys = given if isinstance(given, list) else [given]
                keys = [key for key in keys if may_be_key(field.related_model, key)]
                initial[field.name] = keys if field.many_to_many else "".join(map(str, keys))
        return initial


def may_be_key(model: type[models.Model], key: Any) -> bool:
    try:
        model._meta.pk.clean(key, None)
    except ValidationError:
        return False
    return True


def filter_path(given: Any) -> str | None:
    # Of an entry of `list_filter` the path of the field; a filter of its own has none.
    found = given[0] if isinstance(given, tuple | list) else given
    return found if isinstance(found, str) else None


def order_of(model_admin: Any, name: Any) -> str:
    # The path by which a column is ordered.
    shown = name if callable(name) else getattr(model_admin, name, None)
    return str(getattr(shown, "admin_order_field", None) or name)


def relations_not_offered(form: Any) -> dict[str, list[models.Model]]:
    # By many-to-many field of the form, the related rows that it does not offer.
    unseen = {}
    for name, field in form.fields.items():
        if isinstance(field, forms.ModelMultipleChoiceField) and field.queryset is not None:
            offered = field.queryset.order_by().values("pk")
            unseen[name] = list(getattr(form.instance, name).exclude(pk__in=offered))
    return {name: related for name, related in unseen.items() if related}


class PortalAdmin(
    SuggestingAdmin, DraftAdmin, UploadAdmin, ConflictAdmin, ScopedAdmin, HistoryAdmin
):
    """History of who changed what, and a save only where something changed."""

    save_on_top = True
    actions: Sequence[Any] = ("delete_selected",)
    empty_value_display = EMPTY
    list_per_page = 50
    formfield_overrides: "ClassVar[dict[type[models.Field[Any, Any]], Any]]" = {
        models.URLField: {"assume_scheme": "https"}
    }
    concerns: ClassVar[dict[str, Concern]] = {}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        groups = super().get_fieldsets(request, obj)
        if obj is not None:
            return groups
        # The number of a row is made when it is stored: the form would show another one.
        unknown = frozenset({"public_id"})
        return [
            (title, {**options, "fields": without_hidden(options["fields"], unknown)})
            for title, options in groups
        ]

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = super().get_list_filter(request)
        return [AttentionFilter, *filters] if self.concerns else filters

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if "data" in kwargs:
            kwargs["data"] = without_false_counts(kwargs["data"], prefix)
        if isinstance(inline, TextPart):
            # Each empty form comes in a language that is missing.
            missing = inline.missing_languages(obj if obj.pk else None)
            kwargs["initial"] = [{"language": code} for code in missing]
        return kwargs

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        # A new row's address follows its name; an old one's stays, as it is public.
        if obj or not self.slug_from or "slug" in self.get_readonly_fields(request):
            return {}
        return {"slug": (self.slug_from,)}

    slug_from = ""
    part_of: tuple[str, ...] = ()  # the records to which a row belongs

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # A version for which nothing changed would say nothing.
        if change and equals_stored(obj):
            return
        obj._history_user = request.user
        remember_new_files(request, obj)
        self.write(obj)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = super().construct_change_message(
            request, form, formsets, add
        )
        # The form of an old version says what it holds, which may be no change to itself.
        is_old = hasattr(form.instance, "_history")
        request.__dict__["is_unchanged"] = not (add or changes or is_old)
        return changes

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        # Django says of every row that is sent that it was changed.
        request.__dict__["says_unchanged"] = request.__dict__.get("is_unchanged", False)
        return super().response_change(request, obj)

    def message_user(self, request: HttpRequest, message: Any, *args: Any, **kwargs: Any) -> None:
        if request.__dict__.pop("says_unchanged", False):
            messages.info(request, _("Nothing was changed, so there was nothing to save."))
        else:
            super().message_user(request, message, *args, **kwargs)

    @property
    def is_written_by_actions(self) -> bool:
        return type(self).save_model is not PortalAdmin.save_model

    def write(self, obj: Any) -> None:
        # Save one row; an admin whose rows are saved by an action says so here.
        obj.save()

    def on_locked_screen(
        self, request: HttpRequest, object_id: str | None, respond: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """What is refused while it is saved, or cannot be stored, is told on the form."""
        respond_locked = partial(super().on_locked_screen, request, object_id, respond)
        try:
            return respond_locked()
        except BaseException as error:
            # The rows are taken back; files know no transaction.
            for file in request.__dict__.get("new_files", ()):
                if file._committed:
                    file.storage.delete(file.name)
            if isinstance(error, NotStored):
                logger.exception("A file could not be stored.")
                request.__dict__["is_storage_full"] = True
            elif request.method == "POST" and isinstance(error, ValidationError | IntegrityError):
                remember_refusal(request, error)
            else:
                raise
        read_files_again(request)
        return respond_locked()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for one in formset.forms:
            remember_new_files(request, one.instance)
        super().save_formset(request, form, formset, change)


# A form may say so many rows without sending one.
FREE_ROWS = 100


def without_false_counts(data: Any, prefix: str) -> Any:
    """The data of a formset, without numbers of rows that no page sends.

    Django would make two thousand empty forms, or pass over what was typed; without them it says
    that they are missing.
    """
    names = (f"{prefix}-TOTAL_FORMS", f"{prefix}-INITIAL_FORMS")
    counts = [data.get(name, "") for name in names]
    if all(re.fullmatch("[0-9]{1,4}", count) for count in counts):
        total, initial = map(int, counts)
        sent = sum(name.startswith(f"{prefix}-") for name in data)
        if initial <= total <= max(sent, FREE_ROWS):
            return data
    counted = data.copy()
    for name in names:
        counted.pop(name, None)
    return counted


def refuse_file(file: Any) -> None:
    raise ValidationError(
        _(
            "The portal could not store this file: its disk is full or cannot be written. Nothing "
            "is saved yet, and what you typed is still here. Save it without the file, or choose "
            "the file again later."
        )
    )


def remember_new_files(request: HttpRequest, obj: models.Model) -> None:
    request.__dict__.setdefault("new_files", []).extend(new_files(obj))


def new_files(obj: models.Model) -> list[FieldFile]:
    # What was uploaded for the row and is not stored yet.
    names = (field.name for field in obj._meta.fields if isinstance(field, models.FileField))
    files = [getattr(obj, name) for name in names]
    return [file for file in files if file and not file._committed]


def equals_stored(obj: models.Model) -> bool:
    stored = type(obj)._base_manager.filter(pk=obj.pk).first()
    return stored is not None and all(
        getattr(stored, field.attname) == getattr(obj, field.attname)
        for field in obj._meta.concrete_fields
    )


class WholeRowForm(forms.ModelForm):
    """Checks the whole row: also what depends on a field that the form does not have."""

    def _get_validation_exclusions(self) -> set[str]:
        return set()


class PartAdmin(PortalAdmin):
    """One row of another row's screen, by itself: for its history and an earlier version of it."""

    form = WholeRowForm
    never: Sequence[str] = (policy.ADD,)

    def loaded_in_lists(self) -> Sequence[str]:
        return super().loaded_in_lists() or [
            field.name for field in self.opts.fields if field.many_to_one
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.part_of, *super().get_readonly_fields(request, obj))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


class PublishedAdmin(PortalAdmin):
    """Rows that are shown and hidden, and never deleted once they were public."""

    actions: Sequence[Any] = ("publish", "unpublish")
    is_followed = True  # the dashboard lists its latest changes

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        # A new row is published when somebody says so, in the form or later.
        return {"is_published": False} | super().get_changeform_initial_data(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (
            obj and self.has_been_public(obj)
        )

    def has_been_public(self, obj: Any) -> bool:
        return bool(obj.is_published or obj.history.filter(is_published=True).exists())

    def is_public(self, obj: Any) -> bool:
        return bool(obj.is_published)

    def view_on_site(self, obj: Any) -> str | None:
        return (obj.get_absolute_url() or None) if self.is_public(obj) else None

    @admin.action(description=_("Publish the selected rows"), permissions=["publish"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.set_published(request, queryset, True)

    @admin.action(description=_("Unpublish the selected rows"), permissions=["publish"])
    def unpublish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.set_published(request, queryset, False)

    def set_published(
        self, request: HttpRequest, queryset: QuerySet[Any], is_published: bool
    ) -> None:
        number = 0
        day = timezone.localdate()
        allowed = policy.allowed_rows(request.user, policy.PUBLISH, queryset, day)
        # One by one: each is checked, and each has its version.
        for obj in allowed.exclude(is_published=is_published):
            obj.is_published = is_published
            try:
                with transaction.atomic():
                    obj.clean()
                    self.save_model(request, obj, form=None, change=True)
                    changed = [{"changed": {"fields": [str(_("published"))]}}]
                    self.log_change(request, obj, changed)
            except ValidationError as error:
                text = f"{obj}: {' '.join(error.messages)}"
                self.message_user(request, text, messages.ERROR)
            else:
                number += 1
        kind = EventKind.PUBLISHED if is_published else EventKind.UNPUBLISHED
        if number:
            detail = f"{self.opts.verbose_name_raw}, {number} rows"
            by: Any = request.user
            record(kind, now=timezone.now(), account=by, detail=detail)
        text = (
            ngettext("%(number)d row was published.", "%(number)d rows were published.", number)
            if is_published
            else ngettext(
                "%(number)d row was unpublished.", "%(number)d rows were unpublished.", number
            )
        )
        level = messages.SUCCESS if number else messages.WARNING
        self.message_user(request, text % {"number": number}, level)


@admin.display(description=_("country"), ordering="country")
def country_column(obj: Any) -> str:
    return str(obj.country.name) if obj.country else ""
