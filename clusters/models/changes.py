"""What the public sees and has changed, reported by triggers (clusters/triggers/changes.py)."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from clusters.fields import MomentField


class ChangeKind(models.TextChoices):
    CLUSTER = "cluster", _("cluster")
    ORGANISATION = "organisation", _("organisation")
    PROGRAMME = "programme", _("programme")
    ANNOUNCEMENT = "announcement", _("announcement")
    OTHER = "other", _("other")


class Change(models.Model):
    """One record changed, by whomever; `key` is its primary key, 0 for what is of no one kind.

    `has_words` is off where no word has changed by which it is found.
    On PostgreSQL a row also has the number of the transaction that wrote it, `xid`.
    """

    kind = models.CharField(max_length=12, choices=ChangeKind)
    key = models.BigIntegerField(default=0, db_default=0)
    changed_at = MomentField(db_default=Now())
    has_words = models.BooleanField(default=True, db_default=True)

    class Meta:
        ordering = ("pk",)
        indexes = (models.Index(fields=("changed_at",), name="change_by_time"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
