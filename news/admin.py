"""The admin of announcements."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import Concern, PartAdmin, PublishedAdmin, TextPart
from clusters.admin.versions import EMPTY
from clusters.models import Organisation
from clusters.people import policy
from clusters.people.forms import PictureField
from labels.models import Label
from news.markup import render
from news.models import Announcement, AnnouncementText


class AnnouncementTextInline(TextPart):
    model = AnnouncementText
    fields = (
        "language",
        "title",
        "slug",
        "lead",
        "body",
        "body_preview",
        "box_title",
        "box",
        "box_preview",
        "picture_alt",
        "picture_credit",
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


@admin.register(Announcement)
class AnnouncementAdmin(PublishedAdmin):
    list_display = ("title", "published_at", "languages", "is_published")
    list_filter = ("is_published",)
    search_fields = ("texts__title", "texts__lead", "clusters__name", "public_id")
    search_help_text = _("Title, lead, cluster or public id.")
    date_hierarchy = "published_at"
    autocomplete_fields = (
        "written_by",
        "contact_organisation",
        "clusters",
        "organisations",
        "labels",
        "programmes",
        "statements",
    )
    readonly_fields = ("public_id", "picture_preview")
    formfield_overrides: ClassVar = {
        **PublishedAdmin.formfield_overrides,
        models.ImageField: {"form_class": partial(PictureField, longest_side=2000)},
    }
    fieldsets = (
        (None, {"fields": ("is_published", "published_at", "written_by", "public_id")}),
        (_("Picture"), {"fields": ("picture", "picture_preview")}),
        (
            _("What it is about"),
            {"fields": ("clusters", "organisations", "labels", "programmes", "statements")},
        ),
        (_("Contact"), {"fields": ("contact_organisation",)}),
    )
    inlines = (AnnouncementTextInline,)
    concerns: ClassVar = {
        "drafts": Concern(_("Draft announcements"), lambda rows, day: rows.drafts()),
        "language": Concern(
            _("Announcements missing a language"), lambda rows, day: rows.missing_a_language()
        ),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Announcement]:
        announcements: QuerySet[Announcement] = super().get_queryset(request)
        # The name of a row is the title of its text.
        return announcements.prefetch_related("texts")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Announcement | None:
        # It names only what the person may know of.
        obj: Announcement | None = super().get_object(request, object_id, from_field)
        if obj is not None:
            day = timezone.localdate()
            for field in self.opts.many_to_many:
                rows = policy.nameable_rows(
                    request.user, field.related_model._default_manager.all(), day
                )
                prefetch_related_objects([obj], Prefetch(field.name, queryset=rows))
        return obj

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        # Who may not write every field writes for one of their teams.
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        field = form.base_fields.get("written_by")
        if field and self.writable(request, obj) is not None:
            field.required = True
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        if self.writable(request, None) is None:
            return initial
        return {"written_by": self.visible(request, Organisation).first()} | initial

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        if db_field.name == "labels":
            kwargs["queryset"] = self.visible(request, Label).select_related("cluster", "level")
        field: ModelMultipleChoiceField | None = super().formfield_for_manytomany(
            db_field, request, **kwargs
        )
        return field

    def is_public(self, obj: Announcement) -> bool:
        return (
            obj.is_published and obj.published_at is not None and obj.published_at <= timezone.now()
        )

    def write(self, obj: Announcement) -> None:
        # What is published without a moment appears now.
        if obj.is_published and obj.published_at is None:
            obj.published_at = timezone.now()
        obj.save()

    @admin.display(description=_("title"))
    def title(self, obj: Announcement) -> str:
        return str(obj)

    @admin.display(description=_("languages"))
    def languages(self, obj: Announcement) -> str:
        return ", ".join(text.language for text in obj.texts.all())

    @admin.display(description=_("picture today"))
    def picture_preview(self, obj: Announcement) -> str:
        if not obj.picture:
            return EMPTY
        return format_html(
            '<img class="preview" src="{}" alt="{}" height="160">',
            obj.picture.url,
            gettext("The picture."),
        )


@admin.register(AnnouncementText)
class AnnouncementTextAdmin(PartAdmin):
    part_of = ("announcement",)
    list_display = ("title", "language", "slug")
