"""Clusters, organisations and programmes as tables: what each column says, and how it is written.

Columns are named like the fields and hold codes, so that a table means the same in each language.
A column that a table does not have is left alone; an empty cell empties the field.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.resources import Diff, ModelResource
from import_export.results import Result, RowResult
from import_export.widgets import ForeignKeyWidget, Widget
from tablib import Dataset

from clusters.fields import clean_day
from clusters.models import (
    Cluster,
    ClusterName,
    ClusterText,
    Management,
    MembershipCount,
    Organisation,
    OrganisationName,
    Programme,
    Region,
)
from clusters.models.history import IMPORT, came_from
from clusters.people import policy
from clusters.tables.duplicates import Duplicate, DuplicateFinder, DuplicateReason, Identity
from clusters.tables.formats import LINE
from clusters.tables.reader import Finding, TableRefused, shown
from clusters.tables.regions import RegionFinder

PUBLIC_ID = "public_id"
TRUE, FALSE = "true", "false"


class ValueWidget(Widget):  # type: ignore[misc]  # it comes without types
    """A value in the notation of its model field."""

    def __init__(self, column: Any) -> None:
        super().__init__()
        self.column = column

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        if isinstance(self.column, models.BooleanField):
            return parse_boolean(value)
        if not value:
            return None if self.column.null else ""
        try:
            if isinstance(self.column, models.DateField):
                return clean_day(value)
            return self.column.to_python(value)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        if isinstance(value, bool):
            return TRUE if value else FALSE
        return "" if value is None else str(value)


class ReferenceWidget(ForeignKeyWidget):  # type: ignore[misc]
    """A row that the person may see (`rows`, set by the resource), by what names it."""

    rows: QuerySet[Any]

    def __init__(self, model: type[models.Model], field: str) -> None:
        super().__init__(model, field)
        self.known: dict[str, Any] = {}

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        if not value:
            return None
        if value not in self.known:
            self.known[value] = self.rows.filter(self.condition(value)).first()
        if self.known[value] is None:
            message = _("“%(value)s” is not known. Write the %(key)s.")
            raise ValueError(message % {"value": shown(value), "key": self.field})
        return self.known[value]

    def condition(self, value: str) -> Q:
        return Q(**{self.field: value})


class RegionWidget(ReferenceWidget):
    """A region by its code; those that have none by country and name, as “IT Piemonte”.

    Written so, any name of a region will do.
    """

    @cached_property
    def finder(self) -> RegionFinder:
        return RegionFinder(self.rows)

    def condition(self, value: str) -> Q:
        country, _space, name = value.partition(" ")
        key = self.finder.find(country.upper(), name) if name else None
        return Q(code=value.upper()) if key is None else Q(pk=key)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(value.code or f"{value.country} {value.name}") if value else ""


def parse_boolean(text: str) -> bool:
    if text.casefold() not in (TRUE, FALSE):
        message = _("Write “%(yes)s” or “%(no)s”.")
        raise ValueError(message % {"yes": TRUE, "no": FALSE})
    return text.casefold() == TRUE


class ValueDiff(Diff):  # type: ignore[misc]
    """Old and new values, without the style attributes that the portal's headers forbid."""

    def as_html(self) -> list[str | SafeString]:
        pairs = zip([""] * len(self.left) if self.new else self.left, self.right, strict=True)
        return [
            new if old == new else format_html_join(" ", "<{0}>{1}</{0}>", changed_parts(old, new))
            for old, new in pairs
        ]


def changed_parts(old: str, new: str) -> Iterator[tuple[str, str]]:
    yield from ((tag, text) for tag, text in (("del", old), ("ins", new)) if text)


class TableResult(Result):  # type: ignore[misc]
    """Rows are counted by their line in the file; an error that is no mistake of it is raised."""

    waiting = 0  # proposals that somebody else has to approve

    def append_invalid_row(self, number: int, row: Any, error: ValidationError) -> None:
        super().append_invalid_row(row[LINE], row, error)

    def append_error_row(self, number: int, row: Any, errors: list[Any]) -> None:
        raise errors[0].error


class TableResource(ModelResource):  # type: ignore[misc]
    """A table in, by the rights of the person, and a table out.

    `admin` and `request` answer what the person may see and write. `states` is filled by a
    preview (`is_preview`); an import refuses each row that would now have another state.
    """

    keys: ClassVar[Mapping[str, str]] = {}  # of relations, what names the other row
    found_by: ClassVar[Sequence[str]] = (PUBLIC_ID, "slug")
    recognised_by: ClassVar[Sequence[str]] = ("name",)
    numbers: ClassVar[Sequence[str]] = ()  # that no two rows have
    other_names: ClassVar[Sequence[tuple[type[models.Model], str]]] = ()
    extra_columns: ClassVar[Sequence[str]] = ()  # said with the table, no fields of the row

    class Meta:
        clean_model_instances = True
        store_instance = True
        skip_unchanged = True
        report_skipped = False

    def __init__(
        self,
        admin: Any,
        request: HttpRequest,
        states: list[str] | None = None,
        is_preview: bool = False,
    ) -> None:
        super().__init__()
        self.admin, self.request = admin, request
        self.states = states if states is not None else []
        self.is_preview = is_preview
        self.first_lines: dict[int, int] = {}  # by the key of the row
        for field in self.fields.values():
            if isinstance(field.widget, ReferenceWidget):
                field.widget.rows = admin.visible(request, field.widget.model)

    @classmethod
    def get_result_class(cls) -> type[TableResult]:
        return TableResult

    @classmethod
    def get_diff_class(cls) -> type[ValueDiff]:
        return ValueDiff

    @classmethod
    def field_from_django_field(cls, name: str, column: Any, readonly: bool) -> Field:
        widget: Widget = ValueWidget(column)
        if column.related_model is Region:
            widget = RegionWidget(Region, "code")
        elif column.is_relation:
            widget = ReferenceWidget(column.related_model, cls.keys.get(name, PUBLIC_ID))
        # What finds the row is not written into it.
        return Field(name, name, widget, readonly=name == PUBLIC_ID)

    def get_user_visible_fields(self) -> list[Field]:
        names = self.import_columns() if self.is_preview else self.get_export_order()
        return [self.fields.get(name) or Field(column_name=name) for name in names]

    # In

    def import_columns(self) -> list[str]:
        writable = self.admin.importable(self.request, None)
        return [
            name
            for name in (*self.get_import_order(), *self.extra_columns)
            if writable is None or name in {*writable, *self.extra_columns, PUBLIC_ID}
        ]

    def import_data(self, dataset: Dataset, **kwargs: Any) -> TableResult:
        with came_from(IMPORT):
            result: TableResult = super().import_data(dataset, **kwargs)
        return result

    def handle_import_error(self, result: Any, error: Exception, raise_errors: bool = False) -> Any:
        raise error

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        # Raise TableRefused that names the columns which the person may not write, or nobody.
        allowed = self.import_columns()
        refused = [name for name in dataset.headers[:-1] if name not in allowed]
        if refused:
            message = _(
                "These columns are not known, or not yours to write: %(refused)s. "
                "Remove them. The columns are: %(columns)s."
            )
            values = {"refused": ", ".join(map(shown, refused)), "columns": ", ".join(allowed)}
            raise TableRefused(Finding(0, "", message % values))
        self.stored = self.lock_rows(dataset)
        self.identities = [*self.stored_identities()] if self.is_preview else []

    def lock_rows(self, dataset: Dataset) -> dict[tuple[str, ...], Any]:
        # The rows that the lines name, locked in one order, so that no two imports wait.
        found: dict[tuple[str, ...], Any] = {}
        for name in self.found_by:
            if name in dataset.headers:
                rows = self.admin.get_queryset(self.request)
                rows = rows.filter(**{f"{name}__in": {*dataset[name]} - {""}}).order_by("pk")
                rows = rows.select_related(*self.relations())
                for row in rows.select_for_update(of=("self",), no_key=True):
                    found[name, getattr(row, name)] = row
        return found

    def relations(self) -> list[str]:
        return [
            name for name, field in self.fields.items() if isinstance(field.widget, ReferenceWidget)
        ]

    def get_instance(self, instance_loader: Any, row: Mapping[str, str]) -> Any:
        # By its public id; where the line has none, by its address.
        for name in self.found_by:
            if row.get(name):
                instance = self.stored.get((name, row[name]))
                if instance is None and name == PUBLIC_ID:
                    message = _("No such row. Leave this cell empty to add one.")
                    raise ValidationError({PUBLIC_ID: message})
                return instance
        return None

    def after_init_instance(self, instance: Any, new: bool, row: Any, **kwargs: Any) -> None:
        if new and not self.may_add():
            raise ValidationError(_("You may not add rows."))
        if not new:
            if not self.admin.has_change_permission(self.request, instance):
                raise ValidationError(_("You may not change this row."))
            first = self.first_lines.setdefault(instance.pk, row[LINE])
            if first != row[LINE]:
                message = _("Line %(line)d is about the same row already.")
                raise ValidationError(message % {"line": first})
        writable = self.admin.importable(self.request, None if new else instance)
        if writable is not None:
            unwritable = {*row} - {*writable, *self.extra_columns, PUBLIC_ID, LINE}
            if unwritable:
                message = _("You may not write this in this row.")
                raise ValidationError(dict.fromkeys(sorted(unwritable), message))

    def may_add(self) -> bool:
        return bool(self.admin.has_add_permission(self.request))

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> RowResult:
        row_result: RowResult = super().import_row(row, instance_loader, **kwargs)
        if row_result.validation_error:
            row_result.validation_error = self.in_columns(row_result.validation_error, row)
        return row_result

    def in_columns(self, error: ValidationError, row: Mapping[str, str]) -> ValidationError:
        """The same errors, each at a column of the table or about the whole line."""
        if not hasattr(error, "error_dict"):
            return error
        found: dict[str, list[Any]] = {}
        for name, errors in error.error_dict.items():
            if name in row or name == NON_FIELD_ERRORS:
                found.setdefault(name, []).extend(errors)
                continue
            title = capfirst(str(self._meta.model._meta.get_field(name).verbose_name))
            texts = [f"{title}: {text}" for one in errors for text in one.messages]
            found.setdefault(NON_FIELD_ERRORS, []).extend(texts)
        return ValidationError(found)

    def import_field(
        self, field: Field, instance: Any, row: Any, *args: Any, **kwargs: Any
    ) -> None:
        # An empty cell leaves a new row its default.
        column = instance._meta.get_field(field.attribute)
        has_default = column.has_default() and not column.null
        if not (instance._state.adding and has_default and row.get(field.column_name) == ""):
            super().import_field(field, instance, row, *args, **kwargs)

    def skip_row(self, instance: Any, original: Any, row: Any, errors: Any = None) -> bool:
        is_stored = original.pk is not None
        return is_stored and bool(super().skip_row(instance, original, row, errors))

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        instance._history_user = self.request.user

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        try:
            # A savepoint: PostgreSQL ends a transaction with the first error.
            with transaction.atomic():
                self.save_row(instance, is_create)
        except IntegrityError as error:
            raise ValidationError(_("Somebody wrote the same at the same moment.")) from error

    def save_row(self, instance: Any, is_create: bool) -> None:
        instance.save(force_insert=is_create)

    def after_import_row(self, row: Any, row_result: RowResult, **kwargs: Any) -> None:
        row_result.line = row[LINE]
        state = self.state_of(row, row_result)
        if self.is_preview:
            self.states.append(state)
        elif self.states[kwargs["row_number"] - 1] != state:
            message = _("This row, or what it refers to, was changed since the preview.")
            raise ValidationError(message)

    def state_of(self, row: Any, row_result: RowResult) -> str:
        # Another one wherever the stored row, or what would be written into it, is another.
        before, after = row_result.original, row_result.instance
        stored = [f.value_to_string(before) for f in before._meta.concrete_fields] if before else []
        fields = self.get_import_fields()
        written = [f.export(after) for f in fields if f.attribute != PUBLIC_ID]
        content = json.dumps([row[LINE], row_result.import_type, stored, written])
        return blake2b(content.encode(), digest_size=12).hexdigest()

    def after_import(self, dataset: Dataset, result: TableResult, **kwargs: Any) -> None:
        if not self.is_preview or result.invalid_rows:
            return
        entries = {row.line: self.changed_identity(row) for row in result.rows}
        register = DuplicateFinder(self.identities, [*filter(None, entries.values())])
        # Not the first column: the import draws another public id than the preview.
        places = range(1 if PUBLIC_ID in self.fields else 0, len(result.diff_headers))
        changed = [
            place
            for place in places
            if any(isinstance(row.diff[place], SafeString) for row in result.rows)
        ]
        headers = [result.diff_headers[place] for place in changed]
        result.diff_headers = [_("Line"), _("Row"), _("There already?"), *headers]
        for row in result.rows:
            entry = entries[row.line]
            found = map(self.explain_duplicate, register.find_duplicates(entry) if entry else ())
            warning = format_html_join("", "<p>{} {}</p>", found)
            cells = [row.diff[place] for place in changed]
            row.diff = [row.line, row.object_repr, warning, *cells]

    # Duplicates

    def changed_identity(self, row_result: RowResult) -> Identity | None:
        old, new = row_result.original, self.identity_of(row_result.instance)
        if not new.names or (old and self.identity_of(old) == new):
            return None
        return replace(new, key=-row_result.line) if row_result.is_new() else new

    def identity_of(self, row: Any) -> Identity:
        names = tuple(getattr(row, name) for name in self.recognised_by)
        numbers = (getattr(row, name) for name in ("website", *self.numbers))
        return Identity(row.pk, names, *numbers) if names else Identity(row.pk, ())

    def explain_duplicate(self, duplicate: Duplicate) -> tuple[str, str]:
        reasons = {
            DuplicateReason.NAME: _("The name is like that of"),
            DuplicateReason.DOMAIN: _("The web site is the same as that of"),
            DuplicateReason.VAT_NUMBER: _("The VAT number is the same as that of"),
        }
        other = duplicate.other
        if other.key < 0:
            return reasons[duplicate.reason], _("line %(line)d") % {"line": -other.key}
        url = reverse(
            f"admin:{self.admin.opts.app_label}_{self.admin.opts.model_name}_change",
            args=[other.key],
        )
        return reasons[duplicate.reason], format_html('<a href="{}">{}</a>', url, other.names[0])

    def stored_identities(self) -> Iterator[Identity]:
        # Stored rows as they are recognised; none where nothing is compared.
        rows = self.admin.get_queryset(self.request).order_by()
        names = self.recognised_by
        if names:
            for key, *values in rows.values_list("pk", *names, "website", *self.numbers):
                yield Identity(key, tuple(values[: len(names)]), *values[len(names) :])
        for model, parent in self.other_names:
            found = model._default_manager.filter(**{f"{parent}__in": rows.values("pk")})
            for key, name in found.order_by().values_list(parent, "name"):
                yield Identity(key, (name,))

    # Out

    def get_export_order(self) -> list[str]:
        # Without the columns that the person may not read in one of the rows.
        hidden = policy.hidden_fields(self.request.user, policy.DOWNLOAD, self._meta.model)
        return [name for name in super().get_export_order() if name not in hidden]

    def filter_export(self, queryset: QuerySet[Any], **kwargs: Any) -> QuerySet[Any]:
        person = self.request.user
        partly = policy.partly_seen(person, queryset.model)
        loaded = [name for name in self.relations() if name not in partly]
        rows = queryset.select_related(*loaded).order_by("pk")
        return policy.with_known_relations(person, rows, timezone.localdate())

    def after_export(self, queryset: QuerySet[Any], dataset: Dataset, **kwargs: Any) -> None:
        dataset.title = str(queryset.model._meta.verbose_name_plural)


class ClusterResource(TableResource):
    keys: ClassVar = {"portfolio": "code"}
    other_names: ClassVar = ((ClusterName, "cluster"),)

    class Meta:
        model = Cluster
        fields = (
            PUBLIC_ID, "slug", "name", "state", "portfolio", "country", "region", "town",
            "latitude", "longitude", "founded_on", "website", "eccp_url", "contact_address",
            "is_contact_shown", "confirmed_on", "is_published",
        )  # fmt: skip


class OrganisationResource(TableResource):
    numbers: ClassVar = ("vat_number",)
    other_names: ClassVar = ((OrganisationName, "organisation"),)

    class Meta:
        model = Organisation
        fields = (
            PUBLIC_ID, "slug", "name", "kind", "legal_form", "country", "region", "town",
            "website", "role_address", "is_address_shown", "vat_number", "lei", "confirmed_on",
            "is_published",
        )  # fmt: skip


class ProgrammeResource(TableResource):
    recognised_by: ClassVar = ("name_en", "name_it")

    class Meta:
        model = Programme
        fields = (
            PUBLIC_ID, "slug", "name_en", "name_it", "owner", "country", "region", "started_on",
            "ended_on", "website", "description_en", "description_it", "is_published",
        )  # fmt: skip


class PartResource(TableResource):
    """Parts of clusters, which have no number: a row is found by all of `found_by` together."""

    recognised_by: ClassVar = ()

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        missing = [name for name in self.found_by if name not in dataset.headers]
        if missing:
            message = _("These columns are missing: %(columns)s. A row is found by them.")
            raise TableRefused(Finding(0, "", message % {"columns": ", ".join(missing)}))
        super().before_import(dataset, **kwargs)

    def lock_rows(self, dataset: Dataset) -> dict[tuple[str, ...], Any]:
        rows = self.admin.get_queryset(self.request).order_by("pk")
        rows = rows.filter(cluster__public_id__in={*dataset["cluster"]} - {""})
        rows = rows.select_related(*self.relations())
        locked = rows.select_for_update(of=("self",), no_key=True)
        return {
            tuple(self.fields[name].export(row) for name in self.found_by): row for row in locked
        }

    def get_instance(self, instance_loader: Any, row: Mapping[str, str]) -> Any:
        return self.stored.get(tuple(row[name] for name in self.found_by))

    def may_add(self) -> bool:
        # A part has no form of its own to add one: it is added on its record’s screen.
        return policy.may(self.request.user, policy.ADD, self._meta.model)


class ClusterTextResource(PartResource):
    found_by: ClassVar = ("cluster", "language")

    class Meta:
        model = ClusterText
        fields = ("cluster", "language", "tagline", "description")


class ManagementResource(PartResource):
    found_by: ClassVar = ("cluster", "organisation", "role", "started_on")

    class Meta:
        model = Management
        fields = ("cluster", "organisation", "role", "started_on", "ended_on", "source")


class MembershipCountResource(PartResource):
    found_by: ClassVar = ("cluster", "counted_on", "kind")

    class Meta:
        model = MembershipCount
        fields = ("cluster", "counted_on", "kind", "count", "qualifier", "source")
