"""The admin of the app; Django registers what stands here."""

from clusters.admin import clusters as directory
from clusters.admin import log, people, queues

__all__ = ["directory", "log", "people", "queues"]
