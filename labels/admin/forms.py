"""The forms of the steps in the life of a label; each tells at its fields what is refused."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import NamedAutocomplete
from clusters.admin.refusals import SAME_MOMENT, told_at
from clusters.fields import DayFormField
from clusters.models import Account, Cluster, Organisation
from clusters.people import policy
from labels.life import proposals, rules
from labels.life import steps as life
from labels.life.proposals import AnyProposal
from labels.models import Decision, DecisionKind, Label, LabelKind, Proposal

PUBLIC_ONCE_MADE = _("It is public once the decision is made.")

# Where the form shows what a constraint of the label refuses.
PLACES = {
    "label_score_is_a_percentage_of_gold": "score",
    "label_score_reaches_the_minimum": "score",
    "label_decided_here_is_known_to_the_day": "assessed_on",
    "label_silver_names_its_areas_and_benchmarking": "areas_of_improvement",
    "label_areas_are_of_a_silver": "areas_of_improvement",
    "label_benchmarking_comes_first": "benchmarked_on",
    "label_renews_another_only_as_a_renewal": "kind",
}


def field_of_message(message: object, name: str) -> str:
    for constraint in Label._meta.constraints:
        if str(constraint.get_violation_error_message()) == str(message):
            return PLACES.get(constraint.name, name)
    return name


def attempt(form: forms.BaseForm, step: Callable[[], AnyProposal]) -> AnyProposal | None:
    # Take a step, or tell on the form what the register refuses.
    try:
        with transaction.atomic():
            return step()
    except ValidationError as error:
        form.add_error(None, error)
    except IntegrityError:
        form.add_error(None, ValidationError(SAME_MOMENT))
    return None


class TellingForm(forms.BaseForm):
    def add_error(self, field: str | None, error: Any) -> None:
        if field is None and isinstance(error, ValidationError):
            error = told_at(error, self.fields, field_of_message)
        super().add_error(field, error)


def reason_field(**given: Any) -> forms.CharField:
    widget = AdminTextareaWidget(attrs={"rows": 4})
    return forms.CharField(
        label=_("Reason"),
        widget=widget,
        max_length=Decision._meta.get_field("reason").max_length,
        **given,
    )


# The label itself: proposed, corrected


class LabelForm(TellingForm, forms.ModelForm):
    taken: Decision | None = None  # what came of it, once it is saved


class LevelForm(LabelForm):
    reason = reason_field(
        required=False,
        help_text=_("Why the level or its rules change. For the secretariat; not public."),
    )


class ProposalForm(LabelForm):
    reason = reason_field(
        help_text=_("Why the label is awarded or renewed. It is public once it is approved.")
    )
    is_recorded = forms.BooleanField(
        label=_("Recorded from a source"),
        required=False,
        help_text=_(
            "Tick this for a label that was not decided here: you write down what a source tells, "
            "and name the source. What it does not tell may stay empty."
        ),
    )

    def _post_clean(self) -> None:
        self.instance.decided_here = not self.cleaned_data.get("is_recorded")
        super()._post_clean()  # type: ignore[misc]  # not in the stubs


class CorrectionForm(LabelForm):
    """An old version of the label fills the form of the present one; sent, it corrects that."""

    reason = reason_field(
        required=False,
        help_text=_("What was mistaken, and how you know. It is public with the correction."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given: Any = kwargs.get("instance")
        if hasattr(given, "_history"):
            kwargs["instance"] = Label.objects.get(pk=given.pk)
            # What was sent goes before what the old version holds.
            if not args:
                kwargs["initial"] = forms.model_to_dict(given, self._meta.fields)
        super().__init__(*args, **kwargs)

    @property
    def corrected(self) -> set[str]:
        return {*self.changed_data} - {"reason"}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.corrected and not self.cleaned_data.get("reason"):
            self.add_error("reason", _("Give the reason."))
        return cleaned


# Steps on a page of their own


class StepForm(TellingForm):
    """What a page of a step shows and does; `verb` is what the policy asks for."""

    kind: ClassVar[DecisionKind]
    step: ClassVar[Callable[..., Decision]]
    verb: ClassVar[str] = policy.DECIDE
    title: ClassVar[Promise]
    button: ClassVar[Promise | None] = None  # where it does not say the same as the title
    explained: ClassVar[Promise]

    @classmethod
    def of(cls, label: Label, model_admin: Any, request: HttpRequest) -> "StepForm":
        return cls(request.POST if request.method == "POST" else None)

    def take(self, label: Label, *, by: Account, now: Any) -> Decision:
        return type(self).step(label, **self.cleaned_data, by=by, now=now)


class DatedStep(StepForm, forms.Form):
    on = DayFormField(label=_("Day"), initial=timezone.localdate)
    reason = reason_field(help_text=_("Public."))


class Renewal(StepForm, LabelForm):
    kind = DecisionKind.RENEWAL
    verb = policy.ADD
    title = _("Renew")
    button = _("Propose the renewal")
    explained = _(
        "The renewal counts from the day after the end, by the rule in force then. The assessment "
        "lies before the renewal window closes. Somebody else has to approve the renewal before "
        "it is public."
    )
    FIELDS = (
        "assessed_on",
        "awarded_on",
        "certificate_number",
        "managing_organisation",
        "awarded_by",
    )
    OF_A_LEVEL: ClassVar = {
        "gold": ("score",),
        "silver": ("benchmarked_on", "areas_of_improvement"),
    }

    # A renewal is decided here, so what an old label may lack is known of it.
    REQUIRED = ("assessed_on", "benchmarked_on", "areas_of_improvement")

    reason = reason_field(help_text=PUBLIC_ONCE_MADE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {*self.REQUIRED} & {*self.fields}:
            self.fields[name].required = True

    @classmethod
    def of(cls, label: Label, model_admin: Any, request: HttpRequest) -> "StepForm":
        names = (*cls.FIELDS, *cls.OF_A_LEVEL.get(label.level_id, ()), "source")
        callback = partial(model_admin.formfield_for_dbfield, request=request)
        form: Any = forms.modelform_factory(Label, cls, fields=names, formfield_callback=callback)
        new = Label(
            cluster=label.cluster,
            level=label.level,
            managing_organisation_id=label.managing_organisation_id,
            awarded_by_id=label.awarded_by_id,
            kind=LabelKind.RENEWAL,
            renews=label,
            decided_here=True,
        )
        step: StepForm = form(request.POST if request.method == "POST" else None, instance=new)
        return step

    def take(self, label: Label, *, by: Account, now: Any) -> Decision:
        return life.renew(label, self.instance, reason=self.cleaned_data["reason"], by=by, now=now)


class Extension(StepForm, forms.Form):
    kind = DecisionKind.EXTENSION
    step = life.extend
    title = _("Extend")
    explained = _(
        "The label ends on a later day, by this decision. What is printed on it stays as it is."
    )

    until = DayFormField(label=_("New end"))
    reason = reason_field(help_text=_("Public."))


class SuspensionStep(DatedStep):
    kind = DecisionKind.SUSPENSION
    step = life.suspend
    title = _("Suspend")
    explained = _(
        "From this day the label is not valid, until it is reinstated. Its public page, seal and "
        "credential say so."
    )


class Reinstatement(DatedStep):
    kind = DecisionKind.REINSTATEMENT
    step = life.reinstate
    title = _("Reinstate")
    explained = _("From this day the label is again what its dates say. Its end does not move.")


class Transfer(DatedStep):
    kind = DecisionKind.TRANSFER
    step = life.transfer_label
    title = _("Transfer")
    explained = _(
        "To another cluster, after a merger: from this day a new label of that cluster, with a "
        "public id of its own, takes the place to the same end. Or to another managing "
        "organisation: the label stays."
    )

    cluster = forms.ModelChoiceField(
        Cluster.objects.none(), label=_("To the cluster"), required=False
    )
    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), label=_("To the managing organisation"), required=False
    )
    field_order = ("cluster", "organisation", "on", "reason")

    @classmethod
    def of(cls, label: Label, model_admin: Any, request: HttpRequest) -> "StepForm":
        form = super().of(label, model_admin, request)
        for name, related in (("cluster", "cluster"), ("organisation", "managing_organisation")):
            column: Any = Label._meta.get_field(related)
            field: Any = form.fields[name]
            field.widget = NamedAutocomplete(column, model_admin.admin_site)
            field.queryset = model_admin.visible(request, column.related_model)
        return form


class Revocation(DatedStep):
    kind = DecisionKind.REVOCATION
    step = life.revoke
    title = _("Revoke")
    button = _("Propose the revocation")
    explained = _(
        "From this day the label is revoked, for good: nothing of it changes any more. Somebody "
        "else has to approve the revocation before it is public."
    )


class Annulment(StepForm, forms.Form):
    kind = DecisionKind.ANNULMENT
    title = _("Annul")
    explained = _(
        "What this decision did is taken back, as if it had not been made. Both decisions stay in "
        "the history of the label."
    )

    reason = reason_field(help_text=_("Public."))

    def take(self, decision: Any, *, by: Account, now: Any) -> Decision:
        return life.annul(decision, reason=self.cleaned_data["reason"], by=by, now=now)


# By the last part of the page’s address.
STEPS: dict[str, type[StepForm]] = {
    "renew": Renewal,
    "extend": Extension,
    "suspend": SuspensionStep,
    "reinstate": Reinstatement,
    "transfer": Transfer,
    "revoke": Revocation,
}


def to_confirm(form: Any, digest: str) -> Any:
    # The same form once more, out of sight, with what the person has seen of its effect.
    for field in form.fields.values():
        field.widget = field.hidden_widget()
    form.fields["seen"] = forms.CharField(widget=forms.HiddenInput)
    form.data = form.data.copy()
    form.data["seen"] = digest
    return form


# Deciding on what somebody proposed


class Approval(TellingForm, forms.Form):
    explained = _("Approved, it takes effect and is public with its reason.")

    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def decide(self, proposal: Any, *, by: Account, now: Any) -> Proposal:
        return proposals.approve(proposal, seen=self.cleaned_data["seen"], by=by, now=now)


class RuleApproval(Approval):
    explained = _("Approved, it takes effect at once, for all labels of the level.")

    def decide(self, proposal: Any, *, by: Account, now: Any) -> Proposal:
        return rules.approve_rules(proposal, seen=self.cleaned_data["seen"], by=by, now=now)


class Refusal(TellingForm, forms.Form):
    explained = _("Nothing comes of the proposal. It stays here, with your words.")

    answer = forms.CharField(
        label=_("Why"),
        widget=AdminTextareaWidget(attrs={"rows": 4}),
        max_length=Decision._meta.get_field("answer").max_length,
        help_text=_("For the secretariat; not public."),
    )

    def decide(self, proposal: Any, *, by: Account, now: Any) -> Proposal:
        answer = self.cleaned_data["answer"]
        refused: Proposal = proposals.refuse_proposal(proposal, answer=answer, by=by, now=now)
        return refused
