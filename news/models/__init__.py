"""The models of the news: announcements with all that belongs to them, subscriptions."""

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
from news.models.subscriptions import FollowedKind, Rhythm, Subscription, SubscriptionQuerySet
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
    "FollowedKind",
    "ReviewComment",
    "Rhythm",
    "Subscription",
    "SubscriptionQuerySet",
    "TextState",
    "Topic",
]
