"""The admin site of the portal, with a dashboard of what needs attention."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from allauth.account.views import logout as sign_out
from django.apps import apps
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clusters.people import policy
from clusters.people.policy import account_names
from clusters.people.signing_in import needs_second_factor, redirect_to_second_factor

LATEST_CHANGES = 10
# One save may write several versions of a row, which is listed once.
VERSIONS_READ = 10 * LATEST_CHANGES
CHANGES = {"+": _("added"), "~": _("changed"), "-": _("deleted")}


@dataclass(frozen=True)
class DashboardItem:
    """A line of the dashboard: how many rows, and the list of exactly these."""

    title: str
    number: int
    url: str


@dataclass(frozen=True)
class RecentChange:
    """Who did what to which row, and when."""

    kind: str
    name: str
    url: str
    action: str
    user: str
    changed_at: datetime


class ScopedAutocomplete(AutocompleteJsonView):
    """Out of one's view is as if it did not exist."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().get(request, *args, **kwargs)
        except PermissionDenied as error:
            raise Http404 from error


class PortalAdminSite(AdminSite):
    site_title = _("Cluster Register")
    site_header = _("Cluster Register")
    index_title = _("What needs attention")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # What was public is never deleted in bulk; an admin whose rows may be says so.
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        return policy.may_enter(request.user) and not needs_second_factor(request.user)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # To the portal's own page: to sign in, to enrol a second factor, or to one's account.
        target = request.GET.get("next", "")
        # Only within admin: the address comes from the request.
        path = target if target.startswith("/admin/") else "/admin/"
        if not request.user.is_authenticated:
            return redirect_to_login(path)
        if needs_second_factor(request.user):
            return redirect_to_second_factor(request, path)
        if policy.may_enter(request.user):
            return redirect("admin:index")
        return redirect("clusters:account")

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            response: HttpResponse = sign_out(request)
            return response
        return redirect("account_logout")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_change_password")

    def password_change_done(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("clusters:account")

    def get_urls(self) -> list[Any]:
        # Without the way to the page of any row, which asks nobody: not of a hidden cluster, nor of
        # an invitation, whose page makes the account.
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def autocomplete_view(  # type: ignore[override]
        self, request: HttpRequest
    ) -> HttpResponseBase:
        return ScopedAutocomplete.as_view(admin_site=self)(request)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        dashboard = {"items": list(self.items(request)), "changes": list(self.changes(request))}
        return super().index(request, dashboard | (extra_context or {}))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        order = ["clusters", "labels", "news"]
        listed = super().get_app_list(request, app_label)
        return sorted(listed, key=lambda app: order.index(app["app_label"]))

    def viewable(self, request: HttpRequest) -> Iterator[ModelAdmin]:
        # In the order of the apps: one that extends the admin of another registers it anew.
        for model in apps.get_models():
            model_admin = self._registry.get(model)
            if model_admin and model_admin.has_view_permission(request):
                yield model_admin

    def items(self, request: HttpRequest) -> Iterator[DashboardItem]:
        # One query counts them all.
        day = timezone.localdate()
        found = [
            (model_admin, key, concern)
            for model_admin in self.viewable(request)
            for key, concern in getattr(model_admin, "concerns", {}).items()
        ]
        counts = [
            count_query(number, concern.narrow(model_admin.get_queryset(request), day))
            for number, (model_admin, _key, concern) in enumerate(found)
        ]
        numbers = dict(union_all(counts)) if counts else {}
        for number, (model_admin, key, concern) in enumerate(found):
            url = f"{admin_url(model_admin, 'changelist')}?attention={key}"
            yield DashboardItem(title=str(concern.title), number=numbers[number], url=url)

    def changes(self, request: HttpRequest) -> Iterator[RecentChange]:
        """The rows that changed last, each once: a query for all, and one or two per model."""
        followed = [
            model_admin
            for model_admin in self.viewable(request)
            if getattr(model_admin, "is_followed", False)
        ]
        histories = [
            history_query(
                number,
                model_admin.model.history.filter(
                    id__in=model_admin.get_queryset(request).order_by().values("pk")
                ),
            )
            for number, model_admin in enumerate(followed)
        ]
        latest = union_all(histories).order_by("-changed_at")[:VERSIONS_READ] if histories else []
        # Newest first in `latest`; reversed, the newest version of a row is what stays.
        by_row = {(row["model"], row["row"]): row for row in reversed(list(latest))}
        rows = sorted(by_row.values(), key=itemgetter("changed_at"), reverse=True)[:LATEST_CHANGES]
        objects = {
            number: model_admin.get_queryset(request).in_bulk(
                {row["row"] for row in rows if row["model"] == number}
            )
            for number, model_admin in enumerate(followed)
        }
        people = account_names((row["user"] for row in rows), request.user)
        for row in rows:
            model_admin, obj = followed[row["model"]], objects[row["model"]].get(row["row"])
            yield RecentChange(
                kind=capfirst(str(model_admin.model._meta.verbose_name)),
                name=str(obj) if obj else f"{row['row']}",
                url=admin_url(model_admin, "history", row["row"]),
                action=str(CHANGES[row["history_type"]]),
                user=people.get(row["user"]) or str(_("the portal")),
                changed_at=row["changed_at"],
            )


def count_query(number: int, rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    counted: QuerySet[Any, Any] = (
        rows.order_by()
        .annotate(question=Value(number))
        .values("question")
        .annotate(answer=Count("pk"))
        .values_list("question", "answer")
    )
    return counted


def history_query(number: int, history: QuerySet[Any]) -> QuerySet[Any, Any]:
    # Columns that the versions of every model have, as a union needs them.
    versions: QuerySet[Any, Any] = (
        history.order_by()
        .annotate(model=Value(number))
        .values(
            "model",
            "history_type",
            row=F("id"),
            changed_at=F("history_date"),
            user=F("history_user"),
        )
    )
    return versions


def union_all(queries: list[QuerySet[Any, Any]]) -> Any:
    first, *others = queries
    return first.union(*others, all=True).order_by() if others else first


def admin_url(model_admin: ModelAdmin, page: str, *arguments: Any) -> str:
    options = model_admin.model._meta
    name = f"admin:{options.app_label}_{options.model_name}_{page}"
    return reverse(name, args=arguments)
