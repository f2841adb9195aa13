"""What holds for every field of every form, of the admin and of the pages."""

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse

from clusters.models import ClusterText
from tests.admin_forms import errors, form_data
from tests.factories import make_account, make_cluster

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

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
