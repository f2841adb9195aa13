"""The admin of decisions on labels: read, and approved or refused on pages of their own."""

from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminErrorList, AdminForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import Concern, PortalAdmin, ReadOnly
from clusters.admin.versions import EMPTY, moment_in_words
from clusters.models import Account
from clusters.people import policy
from clusters.templatetags.clusters_tags import day_in_words
from labels.admin.forms import Approval, Refusal, attempt
from labels.models import STATE_NAMES, Decision, DecisionState, Label
from labels.validity import State
from labels.words import end_in_short, start_in_short

APPROVE, REFUSE, TAKE_BACK = "approve", "refuse", "take back"


def may_decide(request: HttpRequest, decision: Decision) -> set[str]:
    # What the person may do with a decision that waits; who proposed it takes it back.
    is_own = decision.proposed_by_id == request.user.pk
    day = timezone.localdate()
    decides = policy.may_on_row(request.user, policy.DECIDE, decision, day)
    may = {TAKE_BACK} if is_own else {REFUSE} if decides else set()
    return may | ({APPROVE} if decides and not (is_own and decision.needs_two) else set())


def report_outcome(request: HttpRequest, decision: Decision) -> None:
    # A message of what became of a step, with a link to the decision.
    words = {
        DecisionState.PROPOSED: _(
            "Proposed. Somebody else has to approve it before it takes effect:"
        ),
        DecisionState.MADE: _("Decided:"),
        DecisionState.REFUSED: _("Nothing comes of it:"),
    }
    address = reverse("admin:labels_decision_change", args=[decision.pk])
    name = capfirst(str(decision))
    said = words[DecisionState(decision.state)]
    messages.success(request, format_html('{} <a href="{}">{}</a>', said, address, name))


def step_page(
    model_admin: Any,
    request: HttpRequest,
    label: Label,
    form: Any,
    title: "str | Promise",
    explained: "str | Promise",
    refusal: "str | Promise",
    *,
    button: "str | Promise | None" = None,
    decision: Decision | None = None,
) -> HttpResponse:
    # The facts, and the form of a step; in place of the form the words why there is none.
    shown = AdminForm(form, [(None, {"fields": list(form.fields)})], {})
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "button": button or title,
        "subtitle": str(label),
        "opts": Label._meta,
        "label": label,
        "facts": [*facts_of_proposal(label, decision)],
        "explained": explained,
        "refusal": refusal,
        "form": form,
        "adminform": shown,
        "inline_admin_formsets": [],
        "errors": AdminErrorList(form, []),
        "media": model_admin.media + form.media,
        "back": reverse("admin:labels_label_change", args=[label.pk]),
    }
    return TemplateResponse(request, "admin/labels/step.html", context)


def facts_of_proposal(label: Label, decision: Decision | None) -> Iterator[tuple[str, Any]]:
    # Names and values, of a label and of what somebody proposed about it.
    found: list[tuple[Any, Any]] = []
    if decision:
        found += [
            (_("decision"), decision.get_kind_display()),
            (_("takes effect on"), day_in_words(decision.takes_effect_on)),
            (_("reason"), decision.reason),
            (_("proposed by"), decision.proposed_by),
        ]
    state = getattr(label, "state", None)
    found += [
        (_("cluster"), label.cluster),
        (_("managing organisation at the time"), label.managing_organisation),
        (_("level"), label.level),
        (_("public id"), label.public_id),
        (_("certificate number"), label.certificate_number),
    ]
    if decision is None:
        found.append((_("state today"), STATE_NAMES[State(state)] if state else None))
    found += [
        (_("valid from"), start_in_short(label)),
        (_("valid until"), end_in_short(label)),
        (_("renewable until"), label.renewable_until and day_in_words(label.renewable_until)),
        (_("published score"), label.score),
        (_("first benchmarking"), label.benchmarked_on),
        (_("areas of improvement"), label.areas_of_improvement),
        (_("source"), label.source),
    ]
    for name, value in found:
        if value not in (None, ""):
            yield capfirst(str(name)), value


@admin.register(Decision)
class DecisionAdmin(ReadOnly, PortalAdmin):
    list_display = ("name", "state", "effect", "proposed_by", "proposed")
    list_filter = ("state", "kind")
    search_fields = ("label__cluster__name", "label__public_id", "reason", "answer")
    search_help_text = _("Cluster, public id of the label, reason or answer.")
    date_hierarchy = "takes_effect_on"
    change_form_template = "admin/labels/decision_change_form.html"
    fieldsets = (
        (None, {"fields": ("label_link", "kind", "state", "effect", "new_end", "reason")}),
        (_("Managing organisation"), {"fields": ("organisation_before", "organisation_after")}),
        (
            _("Who decided"),
            {"fields": ("proposed_by", "proposed", "decided_by", "decided", "answer")},
        ),
    )
    readonly_fields = ("label_link", "effect", "new_end", "proposed", "decided")
    save_on_top = False
    concerns: ClassVar = {
        "waiting": Concern(_("Decisions waiting"), lambda rows, day: rows.waiting())
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        found: Any = super().get_queryset(request)
        decisions: QuerySet[Decision] = found.with_label().select_related("proposed_by")
        return decisions

    @admin.display(description=_("decision"))
    def name(self, obj: Decision) -> str:
        return str(capfirst(str(obj)))

    @admin.display(description=_("takes effect on"), ordering="takes_effect_on")
    def effect(self, obj: Decision) -> str:
        return day_in_words(obj.takes_effect_on)

    @admin.display(description=_("new end"))
    def new_end(self, obj: Decision) -> str:
        return day_in_words(obj.ends_on) if obj.ends_on else EMPTY

    @admin.display(description=_("proposed at"), ordering="proposed_at")
    def proposed(self, obj: Decision) -> str:
        return moment_in_words(obj.proposed_at)

    @admin.display(description=_("decided at"))
    def decided(self, obj: Decision) -> str:
        return moment_in_words(obj.decided_at) if obj.decided_at else EMPTY

    @admin.display(description=_("label"))
    def label_link(self, obj: Decision) -> str:
        address = reverse("admin:labels_label_change", args=[obj.label_id])
        return format_html('<a href="{}">{}</a>', address, obj.label)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        # Without a group in which nothing stands.
        first, organisation, who = self.fieldsets
        moved = obj is not None and (obj.organisation_before_id or obj.organisation_after_id)
        return (first, organisation, who) if moved else (first, who)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj: Any = kwargs.get("obj")
        is_waiting = obj is not None and obj.state == DecisionState.PROPOSED
        context["waiting"] = obj if is_waiting else None
        context["may"] = may_decide(request, obj) if is_waiting else set()
        return super().render_change_form(request, context, *args, **kwargs)

    # Deciding

    # Its own first: Django’s last pattern takes any text for a key.
    def get_urls(self) -> list[Any]:
        return [
            path(
                "<int:pk>/approve/",
                self.admin_site.admin_view(self.approve_view),
                name="labels_decision_approve",
            ),
            path(
                "<int:pk>/refuse/",
                self.admin_site.admin_view(self.refuse_view),
                name="labels_decision_refuse",
            ),
            *super().get_urls(),
        ]

    def sought(self, request: HttpRequest, pk: int) -> Decision:
        self.hide_from_strangers(request, str(pk))
        decision = self.get_object(request, str(pk))
        assert isinstance(decision, Decision)
        return decision

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        decision = self.sought(request, pk)
        if not self.allows(request, policy.DECIDE, decision):
            raise PermissionDenied
        refusal = self.over(decision)
        if not refusal and decision.needs_two and decision.proposed_by_id == request.user.pk:
            refusal = _("You proposed this: somebody else has to approve it.")
        form = Approval(request.POST if request.method == "POST" else None)
        explained = _("Approved, it takes effect and is public with its reason.")
        return self.decision_page(request, decision, form, _("Approve"), explained, refusal)

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        decision = self.sought(request, pk)
        is_own = decision.proposed_by_id == request.user.pk
        if not is_own and not self.allows(request, policy.DECIDE, decision):
            raise PermissionDenied
        title = _("Take back") if is_own else _("Refuse")
        explained = _("Nothing comes of the proposal. It stays here, with your words.")
        form = Refusal(request.POST if request.method == "POST" else None)
        return self.decision_page(request, decision, form, title, explained, self.over(decision))

    def over(self, decision: Decision) -> "str | Promise":
        if decision.state == DecisionState.PROPOSED:
            return ""
        return _("Somebody has decided this already. Look at it again.")

    def decision_page(
        self,
        request: HttpRequest,
        decision: Decision,
        form: Any,
        title: "str | Promise",
        explained: "str | Promise",
        refusal: "str | Promise",
    ) -> HttpResponse:
        assert isinstance(request.user, Account)
        if request.method == "POST" and not refusal and form.is_valid():
            decide = partial(form.decide, decision, by=request.user, now=timezone.now())
            if done := attempt(form, decide):
                report_outcome(request, done)
                return redirect("admin:labels_label_change", decision.label_id)
        told = "" if refusal else explained
        return step_page(
            self, request, decision.label, form, title, told, refusal, decision=decision
        )
