"""What a browser would send back from a page of the admin on which nobody typed anything."""

from typing import Any

from django import forms
from django.contrib.auth import get_user
from django.contrib.messages.storage import default_storage
from django.test import Client, RequestFactory
from django.urls import resolve


def form_data(client: Client, address: str) -> dict[str, Any]:
    """The names and values of all fields of the page's form and its inlines."""
    context, versions = page_context(client, address)
    filled = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        filled += [inline.formset.management_form, *inline.formset.forms]
    return ({"_versions": versions} if versions else {}) | {
        name: value
        for form in filled
        for field in form
        for name, value in (
            [(field.html_name, [getattr(row, "pk", row) for row in field.value() or ()])]
            if isinstance(field.field, forms.ModelMultipleChoiceField)
            else sent(field.field.widget, field.html_name, field.value())
        )
    }


def form_data_of_version(client: Client, address: str) -> dict[str, Any]:
    """As `form_data`, of an old version of a row."""
    page = client.get(address).context
    form = page["adminform"].form
    data: dict[str, Any] = {"_versions": page["request"].screen_versions}
    for field in form:
        value = field.value()
        if isinstance(value, bool):
            data |= {field.html_name: "on"} if value else {}
        else:
            data[field.html_name] = "" if value is None else str(value)
    return data


def page_context(client: Client, address: str) -> tuple[dict[str, Any], str]:
    """What the page would show, with the versions; to render it takes ten times as long."""
    request: Any = RequestFactory().get(address)
    request.session = client.session
    request.user = get_user(request)
    request._messages = default_storage(request)
    view = resolve(request.path_info)
    context: dict[str, Any] = view.func(request, *view.args, **view.kwargs).context_data
    return context, request.__dict__.get("screen_versions", "")


def sent(widget: forms.Widget, name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(widget, forms.FileInput):
        return []
    if isinstance(widget, forms.CheckboxInput):
        return [(name, "on")] if value else []
    shown = widget.format_value(value)
    return [(name, (shown[0] if isinstance(shown, list) else shown) or "")]


def errors(response: Any) -> list[str]:
    """Every error that the page shows; empty where the browser was led on."""
    # A mail that was written on the way has a context too.
    if response.context is None or response.status_code == 302:
        return []
    return [
        str(error)
        for part in response.context["errors"]
        for error in (part if isinstance(part, list) else [part])
    ]
