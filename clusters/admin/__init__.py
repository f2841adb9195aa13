"""The admin of the app; Django registers what stands here."""

from clusters.admin import directory

__all__ = ["directory"]
