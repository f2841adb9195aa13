"""Holes, each made on purpose: what somebody may one day forget, and which cells must find it."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.urls import clear_url_caches, path

import config.admin
import config.urls
from clusters.admin import base
from clusters.admin.tables import TablesAdmin
from clusters.models import Cluster, Organisation, Programme, Role, TeamMember, unions
from clusters.models.clusters import ClusterQuerySet
from clusters.people import policy
from clusters.people.policy import ADD, CHANGE, DELETE, PUBLISH, RESTORE, VIEW, Grant
from clusters.people.signing_in import PortalBackend
from config.rights import GRANTS
from tests.permissions import cells
from tests.permissions.cells import Asked, Cell
from tests.permissions.rights import Rights
from tests.permissions.world import World

Patch = pytest.MonkeyPatch
Slice = Callable[[World], Iterable[Asked]]


@dataclass(frozen=True)
class Hole:
    name: str
    make: Callable[[Patch, World], None]
    found_by: Slice


def of(
    label: str, identity: str, page: str, method: str = "GET", state: str | None = None
) -> Slice:
    def chosen(world: World) -> Iterator[Cell]:
        for cell in cells.model_cells(world, label, [identity]):
            is_asked = cell.name == f"{label} {page}" and cell.method == method
            if is_asked and state in (None, cell.state):
                yield cell

    return chosen


def rights(label: str, identity: str) -> Slice:
    return lambda world: [Rights(label, identity)]


def dashboard(identity: str) -> Slice:
    return lambda world: [
        cell
        for cell in cells.dashboard_cells([identity])
        if cell.name == "index" and cell.method == "GET"
    ]


def pages(name: str, *identities: str) -> Slice:
    return lambda world: cells.page_cells(world, [name], identities)


def tables(identity: str, name: str) -> Slice:
    return lambda world: [cell for cell in cells.table_cells([identity]) if cell.name == name]


def suggestions(identity: str, target: str) -> Slice:
    return lambda world: [
        cell for cell in cells.autocomplete_cells([identity]) if cell.state == target
    ]


HOLES: list[Hole] = []


def hole(found_by: Slice) -> Callable[[Callable[[Patch, World], None]], None]:
    def add(make: Callable[[Patch, World], None]) -> None:
        HOLES.append(Hole(make.__name__, make, found_by))

    return add


def granted(role: str, label: str, *grants: Grant) -> Callable[[Patch, World], None]:
    """One more right for a role."""

    def make(patch: Patch, world: World) -> None:
        model = apps.get_model(label)
        given = dict(GRANTS[role])
        given[model] = (*given.get(model, ()), *grants)
        patch.setitem(GRANTS, role, given)

    return make


def too_much(name: str, role: str, label: str, grant: Grant, found_by: Slice) -> None:
    HOLES.append(Hole(name, granted(role, label, grant), found_by))


def also(*verbs: str, scope: policy.Scope | None = None, fields: Any = frozenset()) -> Grant:
    return Grant(frozenset(verbs), scope, fields)


OWN = policy.managed("pk")
CLUSTER, ORGANISATION = "clusters.cluster", "clusters.organisation"
ANNOUNCEMENT, LABEL = "news.announcement", "labels.label"

too_much("team sees every cluster", Role.TEAM, CLUSTER, also(VIEW), of(CLUSTER, "owner", "list"))
too_much(
    "team publishes", Role.TEAM, CLUSTER, also(PUBLISH, scope=OWN),
    of(CLUSTER, "owner", "list", "POST", "publish"),
)  # fmt: skip
too_much(
    "team restores", Role.TEAM, CLUSTER, also(RESTORE, scope=OWN),
    of(CLUSTER, "owner", "simple_history", "POST", "own"),
)  # fmt: skip
too_much(
    "team writes the name", Role.TEAM, CLUSTER,
    also(CHANGE, scope=OWN, fields=frozenset({"name"})),
    of(CLUSTER, "owner", "change", "POST", "own"),
)  # fmt: skip
too_much(
    "team writes former names on the cluster's screen", Role.TEAM, "clusters.clustername",
    also(ADD, CHANGE, scope=policy.managed("cluster"), fields=None),
    of(CLUSTER, "owner", "change", "POST", "own"),
)  # fmt: skip
too_much(
    "team says when its draft is published", Role.TEAM, ANNOUNCEMENT,
    also(CHANGE, scope=policy.in_teams("written_by"), fields=frozenset({"published_at"})),
    of(ANNOUNCEMENT, "owner", "change", "POST", "draft"),
)  # fmt: skip
too_much(
    "team changes what it submitted", Role.TEAM, ANNOUNCEMENT,
    also(CHANGE, scope=policy.in_teams("written_by")),
    of(ANNOUNCEMENT, "owner", "change", "POST", "review"),
)  # fmt: skip
too_much(
    "team sees unpublished labels", Role.TEAM, LABEL, also(VIEW, scope=policy.managed("cluster")),
    of(LABEL, "owner", "list"),
)  # fmt: skip
too_much(
    "team sees managers that are not published", Role.TEAM, "clusters.management",
    also(VIEW, scope=policy.managed("cluster")), rights("clusters.management", "owner"),
)  # fmt: skip
too_much(
    "editor of a team removes its owner", Role.TEAM, "clusters.teammember",
    also(DELETE, scope=policy.in_teams("organisation")),
    rights("clusters.teammember", "editor"),
)  # fmt: skip
too_much(
    "owner sees invitations to others", Role.TEAM, "clusters.invitation", also(VIEW),
    of("clusters.invitation", "owner", "list"),
)  # fmt: skip
too_much(
    "expert sees the pool", Role.EXPERT, "labels.expert", also(VIEW),
    of("labels.expert", "expert", "list"),
)  # fmt: skip
too_much(
    "policy maker sees programmes without a mandate", Role.POLICY_MAKER, "clusters.programme",
    also(VIEW), rights("clusters.programme", "policyother"),
)  # fmt: skip
too_much(
    "policy maker changes the programme", Role.POLICY_MAKER, "clusters.programme",
    also(CHANGE, scope=policy.mandated("pk"), fields=None),
    of("clusters.programme", "policymaker", "change", "POST", "mine"),
)  # fmt: skip
too_much(
    "auditor writes", Role.AUDITOR, "labels.statement", also(CHANGE, fields=None),
    rights("labels.statement", "auditor"),
)  # fmt: skip
too_much(
    "editor of the secretariat adds levels", Role.EDITOR, "labels.level", also(ADD),
    of("labels.level", "secretariat", "add"),
)  # fmt: skip
too_much(
    "editor of the secretariat reads accounts", Role.EDITOR, "clusters.account", also(VIEW),
    rights("clusters.account", "secretariat"),
)  # fmt: skip
too_much(
    "editor of the secretariat reads the log", Role.EDITOR, "clusters.event", also(VIEW),
    rights("clusters.event", "secretariat"),
)  # fmt: skip
too_much(
    "lead changes a lead", Role.LEAD, "clusters.account",
    also(VIEW, CHANGE, fields=frozenset({"is_active", "language", "groups"})),
    of("clusters.account", "lead", "change", "POST", "otherlead"),
)  # fmt: skip


@hole(of(CLUSTER, "owner", "list"))
def lists_without_a_scope(patch: Patch, world: World) -> None:
    patch.setattr(base.Scoped, "get_queryset", unscoped)


def unscoped(self: Any, request: HttpRequest) -> Any:
    return super(base.Scoped, self).get_queryset(request)


@hole(of(CLUSTER, "owner", "change", "GET", "own"))
def parts_without_a_scope(patch: Patch, world: World) -> None:
    patch.setattr(base.ScopedPart, "get_queryset", unscoped, raising=False)


@hole(cells.forged_cells)
def forms_take_rows_out_of_sight(patch: Patch, world: World) -> None:
    patch.setattr(
        base.Scoped, "visible", lambda self, request, related: related._default_manager.all()
    )


@hole(suggestions("owner", CLUSTER))
def suggestions_without_a_scope(patch: Patch, world: World) -> None:
    def everything(self: Any) -> Any:
        return self.model_admin.model._default_manager.order_by("pk")

    patch.setattr(AutocompleteJsonView, "get_queryset", everything)


@hole(tables("policymaker", f"{CLUSTER} export"))
def tables_of_rows_out_of_sight(patch: Patch, world: World) -> None:
    patch.setattr(TablesAdmin, "get_export_queryset", lambda self, request: Cluster.objects.all())


@hole(tables("policymaker", f"{CLUSTER} import"))
def tables_in_for_all_who_take_them_out(patch: Patch, world: World) -> None:
    patch.setattr(TablesAdmin, "has_import_permission", TablesAdmin.has_download_permission)


@hole(of(CLUSTER, "owner", "history", "GET", "other"))
def history_of_rows_out_of_sight(patch: Patch, world: World) -> None:
    patch.setattr(base.ScopedAdmin, "hide_from_strangers", lambda *_arguments: None)


@hole(of(CLUSTER, "owner", "simple_history", "GET", "own"))
def old_versions_without_the_right_to_restore(patch: Patch, world: World) -> None:
    asked = base.Scoped.allows

    def allows(self: Any, request: HttpRequest, verb: str, obj: Any) -> bool:
        return asked(self, request, VIEW if verb == RESTORE else verb, obj)

    patch.setattr(base.Scoped, "allows", allows)


@hole(dashboard("owner"))
def dashboard_counts_everything(patch: Patch, world: World) -> None:
    counted = unions.count_query
    patch.setattr(
        config.admin,
        "count_query",
        lambda number, rows: counted(number, rows.model._default_manager.all()),
    )


@hole(dashboard("owner"))
def dashboard_tells_every_change(patch: Patch, world: World) -> None:
    told = config.admin.history_query
    patch.setattr(
        config.admin,
        "history_query",
        lambda number, history: told(number, history.model._default_manager.all()),
    )


@hole(rights(CLUSTER, "former"))
def management_of_yesterday(patch: Patch, world: World) -> None:
    patch.setattr(
        ClusterQuerySet,
        "managed_on",
        lambda self, day, organisations: self.filter(managements__organisation__in=organisations),
    )


@hole(of(ANNOUNCEMENT, "owner", "list"))
def drafts_of_another_team(patch: Patch, world: World) -> None:
    patch.setattr(policy, "teams_of", lambda account: Organisation.objects.values("pk"))


@hole(rights("clusters.teammember", "editor"))
def every_member_owns(patch: Patch, world: World) -> None:
    patch.setattr(policy, "owned_by", policy.teams_of)


@hole(of("clusters.programme", "secretariat", "list", "POST", "delete_selected"))
def published_rows_are_deleted_in_bulk(patch: Patch, world: World) -> None:
    patch.setattr(site._registry[Programme], "actions", ("delete_selected",))
    patch.setattr(
        base.PublishedAdmin, "has_delete_permission", base.ScopedAdmin.has_delete_permission
    )


@hole(of(ANNOUNCEMENT, "secretariat", "delete", "POST", "public"))
def published_rows_are_deleted(patch: Patch, world: World) -> None:
    patch.setattr(
        base.PublishedAdmin, "has_delete_permission", base.ScopedAdmin.has_delete_permission
    )


@hole(of("news.announcementtext", "secretariat", "add"))
def parts_are_added_alone(patch: Patch, world: World) -> None:
    patch.setattr(base.PartAdmin, "never", ())


@hole(of(CLUSTER, "owner", "change", "GET", "other"))
def forbidden_instead_of_absent(patch: Patch, world: World) -> None:
    def refuse(self: Any, request: HttpRequest, object_id: str | None = None) -> None:
        if object_id and self.get_object(request, object_id) is None:
            raise PermissionDenied

    patch.setattr(base.ScopedAdmin, "hide_from_strangers", refuse)


@hole(of(CLUSTER, "owner", "change", "GET", "other"))
def absent_in_other_words(patch: Patch, world: World) -> None:
    shown = base.ScopedAdmin.changeform_view

    def view(self: Any, request: HttpRequest, object_id: str, *rest: Any) -> HttpResponse:
        if Cluster.objects.filter(pk=object_id if object_id.isdigit() else 0).exists():
            return HttpResponseNotFound("Not yours.")
        return shown(self, request, object_id, *rest)

    patch.setattr(base.ScopedAdmin, "changeform_view", view)


@hole(dashboard("disabled"))
def disabled_accounts_go_on(patch: Patch, world: World) -> None:
    patch.setattr(PortalBackend, "user_can_authenticate", lambda self, account: True)
    patch.setattr(policy, "roles_of", lambda person: frozenset({Role.LEAD.value}))


@hole(cells.ended_cells)
def roles_remembered_beyond_the_request(patch: Patch, world: World) -> None:
    known: dict[Any, frozenset[str]] = {}
    asked = policy.roles_of

    def remembered(person: policy.Person) -> frozenset[str]:
        return known.setdefault(person.pk, asked(person))

    patch.setattr(policy, "roles_of", remembered)


@hole(lambda world: list(cells.enrolment_cells(world))[:3])
def second_factor_is_not_asked(patch: Patch, world: World) -> None:
    patch.setattr(config.admin, "needs_second_factor", lambda person: False)


@hole(pages("clusters:detail", "anonymous"))
def hidden_clusters_have_a_page(patch: Patch, world: World) -> None:
    patch.setattr(ClusterQuerySet, "published", lambda self: self.all())


def routed(patch: Patch, route: str, view: Any) -> None:
    """One address answered by another view."""
    urls = ModuleType("tests.permissions.holed_urls")
    urls.urlpatterns = [path(route, view), *config.urls.urlpatterns]  # type: ignore[attr-defined]
    patch.setitem(sys.modules, urls.__name__, urls)
    patch.setattr("django.conf.settings.ROOT_URLCONF", urls.__name__)
    clear_url_caches()


@hole(cells.site_cells)
def ways_to_the_page_of_any_row(patch: Patch, world: World) -> None:
    view = site.admin_view(shortcut)
    routed(patch, "admin/r/<path:content_type_id>/<path:object_id>/", view)


@hole(pages("clusters:account", "anonymous"))
def one_s_own_page_without_signing_in(patch: Patch, world: World) -> None:
    routed(patch, "en/account/", lambda request: HttpResponse("Your account"))


@hole(pages("clusters:account_leave_team", "owner"))
def a_button_that_works_as_a_link(patch: Patch, world: World) -> None:
    def leave(request: HttpRequest, slug: str) -> HttpResponse:
        TeamMember.objects.filter(account=request.user.pk).delete()
        return HttpResponse()

    routed(patch, "en/account/teams/<slug:slug>/leave/", leave)


@hole(pages("about", "anonymous", "owner"))
def public_pages_greet(patch: Patch, world: World) -> None:
    routed(patch, "en/about/", lambda request: HttpResponse(f"Hello, {request.user}"))


@hole(pages("about", "anonymous"))
def reading_writes(patch: Patch, world: World) -> None:
    def counting(request: HttpRequest) -> HttpResponse:
        Organisation.objects.update(town="Read")
        return HttpResponse()

    routed(patch, "en/about/", counting)
