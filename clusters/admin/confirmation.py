"""The one way by which a team sets the day of confirmation: an action and a button."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clusters.admin.base import PublishedAdmin
from clusters.people import policy
from clusters.people.access import signed_in_account
from clusters.people.confirmation import confirm_profiles


class ConfirmableAdmin(PublishedAdmin):
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
        if "_confirm" not in request.POST:
            return super().response_change(request, obj)
        if not self.has_confirm_permission(request, obj):
            raise PermissionDenied
        self.confirm_rows(request, [obj])
        return self.response_post_save_change(request, obj)
