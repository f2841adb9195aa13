"""The outbox: what waits, what left, what failed; what a mail says is shown to nobody."""

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clusters.admin.base import AttentionFilter, Concern, ReadOnly, ScopedAdmin
from clusters.admin.lists import CountedFilter
from clusters.admin.versions import EMPTY
from clusters.mail.outbox import send_again
from clusters.models import Mail
from clusters.people import policy


class MailKindFilter(CountedFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        named = [(kind, str(name)) for kind, (name, _lifetime) in settings.MAIL_KINDS.items()]
        return sorted(named, key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        return queryset.filter(kind=self.value()) if self.value() else queryset

    def count_choices(self, rows: QuerySet[Mail]) -> dict[str, int]:
        return dict(rows.values_list("kind").annotate(Count("pk")))


@admin.register(Mail)
class MailAdmin(ReadOnly, ScopedAdmin):
    list_display = ("kind_name", "to", "state", "created_at", "attempts", "tried_at", "error")
    list_filter = (AttentionFilter, "state", MailKindFilter)
    list_per_page = 50
    search_fields = ("to",)
    search_help_text = _("Address.")
    date_hierarchy = "created_at"
    empty_value_display = EMPTY
    # Not what it says: links to sign in and to accept invitations are in there.
    fields = (
        "kind_name",
        "to",
        "state",
        "created_at",
        "attempts",
        "tried_at",
        "next_try_at",
        "expires_at",
        "sent_at",
        "error",
    )
    readonly_fields = ("kind_name",)
    actions = ("send_again",)
    concerns: ClassVar = {
        "failed": Concern(
            _("Mails of the last 7 days that failed"),
            lambda rows, day: rows.failed_since(timezone.now() - timedelta(days=7)),
        ),
        "late": Concern(
            _("Mails waiting for more than 10 minutes"), lambda rows, day: rows.late(timezone.now())
        ),
    }

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, policy.DECIDE, None)

    @admin.display(description=_("kind"), ordering="kind")
    def kind_name(self, obj: Mail) -> str:
        return str(obj.kind_name)

    @admin.action(description=_("Send the selected mails again"), permissions=["decide"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        day = timezone.localdate()
        keys = policy.allowed_rows(request.user, policy.DECIDE, queryset, day).values("pk")
        chosen = queryset.count()
        again = send_again(Mail.objects.filter(pk__in=keys), timezone.now())
        for mail in again:
            self.log_change(request, mail, [{"changed": {"fields": [str(_("state"))]}}])
        if again:
            text = ngettext(
                "%(number)d mail will be sent again.",
                "%(number)d mails will be sent again.",
                len(again),
            )
            self.message_user(request, text % {"number": len(again)}, messages.SUCCESS)
        others = chosen - len(again)
        if others:
            text = ngettext(
                "%(number)d mail is not sent again: it did not fail, or is too old to be of use.",
                "%(number)d mails are not sent again: they did not fail, or are too old to be of"
                " use.",
                others,
            )
            self.message_user(request, text % {"number": others}, messages.WARNING)
