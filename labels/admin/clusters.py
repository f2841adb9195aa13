"""The screens of clusters and programmes, with labels and the levels that programmes require."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import PartAdmin, ReadOnly, TabularPart, country_column
from clusters.admin.clusters import ClusterAdmin, ProgrammeAdmin
from clusters.admin.lists import PortalChangeList
from clusters.admin.versions import EMPTY
from clusters.formats.writers import csv_download
from clusters.models import Cluster, EventKind, Programme
from clusters.people import policy
from clusters.people.access import signed_in_account
from clusters.people.log import record
from labels.admin.labels import EffectiveDays
from labels.models import STATE_NAMES, Label, LabelQuerySet, RequiredLevel
from labels.register.overview import HEADER, clusters_in, overview
from labels.register.queries import headline
from labels.validity import State


class LabelInline(ReadOnly, EffectiveDays, TabularPart):
    """A cluster's labels, told on its own screen; they are proposed and changed on theirs."""

    model = Label
    template = "admin/labels/labels_of_a_cluster.html"
    fields = ("level", "state_today", "first_day", "last_day", "is_published")
    readonly_fields = ("state_today", "first_day", "last_day")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Label]:
        labels: Any = super().get_queryset(request)
        found: LabelQuerySet = labels.select_related("cluster", "level")
        today = timezone.localdate()
        return found.with_state(today).in_register_order(today)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        # The inline is made anew for each request, so it may carry what this one is offered.
        self.may_propose = policy.may(request.user, policy.ADD, Label)
        return super().get_formset(request, obj, **kwargs)


def with_labels(clusters: QuerySet[Cluster], day: date) -> QuerySet[Cluster]:
    labels = Label.objects.published().with_state(day).select_related("level").highest_first()
    return clusters.prefetch_related(Prefetch("labels", labels, to_attr="labels_today"))


@admin.display(description=_("label today"))
def label_today(obj: Cluster) -> str:
    label = headline(obj.labels_today)  # type: ignore[attr-defined]
    return f"{label.level}, {STATE_NAMES[State(label.state)]}" if label else EMPTY


@admin.action(description=_("Download the selected clusters as CSV"), permissions=["download"])
def download_clusters(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Cluster]
) -> HttpResponse:
    day = timezone.localdate()
    programmes = policy.allowed_rows(request.user, policy.VIEW, Programme.objects.all(), day)
    return overview_download(request, queryset, programmes, day)


@admin.action(
    description=_("Download the clusters of the selected programmes as CSV"),
    permissions=["download"],
)
def download_programmes(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Programme]
) -> HttpResponse:
    day = timezone.localdate()
    programmes = policy.allowed_rows(request.user, policy.DOWNLOAD, queryset, day)
    return overview_download(request, clusters_in(programmes, day), programmes, day)


def overview_download(
    request: HttpRequest, clusters: Any, programmes: QuerySet[Programme], day: date
) -> HttpResponse:
    # Once more: of what one may see, not all may be taken along.
    allowed: Any = policy.allowed_rows(request.user, policy.DOWNLOAD, clusters, day)
    rows = overview(allowed, programmes, day)
    record(
        EventKind.EXPORTED,
        now=timezone.now(),
        account=signed_in_account(request),
        detail=f"clusters and their programmes, {len(rows)} rows",
    )
    return csv_download(f"clusters-{day.isoformat()}", HEADER, rows)


class RequiredLevelInline(TabularPart):
    model = RequiredLevel
    fields = ("level", "required_from", "required_until", "source")


class LabelledClusterList(PortalChangeList):
    """The list loads what its columns show; other pages of the admin do not."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        rows = super().get_queryset(request, *args, **kwargs)
        return with_labels(rows, timezone.localdate())


# The app below does not know labels, so its screens are extended here and registered anew.
admin.site.unregister([Cluster, Programme])


@admin.register(Cluster)
class LabelledClusterAdmin(ClusterAdmin):
    list_display = (
        "name",
        country_column,
        "region",
        "portfolio",
        "state",
        label_today,
        "completeness",
        "confirmed_on",
        "is_published",
    )
    actions = (*ClusterAdmin.actions, download_clusters)
    inlines = (*ClusterAdmin.inlines, LabelInline)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LabelledClusterList]:
        return LabelledClusterList


@admin.register(Programme)
class LabelledProgrammeAdmin(ProgrammeAdmin):
    actions = (*ProgrammeAdmin.actions, download_programmes)
    inlines = (*ProgrammeAdmin.inlines, RequiredLevelInline)


@admin.register(RequiredLevel)
class RequiredLevelAdmin(PartAdmin):
    part_of = ("programme",)
    list_display = ("level", "programme", "required_from", "required_until")
