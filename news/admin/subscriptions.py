"""Subscriptions as numbers, beside each filter: nobody's address or choice is shown."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from clusters.admin.base import ReadOnly, ScopedAdmin
from clusters.admin.lists import CountedFilter
from clusters.admin.versions import EMPTY
from clusters.models.unions import count_each
from news.models import Subscription


class ConfirmedFilter(CountedFilter):
    title = _("confirmation")
    parameter_name = "confirmed"
    found: ClassVar = {"yes": Q(confirmed_at__isnull=False), "no": Q(confirmed_at__isnull=True)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("yes", pgettext("subscriptions", "confirmed")),
            ("no", pgettext("subscriptions", "not confirmed yet")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(self.found.get(str(self.value()), Q()))

    def count_choices(self, rows: QuerySet[Any]) -> dict[str, int]:
        return count_each({choice: rows.filter(one) for choice, one in self.found.items()})


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnly, ScopedAdmin):
    list_display = ("rhythm", "language", "signed_up_at", "confirmed_at")
    list_filter = (ConfirmedFilter, "rhythm", "language")
    show_facets = admin.ShowFacets.ALWAYS
    list_per_page = 50
    empty_value_display = EMPTY
    fields = ("rhythm", "language", "signed_up_at", "confirmed_at")
