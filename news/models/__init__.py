"""The models of the news: announcements with their texts, topics, reviews and corrections."""

from news.models.announcements import (
    ONCE_PUBLIC,
    UNPUBLISHED,
    Announcement,
    AnnouncementKind,
    AnnouncementQuerySet,
    AnnouncementState,
    AnnouncementText,
    ClusterCount,
    TextState,
)
from news.models.corrections import Correction
from news.models.reviews import ReviewComment
from news.models.topics import Topic

__all__ = [
    "ONCE_PUBLIC",
    "UNPUBLISHED",
    "Announcement",
    "AnnouncementKind",
    "AnnouncementQuerySet",
    "AnnouncementState",
    "AnnouncementText",
    "ClusterCount",
    "Correction",
    "ReviewComment",
    "TextState",
    "Topic",
]
