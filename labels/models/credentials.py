"""Which credential was issued of which label, and its place in the public lists of states."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clusters.fields import BoundedIntegerField
from labels.models.labels import Label

# Places in the public lists of states: enough for every label there will be, drawn at random so
# that a place tells nothing of how many labels are not public.
STATUS_PLACES = 2**22


def new_status_index() -> int:
    return secrets.randbelow(STATUS_PLACES)


class IssuedCredential(models.Model):
    """A place in the lists of states, and the digest of what the credential there says.

    It stays for ever: copies are about. One of a label that was deleted has none.
    """

    label = models.ForeignKey(Label, models.SET_NULL, null=True, related_name="credentials")
    digest = models.CharField(max_length=64)
    status_index = BoundedIntegerField(unique=True, most=STATUS_PLACES, default=new_status_index)
    is_withdrawn = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("issued credential")
        verbose_name_plural = _("issued credentials")
        constraints = (
            models.UniqueConstraint(
                fields=("label",), condition=Q(is_withdrawn=False), name="credential_of_label_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.status_index)
