"""The ledger of `send_notices`: read, and written by the command only."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import Concern, PortalAdmin, ReadOnly
from labels.models import Delivery, Notice


@admin.register(Notice)
class NoticeAdmin(ReadOnly, PortalAdmin):
    list_display = ("label", "kind", "due_on", "answer", "answered_at")
    list_filter = ("kind", "answer")
    list_select_related = ("label__level", "label__cluster")
    search_fields = ("label__cluster__name", "label__public_id")
    search_help_text = _("Cluster or public id of the label.")
    date_hierarchy = "due_on"
    fields = ("label", "kind", "due_on", "answer", "answered_at")
    concerns: ClassVar = {
        "untold": Concern(
            _("Notices for which there is nobody to tell"), lambda rows, day: rows.untold(day)
        )
    }


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, PortalAdmin):
    list_display = ("__str__", "account", "written_at")
    list_select_related = ("account", "notice__label__level", "notice__label__cluster")
    search_fields = ("notice__label__cluster__name", "notice__label__public_id", "account__email")
    search_help_text = _("Cluster, public id of the label, or address.")
    date_hierarchy = "written_at"
    fields = ("notice", "week_from", "account", "written_at")
