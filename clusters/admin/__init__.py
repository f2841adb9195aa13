"""The admin of the app; Django registers what stands here."""

from clusters.admin import directory, queues

__all__ = ["directory", "queues"]
