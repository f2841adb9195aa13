"""What is refused while a form is saved is told on the form, with all that was typed."""

from collections.abc import Callable, Collection
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

SAME_MOMENT = _(
    "Somebody changed this at the same moment. Look at it again before you try once more."
)


def remember_refusal(request: HttpRequest, error: Exception) -> None:
    is_race = isinstance(error, IntegrityError)
    request.__dict__["refused"] = ValidationError(SAME_MOMENT) if is_race else error


def refusal_of(request: HttpRequest) -> ValidationError | None:
    found: ValidationError | None = request.__dict__.get("refused")
    return found


def read_files_again(request: HttpRequest) -> None:
    """The form is checked once more, and its files were read once."""
    files: Any = request.FILES
    for file in files.values():
        file.seek(0)


def told_at(
    error: ValidationError,
    names: Collection[str],
    place_of: Callable[[object, str], str] = lambda message, name: name,
) -> ValidationError:
    """The same errors at the fields of a form; what has none there is told above the form."""
    given = (
        error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    )
    found: dict[str, list[ValidationError]] = {}
    for name, errors in given.items():
        for one in errors:
            place = place_of(one.message, name)
            found.setdefault(place if place in names else NON_FIELD_ERRORS, []).append(one)
    return ValidationError(found)


class RefusedForm(forms.ModelForm):
    """`refused`: what was refused when this form was saved, a moment ago."""

    refused: "ValidationError | None" = None

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        if self.refused is not None:
            self.add_error(None, told_at(self.refused, self.fields))
