"""The admin site of the portal, with a dashboard of what needs attention."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from allauth.account.views import logout as sign_out
from django.apps import apps
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.utils import quote
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F, QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from clusters.http.links import words_asked
from clusters.models.unions import count_each, count_query, union_all
from clusters.people import policy
from clusters.people.policy import account_names
from clusters.people.signing_in import needs_second_factor, redirect_to_second_factor
from clusters.views.drafts import store_draft
from clusters.views.saved_filters import keep_filter
from clusters.views.suggestions import offer_values

LATEST_CHANGES = 10
# One save may write several versions of a row, which is listed once.
VERSIONS_READ = 10 * LATEST_CHANGES
# Of each kind beside the others, and of one by itself.
FOUND_FIRST, FOUND_ON_A_PAGE = 5, 50
CHANGES = {"+": _("added"), "~": _("changed"), "-": _("deleted")}


@dataclass(frozen=True)
class DashboardItem:
    """A line of the dashboard: how many rows, and the list of exactly these."""

    title: str
    number: int
    url: str


@dataclass(frozen=True)
class FoundRow:
    name: str
    url: str


@dataclass(frozen=True)
class FoundGroup:
    """Rows of a kind that were found: how many, the first of them, and where all are."""

    title: str
    number: int
    rows: list[FoundRow]
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
        django = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        language = self.admin_view(require_POST(set_language))
        return [
            path("drafts/", self.admin_view(store_draft), name="form_draft"),
            path("search/", self.admin_view(self.search_view), name="search"),
            path("language/", language, name="set_language"),
            path("filters/", self.admin_view(require_POST(self.filter_view)), name="keep_filter"),
            path("suggest/", self.admin_view(require_safe(self.suggest_view)), name="suggest"),
            *django,
        ]

    def autocomplete_view(  # type: ignore[override]
        self, request: HttpRequest
    ) -> HttpResponseBase:
        return ScopedAutocomplete.as_view(admin_site=self)(request)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        items = list(self.items(request))
        dashboard = {
            "items": items,
            "is_all_clear": not any(item.number for item in items),
            "changes": list(self.changes(request)),
            "quick_actions": list(self.quick_actions(request)),
        }
        return super().index(request, dashboard | (extra_context or {}))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # What the box in the header of every page holds.
        return super().each_context(request) | {"searched_words": ""}

    def by_name(self) -> dict[str, Any]:
        return {one.opts.label_lower: one for one in self._registry.values()}

    def suggest_view(self, request: HttpRequest) -> HttpResponse:
        return offer_values(self.by_name(), request)

    def filter_view(self, request: HttpRequest) -> HttpResponse:
        return keep_filter(self.by_name(), request)

    def search_view(self, request: HttpRequest) -> TemplateResponse:
        """What every list has of some words; with `in` all that one of them has, by page."""
        words = words_asked(request.GET)
        admins = {
            str(one.opts.label_lower): one
            for one in self.viewable(request)
            if one.search_fields and one.has_module_permission(request)
        }
        chosen = admins.get(request.GET.get("in", ""))
        found = {
            label: one.found_everywhere(request, words)  # type: ignore[attr-defined]
            for label, one in admins.items()
            if words and chosen in (None, one)
        }
        page = None
        if chosen and words:
            rows = found[str(chosen.opts.label_lower)].order_by(*(chosen.opts.ordering or ()))
            page = Paginator(rows, FOUND_ON_A_PAGE).get_page(request.GET.get(PAGE_VAR))
            numbers = {str(chosen.opts.label_lower): page.paginator.count}
        else:
            numbers = count_each(found)
        groups = [
            FoundGroup(
                title=capfirst(str(one.opts.verbose_name_plural)),
                number=numbers[label],
                rows=found_rows(request, one, page.object_list if page else found[label]),
                url=f"?{urlencode({'q': words, 'in': label})}",
            )
            for label, one in admins.items()
            if numbers.get(label)
        ]
        context = self.each_context(request) | {
            "title": _("Search"),
            "searched_words": words,
            "groups": groups,
            "page": page,
        }
        return TemplateResponse(request, "admin/search.html", context)

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

    def quick_actions(self, request: HttpRequest) -> Iterator[tuple[str, str]]:
        # What people begin most often, with its address.
        for model_admin in self.viewable(request):
            title = getattr(model_admin, "quick_action", "")
            if title and model_admin.has_add_permission(request):
                yield str(title), admin_url(model_admin, "add")

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


def found_rows(request: HttpRequest, model_admin: Any, found: Any) -> list[FoundRow]:
    # In the order of the list, with what the person knows of each; two queries or a few.
    order = model_admin.opts.ordering or ()
    if isinstance(found, QuerySet) and not found.query.is_sliced:
        found = found.order_by(*order)[:FOUND_FIRST]
    keys = [row.pk for row in found]
    rows = model_admin.get_queryset(request).filter(pk__in=keys).order_by(*order)
    loaded = model_admin.get_list_select_related(request)
    return [
        FoundRow(str(row), admin_url(model_admin, "change", quote(row.pk)))
        for row in (rows.select_related(*loaded) if loaded else rows)
    ]


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


def admin_url(model_admin: ModelAdmin, page: str, *arguments: Any) -> str:
    options = model_admin.model._meta
    name = f"admin:{options.app_label}_{options.model_name}_{page}"
    return reverse(name, args=arguments)
