"""A list of the admin as CSV or XLSX, and a table read into it after a preview of its changes."""

from collections.abc import Callable
from tempfile import TemporaryFile
from typing import IO, Any, ClassVar

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import PublishedAdmin
from clusters.formats.writers import write_spreadsheet, write_table
from clusters.models import Account, EventKind
from clusters.people import policy
from clusters.people.log import record
from clusters.tables.reader import MOST_BYTES, MOST_ROWS, TableRefused, read_table
from clusters.tables.resources import Import, Rights, TableResource
from clusters.tables.uploads import Upload, keep, take

CSV, XLSX = "csv", "xlsx"
TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# Shown of a preview; all of it is imported.
MOST_SHOWN = 200


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        label=_("Format"),
        choices=[(CSV, "CSV"), (XLSX, "XLSX")],
        widget=forms.RadioSelect,
        initial=CSV,
    )


class ImportForm(forms.Form):
    file = forms.FileField(label=_("Table (CSV or XLSX)"))

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        # Not a byte more is held than a table may have.
        content: bytes = file.read(MOST_BYTES + 1)
        return content


class TablesAdmin(PublishedAdmin):
    """A list that goes out and comes in as a table."""

    resource: ClassVar[type[TableResource]]
    change_list_template = "admin/clusters/tables_change_list.html"

    def get_urls(self) -> list[Any]:
        options = self.opts
        pages = [
            path(
                f"{name}/",
                self.admin_site.admin_view(view),
                name=f"{options.app_label}_{options.model_name}_{name}",
            )
            for name, view in (("export", self.export_view), ("import", self.import_view))
        ]
        return [*pages, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may = {
            "may_export": self.has_download_permission(request),
            "may_import": self.has_import_permission(request),
            "query": request.GET.urlencode(),
        }
        return super().changelist_view(request, may | (extra_context or {}))

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, policy.IMPORT, None)

    def page(
        self, request: HttpRequest, name: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "list_address": self.list_address(),
        }
        return TemplateResponse(request, f"admin/clusters/{name}.html", shared | context)

    def list_address(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    # Out

    def export_view(self, request: HttpRequest) -> HttpResponse | FileResponse:
        """The rows of the list, as it is filtered and searched, that the person may download."""
        self.hide_from_strangers(request)
        if not self.has_download_permission(request):
            raise PermissionDenied
        try:
            rows = self.listed(request)
        except IncorrectLookupParameters:
            return redirect(request.path)
        form = ExportForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self.download(request, rows, form.cleaned_data["format"])
        number = rows.count()
        context = {
            "form": form,
            "number": number,
            "columns": self.resource().get_export_headers(),
        }
        return self.page(request, "export", gettext("Export"), context)

    def listed(self, request: HttpRequest) -> QuerySet[Any]:
        found = self.get_changelist_instance(request).get_queryset(request)
        every = self.model._default_manager.filter(pk__in=found.order_by().values("pk"))
        return policy.allowed_rows(request.user, policy.DOWNLOAD, every, timezone.localdate())

    def download(self, request: HttpRequest, rows: QuerySet[Any], format: str) -> FileResponse:
        assert isinstance(request.user, Account)
        day, resource = timezone.localdate(), self.resource()
        header = resource.get_export_headers()
        found = resource.rows_out(
            rows, lambda related: policy.nameable_rows(request.user, related, day)
        )
        file: IO[bytes] = TemporaryFile()  # noqa: SIM115  # the response closes it
        number = rows.count()
        name = str(self.opts.verbose_name_plural)
        if format == CSV:
            write_table(file, header, found, with_mark=True)
        else:
            write_spreadsheet(file, name[:31], header, found, on=day)
        file.seek(0)
        record(
            EventKind.EXPORTED,
            now=timezone.now(),
            account=request.user,
            detail=f"{self.opts.verbose_name_raw}, as a table, {number} rows",
        )
        return FileResponse(
            file,
            as_attachment=True,
            filename=f"{self.opts.model_name}-{day.isoformat()}.{format}",
            content_type=TYPES[format],
        )

    # In

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """A file is previewed; the signed name of a previewed one (`token`) is imported."""
        self.hide_from_strangers(request)
        if not self.has_import_permission(request):
            raise PermissionDenied
        if "token" in request.POST:
            return self.confirmed(request)
        is_sent = request.method == "POST"
        form = ImportForm(request.POST, request.FILES) if is_sent else ImportForm()
        if form.is_valid():
            content = form.cleaned_data["file"]
            resource = self.resource()
            found = self.attempt(
                form, lambda: resource.preview(read_table(content), self.rights(request))
            )
            if found is not None:
                return self.preview_page(request, found, content)
        return self.upload_page(request, form)

    def attempt(self, form: forms.Form, step: Callable[[], Import]) -> Import | None:
        """Do it, or tell on the form why it cannot be done."""
        try:
            return step()
        except TableRefused as error:
            form.add_error("file", str(error))
        except OperationalError:
            form.add_error(
                None, gettext("Somebody else is writing just now. Upload the table once more.")
            )
        return None

    def rights(self, request: HttpRequest) -> Rights:
        assert isinstance(request.user, Account)
        return Rights(
            account=request.user,
            now=timezone.now(),
            rows=self.get_queryset(request),
            related=lambda model: self.visible(request, model),
            may_change=lambda row: self.has_change_permission(request, row),
            may_add=self.has_add_permission(request),
            writable=lambda row: self.importable(request, row),
        )

    def importable(self, request: HttpRequest, row: Any | None) -> frozenset[str] | None:
        """What both the form of the row and the right to import let the person write."""
        by_form = self.writable(request, row)
        day = timezone.localdate()
        by_import = policy.writable_fields(request.user, policy.IMPORT, self.model, None, day)
        if by_form is None or by_import is None:
            return by_import if by_form is None else by_form
        return by_form & by_import

    def upload_page(self, request: HttpRequest, form: forms.Form) -> HttpResponse:
        context = {
            "form": form,
            "columns": self.resource().columns(self.rights(request)),
            "most_rows": MOST_ROWS,
            "most_mebibytes": MOST_BYTES // 2**20,
        }
        return self.page(request, "import", gettext("Import"), context)

    def preview_page(self, request: HttpRequest, found: Import, content: bytes) -> HttpResponse:
        writes = [*found.added, *found.changed]
        token = ""
        if writes and not found.errors:
            upload = Upload(content, found.seen)
            token = keep(upload, self.bearer(request), now=timezone.now())
        shown = [one for one in found.outcomes if one.differences or one.alike]
        context = {
            "found": found,
            "shown": shown[:MOST_SHOWN],
            "hidden_number": max(0, len(shown) - MOST_SHOWN),
            "errors": found.errors[:MOST_SHOWN],
            "token": token,
            "change_view": f"admin:{self.opts.app_label}_{self.opts.model_name}_change",
        }
        return self.page(request, "import_preview", gettext("Preview of the import"), context)

    def bearer(self, request: HttpRequest) -> str:
        """Whose a preview is, and of which list."""
        return f"{request.user.pk} {self.opts.label_lower}"

    def confirmed(self, request: HttpRequest) -> HttpResponse:
        upload = take(request.POST["token"], self.bearer(request))
        form = ImportForm({})
        form.errors.clear()
        if upload is None:
            told = gettext("This preview is not there any more. Upload the table again.")
            form.add_error(None, told)
            return self.upload_page(request, form)
        content, resource = read_table(upload.content), self.resource()
        found = self.attempt(
            form, lambda: resource.write(content, self.rights(request), seen=upload.seen)
        )
        if found is None:
            return self.upload_page(request, form)
        if found.errors:
            return self.preview_page(request, found, upload.content)
        self.message_user(request, summary(found))
        return redirect(self.list_address())


def summary(found: Import) -> str:
    added, changed = len(found.added), len(found.changed)
    told = (
        ngettext("%(number)d row was added", "%(number)d rows were added", added)
        % {"number": added},
        ngettext("%(number)d was changed", "%(number)d were changed", changed)
        % {"number": changed},
    )
    return f"{', '.join(told)}."
