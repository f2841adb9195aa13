"""The pool of accredited experts."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from clusters.fields import PartialDateField
from clusters.models import Portfolio
from clusters.models.history import History


class Expert(models.Model):
    """An accredited person of the pool, known by an account; assessments are assigned to it."""

    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="expert", verbose_name=_("account")
    )
    country = CountryField(_("country"))
    languages = models.CharField(
        _("languages"),
        max_length=100,
        blank=True,
        help_text=_("Codes with commas between them, as en, it, fr."),
    )
    portfolios = models.ManyToManyField(
        Portfolio, blank=True, related_name="experts", verbose_name=_("comparative portfolios")
    )
    accredited_on = PartialDateField(_("accredited"), null=True, blank=True)

    history = History(m2m_fields=[portfolios])

    class Meta:
        ordering = ("account__email", "pk")
        verbose_name = _("expert")
        verbose_name_plural = _("experts")

    def __str__(self) -> str:
        return str(self.account)
