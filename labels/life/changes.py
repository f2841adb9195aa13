"""What a decision changes in a row: by field, its text before and after."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field, Model
from django.utils.translation import gettext_lazy as _

from labels.models import Label
from labels.models.labels import facts_of_a_label

# Before and after, by the name of the field, as JSON takes them: a key, a boolean, else a text.
Changes = dict[str, list[Any]]

CHANGED_MEANWHILE = _(
    "Somebody changed this label in the meantime. Look at it again before you save."
)


def field(model: type[Model], name: str) -> "Field[Any, Any]":
    found = model._meta.get_field(name)
    assert isinstance(found, Field)
    return found


def json_of(row: Model, name: str) -> Any:
    """The value of a field as JSON takes it; the same for values that are stored alike."""
    column = field(type(row), name)
    value = getattr(row, column.attname)
    if value is None or column.is_relation or isinstance(value, bool):
        return value
    value = column.to_python(value)
    # 95 and 95.00 are stored alike.
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def read(model: type[Model], name: str, value: Any) -> Any:
    column = field(model, name)
    return value if value is None or column.is_relation else column.to_python(value)


def changes_between(before: Label, after: Label) -> Changes:
    names = [column.name for column in facts_of_a_label()]
    pairs = ((name, [json_of(before, name), json_of(after, name)]) for name in names)
    return {name: pair for name, pair in pairs if pair[0] != pair[1]}


def reverted(changes: Changes) -> Changes:
    return {name: [after, before] for name, (before, after) in changes.items()}


def change(label: Label, changes: Changes) -> None:
    """Write the values after; raises ValidationError where the label has not those before."""
    for name, (before, after) in changes.items():
        if json_of(label, name) != before:
            raise ValidationError(CHANGED_MEANWHILE)
        setattr(label, field(Label, name).attname, read(Label, name, after))
