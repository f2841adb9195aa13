"""Filters of admin's lists that somebody keeps under a name."""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from clusters.fields import NameField
from clusters.models.people import Account

MAX_QUERY = 2_000
MAX_FILTERS = 20


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    def of(self, account: Account, model: str) -> Self:
        return self.filter(account=account, model=model)

    def with_key(self, key: str) -> Self:
        return self.filter(pk=int(key)) if key.isdecimal() and len(key) < 10 else self.none()


class SavedFilter(models.Model):
    """One's own: nobody else reads it."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="saved_filters", verbose_name=_("account")
    )
    # The model whose list it narrows, as “clusters.cluster”.
    model = models.CharField(_("list"), max_length=80)
    name = NameField(_("name"), max_length=60)
    query = models.CharField(_("filter"), max_length=MAX_QUERY)

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "model", "name"),
                name="saved_filter_once",
                violation_error_message=_("You have a filter of this name: choose another one."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def refuse_bad(self) -> None:
        """Raises ValidationError, in words, where it cannot be kept."""
        if SavedFilter.objects.of(self.account, self.model).count() >= MAX_FILTERS:
            raise ValidationError(
                _("You keep %(number)d filters of this list: remove one first."),
                params={"number": MAX_FILTERS},
            )
        self.full_clean()
