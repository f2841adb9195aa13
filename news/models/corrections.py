"""What was corrected in an announcement after it had appeared."""

from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clusters.fields import LongTextField, MomentField
from clusters.models.history import History
from news.models.announcements import Announcement


class Correction(models.Model):
    """A public note: when, and what was wrong, in each language of the portal."""

    announcement = models.ForeignKey(
        Announcement, models.CASCADE, related_name="corrections", verbose_name=_("announcement")
    )
    corrected_at = MomentField(_("moment of the correction"), default=timezone.now)
    text_en = LongTextField(
        _("what was corrected (English)"),
        max_length=1_000,
        help_text=_("Public: what was wrong, and what is right."),
    )
    text_it = LongTextField(
        _("what was corrected (Italian)"),
        max_length=1_000,
        help_text=_("Public: what was wrong, and what is right."),
    )

    history = History()

    class Meta:
        ordering = ("corrected_at", "pk")
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def text(self) -> str:
        return self.text_it if get_language() == "it" else self.text_en
