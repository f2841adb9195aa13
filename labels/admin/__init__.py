"""The admin of the app; Django registers what stands here."""

from labels.admin import clusters, decisions, labels, notices, rules, scheme
