"""The log of what matters for trust; triggers refuse to change it (clusters/triggers/rows.py)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clusters.fields import MomentField
from clusters.models.people import Account


class EventKind(models.TextChoices):
    SIGNED_IN = "signed-in", _("signed in")
    SIGN_IN_FAILED = "sign-in-failed", _("sign-in failed")
    SIGNED_OUT = "signed-out", _("signed out")
    PASSWORD_CHANGED = "password-changed", _("password changed")
    SECOND_FACTOR_CHANGED = "second-factor-changed", _("second factor changed")
    INVITED = "invited", _("invited")
    INVITATION_ACCEPTED = "invitation-accepted", _("invitation accepted")
    ROLE_GIVEN = "role-given", _("role given")
    ROLE_TAKEN = "role-taken", _("role taken")
    ACCOUNT_DISABLED = "account-disabled", _("account disabled")
    ACCOUNT_ENABLED = "account-enabled", _("account enabled")
    CLAIM_DECIDED = "claim-decided", _("claim decided")
    PROFILE_CONFIRMED = "profile-confirmed", _("profile confirmed")
    LABEL_PROPOSED = "label-proposed", _("proposed about a label")
    LABEL_DECIDED = "label-decided", _("decided on a label")
    RULES_PROPOSED = "rules-proposed", _("rules of a level proposed")
    RULES_DECIDED = "rules-decided", _("rules of a level decided")
    PUBLISHED = "published", _("published")
    UNPUBLISHED = "unpublished", _("unpublished")
    RESTORED = "restored", _("restored")
    ANNOUNCEMENT_STEP = "announcement-step", _("step of an announcement")
    IMPORTED = "imported", _("imported")
    LIMIT_REACHED = "limit-reached", _("limit of messages reached")
    EXPORTED = "exported", _("exported")
    ERASED = "erased", _("erased")
    PURGED = "purged", _("purged")


class Event(models.Model):
    """A line of the log. The address of a person is never here: it is in `EventAddress`."""

    happened_at = MomentField(_("when"), db_index=True)
    kind = models.CharField(_("what"), max_length=24, choices=EventKind, db_index=True)
    # PROTECT: an account that stands in the log is made nameless, never deleted.
    account = models.ForeignKey(
        Account,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        verbose_name=_("who"),
        help_text=_("Empty: a visitor, or a command."),
    )
    about = models.ForeignKey(
        Account,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="events_about",
        verbose_name=_("about whom"),
    )
    # Never an address (clusters/people/log.py): nothing could take it out again.
    detail = models.CharField(_("detail"), max_length=300, blank=True)

    class Meta:
        ordering = ("-happened_at", "-pk")
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return self.get_kind_display()


class EventAddress(models.Model):
    """Where an event came from, and the address that was typed: for 90 days only."""

    # A row of its own, as it goes after 90 days while the line stays for two years.
    event = models.OneToOneField(
        Event, models.CASCADE, related_name="address", verbose_name=_("event")
    )
    network_address = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    typed_address = models.CharField(_("address typed"), max_length=254, blank=True)

    class Meta:
        ordering = ("-event",)
        verbose_name = _("address of an event")
        verbose_name_plural = _("addresses of events")

    def __str__(self) -> str:
        return self.network_address or self.typed_address
