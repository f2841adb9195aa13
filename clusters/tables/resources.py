"""Clusters, organisations and programmes as tables: what each column says, and how it is written.

Columns are named like the fields and hold codes, so that a table means the same in each language.
A column that a table does not have is left alone; an empty cell empties the field.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import RowResult
from import_export.widgets import Widget
from tablib import Dataset

from clusters.models import (
    Account,
    Cluster,
    ClusterName,
    Organisation,
    OrganisationName,
    Programme,
    Region,
)
from clusters.models.history import IMPORT, came_from
from clusters.public_ids import slug_for
from clusters.tables.duplicates import Entry, Likeness, Reason, Register
from clusters.tables.reader import Line, Table, TableRefused, shown

PUBLIC_ID = "public_id"
TRUE, FALSE = "true", "false"


@dataclass(frozen=True)
class Rights:
    """What the person who imports may see and write: answered by the admin of the rows."""

    account: Account
    now: datetime
    rows: QuerySet[Any]
    related: Callable[[type[models.Model]], QuerySet[Any]]
    may_change: Callable[[Any], bool]
    may_add: bool
    # Names of the fields that the person may write; of a new row where none is given. None: all.
    writable: Callable[[Any | None], frozenset[str] | None]


@dataclass(frozen=True)
class Finding:
    """What is wrong, and where; `column` is empty where it is the whole line."""

    line: int
    column: str
    message: str


@dataclass(frozen=True)
class Difference:
    column: str
    old: str
    new: str


@dataclass(frozen=True)
class Alike:
    """Another row that may be the same: a stored one, or an earlier line of the table."""

    reason: Reason
    row: Any = None
    line: int | None = None


class Outcome(RowResult):  # type: ignore[misc]  # it comes without types
    """What becomes of a line, and of what it was made."""

    def __init__(self) -> None:
        super().__init__()
        self.line = 0
        self.differences: list[Difference] = []
        self.before = ""
        self.alike: list[Alike] = []

    @property
    def seen(self) -> str:
        """Another one wherever the row, or what would be written into it, is another."""
        told = [(one.column, one.old, one.new) for one in self.differences]
        content = json.dumps([self.line, self.import_type, self.before, told])
        return blake2b(content.encode(), digest_size=12).hexdigest()


@dataclass
class Import:
    """What an import wrote, or would write; with errors it wrote nothing."""

    outcomes: list[Outcome] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)

    @property
    def added(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.is_new()]

    @property
    def changed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.is_update()]

    @property
    def unchanged(self) -> int:
        return sum(1 for outcome in self.outcomes if outcome.is_skip())

    @property
    def seen(self) -> list[str]:
        return [outcome.seen for outcome in self.outcomes]


class Cell(Widget):  # type: ignore[misc]  # it comes without types
    """One column of the database as text, in the notation of its own field."""

    def __init__(self, column: Any) -> None:
        super().__init__()
        self.column = column

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = str(value or "")
        if not text:
            return self.empty(is_new=kwargs["is_new"])
        if isinstance(self.column, models.BooleanField):
            return boolean(text)
        return self.column.to_python(text)

    def empty(self, *, is_new: bool) -> Any:
        if self.column.null:
            return None
        if is_new and self.column.has_default():
            return self.column.get_default()
        if isinstance(self.column, models.BooleanField):
            raise ValidationError(yes_or_no())
        return ""  # where the field may not be empty, it says so

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return TRUE if value else FALSE
        return str(value)


class Reference(Cell):
    """Another row by what names it in a table."""

    def __init__(self, column: Any, key: str) -> None:
        super().__init__(column)
        self.key = key

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = str(value or "")
        if not text:
            return self.empty_reference()
        known, related = kwargs["known"], self.column.related_model
        name = (related, text)
        if name not in known:
            known[name] = self.found(text, kwargs["rights"].related(related), row)
        if known[name] is None:
            raise ValidationError(
                _("“%(value)s” is not known. Write the %(key)s.")
                % {"value": shown(text), "key": self.key}
            )
        return known[name]

    def empty_reference(self) -> None:
        if not self.column.null:
            raise ValidationError(self.column.error_messages["blank"])

    def found(self, text: str, rows: QuerySet[Any], row: Any) -> Any:
        return rows.filter(**{self.key: text}).first()

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(getattr(value, self.key))


class RegionReference(Reference):
    """A region by its code; those that have none by country and name, as “IT Piemonte”."""

    def found(self, text: str, rows: QuerySet[Any], row: Any) -> Any:
        country, _space, name = text.partition(" ")
        return rows.filter(Q(code=text) | Q(code=None, country=country, name=name)).first()

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        if value is None:
            return ""
        return str(value.code or f"{value.country} {value.name}")


def boolean(text: str) -> bool:
    if text.casefold() not in (TRUE, FALSE):
        raise ValidationError(yes_or_no())
    return text.casefold() == TRUE


def yes_or_no() -> str:
    return _("Write “%(yes)s” or “%(no)s”.") % {"yes": TRUE, "no": FALSE}


class TableResource(ModelResource):  # type: ignore[misc]  # it comes without types
    """A table in, previewed or written as a whole or not at all, and a table out."""

    keys: ClassVar[Mapping[str, str]] = {}  # of relations, what names the other row
    found_by: ClassVar[Sequence[str]] = (PUBLIC_ID, "slug")
    recognised_by: ClassVar[Sequence[str]] = ("name",)
    extra_columns: ClassVar[Sequence[str]] = ()  # said with the table, no fields of the row

    class Meta:
        clean_model_instances = True
        store_instance = True
        skip_unchanged = True
        skip_html_diff = True

    @classmethod
    def get_row_result_class(cls) -> type[Outcome]:
        return Outcome

    @classmethod
    def field_from_django_field(cls, name: str, column: Any, readonly: bool) -> Field:
        if column.is_relation:
            is_region = column.related_model is Region
            reference = RegionReference if is_region else Reference
            key = "code" if is_region else cls.keys.get(name, PUBLIC_ID)
            widget: Cell = reference(column, key)
        else:
            widget = Cell(column)
        # What finds the row is not written into it.
        return Field(name, name, widget, readonly=name == PUBLIC_ID)

    # In

    def columns(self, rights: Rights) -> list[str]:
        """Those that the person may give."""
        writable = rights.writable(None)
        return [
            name
            for name in (*self.get_import_order(), *self.extra_columns)
            if writable is None or name in {*writable, *self.extra_columns, PUBLIC_ID}
        ]

    def preview(self, table: Table, rights: Rights) -> Import:
        """Do the whole work, and take it back."""
        register = Register(self.entries(rights.rows))
        with transaction.atomic():
            found = self.read(table, rights)
            transaction.set_rollback(True)
        self.warn(found, register)
        return found

    def warn(self, found: Import, register: Register) -> None:
        """Tell of each new or renamed row which others may be the same."""
        alike: dict[int, list[Likeness]] = {}
        for outcome in found.outcomes:
            entry = self.entry_of(outcome)
            if entry is not None:
                alike[outcome.line] = list(register.alike(entry))
                register.add(entry)
        keys = {likeness.key for likenesses in alike.values() for likeness in likenesses}
        rows = self.rights.rows.in_bulk([key for key in keys if key > 0])
        for outcome in found.outcomes:
            outcome.alike = [
                Alike(likeness.reason, row=rows.get(likeness.key), line=max(0, -likeness.key))
                for likeness in alike.get(outcome.line, ())
            ]

    def entries(self, rows: QuerySet[Any]) -> Iterator[Entry]:
        """By what stored rows are recognised; none where nothing is compared."""
        names = self.recognised_by
        if names:
            for key, *texts in rows.order_by().values_list("pk", *names, "website"):
                yield Entry(key, tuple(texts[:-1]), texts[-1])

    def entry_of(self, outcome: Outcome) -> Entry | None:
        """A line about a new row by its number below zero; None where nothing is to compare."""
        row = self.instances.get(outcome.line)
        told = {"website", "vat_number", *self.recognised_by}
        is_told = any(one.column in told for one in outcome.differences) or outcome.is_invalid()
        if row is None or not self.recognised_by or not is_told:
            return None
        names = tuple(getattr(row, name) for name in self.recognised_by)
        vat_number = getattr(row, "vat_number", "")
        key = -outcome.line if outcome.is_new() or row.pk is None else row.pk
        return Entry(key, names, row.website, vat_number)

    def write(self, table: Table, rights: Rights, *, seen: list[str]) -> Import:
        """Write what was previewed, and nothing where anything is not as it was then."""
        with transaction.atomic():
            found = self.read(table, rights)
            if not found.errors:
                found.errors = [
                    Finding(
                        outcome.line,
                        "",
                        _("This row, or what it refers to, was changed since the preview."),
                    )
                    for outcome, before in zip(found.outcomes, seen, strict=True)
                    if outcome.seen != before
                ]
            if found.errors:
                transaction.set_rollback(True)
        return found

    def read(self, table: Table, rights: Rights) -> Import:
        self.refuse_columns(table.columns, rights)
        self.rights = rights
        self.lines: list[Line] = table.lines
        self.taken: dict[int, int] = {}
        self.instances: dict[int, Any] = {}  # by line, the wrong ones, too
        self.stored = self.find_rows(table)
        dataset = Dataset(
            *([line.values[name] for name in table.columns] for line in table.lines),
            headers=list(table.columns),
        )
        with came_from(IMPORT):
            result = self.import_data(dataset, rights=rights, known={}, use_transactions=True)
        found = Import()
        for outcome, line in zip(result.rows, table.lines, strict=True):
            for error in outcome.errors:
                raise error.error
            outcome.line = line.number
            if outcome.validation_error:
                found.errors += findings(line.number, outcome.validation_error, table.columns)
            found.outcomes.append(outcome)
        return found

    def refuse_columns(self, columns: Iterable[str], rights: Rights) -> None:
        """Raises TableRefused that names those which the person may not write, or nobody."""
        allowed = self.columns(rights)
        refused = [name for name in columns if name not in allowed]
        if refused:
            raise TableRefused(
                _(
                    "These columns are not known, or not yours to write: %(refused)s. "
                    "Remove them. The columns are: %(columns)s."
                )
                % {"refused": ", ".join(map(shown, refused)), "columns": ", ".join(allowed)}
            )

    def find_rows(self, table: Table) -> dict[tuple[str, str], Any]:
        """The rows that the lines name, locked in one order, so that no two imports wait."""
        found: dict[tuple[str, str], Any] = {}
        for name in self.found_by:
            if name not in table.columns:
                continue
            asked = {line.values[name] for line in table.lines} - {""}
            rows = self.rights.rows.filter(**{f"{name}__in": asked}).order_by("pk")
            rows = rows.select_related(*self.relations())
            for row in rows.select_for_update(of=("self",), no_key=True):
                found[name, getattr(row, name)] = row
        return found

    def relations(self) -> list[str]:
        return [name for name, cell in self.fields.items() if isinstance(cell.widget, Reference)]

    def get_instance(self, instance_loader: Any, row: Mapping[str, str]) -> Any:
        """By its public id; where the line has none, by its address."""
        for name in self.found_by:
            if row.get(name):
                instance = self.stored.get((name, row[name]))
                if instance is None and name == PUBLIC_ID:
                    message = _("No such row. Leave this cell empty to add one.")
                    raise ValidationError({PUBLIC_ID: message})
                return instance
        return None

    def after_init_instance(self, instance: Any, new: bool, row: Any, **kwargs: Any) -> None:
        number = self.lines[kwargs["row_number"] - 1].number
        self.instances[number] = instance
        if new:
            if not self.rights.may_add:
                raise ValidationError(_("You may not add rows."))
        else:
            if not self.rights.may_change(instance):
                raise ValidationError(_("You may not change this row."))
            first = self.taken.setdefault(instance.pk, number)
            if first != number:
                raise ValidationError(
                    _("Line %(line)d is about the same row already.") % {"line": first}
                )
        self.refuse_fields(instance, new, row)

    def refuse_fields(self, instance: Any, new: bool, row: Any) -> None:
        writable = self.rights.writable(None if new else instance)
        if writable is not None:
            named = {*row} - {*writable, *self.extra_columns, PUBLIC_ID}
            if named:
                message = _("You may not write this in this row.")
                raise ValidationError(dict.fromkeys(sorted(named), message))

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Every cell that is wrong is told, not only the first."""
        errors: dict[str, ValidationError] = {}
        for column in self.get_import_fields():
            try:
                self.import_field(column, instance, row, is_new=instance._state.adding, **kwargs)
            except ValidationError as error:
                errors[column.attribute] = error
        if instance._state.adding:
            self.complete(instance)
        if errors:
            raise ValidationError(errors)

    def complete(self, instance: Any) -> None:
        """What a new row has although its line does not say it."""
        if not instance.slug:
            instance.slug = slug_for(
                getattr(instance, self.recognised_by[0]), fallback=instance.public_id
            )

    def skip_row(self, instance: Any, original: Any, row: Any, errors: Any = None) -> bool:
        if errors or original.pk is None:
            return False
        return not self.differences(original, instance)

    def differences(self, original: Any | None, instance: Any) -> list[Difference]:
        found = []
        for column in self.get_import_fields():
            old = column.export(original) if original else ""
            new = column.export(instance)
            if old != new and column.attribute != PUBLIC_ID:
                found.append(Difference(column.column_name, old, new))
        return found

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        instance._history_user = self.rights.account
        try:
            with transaction.atomic():
                self.save_row(instance, is_create)
        except IntegrityError as error:
            raise ValidationError(_("Somebody wrote the same at the same moment.")) from error

    def save_row(self, instance: Any, is_create: bool) -> None:
        instance.save(force_insert=is_create)

    def after_import_row(self, row: Any, row_result: Outcome, **kwargs: Any) -> None:
        original = row_result.original
        row_result.differences = self.differences(original, row_result.instance)
        row_result.before = fingerprint(original) if original else ""

    # Out

    def rows_out(self, queryset: QuerySet[Any], named: Callable[[Any], QuerySet[Any]]) -> Any:
        """Each row as texts; `named` narrows related rows to those whose names may stand here."""
        columns = self.get_export_fields()
        hidden = {relation: hidden_keys(relation, queryset, named) for relation in self.relations()}
        loaded = queryset.select_related(*hidden)
        for instance in loaded.order_by("pk").iterator(chunk_size=1_000):
            yield [
                ""
                if column.attribute in hidden
                and getattr(instance, f"{column.attribute}_id") in hidden[column.attribute]
                else column.export(instance)
                for column in columns
            ]


def hidden_keys(
    relation: str, queryset: QuerySet[Any], named: Callable[[Any], QuerySet[Any]]
) -> set[Any]:
    """Of the rows that these refer to, those whose names the person may not read."""
    column: Any = queryset.model._meta.get_field(relation)
    keys = queryset.order_by().exclude(**{relation: None}).values(column.attname)
    referred = column.related_model._base_manager.filter(pk__in=keys)
    return set(referred.exclude(pk__in=named(referred).values("pk")).values_list("pk", flat=True))


def fingerprint(row: models.Model) -> str:
    """Another one after any change of the row."""
    stored = [column.value_to_string(row) for column in row._meta.concrete_fields]
    return blake2b(json.dumps(stored).encode(), digest_size=12).hexdigest()


def findings(line: int, error: ValidationError, columns: Iterable[str]) -> list[Finding]:
    if not hasattr(error, "error_dict"):
        return [Finding(line, "", message) for message in error.messages]
    return [
        # A rule over several fields, or a field without a column, is told of the line.
        Finding(line, name if name in columns else "", told(name, message, columns))
        for name, messages in error.message_dict.items()
        for message in messages
    ]


def told(name: str, message: str, columns: Iterable[str]) -> str:
    return message if name in columns or name == "__all__" else f"{name}: {message}"


def other_names(names: QuerySet[Any], of: str, rows: QuerySet[Any]) -> Iterator[Entry]:
    found = names.filter(**{f"{of}__in": rows.order_by().values("pk")}).order_by()
    for key, name in found.values_list(of, "name"):
        yield Entry(key, (name,))


class ClusterResource(TableResource):
    keys: ClassVar = {"portfolio": "code"}

    def entries(self, rows: QuerySet[Cluster]) -> Iterator[Entry]:
        yield from super().entries(rows)
        yield from other_names(ClusterName.objects.all(), "cluster", rows)

    class Meta:
        model = Cluster
        fields = (
            PUBLIC_ID, "slug", "name", "state", "portfolio", "country", "region", "town",
            "latitude", "longitude", "founded_on", "website", "eccp_url", "contact_address",
            "is_contact_shown", "confirmed_on", "is_published",
        )  # fmt: skip


class OrganisationResource(TableResource):
    def entries(self, rows: QuerySet[Organisation]) -> Iterator[Entry]:
        told = rows.order_by().values_list("pk", "name", "website", "vat_number")
        for key, name, website, vat_number in told:
            yield Entry(key, (name,), website, vat_number)
        yield from other_names(OrganisationName.objects.all(), "organisation", rows)

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
