"""What somebody typed into a form of admin and has not saved yet."""

import json
from datetime import datetime
from typing import Self

from django.db import models
from django.http import QueryDict
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from clusters.fields import LongTextField, MomentField
from clusters.models.people import Account

MAX_CHARACTERS = 200_000
MAX_OPENINGS = 5  # of one form; of more the oldest go


class FormDraftQuerySet(models.QuerySet["FormDraft"]):
    def of(self, account: Account, address: str) -> Self:
        return self.filter(account=account, address=address)

    def opened(self, opening: str) -> Self:
        return self.filter(opening=opening)

    def store(
        self, account: Account, address: str, opening: str, *, data: str, now: datetime
    ) -> None:
        typed = {"data": data, "saved_at": now}
        self.update_or_create(account=account, address=address, opening=opening, defaults=typed)
        drafts = self.of(account, address)
        too_many = [draft.pk for draft in drafts.only("pk")[MAX_OPENINGS:]]
        if too_many:
            drafts.filter(pk__in=too_many).delete()


def new_opening() -> str:
    return get_random_string(12)


class FormDraft(models.Model):
    """One for each account, form and opening of its page; a save of the form ends them all.

    Nobody else reads it. What is typed beside an older draft that waits does not replace it.
    """

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="form_drafts", verbose_name=_("account")
    )
    # Of the page with the form; in admin it is the same in every language.
    address = models.CharField(_("address of the form"), max_length=300)
    # Of the page, which goes on when it comes back with an error or from a draft.
    opening = models.CharField(_("opening of the form"), max_length=12)
    # The fields in their order, as JSON: pairs of name and text.
    data = LongTextField(_("what was typed"), max_length=MAX_CHARACTERS)
    saved_at = MomentField(_("saved"), db_index=True)

    objects = FormDraftQuerySet.as_manager()

    class Meta:
        ordering = ("-saved_at", "-pk")
        verbose_name = _("draft of a form")
        verbose_name_plural = _("drafts of forms")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "address", "opening"), name="form_draft_once"
            ),
        )

    def __str__(self) -> str:
        return self.address

    def as_sent(self) -> QueryDict:
        """What a browser would send of the form as it was typed."""
        sent = QueryDict(mutable=True)
        for name, text in json.loads(self.data):
            sent.appendlist(name, text)
        sent._mutable = False
        return sent
