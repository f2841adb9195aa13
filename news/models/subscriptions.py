"""Who gets the news by mail, of what, and up to which moment it was told."""

from datetime import datetime
from typing import Self
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.encoding import punycode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clusters.fields import MomentField
from clusters.models.reference import languages
from news.models.announcements import AnnouncementKind

MOST_CHOSEN = 100  # of the clusters


class Rhythm(models.TextChoices):
    AT_ONCE = "at_once", pgettext_lazy("of mails", "at once")
    WEEKLY = "weekly", pgettext_lazy("of mails", "once a week, on Monday")
    MONTHLY = "monthly", pgettext_lazy("of mails", "once a month, on the first")


class FollowedKind(models.TextChoices):
    NEWS = AnnouncementKind.NEWS.value, _("news")
    EVENT = AnnouncementKind.EVENT.value, _("events")
    CALL = AnnouncementKind.CALL.value, _("calls")
    LABELS = "labels", _("changes of labels")


def every_kind() -> list[str]:
    return [*FollowedKind.values]


def normal_address(text: str) -> str:
    """The one form of an address: small letters, the domain as the mail server writes it.

    Raises UnicodeError where the domain is none.
    """
    name, at, domain = text.strip().rpartition("@")
    return f"{name.lower()}{at}{punycode(domain).lower()}"


def spellings(address: str) -> set[str]:
    """As it was typed and, where that differs by more than capitals, in its normal form."""
    typed = address.strip()
    try:
        normal = normal_address(typed)
    except UnicodeError:
        return {typed}
    return {typed} if typed.lower() == normal else {typed, normal}


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def confirmed(self) -> Self:
        return self.filter(confirmed_at__isnull=False)

    def unconfirmed_since(self, moment: datetime) -> Self:
        return self.filter(confirmed_at=None, signed_up_at__lte=moment)

    def due(self, rhythm: str, until: datetime) -> Self:
        # Whom something of before this moment may not have been told yet.
        return self.confirmed().filter(rhythm=rhythm, told_at__lt=until).order_by("pk")

    def of_address(self, address: str) -> Self:
        return self.filter(address__in={spelling.lower() for spelling in spellings(address)})


class Subscription(models.Model):
    """Nothing is mailed to it before it is confirmed.

    The choice names clusters by their public ids and topics by their keys, which never change: what
    is gone matches nothing, where a row less would have widened the choice to all. An empty list is
    all, `kinds` is never empty.
    """

    # Links lead to it: a row that comes in the place of another one has other links.
    number = models.UUIDField(default=uuid4, unique=True, editable=False)
    address = models.EmailField(_("e-mail address"), unique=True)
    language = models.CharField(
        _("language of mails"), max_length=2, choices=languages, default="en"
    )
    rhythm = models.CharField(_("rhythm"), max_length=8, choices=Rhythm, default=Rhythm.WEEKLY)
    kinds = models.JSONField(_("kinds"), default=every_kind)
    clusters = models.JSONField(_("clusters"), default=list, blank=True)
    topics = models.JSONField(_("topics"), default=list, blank=True)
    countries = models.JSONField(_("countries"), default=list, blank=True)
    signed_up_at = MomentField(_("signed up"))
    confirmed_at = MomentField(_("confirmed"), null=True, blank=True)
    # The ledger of digests: written together with the mail, so no moment is told twice.
    told_at = MomentField(_("told up to"), null=True, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ("-signed_up_at", "-pk")
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        indexes = (
            models.Index(
                fields=("rhythm", "id"),
                condition=Q(confirmed_at__isnull=False),
                name="subscription_by_rhythm",
            ),
        )
        constraints = (
            models.CheckConstraint(
                name="subscription_has_a_known_rhythm", condition=Q(rhythm__in=Rhythm.values)
            ),
            models.CheckConstraint(
                name="subscription_is_told_since_it_is_confirmed",
                condition=Q(confirmed_at__isnull=True, told_at__isnull=True)
                | Q(confirmed_at__isnull=False, told_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        # Without the address, which admin shows nowhere.
        return f"{self.get_rhythm_display()}, {self.language}"
