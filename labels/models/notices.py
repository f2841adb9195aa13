"""The ledger of notices: who was to be told of which end, and to whom a mail was written."""

from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from clusters.fields import DayField, MomentField
from clusters.models.history import History
from labels.models.labels import Label, later_labels


class NoticeKind(models.TextChoices):
    SIX_MONTHS = "6-months", _("6 months before the end")
    THREE_MONTHS = "3-months", _("3 months before the end")
    ONE_MONTH = "1-month", _("1 month before the end")
    END = "end", _("at the end")
    WINDOW = "window", _("3 months before the renewal window closes")


class NoticeAnswer(models.TextChoices):
    RECEIVED = "received", _("we know")
    RENEWING = "renewing", _("we will renew")


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of_label(self, label: Label) -> Self:
        return self.filter(label=label)

    def with_label(self) -> Self:
        return self.select_related("label__level", "label__cluster")

    def answered_between(self, first: datetime, last: datetime) -> Self:
        # From the first moment on, before the last; the label is still public.
        return self.with_label().filter(
            label__in=Label.objects.published(), answered_at__gte=first, answered_at__lt=last
        )

    def untold(self, day: date) -> Self:
        # The latest notices of labels whose renewal window is open, and nobody got a mail.
        later = Notice.objects.filter(label=OuterRef("label"), due_on__gt=OuterRef("due_on"))
        labels = Label.objects.published().filter(
            ~Exists(later_labels()), revoked_on=None, transferred_on=None, renewable_until__gte=day
        )
        return self.filter(~Exists(later), label__in=labels, deliveries=None)


class Notice(models.Model):
    """That a cluster's team is to be told of a day; once for each day, which an extension moves."""

    label = models.ForeignKey(
        Label, models.CASCADE, related_name="notices", verbose_name=_("label")
    )
    kind = models.CharField(_("notice"), max_length=8, choices=NoticeKind)
    due_on = DayField(_("due on"))
    answer = models.CharField(_("answer"), max_length=8, choices=NoticeAnswer, blank=True)
    answered_at = MomentField(_("answered at"), null=True, blank=True)

    objects = NoticeQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ("-due_on", "-pk")
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = (
            models.UniqueConstraint(fields=("label", "kind", "due_on"), name="notice_once"),
            models.CheckConstraint(
                name="notice_is_answered_at_a_moment",
                condition=Q(answer="", answered_at__isnull=True)
                | ~Q(answer="") & Q(answered_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.label}"


class Delivery(models.Model):
    """That a mail of a notice, or of a week's digest, was written to one recipient; once.

    What became of the mail the outbox says (clusters/models/mails.py).
    """

    notice = models.ForeignKey(
        Notice,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="deliveries",
        verbose_name=_("notice"),
    )
    week_from = DayField(_("week of the digest"), null=True, blank=True, help_text=_("Its Monday."))
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("account"),
        help_text=_("Empty: the role address of the organisation."),
    )
    written_at = MomentField(_("written at"))

    history = History()

    class Meta:
        ordering = ("-written_at", "-pk")
        verbose_name = _("mail of a notice")
        verbose_name_plural = _("mails of notices")
        constraints = (
            models.CheckConstraint(
                name="delivery_is_of_a_notice_or_a_digest",
                condition=Q(notice__isnull=False, week_from__isnull=True)
                | Q(notice__isnull=True, week_from__isnull=False),
            ),
            models.UniqueConstraint(
                fields=("notice", "account"),
                condition=Q(account__isnull=False),
                name="delivery_once_per_account",
            ),
            models.UniqueConstraint(
                fields=("notice",),
                condition=Q(account__isnull=True),
                name="delivery_once_per_role_address",
            ),
            models.UniqueConstraint(
                fields=("week_from", "account"),
                condition=Q(account__isnull=False),
                name="delivery_of_digest_once_per_account",
            ),
        )

    def __str__(self) -> str:
        return f"{self.notice or self.week_from}"
