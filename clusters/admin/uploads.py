"""Chosen files survive an error in another field: kept for a day, for their account and field."""

import secrets
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from clusters.models.images import KEPT_FOR, KEPT_IN, NotStored
from clusters.people.access import signed_in_account

# Before the name of the field: the hidden field that names the kept file.
KEPT = "_kept_"
SIGNER = signing.TimestampSigner(salt="clusters.admin.uploads")


class UploadAdmin(admin.ModelAdmin):
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        if request.method == "POST":
            take_kept_files(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # The form came back with an error.
        chosen = [*chosen_files(request, context)] if request.method == "POST" else []
        context["kept_files"] = [*keep_files(request, chosen)]
        return super().render_change_form(request, context, *args, **kwargs)


def take_kept_files(request: HttpRequest) -> None:
    """As if they were sent with the form; a file that was chosen anew, or is taken away, counts."""
    files: Any = request.FILES.copy()
    for name, token in request.POST.items():
        field = name.removeprefix(KEPT)
        if field == name or field in files or f"{field}-clear" in request.POST:
            continue
        kept = kept_file(request, field, str(token))
        if kept is None:
            text = _("A file that you had chosen is not there any more. Choose it again.")
            messages.warning(request, text)
            continue
        request.__dict__.setdefault("kept_tokens", {})[field] = token
        files[field] = kept
    request.__dict__["_files"] = files


def kept_file(request: HttpRequest, field: str, token: str) -> "UploadedFile[bytes] | None":
    try:
        account, of_field, path, name = SIGNER.unsign_object(token, max_age=KEPT_FOR)
        if (account, of_field) != (signed_in_account(request).pk, field):
            return None
        with default_storage.open(path) as file:
            return SimpleUploadedFile(name, file.read())
    except (signing.BadSignature, OSError):
        return None


def chosen_files(
    request: HttpRequest, context: dict[str, Any]
) -> "Iterator[tuple[forms.BoundField, UploadedFile[bytes]]]":
    # With nothing wrong in themselves.
    shown = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        shown += inline.formset.forms
    for form in shown:
        for field in form:
            upload: Any = request.FILES.get(field.html_name)
            if upload is not None and not field.errors:
                yield field, upload


def keep_files(
    request: HttpRequest, chosen: "list[tuple[forms.BoundField, UploadedFile[bytes]]]"
) -> Iterator[tuple[str, str]]:
    """Name and value of the hidden field for each; the form says what is kept."""
    for field, upload in chosen:
        token = request.__dict__.get("kept_tokens", {}).get(field.html_name)
        if token is None:
            upload.seek(0)  # it was read once
            try:
                path = default_storage.save(f"{KEPT_IN}/{secrets.token_hex(16)}", upload)
            except NotStored:
                continue
            account = signed_in_account(request).pk
            token = SIGNER.sign_object([account, field.html_name, path, upload.name])
        text = _("“%(file)s” is kept for the next save; choose another file to replace it.")
        field.help_text = field.field.help_text = text % {"file": upload.name}
        yield f"{KEPT}{field.html_name}", token
