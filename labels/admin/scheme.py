"""The admin of levels, their rules and indicators, of issuing bodies, statements and experts."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clusters.admin.base import (
    CountryFilter,
    PartAdmin,
    PartFormSet,
    PortalAdmin,
    StackedPart,
    TabularPart,
    country_column,
)
from clusters.people import policy
from labels.life.days import apply_rules, refuse_rules
from labels.models import (
    Expert,
    Indicator,
    IndicatorSet,
    IssuingBody,
    IssuingBodyRole,
    Level,
    LevelRule,
    Statement,
)


class LevelRuleFormSet(PartFormSet):
    """Rules under which every label of the level may be as they say."""

    def clean(self) -> None:
        super().clean()
        # A row with a mistake has no values to look at yet.
        if any(self.errors):
            return
        rules: list[Any] = self.kept_rows()
        if not rules:
            raise ValidationError(_("A level needs a rule."))
        refuse_rules(self.instance, rules)


class LevelRuleInline(StackedPart):
    model = LevelRule
    formset = LevelRuleFormSet
    fields = (
        ("effective_from", "is_confirmed"),
        ("first_months", "renewal_months", "renewal_window_months"),
        "ends_at_month_end",
        ("experts", "minimum_score"),
        "note_en",
        "note_it",
    )


@admin.register(Level)
class LevelAdmin(PortalAdmin):
    list_display = ("name_en", "name_it", "official_wording", "rank")
    search_fields = ("code", "name_en", "name_it")
    fields = ("code", "rank", "name_en", "name_it", "official_wording", "process_en", "process_it")
    inlines = (LevelRuleInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Labels and rules refer to the level by its code.
        return (*(("code",) if obj else ()), *super().get_readonly_fields(request, obj))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # The days of labels are stored, and follow the rules only when they are derived anew.
        if any(formset.has_changed() for formset in formsets):
            number = len(apply_rules(form.instance))
            text = ngettext(
                "%(number)d label has other days by the rules as they are now.",
                "%(number)d labels have other days by the rules as they are now.",
                number,
            )
            self.message_user(request, text % {"number": number}, messages.INFO)


@admin.register(LevelRule)
class LevelRuleAdmin(PartAdmin):
    # A rule is changed on its level's screen, where the labels' days follow.
    never = (policy.ADD, policy.CHANGE, policy.DELETE)
    list_display = ("level", "effective_from", "first_months", "renewal_months", "is_confirmed")
    list_select_related = ("level",)
    date_hierarchy = "effective_from"


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
