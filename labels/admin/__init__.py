"""The admin of the app; Django registers what stands here."""

from labels.admin import decisions, labels, notices, requirements, scheme

__all__ = ["decisions", "labels", "notices", "requirements", "scheme"]
