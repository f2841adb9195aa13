"""The columns of the portal and their forms: days in one notation whatever the language, dates with
their precision, coordinates, names with their normal form.

`05/11/2026` is a day of May to some and of November to others, so it is refused.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from clusters.dates import (
    FIRST_DAY,
    FIRST_MOMENT,
    FIRST_YEAR,
    LAST_DAY,
    LAST_MOMENT,
    LAST_YEAR,
    PartialDate,
    YearOutOfRange,
    parse_day,
)
from clusters.names import invisible_characters, misleading_characters, normal_name


def out_of_years(value: object) -> ValidationError:
    return ValidationError(
        _("“%(value)s” lies outside the years %(first)d to %(last)d."),
        code="year",
        params={"value": str(value)[:60], "first": FIRST_YEAR, "last": LAST_YEAR},
    )


def validate_day(value: date) -> None:
    if not FIRST_DAY <= value <= LAST_DAY:
        raise out_of_years(value)


def validate_moment(value: datetime) -> None:
    # A row may be given one without a time zone.
    if not FIRST_MOMENT <= value.replace(tzinfo=value.tzinfo or UTC) <= LAST_MOMENT:
        raise out_of_years(f"{value:%Y-%m-%d}")


def clean_day(value: object) -> date | None:
    # Empty is None; a text that is no day raises ValidationError in words.
    text = str(value or "").strip()
    try:
        return parse_day(text) if text else None
    except YearOutOfRange as error:
        raise out_of_years(text) from error
    except ValueError as error:
        message = _("“%(value)s” cannot be read as a day. Write year, month, day: 2026-11-05.")
        raise ValidationError(message, code="invalid", params={"value": text[:60]}) from error


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DayFormField(forms.DateField):
    widget = DayInput
    default_validators = [validate_day]

    def to_python(self, value: Any) -> date | None:
        return super().to_python(value) if isinstance(value, date) else clean_day(value)


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        if not isinstance(value, datetime):
            return super().format_value(value)
        # Browsers show seconds only where there are some; none gets lost.
        timespec = "seconds" if value.second else "minutes"
        return value.replace(tzinfo=None).isoformat(timespec=timespec)


class MomentFormField(forms.DateTimeField):
    """A moment in the portal's time zone."""

    widget = MomentInput
    default_validators = [validate_moment]
    FORMS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")

    def to_python(self, value: Any) -> datetime | None:
        if isinstance(value, date):
            return super().to_python(value)
        text = str(value or "").strip()
        if not text:
            return None
        for notation in self.FORMS:
            try:
                parse_day(text[: len("2026-11-05")])
                return super().to_python(datetime.strptime(text, notation))
            except YearOutOfRange as error:
                raise out_of_years(text) from error
            except ValueError:
                continue
            except ValidationError as error:
                raise ValidationError(
                    _(
                        "“%(value)s” is not one moment: that night the clock changes. Write a time "
                        "before 2:00, or from 3:00 on."
                    ),
                    code="clock_changes",
                    params={"value": text},
                ) from error
        raise ValidationError(
            _(
                "“%(value)s” cannot be read as a day and a time. Write year, month, day, hour and "
                "minute: 2026-11-05T14:30."
            ),
            code="invalid",
            params={"value": text[:60]},
        )


# Only their stubs take type parameters: by them a checker knows whether a value may be None.
Given = TypeVar("Given")
Read = TypeVar("Read")
if TYPE_CHECKING:
    DayColumn = models.DateField[Given, Read]
    MomentColumn = models.DateTimeField[Given, Read]
else:
    DayColumn = {(Given, Read): models.DateField}
    MomentColumn = {(Given, Read): models.DateTimeField}


class DayField(DayColumn[Given, Read]):
    """A day of the years that may be written; the database refuses any other.

    Of one that stands there nonetheless, the nearest is read: a page can show it.
    """

    default_validators = [validate_day]

    def from_db_value(self, value: date | None, *_args: object) -> date | None:
        return None if value is None else min(max(value, FIRST_DAY), LAST_DAY)

    def db_check(self, connection: Any) -> str:
        column = connection.ops.quote_name(self.column)
        return f"{column} >= '{FIRST_YEAR}-01-01' AND {column} < '{LAST_YEAR + 1}-01-01'"

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": DayFormField, **kwargs})


class MomentField(MomentColumn[Given, Read]):
    """As `DayField`; the years are those of UTC."""

    default_validators = [validate_moment]

    def from_db_value(self, value: datetime | None, *_args: object) -> datetime | None:
        return None if value is None else min(max(value, FIRST_MOMENT), LAST_MOMENT)

    def db_check(self, connection: Any) -> str:
        # SQLite compares texts, and "00:00:00" is later than "00:00+00".
        column = connection.ops.quote_name(self.column)
        first, end = f"{FIRST_YEAR}-01-01 00:00+00", f"{LAST_YEAR + 1}-01-01 00:00+00"
        return f"{column} >= '{first}' AND {column} < '{end}'"

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": MomentFormField, **kwargs})


class CoordinateFormField(forms.DecimalField):
    def to_python(self, value: Any) -> Any:
        assert self.decimal_places is not None
        return rounded(super().to_python(value), self.decimal_places)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "step": "any"}


class CoordinateField(models.DecimalField):
    """Degrees, rounded to what is stored: maps give more digits than a place has."""

    def to_python(self, value: Any) -> Decimal | None:
        return rounded(super().to_python(value), self.decimal_places)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": CoordinateFormField, **kwargs})


def rounded(value: Decimal | None, places: int) -> Decimal | None:
    # What is far too long stays as it is, to be refused for its size.
    if value is None or not value.is_finite() or abs(value) > 1000:
        return value
    return round(value, places)


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
    except YearOutOfRange as error:
        raise out_of_years(value) from error
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
        # Always the same, so no migration needs to say it.
        del kwargs["max_length"]
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "CharField"

    def from_db_value(self, value: str | None, *_args: object) -> PartialDate | None:
        return PartialDate.stored(value) if value else None

    def db_check(self, connection: Any) -> str:
        column = connection.ops.quote_name(self.column)
        shapes = ("____", "____-__", "____-__-__")
        is_shaped = " OR ".join(f"{column} LIKE '{shape}'" for shape in shapes)
        year = f"SUBSTR({column}, 1, 4)"
        return f"({is_shaped}) AND {year} BETWEEN '{FIRST_YEAR}' AND '{LAST_YEAR}'"

    def to_python(self, value: object) -> PartialDate | None:
        return parse_partial_date(value)

    def get_prep_value(self, value: object) -> str | None:
        partial = parse_partial_date(value)
        return None if partial is None else str(partial)

    def validate(self, value: PartialDate, model_instance: models.Model | None) -> None:
        # One that was counted, not read, may lie beyond.
        super().validate(value, model_instance)
        if value and not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise out_of_years(value)

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
        # As it is: the field would read the day as a partial date of its own.
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
        # In the order of the statement, which names the column twice.
        return sql, [*column_params, *day_params, *column_params]


# Only their stubs can say of which type the values are.
if TYPE_CHECKING:
    TextColumn = models.CharField[str, str]
    LongTextColumn = models.TextField[str, str]
    IntegerColumn = models.PositiveIntegerField[int, int]
else:
    TextColumn, LongTextColumn = models.CharField, models.TextField
    IntegerColumn = models.PositiveIntegerField


class LongTextField(LongTextColumn):
    """A text of several lines, of at most `max_length` characters: in every form, whenever it is
    cleaned, and in the database.
    """

    def __init__(self, verbose_name: Any = None, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(verbose_name, max_length=max_length, **kwargs)
        self.validators.append(MaxLengthValidator(max_length))

    def db_check(self, connection: Any) -> str:
        return f"LENGTH({connection.ops.quote_name(self.column)}) <= {self.max_length}"


def validate_visible(value: str) -> None:
    """Raise ValidationError that names each character which nobody sees, or which is none."""
    found = [
        _("Character %(place)d is invisible: %(name)s. Remove it.") % {"place": place, "name": name}
        for place, name in invisible_characters(value)
    ]
    if found:
        raise ValidationError(found, code="invisible")


def validate_line(value: str) -> None:
    refuse_misleading(value, is_line=True)


def validate_prose(value: str) -> None:
    refuse_misleading(value, is_line=False)


def refuse_misleading(value: str, *, is_line: bool) -> None:
    found = [
        _("Character %(place)d does not belong in a text: %(name)s. Remove it.")
        % {"place": place, "name": name}
        for place, name in misleading_characters(value, is_line=is_line)
    ]
    if found:
        raise ValidationError(found, code="misleading")


def refuse_misleading_texts(tables: Iterable[type[models.Model]]) -> None:
    # For every column of text, of whichever app, so that none can be forgotten.
    for table in tables:
        for column in table._meta.local_concrete_fields:
            if isinstance(column, models.TextField):
                column.validators = [*column.validators, validate_prose]
            elif isinstance(column, models.CharField) and not isinstance(column, NameField):
                column.validators = [*column.validators, validate_line]


class NameField(TextColumn):
    """A name as its editor spells it, without characters that nobody sees."""

    default_validators = [validate_visible]


class BoundedIntegerField(IntegerColumn):
    """A whole number from 0 to `most`: in every form, whenever it is cleaned, and in the database,
    of which SQLite would take any.
    """

    def __init__(self, verbose_name: Any = None, *, most: int, **kwargs: Any) -> None:
        self.most = most
        super().__init__(verbose_name, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {"most": self.most, **kwargs}

    @cached_property
    def validators(self) -> list[Any]:
        return [*super().validators, MaxValueValidator(self.most)]

    def db_check(self, connection: Any) -> str:
        return f"{connection.ops.quote_name(self.column)} BETWEEN 0 AND {self.most}"

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"max_value": self.most, **kwargs})


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
