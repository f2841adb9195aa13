"""The topics under which announcements are found."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clusters.fields import BoundedIntegerField
from clusters.models.history import History
from clusters.models.reference import TwoNames


class Topic(TwoNames):
    """One of a short list, which the secretariat keeps."""

    slug = models.SlugField(
        _("page address"),
        max_length=60,
        unique=True,
        help_text=_("The word for it in addresses, the same in every language."),
    )
    rank = BoundedIntegerField(
        _("place in the list"), most=1_000, default=0, help_text=_("The lowest comes first.")
    )

    history = History()

    class Meta:
        ordering = ("rank", "name_en", "pk")
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
