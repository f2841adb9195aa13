"""The admin of proposals, and of decisions on labels: approved or refused on pages of their own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, AdminErrorList, AdminForm
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import Concern, PortalAdmin, ReadOnly
from clusters.admin.versions import EMPTY, moment_in_words
from clusters.models import Account
from clusters.people import policy
from clusters.people.log import ties
from clusters.templatetags.clusters_tags import day_in_words
from labels.admin.differences import ChangedFact, changes_in_words, rows_of_changes
from labels.admin.forms import Annulment, Approval, Refusal, attempt, to_confirm
from labels.life.proposals import LOOK_AGAIN, AnyProposal, Prospect, approve_together, tried
from labels.life.refusals import why_not_annulled
from labels.models import STATE_NAMES, Decision, DecisionState, Label, Proposal
from labels.validity import State
from labels.words import end_in_short, start_in_short

NOTHING_YET = _("This is what it changes. Nothing has happened yet.")
APPROVE, REFUSE, TAKE_BACK = "approve", "refuse", "take back"


def may_decide(request: HttpRequest, proposal: Proposal) -> set[str]:
    # What the person may do with a proposal that waits; who made it takes it back.
    is_own = proposal.proposed_by_id == request.user.pk
    day = timezone.localdate()
    decides = policy.may_on_row(request.user, policy.DECIDE, proposal, day)
    may = {TAKE_BACK} if is_own else {REFUSE} if decides else set()
    return may | ({APPROVE} if decides and not (is_own and proposal.needs_two) else set())


def page_of(proposal: Proposal, page: str) -> str:
    return reverse(f"admin:labels_{proposal._meta.model_name}_{page}", args=[proposal.pk])


def waiting_context(request: HttpRequest, proposal: Proposal | None) -> dict[str, Any]:
    # What templates/admin/labels/waiting.html shows; nothing without a proposal that waits.
    if proposal is None or proposal.state != DecisionState.PROPOSED:
        return {"waiting": None, "may": set()}
    return {
        "waiting": proposal,
        "may": may_decide(request, proposal),
        "approve_url": page_of(proposal, "approve"),
        "refuse_url": page_of(proposal, "refuse"),
    }


def report_outcome(
    request: HttpRequest, proposal: Proposal, changes: Iterable[ChangedFact] = ()
) -> None:
    # A message of what became of a step, with a link to the proposal. `changes`: of a form that
    # does not show them first.
    words = {
        DecisionState.PROPOSED: _(
            "Proposed. Somebody else has to approve it before it takes effect:"
        ),
        DecisionState.MADE: _("Decided:"),
        DecisionState.REFUSED: _("Nothing comes of it:"),
    }
    address = page_of(proposal, "change")
    name = capfirst(str(proposal))
    said = words[DecisionState(proposal.state)]
    told = format_html_join(
        "", "<br>{}, {}: {} → {}", ((one.label, one.name, one.before, one.after) for one in changes)
    )
    messages.success(request, format_html('{} <a href="{}">{}</a>{}', said, address, name, told))


def take_step(
    model_admin: Any,
    request: HttpRequest,
    label: Label,
    form: Any,
    take: Callable[[], Decision],
    *,
    refusal: "str | Promise",
) -> HttpResponse:
    """The page of a step: asks, then shows what it would do, then does that and nothing else."""
    differences: list[ChangedFact] = []
    if request.method == "POST" and not refusal and form.is_valid():
        seen = request.POST.get("seen", "")
        if decision := attempt(form, partial(taken_as_seen, take, seen)):
            prospect = decision.prospect
            if prospect.digest == seen:
                report_outcome(request, decision)
                return redirect("admin:labels_label_change", label.pk)
            differences = [*rows_of_changes(prospect)]
            if seen:
                messages.warning(request, LOOK_AGAIN)
            form = to_confirm(form, prospect.digest)
    return step_page(
        model_admin,
        request,
        label,
        form,
        form.title,
        "" if refusal else NOTHING_YET if differences else form.explained,
        refusal,
        button=_("Propose") if differences and settings.REQUIRE_TWO_PERSONS else form.button,
        facts=[*facts_of_label(label, None)],
        differences=differences,
    )


def taken_as_seen(take: Callable[[], AnyProposal], seen: str) -> AnyProposal:
    with transaction.atomic():
        proposal = take()
        if proposal.prospect.digest != seen:
            transaction.set_rollback(True)
    return proposal


def step_page(
    model_admin: Any,
    request: HttpRequest,
    subject: Model,
    form: Any,
    title: "str | Promise",
    explained: "str | Promise",
    refusal: "str | Promise",
    *,
    facts: Sequence[tuple[str, Any]],
    button: "str | Promise | None" = None,
    **effects: Any,
) -> HttpResponse:
    # The facts, and the form of a step; in place of the form the words why there is none.
    shown = AdminForm(form, [(None, {"fields": list(form.fields)})], {})
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "button": button or title,
        "subtitle": str(subject),
        "opts": subject._meta,
        "subject": subject,
        "facts": facts,
        "differences": (),
        "warnings": (),
        "re_dated": None,
        **effects,
        "explained": explained,
        "refusal": refusal,
        "form": form,
        "adminform": shown,
        "inline_admin_formsets": [],
        "errors": AdminErrorList(form, []),
        "media": model_admin.media + form.media,
        "back": reverse(
            f"admin:{subject._meta.app_label}_{subject._meta.model_name}_change", args=[subject.pk]
        ),
    }
    return TemplateResponse(request, "admin/labels/step.html", context)


def facts_of_label(label: Label, decision: Decision | None) -> Iterator[tuple[str, Any]]:
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
    yield from facts_known(found)


def facts_known(facts: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    for name, value in facts:
        if value not in (None, ""):
            yield capfirst(str(name)), value


class WhoseFilter(admin.SimpleListFilter):
    title = _("whose")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("for-me", _("waiting for me")), ("mine", _("my proposals"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        found: QuerySet[Any] = queryset
        if self.value() == "for-me":
            rows = policy.allowed_rows(request.user, policy.DECIDE, found, timezone.localdate())
            found = rows.filter(state=DecisionState.PROPOSED)
            return found.exclude(proposed_by=request.user.pk, needs_two=True)
        return found.filter(proposed_by=request.user.pk) if self.value() == "mine" else found


class DecisionStateFilter(admin.SimpleListFilter):
    """What was refused is out of the list until somebody asks for it."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*DecisionState.choices, ("all", _("all, also refused"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in DecisionState.values:
            return queryset.filter(state=self.value())
        whose = request.GET.get("whose") == "mine"
        return (
            queryset
            if self.value() == "all" or whose
            else queryset.exclude(state=DecisionState.REFUSED)
        )


class ProposalAdmin(ReadOnly, PortalAdmin):
    """Read; approved, refused and taken back on pages of their own."""

    list_filter: ClassVar[Any] = (WhoseFilter, DecisionStateFilter)
    change_form_template = "admin/labels/proposal_change_form.html"
    who: Any = (
        _("Who decided"),
        {"fields": ("proposed_by", "proposed", "decided_by", "decided", "answer")},
    )
    readonly_fields: ClassVar[Any] = ("proposed", "decided")
    save_on_top = False
    approval: type[Approval]

    @admin.display(description=_("decision"))
    def name(self, obj: Proposal) -> str:
        return str(capfirst(str(obj)))

    @admin.display(description=_("proposed at"), ordering="proposed_at")
    def proposed(self, obj: Proposal) -> str:
        return moment_in_words(obj.proposed_at)

    @admin.display(description=_("decided at"))
    def decided(self, obj: Proposal) -> str:
        return moment_in_words(obj.decided_at) if obj.decided_at else EMPTY

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= waiting_context(request, kwargs.get("obj"))
        return super().render_change_form(request, context, *args, **kwargs)

    # What it is about, and what it would do

    def subject(self, proposal: Any) -> Model:
        raise NotImplementedError

    def facts(self, proposal: Any) -> Iterator[tuple[str, Any]]:
        raise NotImplementedError

    def tried(self, proposal: Any, now: datetime) -> Any:
        raise NotImplementedError

    def effects(self, proposal: Any, prospect: Any, person: Any) -> dict[str, Any]:
        raise NotImplementedError

    # Deciding

    # Its own first: Django’s last pattern takes any text for a key.
    def get_urls(self) -> list[Any]:
        name = f"labels_{self.opts.model_name}"
        return [
            path(
                "<int:pk>/approve/",
                self.admin_site.admin_view(self.approve_view),
                name=f"{name}_approve",
            ),
            path(
                "<int:pk>/refuse/",
                self.admin_site.admin_view(self.refuse_view),
                name=f"{name}_refuse",
            ),
            *super().get_urls(),
        ]

    def sought(self, request: HttpRequest, pk: int) -> Any:
        self.hide_from_strangers(request, str(pk))
        return self.get_object(request, str(pk))

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        proposal = self.sought(request, pk)
        if not self.allows(request, policy.DECIDE, proposal):
            raise PermissionDenied
        refusal = self.over(proposal)
        if not refusal and proposal.needs_two and proposal.proposed_by_id == request.user.pk:
            refusal = _("You proposed this: somebody else has to approve it.")
        prospect = None
        if not refusal:
            try:
                prospect = self.tried(proposal, timezone.now())
            except ValidationError as error:
                refusal = " ".join(error.messages)
        seen = {"seen": prospect.digest} if prospect else {}
        form = self.approval(request.POST if request.method == "POST" else None, initial=seen)
        return self.decision_page(request, proposal, form, _("Approve"), refusal, prospect)

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        proposal = self.sought(request, pk)
        is_own = proposal.proposed_by_id == request.user.pk
        if not is_own and not self.allows(request, policy.DECIDE, proposal):
            raise PermissionDenied
        form = Refusal(request.POST if request.method == "POST" else None)
        title = _("Take back") if is_own else _("Refuse")
        return self.decision_page(request, proposal, form, title, self.over(proposal))

    def over(self, proposal: Proposal) -> "str | Promise":
        if proposal.state == DecisionState.PROPOSED:
            return ""
        return _("Somebody has decided this already. Look at it again.")

    def decision_page(
        self,
        request: HttpRequest,
        proposal: Any,
        form: Any,
        title: "str | Promise",
        refusal: "str | Promise",
        prospect: Any = None,
    ) -> HttpResponse:
        assert isinstance(request.user, Account)
        subject = self.subject(proposal)
        if request.method == "POST" and not refusal and form.is_valid():
            decide = partial(form.decide, proposal, by=request.user, now=timezone.now())
            if done := attempt(form, decide):
                report_outcome(request, done)
                return redirect(f"admin:labels_{subject._meta.model_name}_change", subject.pk)
            if prospect:
                # What is shown now is what may be approved with the next look.
                form.data = form.data | {"seen": [prospect.digest]}
        return step_page(
            self,
            request,
            subject,
            form,
            title,
            "" if refusal else form.explained,
            refusal,
            facts=[*self.facts(proposal)],
            **(self.effects(proposal, prospect, request.user) if prospect else {}),
        )


@admin.register(Decision)
class DecisionAdmin(ProposalAdmin):
    list_display = ("name", "state", "effect", "proposed_by", "proposed")
    list_filter = (*ProposalAdmin.list_filter, "kind")
    actions = ("approve_selected",)
    search_fields = ("label__cluster__name", "label__public_id", "reason", "answer")
    search_help_text = _("Cluster, public id of the label, reason or answer.")
    date_hierarchy = "takes_effect_on"
    change_form_template = "admin/labels/decision_change_form.html"
    fieldsets = (
        (
            None,
            {"fields": ("label_link", "kind", "state", "effect", "new_end", "changed", "reason")},
        ),
        (_("Managing organisation"), {"fields": ("organisation_before", "organisation_after")}),
        ProposalAdmin.who,
    )
    readonly_fields = (
        *("label_link", "effect", "new_end", "changed"),
        *ProposalAdmin.readonly_fields,
    )
    approval = Approval
    concerns: ClassVar = {
        "waiting": Concern(_("Decisions waiting"), lambda rows, day: rows.waiting())
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        found: Any = super().get_queryset(request)
        decisions: QuerySet[Decision] = found.with_label().select_related("proposed_by")
        return decisions

    @admin.display(description=_("takes effect on"), ordering="takes_effect_on")
    def effect(self, obj: Decision) -> str:
        return day_in_words(obj.takes_effect_on)

    @admin.display(description=_("new end"))
    def new_end(self, obj: Decision) -> str:
        return day_in_words(obj.ends_on) if obj.ends_on else EMPTY

    @admin.display(description=_("changes"))
    def changed(self, obj: Decision) -> str:
        rows = ((row.name, row.before, row.after) for row in changes_in_words(obj))
        return format_html_join("", "<p>{}: {} → {}</p>", rows) or EMPTY

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
        context["may_annul"] = (
            obj is not None
            and self.allows(request, policy.DECIDE, obj)
            and not why_not_annulled(obj, timezone.localdate())
        )
        return super().render_change_form(request, context, *args, **kwargs)

    # Deciding

    def subject(self, proposal: Decision) -> Label:
        return proposal.label

    def facts(self, proposal: Decision) -> Iterator[tuple[str, Any]]:
        return facts_of_label(proposal.label, proposal)

    def tried(self, proposal: Decision, now: datetime) -> Prospect:
        return tried(proposal, now=now)

    def effects(self, proposal: Decision, prospect: Prospect, person: Any) -> dict[str, Any]:
        return {
            "differences": [*rows_of_changes(prospect)],
            "warnings": warnings(proposal, prospect, person),
        }

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.annul_view)
        annul = path("<int:pk>/annul/", view, name="labels_decision_annul")
        return [annul, *super().get_urls()]

    def annul_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        decision = self.sought(request, pk)
        if not self.allows(request, policy.DECIDE, decision):
            raise PermissionDenied
        form: Any = Annulment(request.POST if request.method == "POST" else None)
        now = timezone.now()
        take = partial(form.take, decision, by=request.user, now=now)
        refusal = why_not_annulled(decision, timezone.localdate(now))
        return take_step(self, request, decision.label, form, take, refusal=refusal)

    # Several at once

    @admin.action(description=_("Approve the selected proposals"), permissions=["decide"])
    def approve_selected(
        self, request: HttpRequest, queryset: QuerySet[Decision]
    ) -> HttpResponse | None:
        """One list of what all of them change; then all of them, as they were seen, or none."""
        assert isinstance(request.user, Account)
        by, now = request.user, timezone.now()
        day = timezone.localdate(now)
        found: Any = policy.allowed_rows(by, policy.DECIDE, queryset, day)
        proposals = [*found.waiting().exclude(proposed_by=by, needs_two=True).order_by("pk")]
        if not proposals:
            told = _("None of the selected proposals waits for you.")
            self.message_user(request, told, messages.WARNING)
            return None
        if "seen" in request.POST:
            seen = dict(pair.split(":", 1) for pair in request.POST.getlist("seen"))
            looked_at = [(one, seen[str(one.pk)]) for one in proposals if str(one.pk) in seen]
            try:
                made = approve_together(looked_at, by=by, now=now)
            except ValidationError as error:
                self.message_user(request, " ".join(error.messages), messages.ERROR)
            else:
                text = ngettext(
                    "%(number)d decision was made.", "%(number)d decisions were made.", len(made)
                )
                self.message_user(request, text % {"number": len(made)}, messages.SUCCESS)
                return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Approve several proposals"),
            "opts": self.opts,
            "proposals": [*self.looked_at(request, proposals, now)],
            "selected": ACTION_CHECKBOX_NAME,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/labels/approve_several.html", context)

    def looked_at(
        self, request: HttpRequest, proposals: Sequence[Decision], now: datetime
    ) -> Iterator[dict[str, Any]]:
        for decision in proposals:
            try:
                prospect = tried(decision, now=now)
            except ValidationError as error:
                yield {"decision": decision, "refusal": " ".join(error.messages)}
            else:
                yield {
                    "decision": decision,
                    "differences": [*rows_of_changes(prospect)],
                    "warnings": warnings(decision, prospect, request.user),
                    "seen": f"{decision.pk}:{prospect.digest}",
                }

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, policy.DECIDE, None)


def warnings(decision: Decision, prospect: Prospect, person: Any) -> "list[str | Promise]":
    # What who decides should know beside the facts.
    found: list[str | Promise] = []
    if prospect.is_beyond_the_rule and prospect.latest_end_by_rule:
        latest = day_in_words(prospect.latest_end_by_rule)
        found.append(
            gettext("The end lies beyond what the rule allows at most: %(day)s.") % {"day": latest}
        )
    return [*found, *tie_warnings(decision, person)]


def tie_warnings(proposal: Proposal, person: Any) -> list[str]:
    # Two accounts are not always two persons.
    proposer = proposal.proposed_by
    return [] if proposer in (None, person) else [*map(str, ties(proposer, person))]
