"""Drafts of forms of admin: offered on return, shown as they were typed, ended by a save."""

from typing import Any

from django.contrib import admin
from django.forms.utils import ErrorList
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from clusters.admin.versions import moment_in_words
from clusters.models import FormDraft
from clusters.models.drafts import new_opening
from clusters.people.access import signed_in_account

# The button of the offer, sent to the form's own page; which draft, and whose that page is.
RESTORE, OPENING = "_restore_draft", "_opening"


class DraftAdmin(admin.ModelAdmin):
    """Stored they are by clusters/views/drafts.py."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        request.__dict__["is_form"] = True
        if RESTORE in request.POST:
            draft = self.drafts(request).opened(opening_of(request)).first()
            if draft is None:
                return redirect(request.get_full_path())
            request.__dict__["opening"] = draft.opening
            request.POST = draft.as_sent()
            request.__dict__["is_restored"] = True
        return super().changeform_view(request, object_id, form_url, extra_context)

    def drafts(self, request: HttpRequest) -> Any:
        return FormDraft.objects.of(signed_in_account(request), request.path)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.is_restored = "is_restored" in request.__dict__
        return form

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:
        made = super()._create_formsets(request, obj, change)  # type: ignore[misc]  # not in the stubs
        if "is_restored" in request.__dict__:
            for formset in made[0]:
                formset._errors, formset._non_form_errors = [], ErrorList()
                for form in formset.forms:
                    form.is_restored = True
                    form.full_clean()
        return made

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        may_save = (
            self.has_add_permission(request)
            if obj is None
            else self.has_change_permission(request, obj)
        )
        # A window opened from another form is closed within a minute.
        context["keeps_draft"] = may_save and not context["is_popup"]
        if context["keeps_draft"] and request.method == "GET":
            drafts = self.drafts(request)
            context["drafts"] = [(draft, moment_in_words(draft.saved_at)) for draft in drafts]
        context["opening"] = request.__dict__.get("opening") or opening_of(request) or new_opening()
        return super().render_change_form(request, context, *args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.end_draft(request)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.end_draft(request)
        return super().log_change(request, obj, message)

    def end_draft(self, request: HttpRequest) -> None:
        # In the transaction of the save. An action of a list has no draft.
        if "is_form" in request.__dict__:
            drafts, opening = self.drafts(request), opening_of(request)
            (drafts.opened(opening) if opening else drafts).delete()


def opening_of(request: HttpRequest) -> str:
    return request.POST.get(OPENING, "")
