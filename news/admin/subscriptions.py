"""Subscriptions as numbers, beside each filter: nobody's address or choice is shown."""

from django.contrib import admin

from clusters.admin.base import ReadOnly, ScopedAdmin
from clusters.admin.versions import EMPTY
from news.models import Subscription


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnly, ScopedAdmin):
    list_display = ("rhythm", "language", "signed_up_at", "confirmed_at")
    list_filter = (("confirmed_at", admin.EmptyFieldListFilter), "rhythm", "language")
    show_facets = admin.ShowFacets.ALWAYS
    list_per_page = 50
    empty_value_display = EMPTY
    fields = ("rhythm", "language", "signed_up_at", "confirmed_at")
