"""What the page of an article shows, published or as a preview."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from clusters.http.addresses import absolute
from news.figures import Address, downloads_of, figures_of
from news.models import Announcement, AnnouncementText, Attachment, Picture
from news.queries import labels_then_and_today


def article_context(
    request: HttpRequest,
    announcement: Announcement,
    text: AnnouncementText,
    address: Address | None = None,
) -> dict[str, Any]:
    return {
        "section": "news",
        "announcement": announcement,
        "text": text,
        "url": absolute(request.path),
        "labels": labels_then_and_today(announcement, timezone.localdate()),
        "figures": figures_of(announcement, text, address),
        "downloads": downloads_of(announcement, text, address),
    }


def article_preview_context(
    request: HttpRequest, announcement: Announcement, text: AnnouncementText, token: str
) -> dict[str, Any]:
    def address(file: Picture | Attachment) -> str:
        return reverse(f"news:preview_{file._meta.model_name}", args=[token, file.pk])

    return {
        **article_context(request, announcement, text, address),
        "is_preview": True,
        "recipient": None,
    }
