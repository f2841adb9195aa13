"""The admin of the app; Django registers what stands here."""

from labels.admin import clusters as directory
from labels.admin import decisions, labels, notices, scheme

__all__ = ["decisions", "directory", "labels", "notices", "scheme"]
