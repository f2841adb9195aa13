"""The admin of indicators, of issuing bodies, statements and experts."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import CountryFilter, PartAdmin, PortalAdmin, TabularPart, country_column
from labels.models import Expert, Indicator, IndicatorSet, IssuingBody, IssuingBodyRole, Statement


class IssuingBodyRoleInline(TabularPart):
    model = IssuingBodyRole
    fields = ("role", "started_on", "ended_on")


@admin.register(IssuingBody)
class IssuingBodyAdmin(PortalAdmin):
    list_display = ("short_name", "name", "website")
    search_fields = ("short_name", "name", "code")
    fields = ("short_name", "name", "code", "website")
    inlines = (IssuingBodyRoleInline,)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"code": ("short_name",)}


@admin.register(IssuingBodyRole)
class IssuingBodyRoleAdmin(PartAdmin):
    part_of = ("body",)
    list_display = ("__str__", "body")
    list_select_related = ("body",)


class IndicatorInline(TabularPart):
    model = Indicator
    fields = (
        "number",
        "dimension",
        "name_en",
        "name_it",
        "maximum",
        "weight",
        "threshold",
        "is_minimum_requirement",
    )


@admin.register(IndicatorSet)
class IndicatorSetAdmin(PortalAdmin):
    list_display = ("name_en", "level", "version", "is_official")
    list_filter = ("level", "is_official")
    list_select_related = ("level",)
    search_fields = ("name_en", "name_it", "version")
    fields = ("level", "version", "name_en", "name_it", "is_official", "note_en", "note_it")
    inlines = (IndicatorInline,)


@admin.register(Indicator)
class IndicatorAdmin(PartAdmin):
    part_of = ("set",)
    list_display = ("__str__", "set", "number", "dimension")
    list_select_related = ("set",)


@admin.register(Statement)
class StatementAdmin(PortalAdmin):
    list_display = ("definition_en", "as_of_on", "count", "is_more_than", "source")
    search_fields = ("definition_en", "definition_it", "detail_en", "detail_it", "source")
    search_help_text = _("What was counted, detail or source.")
    fieldsets = (
        (None, {"fields": ("as_of_on", "level", ("count", "is_more_than"), "source")}),
        (
            _("What was counted"),
            {"fields": ("definition_en", "definition_it", "detail_en", "detail_it")},
        ),
    )


# The pool


@admin.register(Expert)
class ExpertAdmin(PortalAdmin):
    list_display = ("account", country_column, "languages", "accredited_on")
    list_filter = (CountryFilter, ("portfolios", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("account",)
    search_fields = ("account__email", "languages")
    search_help_text = _("Address or language.")
    autocomplete_fields = ("account",)
    filter_horizontal = ("portfolios",)
    fieldsets = (
        (None, {"fields": ("account", "country", "accredited_on")}),
        (_("What they assess"), {"fields": ("languages", "portfolios")}),
    )
