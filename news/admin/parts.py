"""The rows on the screen of an announcement: its texts, corrections and comments."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.forms import HiddenInput
from django.forms.widgets import Script
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import PartAdmin, TabularPart, TextPart
from clusters.people import policy
from news.admin.editor import MarkdownFields
from news.admin.steps import ReviewedAgain
from news.models import Announcement, AnnouncementText, Correction, ReviewComment


class AnnouncementTextInline(MarkdownFields, TextPart):
    model = AnnouncementText
    template = "admin/news/texts.html"
    fieldsets = (
        (None, {"fields": ("language", "state", "title", "slug", "lead", "body")}),
        (_("Background box"), {"fields": ("box_title", "box")}),
        (_("Picture and contact"), {"fields": ("picture_alt", "picture_credit", "contact_role")}),
    )
    prepopulated_fields: ClassVar = {"slug": ("title",)}

    class Media:
        js = (Script("texts.js", type="module"),)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "language":
            # It is the heading of the text.
            kwargs["widget"] = HiddenInput
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class CorrectionInline(TabularPart):
    model = Correction
    is_folded_when_empty = True
    fields = ("corrected_at", "text_en", "text_it")


class ReviewCommentInline(TabularPart):
    """Written by a step; here a comment is marked as resolved."""

    model = ReviewComment
    is_folded_when_empty = True
    fields = ("author", "written_at", "text", "is_resolved")
    readonly_fields = ("author", "written_at", "text")
    never = (policy.ADD, policy.DELETE)

    def writable(self, request: HttpRequest, obj: models.Model | None) -> frozenset[str] | None:
        # By the grant to change it, as nobody adds one here.
        day = timezone.localdate()
        return policy.writable_fields(request.user, policy.CHANGE, self.model, None, day)


class AnnouncementPartAdmin(PartAdmin):
    part_of: tuple[str, ...] = ("announcement",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        # An announcement is called by the title of a text.
        return super().get_queryset(request).prefetch_related("announcement__texts")


@admin.register(AnnouncementText)
class AnnouncementTextAdmin(ReviewedAgain, MarkdownFields, PartAdmin):
    part_of = ("announcement",)
    list_display = ("title", "language", "state", "slug")

    def announcement_of(self, object_id: str) -> Announcement | None:
        return Announcement.objects.filter(texts__pk=object_id).first()


@admin.register(Correction)
class CorrectionAdmin(AnnouncementPartAdmin):
    list_display = ("announcement", "corrected_at", "text")


@admin.register(ReviewComment)
class ReviewCommentAdmin(AnnouncementPartAdmin):
    part_of = ("announcement", "author", "written_at", "text")
    never = (policy.ADD, policy.DELETE, policy.RESTORE)
    list_display = ("announcement", "written_at", "text", "is_resolved")
