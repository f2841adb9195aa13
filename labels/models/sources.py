"""What stands behind a label: each source that tells of it, and what it says."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clusters.models.history import History
from clusters.models.sources import Evidence, names_what_was_seen
from labels.models.labels import Label


class LabelSource(Evidence):
    """A source that tells of a label; `Label.source` names the first."""

    label = models.ForeignKey(
        Label, models.CASCADE, related_name="sources", verbose_name=_("label")
    )

    history = History()

    class Meta:
        ordering = ("label", "pk")
        verbose_name = _("source of a label")
        verbose_name_plural = _("sources of labels")
        constraints = (
            names_what_was_seen("label_source"),
            models.UniqueConstraint(
                fields=("label", "source"),
                name="label_source_once",
                violation_error_message=_("This label has that source already."),
            ),
        )

    def __str__(self) -> str:
        return self.source or self.note or self.get_confidence_display()
