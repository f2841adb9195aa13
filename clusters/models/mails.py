"""The outbox: mails are stored with what causes them, and sent by `manage.py send_mail`."""

from datetime import datetime, timedelta
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clusters.fields import BoundedIntegerField, LongTextField, MomentField

LATE_AFTER = timedelta(minutes=10)
LONGEST_DELAY = timedelta(hours=6)  # between two attempts
# What a mail says, to whom answers go, what ends a subscription. It goes when the mail has left, or
# is too old to leave.
CONTENT = ("subject", "text", "html", "reply_to", "unsubscribe_url")
WITHOUT_CONTENT = dict.fromkeys(CONTENT, "")


class MailState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("mail", "waiting")
    SENT = "sent", pgettext_lazy("mail", "sent")
    FAILED = "failed", pgettext_lazy("mail", "failed")


class MailQuerySet(models.QuerySet["Mail"]):
    def waiting(self) -> Self:
        return self.filter(state=MailState.WAITING)

    def due(self, now: datetime) -> Self:
        # What is of use for the shortest time leaves first: a reset link before a weekly digest.
        due = self.waiting().filter(is_time_to_try(now), expires_at__gt=now)
        return due.order_by("expires_at", "pk")

    def late(self, now: datetime) -> Self:
        return self.waiting().filter(created_at__lte=now - LATE_AFTER)

    def failed(self) -> Self:
        return self.filter(state=MailState.FAILED)

    def failed_since(self, moment: datetime) -> Self:
        return self.failed().filter(created_at__gte=moment)

    def of_no_use(self, now: datetime) -> Self:
        return self.filter(expires_at__lte=now)


def is_time_to_try(now: datetime) -> Q:
    # What was never tried may always leave, and nothing waits for longer than the longest delay:
    # its moment was written while the clock was ahead.
    return Q(next_try_at__lte=now) | Q(attempts=0) | Q(next_try_at__gt=now + LONGEST_DELAY)


class Mail(models.Model):
    """One mail to one address: waiting to be sent, sent, or given up."""

    number = models.UUIDField(default=uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    to = models.EmailField(_("recipient"))
    language = models.CharField(_("language"), max_length=10)
    subject = LongTextField(_("subject"), blank=True, max_length=1_000)
    text = LongTextField(_("text"), blank=True, max_length=100_000)
    html = LongTextField(_("HTML"), blank=True, max_length=400_000)
    reply_to = models.EmailField(_("answers go to"), blank=True)
    # What the header List-Unsubscribe names, of mails that somebody subscribed to.
    unsubscribe_url = models.CharField(blank=True, max_length=300, editable=False)
    state = models.CharField(_("state"), max_length=7, choices=MailState, default=MailState.WAITING)
    created_at = MomentField(_("written"))
    expires_at = MomentField(_("of use until"), help_text=_("It is not sent after that."))
    attempts = BoundedIntegerField(_("attempts"), most=1_000, default=0)
    tried_at = MomentField(_("last attempt"), null=True, blank=True)
    next_try_at = MomentField(_("next attempt"))
    sent_at = MomentField(_("sent"), null=True, blank=True)
    # A class of error and a code, never what a mail server said: that holds addresses.
    error = models.CharField(_("error"), max_length=100, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        indexes = (
            models.Index(fields=("expires_at",), condition=Q(state="waiting"), name="mail_waiting"),
            models.Index(fields=("tried_at",), name="mail_tried"),
            models.Index(fields=("created_at",), name="mail_written"),
            models.Index(fields=("created_at",), condition=Q(state="failed"), name="mail_failed"),
        )
        constraints = (
            models.CheckConstraint(
                name="mail_is_in_a_known_state",
                condition=Q(state__in=("waiting", "sent", "failed")),
            ),
            models.CheckConstraint(
                name="mail_is_sent_at_a_moment",
                condition=Q(state="sent", sent_at__isnull=False)
                | ~Q(state="sent") & Q(sent_at__isnull=True),
            ),
            models.CheckConstraint(
                name="mail_that_left_keeps_no_content",
                condition=~Q(state="sent") | Q(**WITHOUT_CONTENT),
            ),
            models.CheckConstraint(
                name="mail_that_waits_has_a_text", condition=~Q(state="waiting") | ~Q(text="")
            ),
            models.CheckConstraint(
                name="mail_fails_for_a_reason", condition=~Q(state="failed") | ~Q(error="")
            ),
            models.CheckConstraint(
                name="mail_is_of_use_for_a_while", condition=Q(expires_at__gt=F("created_at"))
            ),
        )

    def __str__(self) -> str:
        return str(self.kind_name)

    @property
    def kind_name(self) -> str | Promise:
        # A kind that is no longer sent has no name any more.
        name, _lifetime = settings.MAIL_KINDS.get(self.kind, (self.kind, None))
        known: str | Promise = name
        return known

    @property
    def message_id(self) -> str:
        """The same at every attempt: a mail that is sent twice can be told to be one."""
        return f"<{self.number}@{urlsplit(settings.SITE_URL).hostname}>"
