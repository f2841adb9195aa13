"""What waits for the secretariat: problems that readers reported; and the ledger of mails sent."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import Concern, PortalAdmin, ReadOnly, equals_stored
from clusters.contact.reports import CLOSED, save_report
from clusters.models import ConfirmationRequest, ProblemReport
from clusters.people import policy
from clusters.people.access import signed_in_account


class ProblemReportForm(forms.ModelForm):
    """Checks what is written against the state also where that cannot be changed any more."""

    def _get_validation_exclusions(self) -> set[str]:
        # A constraint of the model names these two.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # not in the stubs
        return excluded - {"state", "answer"}


@admin.register(ProblemReport)
class ProblemReportAdmin(PortalAdmin):
    form = ProblemReportForm
    never = (policy.ADD,)
    list_display = ("record_name", "kind", "excerpt", "state", "created_at", "closed_at")
    list_filter = ("state", "kind", "is_logged")
    search_fields = ("record_name", "record_id", "text", "answer")
    search_help_text = _("Record, public id, report or answer.")
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("record", "kind", "record_id", "text", "created_at")}),
        (_("Who reported it"), {"fields": ("reply_address", "language")}),
        (_("Answer"), {"fields": ("state", "answer", "closed_at", "closed_by")}),
        (
            _("Public log of corrections"),
            {"fields": ("is_logged", "correction_en", "correction_it")},
        ),
    )
    readonly_fields = (
        "record",
        "kind",
        "record_id",
        "text",
        "created_at",
        "reply_address",
        "language",
        "closed_at",
        "closed_by",
    )
    concerns: ClassVar = {
        "waiting": Concern(_("Reported problems waiting"), lambda rows, day: rows.waiting())
    }

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # The answer of a closed report was sent, so it stays.
        given = super().get_readonly_fields(request, obj)
        return (*given, "state", "answer") if obj and obj.state in CLOSED else given

    def save_model(
        self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool
    ) -> None:
        if equals_stored(obj):
            return
        by = obj._history_user = signed_in_account(request)
        save_report(obj, by=by, now=timezone.now())

    @admin.display(description=_("record"))
    def record(self, report: ProblemReport) -> str:
        address = f"/{report.language}{report.path}"
        return format_html('<a href="{}">{}</a>', address, report.record_name)

    @admin.display(description=_("what is wrong"))
    def excerpt(self, report: ProblemReport) -> str:
        return report.text[:80]


@admin.register(ConfirmationRequest)
class ConfirmationRequestAdmin(ReadOnly, PortalAdmin):
    """The ledger of `send_confirmations`: read, and written by the command only."""

    list_display = ("organisation", "due_on", "asked_at", "confirmed_at")
    list_select_related = ("organisation",)
    search_fields = ("organisation__name",)
    date_hierarchy = "due_on"
    fields = ("organisation", "due_on", "asked_at", "confirmed_at")
