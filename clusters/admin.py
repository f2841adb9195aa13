"""What every admin of the portal shares, and the admin of clusters, organisations, programmes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_countries import countries
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper

from clusters.dates import add_months
from clusters.forms import PictureField
from clusters.models import (
    Cluster,
    ClusterName,
    ClusterText,
    Lineage,
    Management,
    MembershipCount,
    Organisation,
    OrganisationName,
    Participation,
    Portfolio,
    Programme,
    Region,
    Shareholding,
)

EMPTY = "–"
MONTHS_UNTIL_UNCONFIRMED = 12


@dataclass(frozen=True)
class Concern:
    """Rows that need somebody: the dashboard counts what the filter of the list shows."""

    title: Promise
    narrow: Callable[[Any, date], QuerySet[Any]]


class AttentionFilter(admin.SimpleListFilter):
    title = _("what needs attention")
    parameter_name = "attention"

    def __init__(self, request: Any, params: Any, model: Any, model_admin: "PortalAdmin") -> None:
        self.concerns = model_admin.concerns
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, str(concern.title)) for key, concern in self.concerns.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        concern = self.concerns.get(str(self.value()))
        return concern.narrow(queryset, timezone.localdate()) if concern else queryset


class CountryFilter(admin.SimpleListFilter):
    """Only the countries that some row has."""

    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = model_admin.model.objects.order_by().values_list("country", flat=True).distinct()
        named = [(str(code), str(countries.name(code))) for code in codes if code]
        return sorted(named, key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(country=self.value()) if self.value() else queryset


class PartFormSet(BaseInlineFormSet):
    """Rows of one screen, compared with each other where Django compares with stored rows only."""

    def clean(self) -> None:
        super().clean()
        rows = self.kept_rows()
        for constraint in rows[0]._meta.constraints if rows else ():
            if isinstance(constraint, models.UniqueConstraint) and constraint.condition:
                self.refuse_duplicates(constraint, rows)

    def kept_rows(self) -> list[models.Model]:
        return [
            form.instance
            for form in self.forms
            if form.is_valid()
            and form not in self.deleted_forms
            and (form.instance.pk or form.has_changed())
        ]

    def refuse_duplicates(
        self, constraint: models.UniqueConstraint, rows: list[models.Model]
    ) -> None:
        assert constraint.condition is not None
        keys: list[list[Any]] = []
        for row in rows:
            values = {
                field.name: models.Value(getattr(row, field.name), output_field=field)
                for field in row._meta.concrete_fields
                if not field.is_relation
            }
            key = [getattr(row, name) for name in constraint.fields]
            if constraint.condition.check(values):
                if key in keys:
                    raise ValidationError(constraint.get_violation_error_message())
                keys.append(key)


class Undeleting:
    """A form leads to adding and changing what it refers to, not to deleting it."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field and hasattr(field.widget, "can_delete_related"):
            field.widget.can_delete_related = False
        return field


class TabularPart(Undeleting, admin.TabularInline):
    formset = PartFormSet
    extra = 0
    show_change_link = True


class StackedPart(Undeleting, admin.StackedInline):
    formset = PartFormSet
    extra = 0
    show_change_link = True


class TextPart(StackedPart):
    """A form for each language, an empty one where the text is missing."""

    max_num = 2

    def missing_languages(self, obj: models.Model | None) -> list[str]:
        there = {text.language for text in obj.texts.all()} if obj else set()  # type: ignore[attr-defined]
        return [code for code in ("en", "it") if code not in there]

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(self.missing_languages(obj))


class InWords(HistoricalRecordContextHelper):  # type: ignore[misc]  # it comes without types
    """Changes of a row, an empty value as in the lists."""

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        prepared = super().prepare_delta_change_value(change, value)
        return EMPTY if prepared in (None, "", []) else prepared


class PortalAdmin(Undeleting, SimpleHistoryAdmin):  # type: ignore[misc]  # it comes without types
    """History of who changed what, and a save only where something changed."""

    save_on_top = True
    empty_value_display = EMPTY
    list_per_page = 50
    object_history_list_template = "admin/history_list.html"
    formfield_overrides: "ClassVar[dict[type[models.Field[Any, Any]], Any]]" = {
        models.URLField: {"assume_scheme": "https"}
    }
    concerns: ClassVar[dict[str, Concern]] = {}

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = super().get_list_filter(request)
        return [AttentionFilter, *filters] if self.concerns else filters

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if isinstance(inline, TextPart):
            missing = inline.missing_languages(obj if obj.pk else None)
            kwargs["initial"] = [{"language": code} for code in missing]
        return kwargs

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """A new row's address follows its name; an old one's stays."""
        return {} if obj else {"slug": (self.slug_from,)} if self.slug_from else {}

    slug_from = ""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and equals_stored(obj):
            return
        obj._history_user = request.user
        self.write(obj)

    def get_historical_record_context_helper(
        self, request: HttpRequest, historical_record: Any
    ) -> HistoricalRecordContextHelper:
        return InWords(self.model, historical_record)

    def write(self, obj: Any) -> None:
        """Save one row; an admin whose rows are saved by an action says so here."""
        obj.save()

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """An old version with the button that restores it: for those who may change the row.

        simple-history itself would let anybody restore who may view.
        """
        if not self.has_change_permission(request):
            raise PermissionDenied
        response: HttpResponse = super().history_form_view(
            request, object_id, version_id, extra_context
        )
        return response


def equals_stored(obj: models.Model) -> bool:
    stored = type(obj)._base_manager.filter(pk=obj.pk).first()
    return stored is not None and all(
        getattr(stored, field.attname) == getattr(obj, field.attname)
        for field in obj._meta.concrete_fields
    )


class PartForm(forms.ModelForm):
    """Checks the row against its fellows, although the form does not move it to another parent."""

    def _get_validation_exclusions(self) -> set[str]:
        return set()


class PartAdmin(PortalAdmin):
    """One row of another row's screen, by itself: for its history and an earlier version of it."""

    form = PartForm
    part_of: tuple[str, ...] = ()

    def get_list_select_related(self, request: HttpRequest) -> Sequence[str]:
        return self.list_select_related or [
            field.name for field in self.opts.fields if field.many_to_one
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.part_of

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class PublishedAdmin(PortalAdmin):
    """Rows with `is_published`: shown and hidden, and never deleted once they were public."""

    actions = ("publish", "unpublish")
    is_followed = True  # the dashboard tells its latest changes

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        place = {"action_location": action_location} if action_location else {}  # Django 6.1
        actions: dict[str, Any] = super().get_actions(request, **place)
        actions.pop("delete_selected", None)
        return actions

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and was_public(obj))

    def is_public(self, obj: Any) -> bool:
        return bool(obj.is_published)

    def view_on_site(self, obj: Any) -> str | None:
        return (obj.get_absolute_url() or None) if self.is_public(obj) else None

    @admin.action(description=_("Publish the selected rows"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.set_published(request, queryset, True)

    @admin.action(description=_("Unpublish the selected rows"), permissions=["change"])
    def unpublish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.set_published(request, queryset, False)

    def set_published(
        self, request: HttpRequest, queryset: QuerySet[Any], is_published: bool
    ) -> None:
        number = 0
        for obj in queryset.exclude(is_published=is_published):
            obj.is_published = is_published
            try:
                with transaction.atomic():
                    self.save_model(request, obj, form=None, change=True)
                    changed = [{"changed": {"fields": [str(_("published"))]}}]
                    self.log_change(request, obj, changed)
            except ValidationError as error:
                text = f"{obj}: {' '.join(error.messages)}"
                self.message_user(request, text, messages.ERROR)
            else:
                number += 1
        text = (
            ngettext("%(number)d row was published.", "%(number)d rows were published.", number)
            if is_published
            else ngettext(
                "%(number)d row was unpublished.", "%(number)d rows were unpublished.", number
            )
        )
        self.message_user(request, text % {"number": number}, messages.SUCCESS)


def was_public(obj: Any) -> bool:
    return bool(obj.is_published or obj.history.filter(is_published=True).exists())


@admin.display(description=_("country"), ordering="country")
def country_name(obj: Any) -> str:
    return str(obj.country.name) if obj.country else ""


# Clusters: one screen with everything that tells of the cluster (labels.admin adds its labels).


class ClusterTextInline(TextPart):
    model = ClusterText
    fields = ("language", "tagline", "description")


class ClusterNameInline(TabularPart):
    model = ClusterName
    fields = ("name", "kind", "started_on", "ended_on")


class ManagementInline(TabularPart):
    model = Management
    fields = ("organisation", "role", "started_on", "ended_on", "source")
    autocomplete_fields = ("organisation",)


class LineageInline(TabularPart):
    model = Lineage
    fk_name = "cluster"
    fields = ("kind", "other", "happened_on", "source")
    autocomplete_fields = ("other",)


class MembershipCountInline(TabularPart):
    model = MembershipCount
    fields = ("counted_on", "kind", "count", "source")


class ClusterProgrammeInline(TabularPart):
    model = Participation
    fields = ("programme", "started_on", "ended_on")
    autocomplete_fields = ("programme",)
    verbose_name = _("programme")
    verbose_name_plural = _("programmes")


@admin.register(Cluster)
class ClusterAdmin(PublishedAdmin):
    list_display = (
        "name",
        country_name,
        "region",
        "portfolio",
        "state",
        "confirmed_on",
        "is_published",
    )
    list_filter = (
        "is_published",
        "state",
        CountryFilter,
        ("portfolio", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("portfolio", "region")
    search_fields = ("name", "names__name", "slug", "public_id", "town")
    search_help_text = _("Name, former or other name, address, public id or town.")
    date_hierarchy = "confirmed_on"
    autocomplete_fields = ("portfolio", "region")
    readonly_fields = ("public_id", "logo_preview")
    slug_from = "name"
    formfield_overrides: ClassVar = {
        **PortalAdmin.formfield_overrides,
        models.ImageField: {"form_class": partial(PictureField, longest_side=800)},
    }
    fieldsets = (
        (None, {"fields": ("name", "slug", "state", "is_published", "public_id")}),
        (
            _("Sector and place"),
            {
                "fields": (
                    "portfolio",
                    "country",
                    "region",
                    "town",
                    ("latitude", "longitude"),
                )
            },
        ),
        (_("Facts"), {"fields": ("founded_on", "website", "eccp_url", "confirmed_on")}),
        (_("Contact"), {"fields": ("contact_address", "is_contact_shown")}),
        (_("Logo"), {"fields": ("logo", "logo_preview")}),
    )
    # A list, because labels.admin appends its own.
    inlines = [
        ClusterTextInline,
        ClusterNameInline,
        ManagementInline,
        LineageInline,
        MembershipCountInline,
        ClusterProgrammeInline,
    ]
    concerns: ClassVar = {
        "unconfirmed": Concern(
            _("Profiles not confirmed for 12 months"),
            lambda rows, day: rows.unconfirmed_since(add_months(day, -MONTHS_UNTIL_UNCONFIRMED)),
        ),
        "provisional": Concern(_("Provisional clusters"), lambda rows, day: rows.provisional()),
        "no-coordinates": Concern(
            _("Clusters without coordinates"), lambda rows, day: rows.without_coordinates()
        ),
        "no-portfolio": Concern(
            _("Clusters without a portfolio"), lambda rows, day: rows.without_portfolio()
        ),
    }

    @admin.display(description=_("logo today"))
    def logo_preview(self, obj: Cluster) -> str:
        if not obj.logo:
            return EMPTY
        return format_html(
            '<img class="preview" src="{}" alt="{}" height="96">',
            obj.logo.url,
            gettext("The logo."),
        )


@admin.register(ClusterName, ClusterText, Management, Lineage, MembershipCount)
class ClusterPartAdmin(PartAdmin):
    part_of = ("cluster",)
    list_display = ("__str__", "cluster")


# Organisations and programmes


class OrganisationNameInline(TabularPart):
    model = OrganisationName
    fields = ("name", "started_on", "ended_on")


class ShareholdingInline(TabularPart):
    model = Shareholding
    fk_name = "organisation"
    fields = ("shareholder", "started_on", "ended_on", "source")
    autocomplete_fields = ("shareholder",)


class ManagedClusterInline(TabularPart):
    model = Management
    fields = ("cluster", "role", "started_on", "ended_on", "source")
    autocomplete_fields = ("cluster",)
    verbose_name = _("managed cluster")
    verbose_name_plural = _("managed clusters")


@admin.register(Organisation)
class OrganisationAdmin(PublishedAdmin):
    list_display = ("name", "kind", country_name, "town", "is_published")
    list_filter = ("is_published", "kind", CountryFilter)
    search_fields = ("name", "former_names__name", "slug", "public_id", "town", "vat_number", "lei")
    search_help_text = _("Name, former name, address, public id, town, VAT number or LEI.")
    autocomplete_fields = ("region",)
    readonly_fields = ("public_id",)
    slug_from = "name"
    fieldsets = (
        (None, {"fields": ("name", "slug", "kind", "legal_form", "is_published", "public_id")}),
        (_("Seat"), {"fields": ("country", "region", "town")}),
        (_("Contact"), {"fields": ("website", "role_address", "is_address_shown")}),
        (_("Registers"), {"fields": ("vat_number", "lei")}),
    )
    inlines = (OrganisationNameInline, ShareholdingInline, ManagedClusterInline)


@admin.register(OrganisationName, Shareholding)
class OrganisationPartAdmin(PartAdmin):
    part_of = ("organisation",)
    list_display = ("__str__", "organisation")


class ParticipationInline(TabularPart):
    model = Participation
    fields = ("cluster", "started_on", "ended_on")
    autocomplete_fields = ("cluster",)


@admin.register(Programme)
class ProgrammeAdmin(PublishedAdmin):
    list_display = ("name_en", "name_it", "owner", country_name, "is_published")
    list_filter = ("is_published", CountryFilter)
    list_select_related = ("owner",)
    search_fields = ("name_en", "name_it", "owner__name", "public_id")
    search_help_text = _("Name, owner or public id.")
    autocomplete_fields = ("owner", "region")
    readonly_fields = ("public_id",)
    slug_from = "name_en"
    fieldsets = (
        (None, {"fields": ("name_en", "name_it", "slug", "is_published", "public_id")}),
        (
            _("Who is behind it"),
            {"fields": ("owner", "country", "region", "started_on", "ended_on", "website")},
        ),
        (_("Description"), {"fields": ("description_en", "description_it")}),
    )
    inlines = (ParticipationInline,)


@admin.register(Participation)
class ParticipationAdmin(PartAdmin):
    part_of = ("programme", "cluster")
    list_display = ("__str__", "programme")


# What the rest refers to


@admin.register(Portfolio)
class PortfolioAdmin(PortalAdmin):
    list_display = ("name_en", "name_it", "code")
    search_fields = ("name_en", "name_it", "code")
    fields = ("name_en", "name_it", "code")


@admin.register(Region)
class RegionAdmin(PortalAdmin):
    list_display = ("name", "code", country_name, "other_names")
    list_filter = (CountryFilter,)
    search_fields = ("name", "code", "other_names")
    search_help_text = _("Name, other name or ISO 3166-2 code.")
    fields = ("name", "other_names", "country", "code")
    concerns: ClassVar = {
        "no-code": Concern(_("Regions without a code"), lambda rows, day: rows.without_code())
    }
