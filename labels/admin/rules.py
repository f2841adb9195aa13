"""The admin of levels, whose rules change by a proposal, and of these proposals."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import Concern, PartAdmin, PartFormSet, PortalAdmin, StackedPart
from clusters.admin.versions import EMPTY
from clusters.models import Account
from clusters.people import policy
from labels.admin.decisions import (
    NOTHING_YET,
    ProposalAdmin,
    facts_known,
    report_outcome,
    taken_as_seen,
    tie_warnings,
    waiting_context,
)
from labels.admin.differences import re_dated, rules_in_words
from labels.admin.forms import LevelForm, RuleApproval
from labels.life import rules as life
from labels.life.days import refuse_rules
from labels.life.proposals import LOOK_AGAIN
from labels.models import Level, LevelRule, RuleChange

NOT_SENT_AGAIN = ("csrfmiddlewaretoken", "seen")


class LevelRuleFormSet(PartFormSet):
    """Rules under which every label of the level may be as they say."""

    def clean(self) -> None:
        super().clean()
        # A row with a mistake has no values to look at yet.
        if any(self.errors):
            return
        rules: list[Any] = self.kept_rows()
        if not rules:
            raise ValidationError(_("A level needs a rule."))
        refuse_rules(self.instance, rules)


class LevelRuleInline(StackedPart):
    model = LevelRule
    formset = LevelRuleFormSet
    fields = (
        ("effective_from", "is_confirmed"),
        ("first_months", "renewal_months", "renewal_window_months"),
        "ends_at_month_end",
        ("experts", "minimum_score"),
        "note_en",
        "note_it",
    )


@admin.register(Level)
class LevelAdmin(PortalAdmin):
    """What is saved here is shown first, with the labels that it re-dates; then it is proposed."""

    list_display = ("name_en", "name_it", "official_wording", "rank")
    search_fields = ("code", "name_en", "name_it")
    fields = ("code", "rank", "name_en", "name_it", "official_wording", "process_en", "process_it")
    inlines = (LevelRuleInline,)
    save_on_top = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Labels and rules refer to the level by its code.
        return (*(("code",) if obj else ()), *super().get_readonly_fields(request, obj))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["form"] = LevelForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found: list[Any] = [(None, {"fields": self.fields})]
        if obj is None or self.has_change_permission(request, obj):
            found.append((_("Proposal"), {"fields": ("reason",)}))
        return found

    def lock_screen(self, request: HttpRequest, obj: Level) -> None:
        # In the order of who approves.
        life.locked_level(obj)
        super().lock_screen(request, obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        level, waiting = kwargs.get("obj"), None
        if level is not None and policy.may(request.user, policy.VIEW, RuleChange):
            waiting = level.rule_changes.waiting().select_related("proposed_by").first()
        context |= waiting_context(request, waiting)
        return super().render_change_form(request, context, *args, **kwargs)

    # What was sent is not written: it is kept for the answer, which proposes it

    def save_model(self, request: HttpRequest, obj: Level, form: Any, change: bool) -> None:
        request.__dict__["sent"] = form.cleaned_data["reason"], None
        if not change:
            # A level of which nothing hangs yet; its rules need it.
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        rules = next((one.kept_rows() for one in formsets if one.model is LevelRule), None)
        request.__dict__["sent"] = form.cleaned_data["reason"], rules

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        return []

    def response_add(
        self, request: HttpRequest, obj: Level, post_url_continue: Any = None
    ) -> HttpResponse:
        return self.propose(request, obj)

    def response_change(self, request: HttpRequest, obj: Level) -> HttpResponse:
        return self.propose(request, obj)

    def propose(self, request: HttpRequest, level: Level) -> HttpResponse:
        """Ask first; then do what was seen and nothing else."""
        assert isinstance(request.user, Account)
        reason, rules = request.__dict__["sent"]
        if rules is None:
            # An old version of the level says nothing of its rules.
            rules = list(level.rules.all())
        seen = request.POST.get("seen", "")
        now = timezone.now()
        take = partial(life.propose_rules, level, rules, reason=reason, by=request.user, now=now)
        change = taken_as_seen(take, seen)
        if change.prospect.digest == seen:
            report_outcome(request, change)
            return redirect("admin:labels_level_change", level.pk)
        transaction.set_rollback(True)
        if seen:
            messages.warning(request, LOOK_AGAIN)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Change of rules"),
            "subtitle": str(level),
            "opts": self.opts,
            "explained": NOTHING_YET,
            "reason": reason,
            "needs_two": change.needs_two,
            "differences": [*rules_in_words(change)],
            "re_dated": re_dated(change.prospect.preview),
            "sent": [
                (name, value)
                for name, values in request.POST.lists()
                if name not in NOT_SENT_AGAIN
                for value in values
            ],
            "seen": change.prospect.digest,
            "back": request.get_full_path(),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/labels/level/propose.html", context)


@admin.register(LevelRule)
class LevelRuleAdmin(PartAdmin):
    # A rule is changed on its level's screen, where the labels' days follow.
    never = (policy.ADD, policy.CHANGE, policy.DELETE)
    list_display = ("level", "effective_from", "first_months", "renewal_months", "is_confirmed")
    list_select_related = ("level",)
    date_hierarchy = "effective_from"


@admin.register(RuleChange)
class RuleChangeAdmin(ProposalAdmin):
    list_display = ("name", "state", "proposed_by", "proposed")
    list_filter = (*ProposalAdmin.list_filter, "level")
    search_fields = ("level__name_en", "level__name_it", "reason", "answer")
    search_help_text = _("Level, reason or answer.")
    date_hierarchy = "proposed_at"
    fieldsets = (
        (None, {"fields": ("level_link", "state", "changed", "reason")}),
        ProposalAdmin.who,
    )
    readonly_fields = ("level_link", "changed", *ProposalAdmin.readonly_fields)
    approval = RuleApproval
    concerns: ClassVar = {
        "waiting": Concern(_("Changes of rules waiting"), lambda rows, day: rows.waiting())
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleChange]:
        found: Any = super().get_queryset(request)
        changes: QuerySet[RuleChange] = found.with_level().select_related("proposed_by")
        return changes

    @admin.display(description=_("level"))
    def level_link(self, obj: RuleChange) -> str:
        address = reverse("admin:labels_level_change", args=[obj.level_id])
        return format_html('<a href="{}">{}</a>', address, obj.level)

    @admin.display(description=_("changes"))
    def changed(self, obj: RuleChange) -> str:
        rows = ((row.label, row.name, row.before, row.after) for row in rules_in_words(obj))
        return format_html_join("", "<p>{}, {}: {} → {}</p>", rows) or EMPTY

    def subject(self, proposal: RuleChange) -> Level:
        return proposal.level

    def facts(self, proposal: RuleChange) -> Iterator[tuple[str, Any]]:
        return facts_known(
            [
                (_("level"), proposal.level),
                (_("reason"), proposal.reason),
                (_("proposed by"), proposal.proposed_by),
            ]
        )

    def tried(self, proposal: RuleChange, now: datetime) -> life.RuleProspect:
        return life.tried_rules(proposal, now=now)

    def effects(
        self, proposal: RuleChange, prospect: life.RuleProspect, person: Any
    ) -> dict[str, Any]:
        return {
            "differences": [*rules_in_words(proposal)],
            "re_dated": re_dated(prospect.preview),
            "warnings": tie_warnings(proposal, person),
        }
