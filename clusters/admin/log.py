"""The log of events: read by leads and auditors, downloaded by leads, changed by nobody."""

import csv
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import ScopedAdmin
from clusters.admin.versions import EMPTY
from clusters.http.limits import network_address
from clusters.models import Account, Event, EventKind
from clusters.people import policy
from clusters.people.log import record

COLUMNS = ("when", "what", "who", "about whom", "detail", "network address", "address typed")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@admin.register(Event)
class EventAdmin(ScopedAdmin):
    list_display = (
        "happened_at",
        "kind",
        "account",
        "about",
        "detail",
        "network_address",
        "typed_address",
    )
    list_display_links = None
    list_filter = ("kind",)
    list_per_page = 100
    search_fields = ("account__email", "about__email", "detail")
    search_help_text = _("Address of an account, or detail.")
    date_hierarchy = "happened_at"
    empty_value_display = EMPTY
    fields = list_display
    readonly_fields = ("network_address", "typed_address")
    actions = ("download",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        events: QuerySet[Event] = super().get_queryset(request)
        return events.select_related("account", "about", "address")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_download_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, policy.DOWNLOAD, None)

    @admin.display(description=_("network address"), ordering="address__network_address")
    def network_address(self, obj: Event) -> str | None:
        return obj.address.network_address if hasattr(obj, "address") else None

    @admin.display(description=_("address typed"), ordering="address__typed_address")
    def typed_address(self, obj: Event) -> str:
        return obj.address.typed_address if hasattr(obj, "address") else ""

    @admin.action(description=_("Download the selected lines (CSV)"), permissions=["download"])
    def download(self, request: HttpRequest, queryset: QuerySet[Event]) -> HttpResponse:
        """Every download is a line of the log itself."""
        lines = [self.line(event) for event in queryset]
        assert isinstance(request.user, Account)
        record(
            EventKind.EXPORTED,
            now=timezone.now(),
            account=request.user,
            detail=f"lines of the event log: {len(lines)}",
            network_address=network_address(request) or None,
        )
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="events.csv"'
        writer = csv.writer(response)
        writer.writerow(COLUMNS)
        writer.writerows(lines)
        return response

    def line(self, event: Event) -> list[str]:
        values = (
            timezone.localtime(event.happened_at).isoformat(timespec="seconds"),
            event.kind,
            event.account or "",
            event.about or "",
            event.detail,
            self.network_address(event) or "",
            self.typed_address(event),
        )
        return [as_text(str(value)) for value in values]


def as_text(value: str) -> str:
    """What a spreadsheet would take for a formula is marked as text."""
    return f"'{value}" if value.startswith(FORMULA) else value
