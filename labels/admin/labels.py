"""The admin of labels: proposed, corrected, and led through the steps of their life."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import Concern, PartAdmin, PublishedAdmin, ReadOnly, TabularPart
from clusters.admin.lists import CountedFilter
from clusters.admin.suggestions import OfferedValue, Suggester
from clusters.admin.tables import TablesAdmin
from clusters.admin.versions import EMPTY
from clusters.dates import PartialDate, add_months
from clusters.models import Account, Cluster, Management, ManagementRole, Organisation
from clusters.models.unions import count_each
from clusters.people import policy
from clusters.templatetags.clusters_tags import date_in_words
from labels.admin.decisions import report_outcome, take_step, waiting_context
from labels.admin.differences import rows_of_changes
from labels.admin.forms import STEPS, CorrectionForm, ProposalForm
from labels.admin.next_steps import NextStepAdmin
from labels.importing.resources import LabelResource
from labels.life import steps as life
from labels.life.days import hold
from labels.life.refusals import steps_open, why_gone, why_not
from labels.models import (
    STATE_NAMES,
    Decision,
    DecisionState,
    Label,
    LabelQuerySet,
    LabelSource,
    Suspension,
)
from labels.validity import State
from labels.words import end_in_short, start_in_short

MONTHS_BEFORE_THE_END = 6
MONTHS_BEFORE_THE_WINDOW_CLOSES = 3


class EffectiveDays:
    """Columns that tell the derived days in words, for a list, a form and an inline."""

    @admin.display(description=_("state today"))
    def state_today(self, obj: Label) -> str:
        if not obj.is_published:
            return gettext("not public")
        state = getattr(obj, "state", None)
        return str(STATE_NAMES[State(state)]) if state else EMPTY

    @admin.display(description=_("valid from"), ordering="starts_on")
    def first_day(self, obj: Label) -> str:
        # No more precise than it is known.
        if obj.starts_on and not obj.start_is_exact:
            return start_in_short(obj)
        return admin_day(obj.starts_on, is_computed=obj.start_is_computed)

    @admin.display(description=_("valid until"), ordering="ends_on")
    def last_day(self, obj: Label) -> str:
        if obj.ends_on and not obj.end_is_exact:
            return end_in_short(obj)
        return admin_day(obj.ends_on, is_computed=obj.end_is_computed)

    @admin.display(description=_("extended until"))
    def extension(self, obj: Label) -> str:
        return admin_day(obj.extended_until)

    @admin.display(description=_("rule behind the dates"))
    def rule_in_words(self, obj: Label) -> str:
        # Not everybody may open the page of the rule.
        return str(obj.rule or EMPTY)

    @admin.display(description=_("renewable until"), ordering="renewable_until")
    def last_renewal_day(self, obj: Label) -> str:
        return admin_day(obj.renewable_until)


def admin_day(day: date | None, *, is_computed: bool = False) -> str:
    if day is None:
        return EMPTY
    words = date_in_words(PartialDate.from_date(day))
    return gettext("%(day)s (computed)") % {"day": words} if is_computed else words


class StateFilter(CountedFilter):
    title = _("state today")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, str(name)) for state, name in STATE_NAMES.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        states = {state.value: state for state in State}
        state = states.get(str(self.value()))
        found: QuerySet[Any] = queryset
        if state is None:
            return found
        return of_the_register(queryset).in_state(state, timezone.localdate())

    def count_choices(self, rows: Any) -> dict[str, int]:
        # By the state that the list annotates.
        counted = of_the_register(rows).values_list(F("state")).annotate(Count("pk"))
        return dict(counted)


def is_refused() -> Q:
    decisions = Decision.objects.filter(label=OuterRef("pk"))
    others = decisions.exclude(state=DecisionState.REFUSED)
    return Q(Exists(decisions), ~Exists(others), is_published=False)


class RefusedFilter(CountedFilter):
    """What was only proposed, and refused, is out of the list until somebody asks for it."""

    title = _("proposals")
    parameter_name = "proposals"  # of NARROWING_UNASKED

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("refused", _("proposed and refused")), ("all", _("all, also refused"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Label]:
        found: QuerySet[Label] = queryset
        if self.value() == "all":
            return found
        return found.filter(is_refused() if self.value() == "refused" else ~is_refused())

    def count_choices(self, rows: QuerySet[Any]) -> dict[str, int]:
        # What was only proposed are few.
        return count_each({"refused": rows.filter(is_refused()), "all": rows})


class SuspensionInline(ReadOnly, TabularPart):
    """Written by the steps only."""

    model = Suspension
    fields = ("first_day", "last_day", "reason")
    readonly_fields = ("first_day", "last_day")

    @admin.display(description=_("suspended from"))
    def first_day(self, obj: Suspension) -> str:
        return admin_day(obj.starts_on)

    @admin.display(description=_("reinstated on"))
    def last_day(self, obj: Suspension) -> str:
        return admin_day(obj.ends_on)


class LabelSourceInline(TabularPart):
    model = LabelSource
    fields = ("source", "confidence", "note")


LABEL = (None, {"fields": ("cluster", "managing_organisation", "level", "certificate_number")})
KIND = (_("First award or renewal"), {"fields": ("kind", "renews")})
DATES = (
    _("Dates as a source printed them"),
    {"fields": ("assessed_on", "awarded_on", "announced_on", "valid_until")},
)
AWARD = (_("Award"), {"fields": ("awarded_by", "score")})
SILVER = (
    _("For a Silver"),
    {"fields": ("benchmarked_on", "areas_of_improvement"), "description": _("Not public.")},
)
PROPOSAL: Any = (
    LABEL,
    KIND,
    DATES,
    AWARD,
    SILVER,
    (_("Source"), {"fields": ("is_recorded", "source")}),
    (_("Proposal"), {"fields": ("reason",)}),
)
STORED = (
    (None, {"fields": (*LABEL[1]["fields"], "is_published", "public_id")}),
    KIND,
    DATES,
    (
        _("Days that count"),
        {
            "fields": (
                "state_today",
                "first_day",
                "last_day",
                "extension",
                "last_renewal_day",
                "rule_in_words",
            ),
            "description": _("Derived from the dates above by the rules of the level."),
        },
    ),
    (_("Award"), {"fields": ("awarded_by", "score", "decided_here", "source")}),
)
REVOCATION = (_("Revocation"), {"fields": ("revoked_on", "revocation_reason")})
CORRECTION = (
    _("Correction"),
    {
        "fields": ("reason",),
        "description": _(
            "What you change in this form corrects a mistake. The wrong version stays in the "
            "history. Somebody else has to approve all but the wording of the source and a slip in "
            "the number. Everything else that happens to a label has a button of its own above."
        ),
    },
)
SAID_WITH_THE_FORM = frozenset({"reason", "is_recorded"})


def manager_of_cluster(
    admin: Any, request: HttpRequest, typed: Mapping[str, str]
) -> Mapping[str, OfferedValue]:
    # Today's; where several manage it jointly, none is guessed.
    key = typed["cluster"]
    known = admin.visible(request, Cluster).filter(pk=key) if key.isdecimal() else ()
    managers = Management.objects.on(timezone.localdate()).filter(
        cluster__in=known,
        role=ManagementRole.LEAD,
        organisation__in=admin.visible(request, Organisation),
    )
    found = list(managers.select_related("organisation")[:2])
    if len(found) != 1:
        return {}
    organisation = found[0].organisation
    origin = gettext("It manages the cluster today.")
    return {"managing_organisation": OfferedValue(str(organisation.pk), str(organisation), origin)}


def of_the_register(labels: LabelQuerySet) -> LabelQuerySet:
    # Without what is only proposed, or was refused or taken out.
    return labels.filter(is_published=True)


@admin.register(Label)
class LabelAdmin(EffectiveDays, NextStepAdmin, TablesAdmin, PublishedAdmin):
    """Labels are proposed and corrected here; what else happens to one is a step."""

    resource_classes = (LabelResource,)
    quick_action = _("Propose an award")
    # To publish in bulk would go past the decision, and the second person.
    actions = ()
    save_on_top = False
    list_display = ("cluster", "level", "state_today", "first_day", "last_day", "is_published")
    list_filter = (
        StateFilter,
        RefusedFilter,
        "level",
        "kind",
        "is_published",
        "awarded_by",
        ("cluster__portfolio", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = (
        "cluster__name",
        "cluster__names__name",
        "managing_organisation__name",
        "certificate_number",
        "public_id",
    )
    search_help_text = _("Cluster, managing organisation, certificate number or public id.")
    date_hierarchy = "ends_on"
    autocomplete_fields = ("cluster", "managing_organisation", "renews", "awarded_by")
    suggesters: ClassVar = {"cluster": Suggester(("cluster",), manager_of_cluster)}
    readonly_fields = (
        "public_id",
        "state_today",
        "first_day",
        "last_day",
        "extension",
        "last_renewal_day",
        "rule_in_words",
        "decided_here",
        "revoked_on",
        "revocation_reason",
    )
    inlines = (LabelSourceInline, SuspensionInline)
    concerns: ClassVar = {
        "ending": Concern(
            _("Labels ending within 6 months"),
            lambda rows, day: of_the_register(rows).ending_between(
                day, add_months(day, MONTHS_BEFORE_THE_END)
            ),
        ),
        "closing": Concern(
            _("Labels renewable for less than 3 months more"),
            lambda rows, day: of_the_register(rows).closing_between(
                day, add_months(day, MONTHS_BEFORE_THE_WINDOW_CLOSES)
            ),
        ),
        "undated": Concern(
            _("Labels with unknown dates"), lambda rows, day: of_the_register(rows).undated_on(day)
        ),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Label]:
        labels: Any = super().get_queryset(request)
        found: LabelQuerySet = labels.select_related("cluster", "level")
        return found.with_state(timezone.localdate())

    def is_public(self, obj: Label) -> bool:
        return obj.is_published and obj.cluster.is_published

    # Who may do what

    def writable(self, request: HttpRequest, obj: models.Model | None) -> frozenset[str] | None:
        names = super().writable(request, obj)
        # The form has fields that are no columns of the label.
        return names if names is None else names | SAID_WITH_THE_FORM

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        given = super().get_readonly_fields(request, obj)
        return given if self.has_publish_permission(request) else (*given, "is_published")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What was public is corrected, until it is revoked; a proposal is approved or refused.
        may = super().has_change_permission(request, obj)
        return may and (obj is None or self.is_correctable(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What was decided on stays, refused or not, and what the public saw.
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or not (obj.decisions.exists() or life.was_public(obj)))

    def is_correctable(self, request: HttpRequest, obj: Label) -> bool:
        if obj.pk is None or obj.revoked_on is not None:
            return False
        # Remembered for the request, as `allows`.
        known = request.__dict__.setdefault("_correctable", {})
        if obj.pk not in known:
            known[obj.pk] = life.was_public(obj)
        return bool(known[obj.pk])

    def reads_decisions(self, request: HttpRequest) -> bool:
        return policy.may(request.user, policy.VIEW, Decision)

    # Proposing and correcting

    def lock_screen(self, request: HttpRequest, obj: Label) -> None:
        # In the order of the steps: the cluster first.
        hold([obj.cluster_id])
        super().lock_screen(request, obj)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["form"] = CorrectionForm if obj else ProposalForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return PROPOSAL
        found = [*STORED, SILVER]
        if obj.revoked_on is not None:
            found.append(REVOCATION)
        if self.has_change_permission(request, obj):
            found.append(CORRECTION)
        return self.readable(request, obj, found)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        # Of a label that is only being proposed there is nothing yet.
        return self.inlines if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        # `?from=`: what was proposed once and refused is proposed again.
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        key = request.GET.get("from", "")
        label = self.get_object(request, key) if key.isdigit() else None
        if label is None or life.was_public(label):
            found = manager_of_cluster(self, request, {"cluster": str(given.get("cluster", ""))})
            return {name: one.value for name, one in found.items()} | given
        names = flatten_fieldsets(PROPOSAL)
        given |= model_to_dict(label, names) | {"is_recorded": not label.decided_here}
        refused = label.decisions.order_by("-pk").first() if self.reads_decisions(request) else None
        return given | ({"reason": refused.reason} if refused else {})

    def save_model(self, request: HttpRequest, obj: Label, form: Any, change: bool) -> None:
        by: Any = request.user
        said = form.cleaned_data
        given = {"reason": said["reason"], "by": by, "now": timezone.now()}
        if not change:
            form.taken = life.award(obj, **given, is_recorded=said["is_recorded"])
        elif form.corrected:
            form.taken = life.correct(obj, **given)

    def response_add(
        self, request: HttpRequest, obj: Label, post_url_continue: Any = None
    ) -> HttpResponse:
        # A window opened from another form closes itself with the new row.
        if IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        report_outcome(request, Decision.objects.of_label(obj).latest("pk"))
        return redirect("admin:labels_label_change", obj.pk)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        request.__dict__["taken"] = form.taken
        return super().construct_change_message(request, form, formsets, add)

    def response_change(self, request: HttpRequest, obj: Label) -> HttpResponse:
        taken = request.__dict__.get("taken")
        if taken is None:
            return super().response_change(request, obj)
        report_outcome(request, taken, rows_of_changes(taken.prospect))
        return redirect("admin:labels_label_change", obj.pk)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        title = {} if object_id else {"title": gettext("Propose an award")}
        return super().changeform_view(request, object_id, form_url, title | (extra_context or {}))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None:
            context |= self.life_of(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)

    def add_success_message(self, result: Any, request: HttpRequest) -> None:
        if not result.waiting:
            super().add_success_message(result, request)
            return
        text = ngettext(
            "%(number)d proposal waits for somebody else to approve it.",
            "%(number)d proposals wait for somebody else to approve them.",
            result.waiting,
        )
        self.message_user(request, text % {"number": result.waiting}, messages.SUCCESS)

    def life_of(self, request: HttpRequest, label: Label) -> dict[str, Any]:
        # What was decided on a label, what waits, and what the person may do next.
        decisions = list(decisions_on(label)) if self.reads_decisions(request) else []
        waiting = next((one for one in decisions if one.state == DecisionState.PROPOSED), None)
        return {
            "decisions": decisions,
            "needs_two": settings.REQUIRE_TWO_PERSONS and label.is_published,
            **waiting_context(request, waiting),
            "steps": [*self.open_steps(request, label)],
            "gone": self.gone(request, label),
            "may_propose_again": (
                not label.is_published
                and waiting is None
                and self.has_add_permission(request)
                and not self.is_correctable(request, label)
            ),
        }

    def gone(self, request: HttpRequest, label: Label) -> str:
        # Why no step is left, for who takes some.
        if not self.allows(request, policy.ADD, None):
            return ""
        return why_gone(label, timezone.localdate())

    # Steps

    def get_urls(self) -> list[Any]:
        steps = [
            path(
                f"<int:pk>/{slug}/",
                self.admin_site.admin_view(self.step_view),
                {"slug": slug},
                name=f"labels_label_{slug}",
            )
            for slug in STEPS
        ]
        return [*steps, *super().get_urls()]

    def open_steps(self, request: HttpRequest, label: Label) -> Iterator[dict[str, Any]]:
        allowed = {
            step.kind: (slug, step)
            for slug, step in STEPS.items()
            if self.allows(request, step.verb, label)
        }
        if not allowed:
            return
        for kind in steps_open(label, timezone.localdate()):
            if kind in allowed:
                slug, step = allowed[kind]
                address = reverse(f"admin:labels_label_{slug}", args=[label.pk])
                yield {"title": step.title, "address": address, "slug": slug}

    def step_view(self, request: HttpRequest, pk: int, slug: str) -> HttpResponse:
        self.hide_from_strangers(request, str(pk))
        label = self.get_object(request, str(pk))
        assert isinstance(label, Label)
        assert isinstance(request.user, Account)
        step = STEPS[slug]
        if not self.allows(request, step.verb, label):
            raise PermissionDenied
        now = timezone.now()
        form: Any = step.of(label, self, request)
        refusal = why_not(label, step.kind, timezone.localdate(now))
        take = partial(form.take, label, by=request.user, now=now)
        return take_step(self, request, label, form, take, refusal=refusal)


def decisions_on(label: Label) -> QuerySet[Decision]:
    related = ("proposed_by", "decided_by", "organisation_before", "organisation_after")
    return Decision.objects.of_label(label).select_related(*related).order_by("-pk")


@admin.register(LabelSource)
class LabelSourceAdmin(PartAdmin):
    part_of = ("label",)
    list_display = ("__str__", "label", "confidence")
    list_select_related = ("label__level", "label__cluster")


@admin.register(Suspension)
class SuspensionAdmin(PartAdmin):
    """Read; a label is suspended and reinstated by steps."""

    never = (policy.ADD, policy.CHANGE, policy.DELETE)
    part_of = ("label",)
    list_display = ("label", "starts_on", "ends_on")
    list_select_related = ("label__level", "label__cluster")
