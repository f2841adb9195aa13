"""The pictures and attachments on the screen of an announcement."""

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clusters.admin.base import PartFormSet, StackedPart
from clusters.admin.versions import EMPTY
from clusters.people.forms import PictureField
from news.admin.parts import AnnouncementPartAdmin
from news.admin.steps import ReviewedAgain
from news.files.documents import DOCUMENTS, accept_document
from news.models import MAX_ATTACHMENTS, MAX_PICTURES, Announcement, Attachment, Picture


class DocumentField(forms.FileField):
    """A document that is looked into as soon as it is received."""

    def to_python(self, data: Any) -> Any:
        upload = super().to_python(data)
        return upload and accept_document(upload)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        accepted = ",".join(f".{suffix}" for suffix in DOCUMENTS)
        return super().widget_attrs(widget) | {"accept": accepted}


class LimitedFormSet(PartFormSet):
    def clean(self) -> None:
        super().clean()
        if len(self.kept_rows()) > self.max_num:
            text = ngettext(
                "At most %(number)d row is kept here.",
                "At most %(number)d rows are kept here.",
                self.max_num,
            )
            raise ValidationError(text % {"number": self.max_num})


class FilePart(StackedPart):
    """Ordered by number; static/announcement_files.js lets one drag and drop."""

    formset = LimitedFormSet
    # Without script it is the only way to add one.
    extra = 1


class PictureInline(FilePart):
    model = Picture
    max_num = MAX_PICTURES
    fields = (
        "image",
        "preview",
        ("position", "focus_x", "focus_y"),
        ("alt_en", "alt_it"),
        ("credit_en", "credit_it"),
    )
    readonly_fields = ("preview",)
    formfield_overrides: ClassVar = {
        models.ImageField: {"form_class": partial(PictureField, longest_side=2000)}
    }

    @admin.display(description=_("as saved"))
    def preview(self, obj: Picture) -> str:
        return preview_of(obj)


class AttachmentInline(FilePart):
    model = Attachment
    max_num = MAX_ATTACHMENTS
    fields = ("file", "position", ("title_en", "title_it"))
    formfield_overrides: ClassVar = {models.FileField: {"form_class": DocumentField}}


def preview_of(picture: Picture) -> str:
    if not picture.image:
        return EMPTY
    alt = str(picture) if picture.alt_en or picture.alt_it else gettext("The picture.")
    return format_html(
        '<img class="preview" src="{}" alt="{}" height="160">', picture.image.url, alt
    )


class FileAdmin(ReviewedAgain, AnnouncementPartAdmin):
    def announcement_of(self, object_id: str) -> Announcement | None:
        row: Any = self.model._default_manager.filter(pk=object_id).first()
        announcement: Announcement | None = row and row.announcement
        return announcement


@admin.register(Picture)
class PictureAdmin(FileAdmin):
    list_display = ("announcement", "position", "alt_en", "alt_it")
    formfield_overrides: ClassVar = {
        **FileAdmin.formfield_overrides,
        **PictureInline.formfield_overrides,
    }


@admin.register(Attachment)
class AttachmentAdmin(FileAdmin):
    list_display = ("announcement", "position", "title_en", "title_it")
    formfield_overrides: ClassVar = {
        **FileAdmin.formfield_overrides,
        **AttachmentInline.formfield_overrides,
    }
