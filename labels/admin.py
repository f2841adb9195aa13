"""The admin of labels and of the scheme behind them."""

from collections.abc import Iterable
from copy import copy
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clusters import policy
from clusters.admin.base import (
    EMPTY,
    Concern,
    CountryFilter,
    PartAdmin,
    PartFormSet,
    PortalAdmin,
    PublishedAdmin,
    StackedPart,
    TabularPart,
    country_name,
)
from clusters.admin.directory import ClusterAdmin, ProgrammeAdmin
from clusters.dates import PartialDate, add_months
from clusters.events import record
from clusters.export import csv_download
from clusters.models import Account, Cluster, EventKind, Programme
from clusters.templatetags.clusters_tags import date_in_words
from labels.actions import apply_rules, labels_changed_by, save_label
from labels.models import (
    STATE_NAMES,
    Expert,
    Indicator,
    IndicatorSet,
    IssuingBody,
    IssuingBodyRole,
    Label,
    LabelQuerySet,
    Level,
    LevelRule,
    Statement,
    Suspension,
)
from labels.overview import HEADER, clusters_in, overview
from labels.register import headline
from labels.validity import State

MONTHS_BEFORE_THE_END = 6
MONTHS_BEFORE_THE_WINDOW_CLOSES = 3


def rehearse(labels: Iterable[Label]) -> None:
    """Save copies and take everything back; raises what saving in earnest would raise."""
    with transaction.atomic():
        for label in labels:
            save_label(copy(label))
        transaction.set_rollback(True)


class LabelForm(forms.ModelForm):
    """Saves by `save_label`."""

    def save(self, commit: bool = True) -> Label:
        label: Label = super().save(commit=False)
        return save_label(label) if commit else label


class CheckedLabelForm(LabelForm):
    """Finds also what goes wrong with the renewals of the label."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                rehearse([self.instance])
            except ValidationError as error:
                self.add_error(None, error.messages)


class LabelFormSet(PartFormSet):
    """A cluster's labels, which may be duplicates of each other or renew each other."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        labels = [form.instance for form in self.forms if form.has_changed()]
        identities = [
            (
                label.level_id,
                label.assessed_on,
                label.awarded_on,
                label.valid_until,
                label.certificate_number,
            )
            for label in labels
        ]
        if len(set(identities)) < len(identities):
            raise ValidationError(_("The same label is here twice."))
        if self.instance.pk is not None:
            try:
                rehearse(labels)
            except ValidationError as error:
                raise ValidationError(error.messages) from error


class EffectiveDays:
    """Columns that tell the derived days in words, for a list, a form and an inline."""

    @admin.display(description=_("state today"))
    def state_today(self, obj: Label) -> str:
        state = getattr(obj, "state", None)
        return str(STATE_NAMES[State(state)]) if state else EMPTY

    @admin.display(description=_("valid from"), ordering="starts_on")
    def first_day(self, obj: Label) -> str:
        return day_in_words(obj.starts_on, is_computed=obj.start_is_computed)

    @admin.display(description=_("valid until"), ordering="ends_on")
    def last_day(self, obj: Label) -> str:
        return day_in_words(obj.ends_on, is_computed=obj.end_is_computed)

    @admin.display(description=_("renewable until"), ordering="renewable_until")
    def last_renewal_day(self, obj: Label) -> str:
        return day_in_words(obj.renewable_until)


def day_in_words(day: date | None, *, is_computed: bool = False) -> str:
    if day is None:
        return EMPTY
    words = date_in_words(PartialDate.from_date(day))
    return gettext("%(day)s (computed)") % {"day": words} if is_computed else words


class StateFilter(admin.SimpleListFilter):
    title = _("state today")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, str(name)) for state, name in STATE_NAMES.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        states = {state.value: state for state in State}
        state = states.get(str(self.value()))
        found: QuerySet[Any] = queryset
        return queryset.in_state(state, timezone.localdate()) if state else found


class SuspensionInline(StackedPart):
    model = Suspension
    fields = (("starts_on", "ends_on"), "reason")


@admin.register(Label)
class LabelAdmin(EffectiveDays, PublishedAdmin):
    form = CheckedLabelForm
    list_display = (
        "cluster",
        "level",
        "state_today",
        "first_day",
        "last_day",
        "is_published",
    )
    list_filter = (
        StateFilter,
        "level",
        "kind",
        "is_published",
        "awarded_by",
        ("cluster__portfolio", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = (
        "cluster__name",
        "cluster__names__name",
        "managing_organisation__name",
        "certificate_number",
        "public_id",
    )
    search_help_text = _("Cluster, managing organisation, certificate number or public id.")
    date_hierarchy = "ends_on"
    autocomplete_fields = ("cluster", "managing_organisation", "renews", "awarded_by")
    readonly_fields = (
        "public_id",
        "state_today",
        "first_day",
        "last_day",
        "last_renewal_day",
        "rule",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "cluster",
                    "managing_organisation",
                    "level",
                    "certificate_number",
                    "is_published",
                    "public_id",
                )
            },
        ),
        (_("First award or renewal"), {"fields": ("kind", "renews")}),
        (
            _("Dates as a source printed them"),
            {"fields": ("assessed_on", "awarded_on", "announced_on", "valid_until")},
        ),
        (
            _("Days that count"),
            {
                "fields": ("state_today", "first_day", "last_day", "last_renewal_day", "rule"),
                "description": _("Derived from the dates above by the rules of the level."),
            },
        ),
        (_("Award"), {"fields": ("awarded_by", "score", "source")}),
        (_("Revocation"), {"fields": ("revoked_on", "revocation_reason")}),
    )
    inlines = (SuspensionInline,)
    concerns: ClassVar = {
        "ending": Concern(
            _("Labels ending within 6 months"),
            lambda rows, day: rows.ending_between(day, add_months(day, MONTHS_BEFORE_THE_END)),
        ),
        "closing": Concern(
            _("Labels renewable for less than 3 months more"),
            lambda rows, day: rows.closing_between(
                day, add_months(day, MONTHS_BEFORE_THE_WINDOW_CLOSES)
            ),
        ),
        "undated": Concern(_("Labels with unknown dates"), lambda rows, day: rows.undated_on(day)),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Label]:
        labels: Any = super().get_queryset(request)
        found: LabelQuerySet = labels.select_related("cluster", "level")
        return found.with_state(timezone.localdate())

    def is_public(self, obj: Label) -> bool:
        return obj.is_published and obj.cluster.is_published

    def write(self, obj: Label) -> None:
        save_label(obj)


class LabelInline(EffectiveDays, StackedPart):
    """A cluster's labels on the cluster's own screen."""

    model = Label
    form = LabelForm
    formset = LabelFormSet
    can_delete = False
    autocomplete_fields = ("managing_organisation", "renews", "awarded_by")
    readonly_fields = ("state_today", "first_day", "last_day", "last_renewal_day")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("level", "certificate_number"),
                    ("kind", "renews"),
                    ("assessed_on", "awarded_on"),
                    ("announced_on", "valid_until"),
                    ("first_day", "last_day"),
                    ("state_today", "last_renewal_day"),
                    ("managing_organisation", "awarded_by"),
                    ("score", "source"),
                    "is_published",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Label]:
        labels: Any = super().get_queryset(request)
        found: LabelQuerySet = labels.select_related("cluster", "level")
        today = timezone.localdate()
        return found.with_state(today).in_register_order(today)


def with_labels(clusters: QuerySet[Cluster], day: date) -> QuerySet[Cluster]:
    labels = Label.objects.published().with_state(day).select_related("level").highest_first()
    return clusters.prefetch_related(Prefetch("labels", labels, to_attr="labels_today"))


@admin.display(description=_("label today"))
def label_today(obj: Cluster) -> str:
    label = headline(obj.labels_today)  # type: ignore[attr-defined]
    return f"{label.level}, {STATE_NAMES[State(label.state)]}" if label else EMPTY  # type: ignore[attr-defined]


@admin.action(description=_("Download the selected clusters as CSV"), permissions=["download"])
def download_clusters(
    model_admin: ClusterAdmin, request: HttpRequest, queryset: QuerySet[Cluster]
) -> HttpResponse:
    day = timezone.localdate()
    programmes = policy.rows(request.user, policy.VIEW, Programme.objects.all(), day)
    return overview_download(request, queryset, programmes, day)


@admin.action(
    description=_("Download the clusters of the selected programmes as CSV"),
    permissions=["download"],
)
def download_programmes(
    model_admin: ProgrammeAdmin, request: HttpRequest, queryset: QuerySet[Programme]
) -> HttpResponse:
    day = timezone.localdate()
    programmes = policy.rows(request.user, policy.DOWNLOAD, queryset, day)
    return overview_download(request, clusters_in(programmes, day), programmes, day)


def overview_download(
    request: HttpRequest, clusters: Any, programmes: QuerySet[Programme], day: date
) -> HttpResponse:
    assert isinstance(request.user, Account)
    allowed: Any = policy.rows(request.user, policy.DOWNLOAD, clusters, day)
    rows = overview(allowed, programmes, day)
    record(
        EventKind.EXPORTED,
        now=timezone.now(),
        account=request.user,
        detail=f"clusters and their programmes, {len(rows)} rows",
    )
    return csv_download(f"clusters-{day.isoformat()}", HEADER, rows)


ClusterAdmin.inlines.append(LabelInline)
ClusterAdmin.listed_with.append(with_labels)
ClusterAdmin.list_display.insert(ClusterAdmin.list_display.index("completeness"), label_today)
ClusterAdmin.actions.append(download_clusters)
ProgrammeAdmin.actions.append(download_programmes)


@admin.register(Suspension)
class SuspensionAdmin(PartAdmin):
    part_of = ("label",)
    list_display = ("label", "starts_on", "ends_on")
    list_select_related = ("label__level", "label__cluster")


# The scheme


class LevelRuleFormSet(PartFormSet):
    """Rules under which every label of the level still ends after it starts."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        rules: list[Any] = self.kept_rows()
        if not rules:
            raise ValidationError(_("A level needs a rule."))
        try:
            labels_changed_by(self.instance, rules)
        except ValueError as error:
            raise ValidationError(str(error)) from error


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
    fields = (
        "code",
        "rank",
        "name_en",
        "name_it",
        "official_wording",
        "process_en",
        "process_it",
    )
    inlines = (LevelRuleInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*(("code",) if obj else ()), *super().get_readonly_fields(request, obj))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
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
    list_display = ("level", "effective_from", "first_months", "renewal_months", "is_confirmed")
    list_select_related = ("level",)
    date_hierarchy = "effective_from"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A rule is changed on its level's screen, where the labels' days follow."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class IssuingBodyRoleInline(TabularPart):
    model = IssuingBodyRole
    fields = ("role", "started_on", "ended_on")


@admin.register(IssuingBody)
class IssuingBodyAdmin(PortalAdmin):
    list_display = ("short_name", "name", "website")
    search_fields = ("short_name", "name", "code")
    fields = ("short_name", "name", "code", "website")
    slug_from = "short_name"
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
        (None, {"fields": ("as_of_on", ("count", "is_more_than"), "source")}),
        (
            _("What was counted"),
            {"fields": ("definition_en", "definition_it", "detail_en", "detail_it")},
        ),
    )


# The pool


@admin.register(Expert)
class ExpertAdmin(PortalAdmin):
    list_display = ("account", country_name, "languages", "accredited_on")
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
