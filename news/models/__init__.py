"""The models of the news: announcements with all that belongs to them, subscriptions."""

from news.models.announcements import (
    ONCE_PUBLIC,
    UNPUBLISHED,
    Announcement,
    AnnouncementKind,
    AnnouncementQuerySet,
    AnnouncementState,
    AnnouncementText,
    TextState,
    links_to_public_clusters,
)
from news.models.corrections import Correction
from news.models.files import MAX_ATTACHMENTS, MAX_PICTURES, Attachment, Picture
from news.models.reviews import ReviewComment
from news.models.subscriptions import FollowedKind, Rhythm, Subscription, SubscriptionQuerySet
from news.models.topics import Topic

__all__ = [
    "MAX_ATTACHMENTS",
    "MAX_PICTURES",
    "ONCE_PUBLIC",
    "UNPUBLISHED",
    "Announcement",
    "AnnouncementKind",
    "AnnouncementQuerySet",
    "AnnouncementState",
    "AnnouncementText",
    "Attachment",
    "Correction",
    "FollowedKind",
    "Picture",
    "ReviewComment",
    "Rhythm",
    "Subscription",
    "SubscriptionQuerySet",
    "TextState",
    "Topic",
    "links_to_public_clusters",
]
