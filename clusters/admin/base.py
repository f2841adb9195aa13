"""What every admin of the portal shares: rows and fields by the policy, history, publishing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import flatten, flatten_fieldsets, get_fields_from_path, unquote
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_countries import countries

from clusters.admin.conflicts import ConflictAdmin
from clusters.admin.versions import EMPTY, HistoryAdmin
from clusters.fields import DayFormField, DayInput, MomentFormField, MomentInput, normal_name_fields
from clusters.people import policy


@dataclass(frozen=True)
class Concern:
    """Rows that need attention: the dashboard counts what the filter of the list shows."""

    title: Promise
    narrow: Callable[[Any, date], QuerySet[Any]]


class AttentionFilter(admin.SimpleListFilter):
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


class CountryFilter(admin.SimpleListFilter):
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
            kwargs |= {"form_class": MomentFormField, "widget": MomentInput}
        elif isinstance(db_field, models.DateField):
            kwargs |= {"form_class": DayFormField, "widget": DayInput}
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and hasattr(field.widget, "can_delete_related"):
            field.widget.can_delete_related = False
        return field


class NamedAutocomplete(AutocompleteSelect):
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
        return policy.allowed_rows(request.user, policy.VIEW, every, timezone.localdate())

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
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class ReadOnly:
    """Rows that are written elsewhere, or by commands."""

    never: Sequence[str] = (policy.ADD, policy.CHANGE, policy.DELETE)


class ScopedPart(Scoped):
    """Rows on another row's screen."""

    def own_row(self, obj: models.Model | None) -> models.Model | None:
        return None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, policy.ADD, None)


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


class TabularPart(ScopedPart, PortalFields, admin.TabularInline):
    formset = PartFormSet
    extra = 0
    show_change_link = True


class StackedPart(ScopedPart, PortalFields, admin.StackedInline):
    formset = PartFormSet
    extra = 0
    show_change_link = True


class TextPart(StackedPart):
    """A form for each language, an empty one where the text is missing."""

    max_num = 2

    def missing_languages(self, obj: Any) -> list[str]:
        there = {text.language for text in obj.texts.all()} if obj else set()
        return [code for code in ("en", "it") if code not in there]

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(self.missing_languages(obj))


class ScopedAdmin(Scoped, PortalFields, admin.ModelAdmin):
    """The rows that one may see; what one may not see answers 404, what one may not do 403."""

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [normal_search(self.model, path) for path in super().get_search_fields(request)]

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
        return super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        self.hide_from_strangers(request, object_id)
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


# Nothing but ASCII stands in these: the databases themselves know its case.
ASCII_FIELDS = (models.SlugField, models.EmailField)
ASCII_NAMES = ("public_id", "record_id", "code", "vat_number", "lei", "languages")


def normal_search(model: type[models.Model], path: str) -> str:
    """The lookup that searches this field without regard to case, accents and kinds of signs."""
    field = get_fields_from_path(model, path)[-1]
    if isinstance(field, ASCII_FIELDS) or field.name in ASCII_NAMES:
        return path
    forms = normal_name_fields(field.model)
    parents, _separator, name = path.rpartition("__")
    column = forms[name].name if name in forms else name
    return "__".join(filter(None, (parents, column, "holds")))


def relations_not_offered(form: Any) -> dict[str, list[models.Model]]:
    # By many-to-many field of the form, the related rows that it does not offer.
    unseen = {}
    for name, field in form.fields.items():
        if isinstance(field, forms.ModelMultipleChoiceField) and field.queryset is not None:
            offered = field.queryset.order_by().values("pk")
            unseen[name] = list(getattr(form.instance, name).exclude(pk__in=offered))
    return {name: related for name, related in unseen.items() if related}


class PortalAdmin(ConflictAdmin, ScopedAdmin, HistoryAdmin):
    """History of who changed what, and a save only where something changed."""

    save_on_top = True
    actions: Sequence[Any] = ("delete_selected",)
    empty_value_display = EMPTY
    list_per_page = 50
    formfield_overrides: "ClassVar[dict[type[models.Field[Any, Any]], Any]]" = {
        models.URLField: {"assume_scheme": "https"}
    }
    concerns: ClassVar[dict[str, Concern]] = {}

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = super().get_list_filter(request)
        return [AttentionFilter, *filters] if self.concerns else filters

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
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

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # A version for which nothing changed would say nothing.
        if change and equals_stored(obj):
            return
        obj._history_user = request.user
        self.write(obj)

    def write(self, obj: Any) -> None:
        # Save one row; an admin whose rows are saved by an action says so here.
        obj.save()


def equals_stored(obj: models.Model) -> bool:
    stored = type(obj)._base_manager.filter(pk=obj.pk).first()
    return stored is not None and all(
        getattr(stored, field.attname) == getattr(obj, field.attname)
        for field in obj._meta.concrete_fields
    )


class PartForm(forms.ModelForm):
    """Checks the row against its fellows, although the form does not move it to another parent."""

    def _get_validation_exclusions(self) -> set[str]:
        return set()


class PartAdmin(PortalAdmin):
    """One row of another row's screen, by itself: for its history and an earlier version of it."""

    form = PartForm
    never: Sequence[str] = (policy.ADD,)
    part_of: tuple[str, ...] = ()

    def get_list_select_related(self, request: HttpRequest) -> Any:
        return self.list_select_related or [
            field.name for field in self.opts.fields if field.many_to_one
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.part_of, *super().get_readonly_fields(request, obj))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


class PublishedAdmin(PortalAdmin):
    """Rows with `is_published`: shown and hidden, and never deleted once they were public."""

    actions: Sequence[Any] = ("publish", "unpublish")
    is_followed = True  # the dashboard lists its latest changes

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and has_been_public(obj))

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
                    self.save_model(request, obj, form=None, change=True)
                    changed = [{"changed": {"fields": [str(_("published"))]}}]
                    self.log_change(request, obj, changed)
            except ValidationError as error:
                text = f"{obj}: {' '.join(error.messages)}"
                self.message_user(request, text, messages.ERROR)
            else:
                number += 1
        text = (
            ngettext("%(number)d row was published.", "%(number)d rows were published.", number)
            if is_published
            else ngettext(
                "%(number)d row was unpublished.", "%(number)d rows were unpublished.", number
            )
        )
        self.message_user(request, text % {"number": number}, messages.SUCCESS)


def has_been_public(obj: Any) -> bool:
    return bool(obj.is_published or obj.history.filter(is_published=True).exists())


@admin.display(description=_("country"), ordering="country")
def country_column(obj: Any) -> str:
    return str(obj.country.name) if obj.country else ""
