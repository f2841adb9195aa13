"""The admin of clusters, organisations, programmes, and of what they refer to."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import (
    Concern,
    CountryFilter,
    PartAdmin,
    PortalAdmin,
    PublishedAdmin,
    ReadOnly,
    TabularPart,
    TextPart,
    country_column,
)
from clusters.admin.lists import CountedFilter
from clusters.admin.suggestions import OF_A_PLACE, REGION_BY_COUNTRY, WITH_COORDINATES
from clusters.admin.tables import TablesAdmin
from clusters.admin.versions import EMPTY
from clusters.completeness import NUMBER_OF_FACTS, percent_of, stale_before
from clusters.models import (
    Cluster,
    ClusterName,
    ClusterQuerySet,
    ClusterState,
    ClusterText,
    FactSource,
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
    TeamMember,
)
from clusters.people import policy
from clusters.people.access import signed_in_account
from clusters.people.confirmation import confirm_profiles
from clusters.people.forms import PictureField
from clusters.tables.resources import (
    ClusterResource,
    ClusterTextResource,
    ManagementResource,
    MembershipCountResource,
    OrganisationResource,
    ProgrammeResource,
)


class ConfirmableAdmin(PublishedAdmin):
    """The one way by which a team sets the day of confirmation: an action and a button."""

    actions: Sequence[Any] = (*PublishedAdmin.actions, "confirm")
    change_form_template = "admin/clusters/confirmable_change_form.html"

    def has_confirm_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, policy.CONFIRM, obj)

    @admin.action(
        description=_("Confirm that the selected facts are right"), permissions=["confirm"]
    )
    def confirm(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        day = timezone.localdate()
        self.confirm_rows(request, policy.allowed_rows(request.user, policy.CONFIRM, queryset, day))

    def confirm_rows(self, request: HttpRequest, rows: Any) -> None:
        now = timezone.now()
        number = confirm_profiles(
            rows, day=timezone.localdate(now), now=now, account=signed_in_account(request)
        )
        text = ngettext(
            "%(number)d profile is confirmed as of today.",
            "%(number)d profiles are confirmed as of today.",
            number,
        )
        self.message_user(request, text % {"number": number}, messages.SUCCESS)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        context["may_confirm"] = obj is not None and self.has_confirm_permission(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        # By now the form is saved: what is confirmed is what was typed.
        if "_confirm" not in request.POST:
            return super().response_change(request, obj)
        if not self.has_confirm_permission(request, obj):
            raise PermissionDenied
        self.confirm_rows(request, [obj])
        return self.response_post_save_change(request, obj)


# Clusters: one screen with everything that tells of the cluster.


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
    fields = ("counted_on", "kind", "count", "qualifier", "source")


class FactSourceInline(TabularPart):
    model = FactSource
    fields = ("fact", "confidence", "source", "note")


class ClusterProgrammeInline(TabularPart):
    model = Participation
    fields = ("programme", "started_on", "ended_on")
    autocomplete_fields = ("programme",)
    verbose_name = _("programme")
    verbose_name_plural = _("programmes")


class CompletenessFilter(CountedFilter):
    """By the share of facts that are there; the bands include their lower end."""

    title = _("completeness")
    parameter_name = "completeness"
    bands: ClassVar = {
        # From this percent, below that one.
        "complete": (_("complete"), 100, 101),
        "high": (_("75 % or more"), 75, 100),
        "middle": (_("50 % or more"), 50, 75),
        "low": (_("less than 50 %"), 0, 50),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, str(title)) for key, (title, _least, _below) in self.bands.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        band = self.bands.get(str(self.value()))
        found: QuerySet[Any] = queryset
        return queryset.with_percent_between(band[1], band[2]) if band else found

    def count_choices(self, rows: Any) -> dict[str, int]:
        # By the number of facts, which the list annotates.
        counted = rows.values_list("number_of_facts").annotate(Count("pk"))
        found: Counter[str] = Counter()
        for number, count in counted:
            for key, (_title, least, below) in self.bands.items():
                if least <= percent_of(number) < below:
                    found[key] += count
        return found


def share_in_words(number: int) -> str:
    return gettext("%(percent)d %% (%(number)d of %(all)d)") % {
        "percent": percent_of(number),
        "number": number,
        "all": NUMBER_OF_FACTS,
    }


@admin.register(Cluster)
class ClusterAdmin(TablesAdmin, ConfirmableAdmin):
    resource_classes = (ClusterResource,)
    quick_action = _("Add a cluster")
    list_display: tuple[Any, ...] = (
        "name",
        country_column,
        "region",
        "portfolio",
        "state",
        "completeness",
        "confirmed_on",
        "is_published",
    )
    list_filter = (
        "is_published",
        "state",
        CompletenessFilter,
        CountryFilter,
        ("portfolio", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("portfolio", "region")
    search_fields = ("name", "names__name", "slug", "public_id", "town")
    searched_parts: ClassVar = {
        "texts": ("tagline", "description"),
        "managements": ("organisation__name", "organisation__former_names__name"),
    }
    search_help_text = _("Name, former or other name, address, public id or town.")
    date_hierarchy = "confirmed_on"
    autocomplete_fields = ("portfolio", "region")
    suggesters = WITH_COORDINATES
    narrowed = REGION_BY_COUNTRY
    readonly_fields = ("public_id", "logo_preview", "completeness", "missing")
    slug_from = "name"
    formfield_overrides: ClassVar = {
        **PortalAdmin.formfield_overrides,
        # What is uploaded is drawn anew before anything else looks at it.
        models.ImageField: {"form_class": partial(PictureField, longest_side=800)},
    }
    fieldsets = (
        (None, {"fields": ("name", "slug", "state", "is_published", "public_id")}),
        (
            _("Sector and place"),
            {"fields": ("portfolio", "country", "region", "town", ("latitude", "longitude"))},
        ),
        (_("Facts"), {"fields": ("founded_on", "website", "eccp_url", "confirmed_on")}),
        (
            _("Completeness"),
            {
                "fields": ("completeness", "missing"),
                "description": _("For the team and those who support the cluster; not public."),
            },
        ),
        (_("Contact"), {"fields": ("contact_address", "is_contact_shown")}),
        (_("Logo"), {"fields": ("logo", "logo_preview")}),
    )
    inlines: ClassVar[tuple[Any, ...]] = (
        ClusterTextInline,
        ClusterNameInline,
        ManagementInline,
        LineageInline,
        MembershipCountInline,
        FactSourceInline,
        ClusterProgrammeInline,
    )
    concerns: ClassVar = {
        "unconfirmed": Concern(
            _("Profiles not confirmed for 12 months"),
            lambda rows, day: rows.unconfirmed_since(stale_before(day)),
        ),
        "provisional": Concern(
            _("Provisional clusters"), lambda rows, day: rows.filter(state=ClusterState.PROVISIONAL)
        ),
        "no-coordinates": Concern(
            _("Clusters without coordinates"), lambda rows, day: rows.filter(latitude=None)
        ),
        "no-portfolio": Concern(
            _("Clusters without a portfolio"), lambda rows, day: rows.filter(portfolio=None)
        ),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cluster]:
        clusters: Any = super().get_queryset(request)
        found: ClusterQuerySet = clusters.with_completeness(timezone.localdate())
        return found

    @admin.display(description=_("completeness"), ordering="number_of_facts")
    def completeness(self, obj: Cluster) -> str:
        return share_in_words(obj.number_of_facts)

    @admin.display(description=_("missing"))
    def missing(self, obj: Cluster) -> str:
        return ", ".join(map(str, obj.missing_facts())) or gettext("nothing")

    @admin.display(description=_("logo today"))
    def logo_preview(self, obj: Cluster) -> str:
        if not obj.logo:
            return EMPTY
        return format_html(
            '<img class="preview" src="{}" alt="{}" height="96">',
            obj.logo.url,
            gettext("The logo."),
        )


@admin.register(ClusterName, Lineage, FactSource)
class ClusterPartAdmin(PartAdmin):
    part_of = ("cluster",)
    list_display = ("__str__", "cluster")


@admin.register(ClusterText)
class ClusterTextAdmin(TablesAdmin, ClusterPartAdmin):
    resource_classes = (ClusterTextResource,)


@admin.register(Management)
class ManagementAdmin(TablesAdmin, ClusterPartAdmin):
    resource_classes = (ManagementResource,)


@admin.register(MembershipCount)
class MembershipCountAdmin(TablesAdmin, ClusterPartAdmin):
    resource_classes = (MembershipCountResource,)


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
    # The model’s own name, “manager”, is told from the cluster’s side.
    verbose_name = _("managed cluster")
    verbose_name_plural = _("managed clusters")


class TeamMemberInline(ReadOnly, TabularPart):
    """The team on the organisation's screen; each row leads to its own."""

    model = TeamMember
    fields = ("account", "role", "joined_at")
    readonly_fields = fields
    verbose_name_plural = _("team")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TeamMember]:
        members: QuerySet[TeamMember] = super().get_queryset(request)
        return members.select_related("account")


@admin.register(Organisation)
class OrganisationAdmin(TablesAdmin, ConfirmableAdmin):
    resource_classes = (OrganisationResource,)
    quick_action = _("Add an organisation")
    list_display = ("name", "kind", country_column, "town", "confirmed_on", "is_published")
    list_filter = ("is_published", "kind", CountryFilter)
    search_fields = ("name", "former_names__name", "slug", "public_id", "town", "vat_number", "lei")
    search_help_text = _("Name, former name, address, public id, town, VAT number or LEI.")
    autocomplete_fields = ("region",)
    suggesters = OF_A_PLACE
    narrowed = REGION_BY_COUNTRY
    readonly_fields = ("public_id",)
    slug_from = "name"
    fieldsets = (
        (None, {"fields": ("name", "slug", "kind", "legal_form", "is_published", "public_id")}),
        (_("Seat"), {"fields": ("country", "region", "town")}),
        (_("Contact"), {"fields": ("website", "role_address", "is_address_shown")}),
        (_("Registers"), {"fields": ("vat_number", "lei")}),
        (_("Confirmation"), {"fields": ("confirmed_on",)}),
    )
    inlines = (OrganisationNameInline, ShareholdingInline, ManagedClusterInline, TeamMemberInline)
    concerns: ClassVar = {
        "orphaned": Concern(
            _("Profiles whose team lost its owner"), lambda rows, day: rows.orphaned()
        )
    }


@admin.register(OrganisationName, Shareholding)
class OrganisationPartAdmin(PartAdmin):
    part_of = ("organisation",)
    list_display = ("__str__", "organisation")


class ParticipationInline(TabularPart):
    model = Participation
    fields = ("cluster", "started_on", "ended_on")
    autocomplete_fields = ("cluster",)


@admin.register(Programme)
class ProgrammeAdmin(TablesAdmin, PublishedAdmin):
    resource_classes = (ProgrammeResource,)
    list_display = ("name_en", "name_it", "owner", country_column, "is_published")
    list_filter = ("is_published", CountryFilter)
    list_select_related = ("owner",)
    search_fields = ("name_en", "name_it", "owner__name", "public_id")
    search_help_text = _("Name, owner or public id.")
    autocomplete_fields = ("owner", "region")
    suggesters = OF_A_PLACE
    narrowed = REGION_BY_COUNTRY
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
    inlines: ClassVar[tuple[Any, ...]] = (ParticipationInline,)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        context["may_download"] = obj is not None and self.allows(request, policy.DOWNLOAD, obj)
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(Participation)
class ParticipationAdmin(PartAdmin):
    part_of = ("programme", "cluster")
    list_display = ("__str__", "programme")


# What the rest refers to


@admin.register(Portfolio)
class PortfolioAdmin(PortalAdmin):
    list_display = ("name_en", "name_it", "code")
    search_fields = ("name_en", "name_it", "code", "other_names")
    fields = ("name_en", "name_it", "other_names", "code")


@admin.register(Region)
class RegionAdmin(PortalAdmin):
    list_display = ("name", "code", country_column, "other_names")
    list_filter = (CountryFilter,)
    search_fields = ("name", "code", "other_names")
    search_help_text = _("Name, other name or ISO 3166-2 code.")
    fields = ("name", "other_names", "country", "code")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # Of a form in which the country is chosen (static/suggestions.js).
        country = request.GET.get("country")
        if country and request.path == reverse("admin:autocomplete"):
            queryset = queryset.filter(country=country)
        return super().get_search_results(request, queryset, search_term)

    concerns: ClassVar = {
        "no-code": Concern(_("Regions without a code"), lambda rows, day: rows.filter(code=None))
    }
