"""The admin of announcements."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clusters.admin.base import Concern, WholeRowForm, without_hidden
from clusters.admin.lists import CountedFilter
from clusters.admin.versions import moment_in_words
from clusters.models import Organisation
from clusters.models.reference import languages
from clusters.models.unions import count_each
from clusters.people import policy
from labels.models import Label
from news.admin.editor import EditorAdmin
from news.admin.files import AttachmentInline, PictureInline
from news.admin.parts import AnnouncementTextInline, CorrectionInline, ReviewCommentInline
from news.admin.steps import StepsAdmin
from news.models import (
    ONCE_PUBLIC,
    Announcement,
    AnnouncementKind,
    AnnouncementState,
    ReviewComment,
    TextState,
)
from news.workflow.previews import LIFETIME, preview_link
from news.workflow.refusals import HIDDEN, AnnouncementStep, may_take

OF_A_STATE = {
    "withdrawn_at": AnnouncementState.WITHDRAWN,
    "withdrawal_reason": AnnouncementState.WITHDRAWN,
    "archived_at": AnnouncementState.ARCHIVED,
}
# What only one kind has; of another it is folded.
OF_A_KIND = {
    AnnouncementKind.EVENT: ("begins_at", "ends_at", "place", "address"),
    AnnouncementKind.CALL: ("deadline_at",),
}
SCHEDULED = pgettext_lazy("of an announcement", "scheduled")


class MarkFilter(CountedFilter):
    """By state, and what waits for its moment apart from what has appeared."""

    title = _("state")
    parameter_name = "mark"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        states = [(state.value, state.label) for state in AnnouncementState]
        return [*states, ("scheduled", SCHEDULED)]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Announcement]:
        return self.with_mark(queryset, str(self.value()))

    def with_mark(self, rows: Any, mark: str) -> QuerySet[Announcement]:
        found: QuerySet[Announcement] = rows
        if mark == "scheduled":
            found = rows.scheduled(timezone.now())
        elif mark == AnnouncementState.PUBLISHED:
            found = found.filter(state=mark, published_at__lte=timezone.now())
        elif mark in AnnouncementState.values:
            found = found.filter(state=mark)
        return found

    def count_choices(self, rows: QuerySet[Any]) -> dict[str, int]:
        marks = [str(mark) for mark, _title in self.lookup_choices]
        return count_each({mark: self.with_mark(rows, mark) for mark in marks})


class MissingLanguageFilter(CountedFilter):
    title = _("language that is not ready")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return languages()

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Announcement]:
        found: QuerySet[Announcement] = queryset
        return queryset.missing_in(self.value()) if self.value() in dict(languages()) else found

    def count_choices(self, rows: Any) -> dict[str, int]:
        return count_each({code: rows.missing_in(code) for code, _name in languages()})


class AnnouncementForm(WholeRowForm):
    def clean_published_at(self) -> datetime | None:
        """What has appeared is not hidden by a later moment: its address would say nothing."""
        moment: datetime | None = self.cleaned_data["published_at"]
        now = timezone.now()
        published = Announcement.objects.published(now).filter(pk=self.instance.pk)
        if moment is not None and moment > now and published.exists():
            raise ValidationError(HIDDEN)
        return moment


@admin.register(Announcement)
class AnnouncementAdmin(EditorAdmin, StepsAdmin):
    form = AnnouncementForm
    list_display = ("title", "mark", "kind", "published_at", "languages")
    list_filter = (MarkFilter, "kind", MissingLanguageFilter, "topics")
    search_fields = ("texts__title", "texts__lead", "clusters__name", "public_id")
    search_help_text = _("Title, lead, cluster or public id.")
    quick_action = _("Write an announcement")
    searched_parts: ClassVar = {"texts": ("body", "box")}
    without_document: ClassVar = ~Q(state=AnnouncementState.PUBLISHED)
    date_hierarchy = "published_at"
    autocomplete_fields = (
        "written_by",
        "contact_organisation",
        "clusters",
        "organisations",
        "labels",
        "programmes",
        "statements",
        "topics",
    )
    readonly_fields = ("public_id", "mark", "withdrawn_at", "withdrawal_reason", "archived_at")
    fieldsets = (
        (
            _("Publication"),
            {
                "fields": (
                    "kind",
                    "mark",
                    "published_at",
                    "withdrawn_at",
                    "withdrawal_reason",
                    "archived_at",
                    "written_by",
                    "reviewer",
                    "public_id",
                )
            },
        ),
        (_("Event"), {"fields": ("begins_at", "ends_at", "place", "address")}),
        (_("Call"), {"fields": ("deadline_at",)}),
        (
            _("What it is about"),
            {
                "fields": (
                    "topics",
                    "clusters",
                    "organisations",
                    "labels",
                    "programmes",
                    "statements",
                )
            },
        ),
        (_("Contact"), {"fields": ("contact_organisation",)}),
    )
    inlines = (
        AnnouncementTextInline,
        PictureInline,
        AttachmentInline,
        CorrectionInline,
        ReviewCommentInline,
    )
    concerns: ClassVar = {
        "drafts": Concern(
            _("Draft announcements"), lambda rows, day: rows.filter(state=AnnouncementState.DRAFT)
        ),
        "review": Concern(
            _("Announcements in review"),
            lambda rows, day: rows.filter(state=AnnouncementState.IN_REVIEW),
        ),
        "language": Concern(
            _("Announcements missing a language"), lambda rows, day: rows.missing_a_language()
        ),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Announcement]:
        announcements: QuerySet[Announcement] = super().get_queryset(request)
        # The name of a row is the title of its text.
        return announcements.prefetch_related("texts")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        if self.writable(request, None) is None:
            return initial
        return {"written_by": self.visible(request, Organisation).first()} | initial

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "reviewer":
            # Offered by address to the secretariat, which may not see every account.
            kwargs["queryset"] = policy.accounts_with(policy.PUBLISH, Announcement)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        if db_field.name == "labels":
            kwargs["queryset"] = self.visible(request, Label).select_related("cluster", "level")
        field: ModelMultipleChoiceField | None = super().formfield_for_manytomany(
            db_field, request, **kwargs
        )
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        # Without what only a withdrawn or an archived one has.
        state = obj.state if obj else AnnouncementState.DRAFT
        left_out = frozenset(name for name, of in OF_A_STATE.items() if state != of)
        of_a_kind = {field: kind for kind, fields in OF_A_KIND.items() for field in fields}
        groups = []
        for title, options in super().get_fieldsets(request, obj):
            fields = without_hidden(options["fields"], left_out)
            kinds = {of_a_kind.get(name) for name in flatten(fields)}
            is_open = kinds & {None, obj.kind if obj else ""}
            folded = {} if is_open else {"classes": ("collapse",)}
            groups.append((title, {**options, **folded, "fields": fields}))
        return groups

    def get_inlines(self, request: HttpRequest, obj: Announcement | None) -> Any:
        # What is new has no comments, and what never appeared nothing to correct.
        left_out = []
        if obj is None:
            left_out = [CorrectionInline, ReviewCommentInline]
        elif not self.has_been_public(obj) and not obj.corrections.exists():
            left_out = [CorrectionInline]
        return [inline for inline in self.inlines if inline not in left_out]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Comments are deleted by nobody, and go with their announcement.
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        needed.discard(ReviewComment._meta.verbose_name)
        return deleted, counts, needed, protected

    def get_inline_formsets(
        self, request: HttpRequest, formsets: Any, inline_instances: Any, obj: Any = None
    ) -> Any:
        shown = super().get_inline_formsets(request, formsets, inline_instances, obj)
        for part in shown:
            if part.opts.is_folded_when_empty and not part.formset.initial_forms:
                part.classes = "collapse"
        return shown

    def has_been_public(self, obj: Announcement) -> bool:
        past = obj.history.filter(state__in=ONCE_PUBLIC)
        return obj.state in ONCE_PUBLIC or past.exists()

    def is_public(self, obj: Announcement) -> bool:
        return obj.is_public(timezone.now())

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if hasattr(obj, "_history"):
            obj.keep_state()
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        # Who may not write every field writes for one of their teams.
        field = form.base_fields.get("written_by")
        if field and self.writable(request, obj) is not None:
            field.required = True
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        context["preview_url"] = self.preview_url(obj)
        if obj is not None and "revert_disabled" not in context:
            context["steps"] = self.open_steps(request, obj)
            context |= preview_context(request.user, obj)
        context["may_publish"] = self.may_go_on_to_publish(request, obj, context.get("steps", ()))
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("title"))
    def title(self, obj: Announcement) -> str:
        return str(obj)

    @admin.display(description=_("state"), ordering="state")
    def mark(self, obj: Announcement) -> str:
        is_scheduled = obj.is_scheduled(timezone.now())
        name, words = (
            ("scheduled", SCHEDULED) if is_scheduled else (obj.state, obj.get_state_display())
        )
        return format_html('<span class="mark is-{}">{}</span>', name, words)

    @admin.display(description=_("languages"))
    def languages(self, obj: Announcement) -> str:
        # Those that are ready, and in brackets those that are only begun.
        return ", ".join(
            text.language if text.state == TextState.READY else f"({text.language})"
            for text in obj.texts.all()
        )


def preview_context(person: policy.Person, announcement: Announcement) -> dict[str, Any]:
    # A link for somebody without an account, as long as there is no public page to send.
    is_public = announcement.is_public(timezone.now())
    if is_public or not may_take(person, AnnouncementStep.COMMENT, announcement):
        return {}
    ends_at = timezone.now() + LIFETIME
    return {"preview": preview_link(announcement), "preview_until": moment_in_words(ends_at)}
