"""The rows on the screen of an announcement: its texts, corrections and comments."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import PartAdmin, TabularPart, TextPart
from clusters.admin.versions import EMPTY
from clusters.people import policy
from news.admin.steps import ReviewedAgain
from news.markup import render
from news.models import Announcement, AnnouncementText, Correction, ReviewComment


class AnnouncementTextInline(TextPart):
    model = AnnouncementText
    fields = (
        "language",
        "state",
        "title",
        "slug",
        "lead",
        "body",
        "body_preview",
        "box_title",
        "box",
        "box_preview",
        "contact_role",
    )
    readonly_fields = ("body_preview", "box_preview")
    prepopulated_fields: ClassVar = {"slug": ("title",)}

    @admin.display(description=_("body as saved"))
    def body_preview(self, obj: AnnouncementText) -> str:
        return preview_text(obj.language, obj.body)

    @admin.display(description=_("box as saved"))
    def box_preview(self, obj: AnnouncementText) -> str:
        return preview_text(obj.language, obj.box)


def preview_text(language: str, markdown: str) -> str:
    if not markdown:
        return EMPTY
    return format_html('<div class="preview" lang="{}">{}</div>', language, render(markdown))


class CorrectionInline(TabularPart):
    model = Correction
    fields = ("corrected_at", "text_en", "text_it")


class ReviewCommentInline(TabularPart):
    """Written by a step; here a comment is marked as resolved."""

    model = ReviewComment
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
class AnnouncementTextAdmin(ReviewedAgain, PartAdmin):
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
