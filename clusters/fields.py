"""The column types of the portal: a date with its precision, a name and its normal form."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import gettext_lazy as _

from clusters.dates import PartialDate
from clusters.names import invisible_characters, normal_name


def parse_partial_date(value: object) -> PartialDate | None:
    # Empty is None; a text that is no partial date raises ValidationError in words.
    if value in (None, ""):
        return None
    if isinstance(value, PartialDate):
        return value
    if isinstance(value, date):
        return PartialDate.from_date(value)
    try:
        return PartialDate.parse(str(value))
    except ValueError as error:
        raise ValidationError(
            _(
                "“%(value)s” is not a date that exists. "
                "Write a year, a month or a day: 2013, 2015-07 or 2015-07-14."
            ),
            code="invalid",
            params={"value": str(value)[:60]},
        ) from error


class PartialDateFormField(forms.CharField):
    """A text input that takes `2013`, `2015-07` or `2015-07-14`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["max_length"] = 10
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("placeholder", "2015, 2015-07, 2015-07-14")

    def to_python(self, value: object) -> Any:
        return parse_partial_date(value)

    def prepare_value(self, value: object) -> object:
        return str(value) if isinstance(value, PartialDate) else value

    def run_validators(self, value: object) -> None:
        # The parse has validated: the text validators would look at a PartialDate.
        pass

    def has_changed(self, initial: object, data: object) -> bool:
        return str(initial or "").strip() != str(data or "").strip()


class PartialDateField(models.Field):
    """An ISO date cut to its precision (`2013`, `2015-07`, `2015-07-14`) in one text column.

    Sorting the column sorts by first day, wider periods first. `x__begun_by=day` asks whether
    the period's first day has come; `x__lasting_on=day` whether its last day has not passed.
    """

    description = "a date known to the day, the month or the year"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 10
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"]
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "CharField"

    def from_db_value(self, value: str | None, *_args: object) -> PartialDate | None:
        return PartialDate.parse(value) if value else None

    def to_python(self, value: object) -> PartialDate | None:
        return parse_partial_date(value)

    def get_prep_value(self, value: object) -> str | None:
        partial = parse_partial_date(value)
        return None if partial is None else str(partial)

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PartialDateFormField, **kwargs})


class DayLookup(models.Lookup):
    """Compares the column with a full day: the right side is a `date`, not a partial date."""

    def get_prep_lookup(self) -> str:
        if not isinstance(self.rhs, date):
            raise TypeError(f"{self.lookup_name} compares with a date, not {self.rhs!r}")
        return self.rhs.isoformat()

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, tuple[str, ...]]:
        return "%s", (value,)


@PartialDateField.register_lookup
class BegunBy(DayLookup):
    """A prefix sorts before what it begins: `2015-07` <= `2015-07-14`."""

    lookup_name = "begun_by"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, column_params = self.process_lhs(compiler, connection)
        day, day_params = self.process_rhs(compiler, connection)
        return f"{column} <= {day}", [*column_params, *day_params]


@PartialDateField.register_lookup
class LastingOn(DayLookup):
    """The day, cut to the column's precision, has not passed it."""

    lookup_name = "lasting_on"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, column_params = self.process_lhs(compiler, connection)
        day, day_params = self.process_rhs(compiler, connection)
        sql = f"{column} >= SUBSTR({day}, 1, LENGTH({column}))"
        return sql, [*column_params, *day_params, *column_params]


# Only its stubs can say of which type the values are.
if TYPE_CHECKING:
    TextColumn = models.CharField[str, str]
else:
    TextColumn = models.CharField


def validate_visible(value: str) -> None:
    """Raise ValidationError that names each character which nobody sees."""
    found = [
        _("Character %(place)d is invisible: %(name)s. Remove it.") % {"place": place, "name": name}
        for place, name in invisible_characters(value)
    ]
    if found:
        raise ValidationError(found, code="invisible")


class NameField(TextColumn):
    """A name as its editor spells it, without characters that nobody sees."""

    default_validators = [validate_visible]


class NormalName(DeferredAttribute):
    """Made of the name whenever it is asked for; what the row had is not looked at."""

    field: "NormalNameField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        return self if instance is None else self.field.normal_form(instance)

    def __set__(self, instance: Any, value: object) -> None:
        # A row without it would be one that did not load the column, and not write it.
        instance.__dict__[self.field.attname] = value


class NormalNameField(TextColumn):
    """The normal form of another field (`source`), by which rows are found.

    What it is compared with is brought into that form, too. It is written with the row: no
    `update()` and no `update_fields` may name the source alone (`with_normal_names`).
    """

    description = "the normal form of a name"
    descriptor_class = NormalName

    def __init__(self, source: str, **kwargs: Any) -> None:
        self.source = source
        # A letter may become two; what is longer is cut, here and in what is asked.
        super().__init__(
            **{"max_length": 400, "editable": False, "db_index": True, "default": "", **kwargs}
        )

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {"source": self.source, **kwargs}

    def normal_form(self, instance: models.Model) -> str:
        return self.get_prep_value(getattr(instance, self.source))

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        return self.normal_form(model_instance)

    def get_prep_value(self, value: object) -> str:
        return normal_name(str(value or ""))[: self.max_length].rstrip()


def normal_name_fields(model: type[models.Model]) -> dict[str, NormalNameField]:
    # By the field that each is made of.
    fields = model._meta.concrete_fields
    return {field.source: field for field in fields if isinstance(field, NormalNameField)}


def with_normal_names(model: type[models.Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values for `update()`, with the normal form of each name among them.

    Raises TypeError for a name that only the database could tell.
    """
    forms = normal_name_fields(model)
    names = {forms[name].attname: value for name, value in values.items() if name in forms}
    if not all(isinstance(value, str) for value in names.values()):
        raise TypeError(f"a name of {model.__name__} is written as text, not as an expression")
    return {**values, **names}


def define_normal_name(connection: Any, **_signal: object) -> None:
    # On PostgreSQL it is a function of the database (clusters/triggers/documents.py).
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            "normal_name", 1, lambda text: text and normal_name(str(text)), deterministic=True
        )


@models.CharField.register_lookup
@models.TextField.register_lookup
class HoldsName(models.Lookup):
    """Whether the normal form of the column holds that of a text."""

    lookup_name = "holds"

    def get_prep_lookup(self) -> str:
        return normal_name(str(self.rhs))

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, column_params = self.process_lhs(compiler, connection)
        text, text_params = self.process_rhs(compiler, connection)
        if not isinstance(self.lhs.output_field, NormalNameField):
            column = f"normal_name({column})"
        place = "instr" if connection.vendor == "sqlite" else "strpos"
        return f"{place}({column}, {text}) > 0", [*column_params, *text_params]
