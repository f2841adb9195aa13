"""The admin of the app; Django registers what stands here."""

from clusters.admin import clusters, log, mails, people, queues
