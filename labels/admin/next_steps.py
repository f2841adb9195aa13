"""Beside each label that ends soon, what to do next, or why nothing can be done."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import PortalAdmin
from labels.admin.forms import Renewal
from labels.life.refusals import Situation, first_words, refusals
from labels.models import Decision, Label

ENDING = ("ending", "closing")


class NextStepAdmin(PortalAdmin):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        labels: Any = super().get_queryset(request)
        if tells_next_steps(request):
            waiting = Decision.objects.waiting().filter(label=OuterRef("pk"))
            renewals = Label.objects.filter(renews=OuterRef("pk"), is_published=True)
            labels = labels.with_succession().annotate(
                has_decision_waiting=Exists(waiting), has_renewal=Exists(renewals)
            )
        found: QuerySet[Any] = labels
        return found

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = super().get_list_display(request)
        if tells_next_steps(request):
            may_renew = self.allows(request, Renewal.verb, None)
            columns.append(next_step_column(timezone.localdate(), may_renew))
        return columns


def tells_next_steps(request: HttpRequest) -> bool:
    return request.GET.get("attention") in ENDING


def next_step_column(day: date, may_renew: bool) -> Callable[[Label], str]:
    @admin.display(description=_("next step"))
    def next_step(label: Any) -> str:
        situation = Situation(label, day)
        # As the list has loaded them, for all its rows at once.
        vars(situation).update(
            stored=label, is_renewed=label.has_renewal, is_waiting=label.has_decision_waiting
        )
        reason = first_words(refusals(situation, Renewal.kind))
        if reason or not may_renew:
            return reason or gettext("It may be renewed.")
        address = reverse("admin:labels_label_renew", args=[label.pk])
        return format_html('<a href="{}">{}</a>', address, Renewal.title)

    return next_step
