"""The admin of the app; Django registers what stands here."""

from clusters.admin import directory, log, people, queues

__all__ = ["directory", "log", "people", "queues"]
