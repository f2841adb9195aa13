"""Records with a page of their own, which anybody may name by a public id or an address."""

from collections.abc import Collection
from typing import Any, ClassVar, Self, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Max, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from clusters.fields import normal_name_fields, with_normal_names
from clusters.models.addresses import Addressed
from clusters.names import new_public_id, normal_name

NAME_OF_ANOTHER = _(
    "Another record bears this name or bore it, and public labels are known by it. Add what tells "
    "the two apart."
)

Row = TypeVar("Row", bound=models.Model)
Record = TypeVar("Record", bound="PublicRecord")


class NamedQuerySet(models.QuerySet[Row]):
    """Rows with a name: what writes it writes its normal form, too."""

    def update(self, **values: Any) -> int:
        return super().update(**with_normal_names(self.model, values))

    def bulk_update(self, objs: Any, fields: Any, batch_size: int | None = None) -> int:
        forms = normal_name_fields(self.model)
        normal = [forms[name].attname for name in fields if name in forms]
        # Each form comes as an expression of its own, not made of that of the name.
        rows: models.QuerySet[Row] = models.QuerySet(self.model, using=self.db)
        return rows.bulk_update(objs, [*fields, *normal], batch_size)


class PublicRecordQuerySet(NamedQuerySet[Record]):
    def published(self) -> Self:
        # The one predicate for "the public sees it".
        return self.filter(is_published=True)

    def at(self, text: str) -> Record | None:
        # The row with this public id in any case, else at this address, else once at it.
        public_id = text.upper()
        found = self.filter(Q(public_id=public_id) | Q(slug=text))
        nearest = sorted(found, key=lambda row: row.public_id != public_id)
        return nearest[0] if nearest else self.formerly_at(text)

    def formerly_at(self, slug: str) -> Record | None:
        # The row that had this address, by its history; the last of several to have it.
        past = self.model.history.filter(slug=slug)
        last_there = past.filter(id=OuterRef("pk")).values("id").annotate(at=Max("history_date"))
        return (
            self.filter(pk__in=past.values("id"))
            .order_by(Subquery(last_there.values("at")).desc(), "-pk")
            .first()
        )

    def keys_at(self, texts: Collection[str]) -> dict[str, int]:
        """By text, the keys of the rows that `at` finds; three queries at most."""
        if not texts:
            return {}
        public_ids = [text.upper() for text in texts]
        rows = self.filter(Q(public_id__in=public_ids) | Q(slug__in=texts)).order_by()
        keys: dict[str, int] = {}
        known: dict[str, int] = {}
        for key, slug, public_id in rows.values_list("pk", "slug", "public_id"):
            keys[slug], known[public_id] = key, key
        found = {text: key for text in texts if (key := known.get(text.upper()) or keys.get(text))}
        return found | self.keys_formerly_at([text for text in texts if text not in found])

    def keys_formerly_at(self, slugs: Collection[str]) -> dict[str, int]:
        """By address, the keys of the rows that `formerly_at` finds; one query."""
        if not slugs:
            return {}
        rows = self.order_by().values("pk")
        past = self.model.history.filter(slug__in=slugs, id__in=rows)
        # The last one to have an address stands last, and stays.
        return dict(past.order_by("history_date", "id").values_list("slug", "id"))


class PublicRecord(Addressed):
    public_id = models.CharField(
        _("public id"), max_length=8, unique=True, editable=False, default=new_public_id
    )
    slug = models.SlugField(
        _("page address"),
        max_length=90,
        unique=True,
        blank=True,
        help_text=_(
            "The last part of the page’s address; made of the name where it is left empty. "
            "An old one leads on to the new one."
        ),
    )
    region = models.ForeignKey(
        "clusters.Region",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="%(class)ss",
        verbose_name=_("region"),
    )
    website = models.URLField(_("web site"), blank=True)
    is_published = models.BooleanField(
        _("published"), default=True, help_text=_("Off: no public page shows it.")
    )

    country: Any
    history: ClassVar[Any]

    class Meta:
        abstract = True

    def get_absolute_url(self) -> str:
        raise NotImplementedError

    def clean(self) -> None:
        super().clean()
        if self.region and self.country and self.region.country != self.country:
            raise ValidationError({"region": _("This region lies in another country.")})

    def is_hidden_now(self) -> bool:
        stored = type(self)._default_manager.filter(pk=self.pk, is_published=True)
        return not self.is_published and self.pk is not None and stored.exists()

    def refuse_name_of_another(self, holders: models.QuerySet[Any], names: str) -> None:
        """Refuse to take a name that another record bears or bore, where labels are known by it.

        `holders` are the rows by whose name the public knows a label, `names` the relation to
        other names of a row. The database refuses it as well (labels/models/triggers.py).
        """
        rows: Any = type(self)._default_manager
        name, wanted = getattr(self, "name", ""), normal_name(getattr(self, "name", ""))
        stored = rows.filter(pk=self.pk).first()
        if stored is None or stored.normal_name == wanted:
            return
        past = type(self).history.filter(name=name).values("id")
        bears = Q(normal_name=wanted) | Q(**{f"{names}__normal_name": wanted}) | Q(pk__in=past)
        others = rows.exclude(pk=self.pk).filter(bears)
        if others.exists() and holders.filter(Q(pk=self.pk) | Q(pk__in=others)).exists():
            raise ValidationError({"name": NAME_OF_ANOTHER})

    def address_name(self) -> str:
        return str(getattr(self, "name", ""))

    def address_others(self) -> list[str]:
        country = str(getattr(self, "country", ""))
        return [*filter(None, [country]), self.public_id]
