"""The admin of the app; Django registers what stands here."""

from labels.admin import decisions, directory, labels, notices, scheme

__all__ = ["decisions", "directory", "labels", "notices", "scheme"]
