"""A list of the admin as CSV or XLSX, and a table read into it after a preview of its changes.

django-import-export does the work; here stand the rights, the limits and what is told.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm, ExportForm, ImportForm
from tablib import Dataset

from clusters.admin.base import PortalAdmin
from clusters.models import Account, EventKind
from clusters.models.images import NotStored
from clusters.people import policy
from clusters.people.log import record
from clusters.tables.formats import CsvFormat, TableFormat, XlsxFormat
from clusters.tables.reader import MAX_ROWS, Finding, TableRefused
from clusters.tables.resources import TableResource
from clusters.tables.uploads import LIFETIME, UploadStorage, remove_old_uploads

logger = logging.getLogger(__name__)

MEBIBYTE = 1024 * 1024
MAX_BYTES = 4 * MEBIBYTE


class UploadForm(ImportForm):  # type: ignore[misc]  # it comes without types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["import_file"].label = gettext_lazy("Table (CSV or XLSX)")
        self.states: list[str] = []

    def clean_import_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["import_file"]
        if file.size is None or file.size > MAX_BYTES:
            message = _("The file is larger than %(max)d MiB. Split it.")
            raise forms.ValidationError(message % {"max": MAX_BYTES // MEBIBYTE})
        return file


class ConfirmForm(ConfirmImportForm):  # type: ignore[misc]  # it comes without types
    """The name of a previewed table with what the preview said of each row.

    Signed for the person and the list, as anybody could else import what another uploaded.
    """

    def __init__(self, *, salt: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.salt = salt
        self.states: list[str] = []

    def clean_import_file_name(self) -> str:
        token = self.cleaned_data["import_file_name"]
        name, self.states = signing.loads(token, salt=self.salt, max_age=LIFETIME)
        return str(name)

    def clean(self) -> dict[str, Any]:
        # There is one format: anything else was not sent by this page.
        if self.errors or self.cleaned_data["format"] != "0":
            raise signing.BadSignature
        return {**self.cleaned_data, "resource": "0"}


class TablesAdmin(ImportExportMixin, PortalAdmin):  # type: ignore[misc]  # it comes without types
    """A list that goes out and comes in as a table."""

    resource_classes: ClassVar[Sequence[type[TableResource]]]
    import_formats = (TableFormat,)
    export_formats = (CsvFormat, XlsxFormat)
    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    export_form_class = ExportForm
    import_template_name = "admin/clusters/import.html"
    export_template_name = "admin/clusters/export.html"
    tmp_storage_class = UploadStorage
    skip_admin_log = True  # the history of each row tells it

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_template"
        view = self.admin_site.admin_view(self.template_view)
        return [path("import/template/", view, name=name), *super().get_urls()]

    # In

    def template_view(self, request: HttpRequest) -> HttpResponse:
        """An empty table with the columns that the person may write; `?format=xlsx` or CSV."""
        self.hide_from_strangers(request)
        if not self.has_import_permission(request):
            raise PermissionDenied
        (resource,) = self.get_import_resource_classes(request)
        columns = resource(self, request).import_columns()
        is_spreadsheet = request.GET.get("format") == "xlsx"
        file_format = XlsxFormat() if is_spreadsheet else CsvFormat()
        table = Dataset(headers=columns, title=str(self.opts.verbose_name_plural))
        response = HttpResponse(
            file_format.export_data(table), content_type=file_format.get_content_type()
        )
        name = f"{self.opts.model_name}.{file_format.get_extension()}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, policy.IMPORT, None)

    def importable(self, request: HttpRequest, row: Any | None) -> frozenset[str] | None:
        # Names of the fields that both the form of the row and an import let the person write.
        by_form = self.writable(request, row)
        day = timezone.localdate()
        by_import = policy.writable_fields(request.user, policy.IMPORT, self.model, None, day)
        if by_form is None or by_import is None:
            return by_import if by_form is None else by_form
        return by_form & by_import

    def import_action(self, request: HttpRequest) -> HttpResponse:
        self.hide_from_strangers(request)
        request.__dict__["other_tables"] = [*self.other_tables(request)]
        remove_old_uploads(timezone.now())
        return self.explain_refusals(request, super().import_action)

    def process_import(self, request: HttpRequest) -> HttpResponse:
        # The second step, opened by itself, is the first.
        if request.method != "POST":
            return self.import_action(request)
        self.hide_from_strangers(request)
        return self.explain_refusals(request, super().process_import)

    def explain_refusals(
        self, request: HttpRequest, respond: Callable[[HttpRequest], HttpResponse]
    ) -> HttpResponse:
        try:
            return respond(request)
        except TableRefused as error:
            told = [str(finding) for finding in error.findings]
        except (signing.BadSignature, FileNotFoundError):
            told = [_("This preview is not there any more. Upload the table again.")]
        except NotStored:
            logger.exception("An uploaded table could not be stored.")
            told = [
                _(
                    "The portal could not store the table: its disk is full or cannot be written. "
                    "Nothing was imported. Tell whoever runs the portal, or try again later."
                )
            ]
        except OperationalError:
            told = [_("Somebody else is writing just now. Upload the table once more.")]
        for text in told:
            self.message_user(request, text, messages.ERROR)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_import")

    def add_data_read_fail_error_to_form(self, form: forms.Form, error: Exception) -> None:
        # `explain_refusals` tells it, with lines and columns.
        raise error

    def get_tmp_storage_class_kwargs(self) -> dict[str, Any]:
        return {"MEDIA_FOLDER": None}

    def get_import_resource_kwargs(self, request: HttpRequest, form: Any, **kwargs: Any) -> Any:
        is_preview = isinstance(form, UploadForm)
        return {
            "admin": self, "request": request, "states": form.states, "is_preview": is_preview,
        }  # fmt: skip

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        # One row that is refused, and nothing is written.
        return {"rollback_on_validation_errors": True}

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            "max_rows": MAX_ROWS,
            "max_mebibytes": MAX_BYTES // MEBIBYTE,
            "found_by": ", ".join(self.resource_classes[0].found_by),
            "template_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_template"),
        }

    def other_tables(self, request: HttpRequest) -> Iterator[tuple[str, str]]:
        # Of the parts of the rows, where they are tables as well.
        for inline in self.inlines:
            part_admin: Any = self.admin_site._registry.get(inline.model)
            if isinstance(part_admin, TablesAdmin) and part_admin.has_import_permission(request):
                options = part_admin.opts
                url = reverse(f"admin:{options.app_label}_{options.model_name}_import")
                yield capfirst(str(options.verbose_name_plural)), url

    def get_confirm_form_kwargs(self, request: HttpRequest, import_form: Any = None) -> Any:
        given = super().get_confirm_form_kwargs(request, import_form)
        return {**given, "salt": self.salt(request)}

    def salt(self, request: HttpRequest) -> str:
        return f"{__name__} {request.user.pk} {self.opts.label_lower}"

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        if import_form:
            content = [initial["import_file_name"], import_form.states]
            token = signing.dumps(content, salt=self.salt(request), compress=True)
            initial["import_file_name"] = token
        return initial

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        if result.has_validation_errors():
            raise TableRefused(
                *(
                    Finding(row.number, "", message)
                    for row in result.invalid_rows
                    for message in row.error.messages
                )
            )
        response: HttpResponse = super().process_result(result, request)
        by: Any = request.user
        number = result.totals["new"] + result.totals["update"]
        detail = f"{self.opts.verbose_name_raw}, as a table, {number} rows"
        record(EventKind.IMPORTED, now=timezone.now(), account=by, detail=detail)
        return response

    def add_success_message(self, result: Any, request: HttpRequest) -> None:
        added, changed = result.totals["new"], result.totals["update"]
        told = (
            ngettext("%(number)d row was added", "%(number)d rows were added", added)
            % {"number": added},
            ngettext("%(number)d was changed", "%(number)d were changed", changed)
            % {"number": changed},
        )
        self.message_user(request, f"{', '.join(told)}.", messages.SUCCESS)

    # Out

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_download_permission(request)

    def export_action(self, request: HttpRequest) -> HttpResponse:
        self.hide_from_strangers(request)
        try:
            response: HttpResponse = super().export_action(request)
        except IncorrectLookupParameters:
            return redirect(request.path)
        return response

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # The rows of the list, as it is filtered and searched, that the person may download.
        listed = super().get_export_queryset(request).order_by().values("pk")
        rows = self.model._default_manager.filter(pk__in=listed)
        return policy.allowed_rows(request.user, policy.DOWNLOAD, rows, timezone.localdate())

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {"admin": self, "request": request}

    def init_request_context_data(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        number = self.get_export_queryset(request).count()
        context = super().init_request_context_data(request, form)
        return {**context, "number": number, "export_url": ""}

    def get_export_data(
        self, file_format: Any, request: HttpRequest, queryset: QuerySet[Any], **kwargs: Any
    ) -> Any:
        assert isinstance(request.user, Account)
        number = queryset.count()
        data = super().get_export_data(file_format, request, queryset, **kwargs)
        record(
            EventKind.EXPORTED,
            now=timezone.now(),
            account=request.user,
            detail=f"{self.opts.verbose_name_raw}, as a table, {number} rows",
        )
        return data
