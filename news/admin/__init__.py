"""The admin of the app; Django registers what stands here."""

from news.admin import announcements, parts, subscriptions, topics
