"""What holds for every field of every form, of the admin and of the pages."""

from argparse import ArgumentTypeError
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.management import get_commands, load_command_class
from django.db import models
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse
from django.utils import timezone, translation

from clusters.fields import DayFormField, MomentFormField, PartialDateField, PartialDateFormField
from clusters.models import Cluster, ClusterText, Organisation, Programme
from clusters.people.second_factor import PasskeyForm
from labels.models import Decision, Label
from tests.admin_forms import errors, form_data
from tests.factories import make_account, make_cluster

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

VALUES: dict[type[forms.Field], Any] = {
    DayFormField: date(2026, 11, 5),
    MomentFormField: timezone.make_aware(datetime(2026, 11, 5, 14, 30)),
}
TEXTS = {DayFormField: "2026-11-05", MomentFormField: "2026-11-05T14:30"}
APPS = ("clusters", "config", "labels", "news")


def subclasses(of: type[Any]) -> Iterator[Any]:
    for one in of.__subclasses__():
        yield one
        yield from subclasses(one)


def page_forms() -> Iterator[Any]:
    """The form classes that the portal itself declares."""
    get_resolver().check()  # imports every module with a page
    for form in subclasses(forms.BaseForm):
        if form.__module__.split(".")[0] in APPS and hasattr(form, "base_fields"):
            yield form


def admin_request() -> Any:
    request: Any = RequestFactory().get("/admin/")
    request.user = make_account(is_superuser=True, is_active=True)
    return request


def admin_forms(request: Any) -> Iterator[tuple[str, Any]]:
    """Of every registered admin, the form of a row and those of its inlines."""
    for model, model_admin in admin.site._registry.items():
        for change in (False, True):
            yield model._meta.label, model_admin.get_form(request, None, change=change)
        for inline in model_admin.get_inline_instances(request, None):
            formset = inline.get_formset(request, None)
            yield f"{model._meta.label} {inline.model._meta.label}", formset.form


def every_field() -> Iterator[tuple[str, forms.Field]]:
    found = [(form.__qualname__, form) for form in page_forms()]
    for name, form in [*found, *admin_forms(admin_request())]:
        for field_name, field in form.base_fields.items():
            yield f"{name}.{field_name}", field


# Days: one notation in both languages, which names no month by its place


@pytest.mark.parametrize("language", ["en", "it"])
def test_day_is_written_in_one_way_in_every_form(language: str) -> None:
    days = []
    with translation.override(language):
        for name, field in every_field():
            assert not isinstance(field, (forms.SplitDateTimeField, forms.TimeField)), name
            if isinstance(field, PartialDateFormField):
                form = "2015-07-14"
            elif isinstance(field, (forms.DateField, forms.DateTimeField)):
                form = "2026-11-05"
                days.append(name)
            else:
                continue
            for text in ("05/11/2026", "11/05/2026", "05.11.2026", "5 Nov 2026", "20261105"):
                with pytest.raises(ValidationError) as refused:
                    field.clean(text)
                assert form in str(refused.value), (name, text)
                assert text in str(refused.value), (name, text)
            if isinstance(field, PartialDateFormField):
                continue
            shown = field.widget.render("day", field.prepare_value(VALUES[type(field)]))
            assert field.clean(TEXTS[type(field)]) == VALUES[type(field)], name
            assert f'value="{TEXTS[type(field)]}"' in shown, name
            kind = "datetime-local" if isinstance(field, forms.DateTimeField) else "date"
            assert f'type="{kind}"' in shown, name
    assert len(days) > 10


def test_day_that_was_mistyped_is_refused_in_italian() -> None:
    with translation.override("it"):
        with pytest.raises(ValidationError) as refused:
            DayFormField().clean("05/11/2026")

        assert refused.value.messages == [
            "“05/11/2026” non si legge come un giorno. Scrivere anno, mese, giorno: 2026-11-05."
        ]


def command_arguments() -> Iterator[tuple[str, Any]]:
    for name, app in get_commands().items():
        if isinstance(app, str) and app in APPS:
            parser = load_command_class(app, name).create_parser("manage.py", name)
            for action in parser._actions:
                yield f"{name} {action.dest}", action


def test_day_is_written_in_one_way_in_every_command() -> None:
    found = []
    for name, action in command_arguments():
        if action.type is None:
            assert "DATE" not in str(action.metavar), name
            continue
        try:
            value = action.type("2026-11-05")
        except (ValueError, ArgumentTypeError):
            continue
        if not isinstance(value, date):
            continue
        found.append(name)
        for text in ("05/11/2026", "20261105", "2026-W45-4", "2026-11"):
            with pytest.raises(ArgumentTypeError, match="write a day as 2015-09-08"):
                action.type(text)
    assert len(found) > 3


@pytest.mark.parametrize("model", [Cluster, Organisation, Programme, Label])
def test_day_is_written_in_one_way_in_every_table(model: Any) -> None:
    (resource,) = admin.site._registry[model].resource_classes  # type: ignore[attr-defined]
    found = []
    for name, field in resource.fields.items():
        column = model._meta.get_field(name)
        if isinstance(column, (models.DateField, PartialDateField)):
            found.append(name)
            for text in ("05/11/2026", "20261105", "5 Nov 2026"):
                with pytest.raises(ValueError, match=r"2026-11-05|2015-07-14"):
                    field.widget.clean(text)
    assert found


# Characters that are no text: the middleware leaves NUL for each of them


def test_field_refuses_what_is_no_text() -> None:
    accepting = []
    for name, field in every_field():
        # A box is ticked or not, and a file is no text.
        if isinstance(field, (forms.BooleanField, forms.FileField)):
            continue
        several = isinstance(field, (forms.ModelMultipleChoiceField, forms.MultipleChoiceField))
        try:
            field.clean(["a\0b"] if several else "a\0b")
        except ValidationError:
            continue
        accepting.append(name)

    assert accepting == []


def test_pasted_line_break_keeps_the_form_of_the_admin(client: Client) -> None:
    client.force_login(make_account(is_superuser=True))
    cluster = make_cluster()
    ClusterText.objects.create(cluster=cluster, language="en", description="One.")
    address = reverse("admin:clusters_cluster_change", args=[cluster.pk])
    data = form_data(client, address)

    response = client.post(
        address, data | {"town": "San\vMauro", "texts-0-description": "One.\r\nTwo.\vThree."}
    )

    assert errors(response) == []
    cluster.refresh_from_db()
    assert cluster.town == "San Mauro"
    assert cluster.texts.get().description == "One.\r\nTwo.\r\nThree."


@pytest.mark.parametrize("field", ["town", "texts-0-description"])
def test_character_that_is_no_text_is_told_at_its_field(client: Client, field: str) -> None:
    client.force_login(make_account(is_superuser=True))
    cluster = make_cluster()
    ClusterText.objects.create(cluster=cluster, language="en", description="One.")
    address = reverse("admin:clusters_cluster_change", args=[cluster.pk])
    data = form_data(client, address)

    response = client.post(address, data | {field: "a\0b", "website": "https://example.org/typed"})

    assert errors(response) == ["Null characters are not allowed."]
    assert "https://example.org/typed" in response.content.decode()


# Characters by which a text is not what it seems: refused by their names

OVERRIDES = ["\u202a", "\u202d", "\u202e", "\u2066", "\u2069"]
NONCHARACTERS = ["\ufffe", "\uffff", "\ufdd0", "\ufdef", "\U0001fffe", "\U0010ffff"]
OF_LINES = ["\u061c", "\u200e", "\u200f", "\ue000", "\U000f0000"]


def text_columns() -> Iterator[tuple[str, Any]]:
    for app in ("clusters", "labels", "news"):
        for model in apps.get_app_config(app).get_models():
            for column in model._meta.local_concrete_fields:
                if isinstance(column, (models.CharField, models.TextField)):
                    yield f"{model.__name__}.{column.name}", column


def names_it(error: ValidationError, letter: str) -> bool:
    return any(f"U+{ord(letter):04X}" in message for message in error.messages)


@pytest.mark.parametrize("letter", [*OVERRIDES, *NONCHARACTERS, *OF_LINES], ids=ascii)
def test_every_column_refuses_what_misleads(letter: str) -> None:
    accepting = []
    for name, column in text_columns():
        if letter in OF_LINES and isinstance(column, models.TextField):
            continue
        try:
            column.run_validators(f"ab{letter}c")
        except ValidationError as error:
            if names_it(error, letter):
                continue
        accepting.append(name)

    assert accepting == []


def test_column_would_be_found_that_refuses_nothing() -> None:
    # As it is before config/apps.py has seen it.
    models.CharField().run_validators("ab\u202ec")
    assert len(list(text_columns())) > 80


@pytest.mark.parametrize("letter", [*OVERRIDES, *NONCHARACTERS], ids=ascii)
def test_every_field_refuses_what_misleads(letter: str) -> None:
    """A field of a column is checked by its column; the steps of a label store a decision, those
    of an announcement a comment or a reason.
    """
    decision = {column.name for column in Decision._meta.fields}
    accepting = set()
    for form in [*page_forms(), PasskeyForm]:
        model = form._meta.model if issubclass(form, forms.BaseModelForm) else None
        columns = {column.name for column in model._meta.fields} if model else set()
        if form.__module__ == "labels.admin.forms":
            columns |= decision
        if form.__module__ == "news.admin.steps":
            columns |= {"text", "reason"}
        for name, field in form.base_fields.items():
            is_typed = isinstance(field, forms.CharField) and not field.widget.is_hidden
            if name in columns or not is_typed:
                continue
            try:
                field.clean(f"ab{letter}c")
            except ValidationError:
                continue
            accepting.add(f"{form.__name__}.{name}")

    # They are hashed or compared, and shown to nobody.
    assert {name.partition(".")[2] for name in accepting} == {"password", "code"}


@pytest.mark.parametrize(
    ("column", "text"),
    [
        pytest.param((ClusterText, "tagline"), "Łódź – می‌خواهم – 日本 ❤️", id="line"),
        pytest.param(
            (ClusterText, "description"), "\uf0b7 One.\r\n\u200f\u05e9\u05dc", id="paragraphs"
        ),
        pytest.param((Cluster, "name"), "می‌خواهم", id="name"),
    ],
)
def test_text_of_any_script_is_taken(column: tuple[Any, str], text: str) -> None:
    model, name = column
    model._meta.get_field(name).run_validators(text)


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("name", "Character 2 is invisible: RIGHT-TO-LEFT OVERRIDE (U+202E). Remove it."),
        (
            "texts-0-tagline",
            "Character 2 does not belong in a text: RIGHT-TO-LEFT OVERRIDE (U+202E). Remove it.",
        ),
        (
            "texts-0-description",
            "Character 2 does not belong in a text: RIGHT-TO-LEFT OVERRIDE (U+202E). Remove it.",
        ),
    ],
)
def test_character_that_misleads_is_told_at_its_field(
    client: Client, field: str, says: str
) -> None:
    client.force_login(make_account(is_superuser=True))
    cluster = make_cluster()
    ClusterText.objects.create(cluster=cluster, language="en", description="One.")
    address = reverse("admin:clusters_cluster_change", args=[cluster.pk])
    data = form_data(client, address)

    response = client.post(address, data | {field: "a\u202eb"})

    assert errors(response) == [says]
