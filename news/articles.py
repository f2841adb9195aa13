"""What the page of an article shows, published or as a preview."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from clusters.http.addresses import absolute
from news.models import Announcement, AnnouncementText
from news.queries import labels_then_and_today


def article_context(
    request: HttpRequest, announcement: Announcement, text: AnnouncementText
) -> dict[str, Any]:
    return {
        "section": "news",
        "announcement": announcement,
        "text": text,
        "url": absolute(request.path),
        "labels": labels_then_and_today(announcement, timezone.localdate()),
    }


def article_preview_context(
    request: HttpRequest, announcement: Announcement, text: AnnouncementText, token: str
) -> dict[str, Any]:
    return {
        **article_context(request, announcement, text),
        "is_preview": True,
        "recipient": None,
        "picture_url": reverse("news:preview_picture", args=[token])
        if announcement.picture
        else "",
    }
