"""What reviewers and writers say to each other about an announcement; never public."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clusters.fields import LongTextField, MomentField
from clusters.models import Account
from clusters.models.history import History
from news.models.announcements import Announcement


class ReviewComment(models.Model):
    announcement = models.ForeignKey(
        Announcement, models.CASCADE, related_name="comments", verbose_name=_("announcement")
    )
    author = models.ForeignKey(
        Account,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="review_comments",
        verbose_name=_("author"),
    )
    written_at = MomentField(_("written"))
    text = LongTextField(_("comment"), max_length=2_000)
    is_resolved = models.BooleanField(_("resolved"), default=False)

    history = History()

    class Meta:
        ordering = ("written_at", "pk")
        verbose_name = _("comment of a review")
        verbose_name_plural = _("comments of the review")

    def __str__(self) -> str:
        return self.text[:60]
