"""Writing Markdown in admin: the toolbar, the preview that the site renders, what is pasted."""

import re
from http import HTTPStatus
from typing import Any, NamedTuple

from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import models
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from clusters.admin.base import PortalAdmin
from clusters.models.reference import languages
from news.articles import article_preview_context
from news.from_html import NotConverted, markdown_of_html
from news.markup import validate_markdown
from news.models import Announcement, AnnouncementText
from news.workflow.previews import preview_token


class Tool(NamedTuple):
    """A button; `keys` are pressed with Ctrl, and `drawing` is a path in a square of 16."""

    name: str
    title: Promise
    keys: str
    drawing: str

    def hint(self) -> str:
        if not self.keys:
            return gettext("Pictures stand beside the text: go to them")
        return f"{self.title} (Ctrl+{self.keys})"


TOOLS = (
    Tool("bold", _("Bold"), "B", "M4.5 3h4a2.5 2.5 0 0 1 0 5h-4zm0 5h5a2.5 2.5 0 0 1 0 5h-5z"),
    Tool("italic", _("Italics"), "I", "M7 3h5M4 13h5M9.5 3l-3 10"),
    Tool("heading", _("Heading"), "Shift+H", "M3.5 3v10M12.5 3v10M3.5 8h9"),
    Tool("list", _("List"), "Shift+8", "M6 4h8M6 8h8M6 12h8M2.5 4h.5M2.5 8h.5M2.5 12h.5"),
    Tool(
        "numbers", _("Numbered list"), "Shift+7", "M7 4h7M7 12h7M2 3l1.5-.8V6M2 10h2.5L2 13.5h2.5"
    ),
    Tool("quote", _("Quotation"), "Shift+9", "M3 11q3-1 3-4V5H3v3h2M9 11q3-1 3-4V5H9v3h2"),
    Tool(
        "link", _("Link"), "K",
        "M6.5 9.5l3-3M7 5l2-2a2.8 2.8 0 0 1 4 4l-2 2M9 11l-2 2a2.8 2.8 0 0 1-4-4l2-2",
    ),
    Tool("picture", _("Picture"), "", "M2 3h12v10H2zM2 11l4-4 4 4 2-2 2 2M10.5 6h.5"),
)  # fmt: skip


class MarkdownWidget(AdminTextareaWidget):
    class Media:
        css = {"all": ["editor.css"]}
        js = (Script("markdown.js", type="module"),)

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        textarea = super().render(name, value, attrs, renderer)
        context = {"textarea": textarea, "tools": TOOLS, "id": (attrs or {}).get("id", "")}
        return render_to_string("admin/news/markdown.html", context)


class MarkdownFields(BaseModelAdmin):
    """The toolbar at each field whose text is Markdown."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if validate_markdown in db_field.validators:
            kwargs["widget"] = MarkdownWidget
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class EditorAdmin(PortalAdmin):
    """What static/markdown.js and static/texts.js ask for, and the button without them."""

    def get_urls(self) -> list[Any]:
        preview = self.admin_site.admin_view(require_POST(self.text_preview_view))
        paste = self.admin_site.admin_view(require_POST(self.paste_view))
        return [
            path("preview/", preview, name="news_announcement_preview_new"),
            path("<int:pk>/preview/", preview, name="news_announcement_preview"),
            path("paste/", paste, name="news_announcement_paste"),
            *super().get_urls(),
        ]

    def text_preview_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """The page of one text as it is typed, in its language; nothing is stored.

        `preview` is the prefix of its fields. What is beside the text is as it was saved.
        """
        self.refuse_who_does_not_write(request, pk)
        text = text_as_typed(request.POST)
        announcement = self.previewed(pk)
        with translation.override(text.language):
            token = preview_token(announcement) if pk else ""
            context = article_preview_context(request, announcement, text, token)
            return HttpResponse(render_to_string("admin/news/preview.html", context, request))

    def paste_view(self, request: HttpRequest) -> HttpResponse:
        """What was copied elsewhere, as Markdown."""
        self.hide_from_strangers(request)
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        try:
            markdown = markdown_of_html(request.POST.get("html", ""))
        except NotConverted:
            return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return JsonResponse({"markdown": markdown})

    def refuse_who_does_not_write(self, request: HttpRequest, pk: int | None) -> None:
        self.hide_from_strangers(request, None if pk is None else str(pk))
        may_write = (
            self.has_add_permission(request)
            if pk is None
            else self.has_change_permission(request, self.get_object(request, str(pk)))
        )
        if not may_write:
            raise PermissionDenied

    def previewed(self, pk: int | None) -> Announcement:
        if pk is None:
            # Nothing is related to it yet; without a key Django would not even ask.
            return Announcement(pk=0)
        return Announcement.objects.with_clusters().with_relations().get(pk=pk)

    def preview_url(self, obj: Announcement | None) -> str:
        if obj is None:
            return reverse("admin:news_announcement_preview_new")
        return reverse("admin:news_announcement_preview", args=[obj.pk])


def text_as_typed(sent: Any) -> AnnouncementText:
    """Not checked, as it is half done; what is too long is cut, Markdown by the site itself."""
    prefix = sent.get("preview", "")
    if not re.fullmatch(r"texts-[0-9]{1,4}", prefix):
        raise BadRequest("preview: the prefix of a text is missing")
    values = {
        field.name: typed_in(field, sent.get(f"{prefix}-{field.name}", ""))
        for field in AnnouncementText._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
    }
    if values["language"] not in dict(languages()):
        raise BadRequest(f"{prefix}-language: no language of the portal")
    return AnnouncementText(**values)


def typed_in(field: Any, value: str) -> str:
    is_markdown = validate_markdown in field.validators
    return value if is_markdown else value[: field.max_length]
