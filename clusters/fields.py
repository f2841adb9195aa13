"""The one column type of the portal: a date with its precision."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from clusters.dates import PartialDate


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
        # Always the same, so no migration needs to say it.
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
