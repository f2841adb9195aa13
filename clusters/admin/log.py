"""The log of events: read by leads and auditors, downloaded by leads, changed by nobody."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import ReadOnly, ScopedAdmin
from clusters.admin.versions import EMPTY
from clusters.formats.writers import csv_download
from clusters.http.limits import network_address
from clusters.models import Event, EventKind
from clusters.people import policy
from clusters.people.access import signed_in_account
from clusters.people.log import record

COLUMNS = ("when", "what", "who", "about whom", "detail", "network address", "address typed")


@admin.register(Event)
class EventAdmin(ReadOnly, ScopedAdmin):
    list_display = (
        "happened_at",
        "kind",
        "account",
        "about",
        "detail",
        "network_address",
        "typed_address",
    )
    # No line has a page of its own: there is nothing to change.
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
        # Read before the download itself becomes a line of the log.
        lines = [self.line(event) for event in queryset]
        record(
            EventKind.EXPORTED,
            now=timezone.now(),
            account=signed_in_account(request),
            detail=f"lines of the event log: {len(lines)}",
            network_address=network_address(request) or None,
        )
        return csv_download("events", COLUMNS, lines)

    def line(self, event: Event) -> tuple[object, ...]:
        return (
            timezone.localtime(event.happened_at).isoformat(timespec="seconds"),
            event.kind,
            event.account or "",
            event.about or "",
            event.detail,
            self.network_address(event) or "",
            self.typed_address(event),
        )
