"""The pages of the steps in the life of an announcement, one by one and for several together."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import PortalAdmin, PublishedAdmin
from clusters.admin.versions import EMPTY, moment_in_words
from clusters.fields import MomentFormField, MomentInput
from clusters.models import Account
from clusters.people import policy
from labels.admin.decisions import facts_known, step_page
from news.models import Announcement, AnnouncementState, ReviewComment
from news.workflow.content import content_digest
from news.workflow.refusals import AnnouncementStep, may_take, steps_allowed, why_not_taken
from news.workflow.steps import review_again_if_changed, take_as_read, take_together


class AnnouncementStepForm(forms.Form):
    """`seen` is the digest of what the page showed."""

    title: ClassVar[Promise]
    explained: ClassVar["str | Promise"] = ""
    done: ClassVar[Any]
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def told(self, announcement: Announcement) -> Any:
        """What is said when the step was taken."""
        return self.done

    def given(self) -> dict[str, Any]:
        # What the step takes beside the announcement.
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}


def text_field(**given: Any) -> forms.CharField:
    return forms.CharField(widget=AdminTextareaWidget(attrs={"rows": 4}), **given)


class SubmissionForm(AnnouncementStepForm):
    title = _("Submit for review")
    explained = _(
        "The secretariat is told by mail, and reads it. Until it is sent back only the secretariat "
        "changes it."
    )
    done = _("Submitted for review.")
    reviewer = forms.ModelChoiceField(
        label=_("Reviewer"),
        required=False,
        queryset=Account.objects.none(),
        help_text=_("Empty: everybody who may publish it is told."),
    )

    def __init__(self, *args: Any, person: policy.Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if policy.may(person, policy.PUBLISH, Announcement):
            reviewers: Any = self.fields["reviewer"]
            reviewers.queryset = policy.accounts_with(policy.PUBLISH, Announcement)
        else:
            # A team is not told who of the secretariat reads.
            del self.fields["reviewer"]


class CommentForm(AnnouncementStepForm):
    title = _("Comment")
    done = _("Your comment stands at the announcement.")
    text = text_field(
        label=_("Comment"),
        max_length=2_000,
        help_text=_("Read by who writes and who reviews it; never public."),
    )


class SendingBackForm(AnnouncementStepForm):
    title = _("Send back")
    explained = _("It is a draft again. The team that wrote it is told by mail, with your comment.")
    done = _("Sent back. It is a draft again.")
    text = text_field(label=_("Comment"), max_length=2_000, help_text=_("What is to be changed."))


class ApprovalForm(AnnouncementStepForm):
    title = _("Approve")
    explained = _(
        "You approve what it says now. Whatever is changed afterwards has to be approved again."
    )
    done = _("Approved. It is not published yet.")


class PublicationForm(AnnouncementStepForm):
    title = _("Publish")
    explained = _("Everybody can read it from that moment on, in the languages that are ready.")
    done = _("Published.")
    at = MomentFormField(
        label=_("Publication moment"),
        required=False,
        widget=MomentInput,
        help_text=_("In the time of Rome. Empty: now. A later one schedules it."),
    )

    def told(self, announcement: Announcement) -> Any:
        return _("Scheduled.") if announcement.is_scheduled(timezone.now()) else self.done


class WithdrawalForm(AnnouncementStepForm):
    title = _("Withdraw")
    explained = _("Its address then tells since when and why it is gone, and no longer its text.")
    done = _("Withdrawn.")
    reason = text_field(
        label=_("Reason"),
        max_length=1_000,
        help_text=_("Public: it stands at the address instead of the text."),
    )


class ArchivingForm(AnnouncementStepForm):
    title = _("Archive")
    explained = _("Its page stays readable, and it leaves lists, search, feeds and sitemap.")
    done = _("Archived.")


class ReturnForm(AnnouncementStepForm):
    title = _("Make it a draft again")
    explained = _("Nobody reads it until it is published anew.")
    done = _("It is a draft again.")


# The button that saves and goes on: templates/admin/news/announcement/change_form.html.
PUBLISH_NEXT = "_publish_next"
NOTHING_CHANGED = _("So nothing was changed.")

FORMS: dict[AnnouncementStep, type[AnnouncementStepForm]] = {
    AnnouncementStep.SUBMIT: SubmissionForm,
    AnnouncementStep.COMMENT: CommentForm,
    AnnouncementStep.SEND_BACK: SendingBackForm,
    AnnouncementStep.APPROVE: ApprovalForm,
    AnnouncementStep.PUBLISH: PublicationForm,
    AnnouncementStep.WITHDRAW: WithdrawalForm,
    AnnouncementStep.ARCHIVE: ArchivingForm,
    AnnouncementStep.RETURN: ReturnForm,
}


class ReviewedAgain(PortalAdmin):
    """What was approved and is changed by a form, or by an earlier version, is reviewed again."""

    def announcement_of(self, object_id: str) -> Announcement | None:
        raise NotImplementedError

    def on_locked_screen(
        self, request: HttpRequest, object_id: str | None, respond: Callable[[], HttpResponse]
    ) -> HttpResponse:
        response = super().on_locked_screen(request, object_id, respond)
        if request.method == "POST" and object_id is not None:
            announcement = self.announcement_of(unquote(object_id))
            by: Any = request.user
            if announcement is not None and review_again_if_changed(announcement, by):
                text = _("It says something else than what was approved: it is in review again.")
                messages.warning(request, text)
        return response


class StepsAdmin(ReviewedAgain, PublishedAdmin):
    """Buttons for what one may do next with an announcement, each with a page that asks first."""

    actions = ("publish", "withdraw_several")

    def get_urls(self) -> list[Any]:
        steps = [
            path(
                f"<int:pk>/{step}/",
                self.admin_site.admin_view(self.step_view),
                {"step": step},
                name=f"news_announcement_{step}",
            )
            for step in FORMS
        ]
        return [*steps, *super().get_urls()]

    def open_steps(self, request: HttpRequest, announcement: Announcement) -> list[dict[str, Any]]:
        by: Any = request.user
        return [
            {
                "step": step,
                "title": FORMS[step].title,
                "address": reverse(f"admin:news_announcement_{step}", args=[announcement.pk]),
            }
            for step in steps_allowed(announcement, by, timezone.now())
        ]

    def may_go_on_to_publish(
        self, request: HttpRequest, obj: Announcement | None, steps: Iterable[dict[str, Any]]
    ) -> bool:
        # `steps`: those that are open.
        if obj is None:
            return self.has_publish_permission(request)
        return any(one["step"] == AnnouncementStep.PUBLISH for one in steps)

    def response_post_save_add(
        self, request: HttpRequest, obj: Announcement
    ) -> HttpResponseRedirect:
        return self.on_to_publish(request, obj) or super().response_post_save_add(request, obj)

    def response_post_save_change(
        self, request: HttpRequest, obj: Announcement
    ) -> HttpResponseRedirect:
        return self.on_to_publish(request, obj) or super().response_post_save_change(request, obj)

    def on_to_publish(self, request: HttpRequest, obj: Announcement) -> HttpResponseRedirect | None:
        # The page that asks for the moment, and says what is missing.
        by: Any = request.user
        if PUBLISH_NEXT in request.POST and may_take(by, AnnouncementStep.PUBLISH, obj):
            return redirect("admin:news_announcement_publish", obj.pk)
        return None

    def step_view(self, request: HttpRequest, pk: int, step: AnnouncementStep) -> HttpResponse:
        self.hide_from_strangers(request, str(pk))
        announcement: Any = self.get_object(request, str(pk))
        by: Any = request.user
        if not may_take(by, step, announcement):
            raise PermissionDenied
        now = timezone.now()
        refusal = why_not_taken(step, announcement, by, now)
        form = step_form(step, request, announcement)
        if request.method == "POST" and not refusal and form.is_valid():
            try:
                seen = form.cleaned_data["seen"]
                taken = take_as_read(step, announcement, seen=seen, by=by, now=now, **form.given())
            except ValidationError as error:
                form.add_error(None, ValidationError(error.messages))
            else:
                messages.success(request, form.told(taken))
                return redirect("admin:news_announcement_change", announcement.pk)
        return step_page(
            self,
            request,
            announcement,
            form,
            form.title,
            "" if refusal else form.explained,
            refusal,
            facts=[*facts_of_announcement(announcement)],
        )

    def announcement_of(self, object_id: str) -> Announcement | None:
        return Announcement.objects.filter(pk=object_id).first()

    # Several at once

    @admin.action(description=_("Publish the selected rows"), permissions=["publish"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = self.publishable(request, queryset).exclude(state=AnnouncementState.PUBLISHED)
        by: Any = request.user
        try:
            number = len(take_together(AnnouncementStep.PUBLISH, rows, by=by, now=timezone.now()))
        except ValidationError as error:
            for text in error.messages:
                self.message_user(request, text, messages.ERROR)
            self.message_user(request, NOTHING_CHANGED, messages.WARNING)
            return
        text = ngettext("%(number)d row was published.", "%(number)d rows were published.", number)
        self.message_user(request, text % {"number": number}, messages.SUCCESS)

    def publishable(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        day = timezone.localdate()
        return policy.allowed_rows(request.user, policy.PUBLISH, queryset, day)

    @admin.action(description=_("Withdraw the selected rows"), permissions=["publish"])
    def withdraw_several(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Ask for the reason of all, then withdraw them."""
        rows = self.publishable(request, queryset)
        is_sent = "reason" in request.POST
        form = WithdrawalForm(request.POST if is_sent else None, use_required_attribute=False)
        del form.fields["seen"]
        if is_sent and form.is_valid():
            by: Any = request.user
            step, now = AnnouncementStep.WITHDRAW, timezone.now()
            try:
                number = len(take_together(step, rows, by=by, now=now, **form.given()))
            except ValidationError as error:
                form.add_error(None, ValidationError([*error.messages, NOTHING_CHANGED]))
            else:
                text = ngettext(
                    "%(number)d announcement was withdrawn.",
                    "%(number)d announcements were withdrawn.",
                    number,
                )
                self.message_user(request, text % {"number": number}, messages.SUCCESS)
                return None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Withdraw several announcements"),
            "opts": self.opts,
            "rows": rows,
            "form": form,
            "action": "withdraw_several",
            "checkbox": ACTION_CHECKBOX_NAME,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/news/withdraw_several.html", context)


def step_form(
    step: AnnouncementStep, request: HttpRequest, announcement: Announcement
) -> AnnouncementStepForm:
    given: dict[str, Any] = {
        "initial": {
            "seen": content_digest(announcement),
            "reviewer": announcement.reviewer_id,
            "at": announcement.published_at,
        }
    }
    if step == AnnouncementStep.SUBMIT:
        given["person"] = request.user
    form = FORMS[step](request.POST if request.method == "POST" else None, **given)
    form.use_required_attribute = False
    return form


def facts_of_announcement(announcement: Announcement) -> Iterator[tuple[str, Any]]:
    # What the person decides on: of each text its beginning, and what was said of it.
    moment = announcement.published_at
    found: list[tuple[Any, Any]] = [
        (_("kind"), announcement.get_kind_display()),
        (_("state"), announcement.get_state_display()),
        (_("publication moment"), moment and moment_in_words(moment)),
    ]
    for text in announcement.texts.order_by("language"):
        name = f"{text.get_language_display()} ({text.get_state_display()})"
        said: tuple[str, ...] = (text.title, text.lead, text.body)
        found.append((name, "\n\n".join(part for part in said if part)))
    for picture in announcement.pictures.all():
        said = (picture.alt_en, picture.alt_it, picture.credit_en, picture.credit_it)
        found.append((_("picture"), "\n\n".join(part for part in said if part) or EMPTY))
    for attachment in announcement.attachments.all():
        said = (attachment.title_en, attachment.title_it, str(attachment.kind.name))
        found.append((_("attachment"), "\n\n".join(part for part in said if part)))
    comments: QuerySet[ReviewComment] = announcement.comments.filter(is_resolved=False)
    found += [(_("comment"), f"{moment_in_words(row.written_at)}: {row.text}") for row in comments]
    yield from facts_known(found)
