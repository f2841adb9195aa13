"""The admin of topics."""

from django.contrib import admin

from clusters.admin.base import PortalAdmin
from news.models import Topic


@admin.register(Topic)
class TopicAdmin(PortalAdmin):
    list_display = ("name_en", "name_it", "slug", "rank")
    search_fields = ("name_en", "name_it", "slug")
    fields = ("name_en", "name_it", "slug", "rank")
    slug_from = "name_en"
