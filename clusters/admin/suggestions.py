"""What one field of a form says about others, offered in those that are still empty."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.contrib.admin.options import BaseModelAdmin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from clusters.models import Region


class OfferedValue(NamedTuple):
    """A value for a field, what a choice calls it, and where it comes from, in words."""

    value: str
    text: str
    origin: str


@dataclass(frozen=True)
class Suggester:
    """`find` gets the values of `fields` as typed, and returns suggestions by field."""

    fields: tuple[str, ...]
    find: Callable[[Any, HttpRequest, Mapping[str, str]], Mapping[str, OfferedValue]]


class SuggestingAdmin(BaseModelAdmin):
    # By the field whose change asks for them.
    suggesters: ClassVar[Mapping[str, Suggester]] = {}
    # Choices of an autocomplete field that go with the value of another one.
    narrowed: ClassVar[Mapping[str, str]] = {}

    @property
    def media(self) -> forms.Media:
        found: forms.Media = super().media
        if not (self.suggesters or self.narrowed):
            return found
        script: Any = forms.Script("suggestions.js", type="module")
        return found + forms.Media(js=[script])

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is None:
            return field
        widget: Any = getattr(field.widget, "widget", field.widget)
        if db_field.name in self.suggesters:
            query = {"model": self.opts.label_lower, "field": db_field.name}
            widget.attrs |= {
                "data-suggests": f"{reverse('admin:suggest')}?{urlencode(query)}",
                "data-suggests-by": " ".join(self.suggesters[db_field.name].fields),
            }
        if db_field.name in self.narrowed:
            widget.attrs["data-narrowed-by"] = self.narrowed[db_field.name]
        return field


def coordinates_of_town(
    admin: Any, request: HttpRequest, typed: Mapping[str, str]
) -> Mapping[str, OfferedValue]:
    """Those of another cluster in the town."""
    if not typed["town"]:
        return {}
    rows: models.QuerySet[Any] = admin.get_queryset(request)
    there = rows.filter(town__iexact=typed["town"], country=typed["country"])
    other = there.exclude(latitude=None).exclude(longitude=None).order_by("pk").first()
    if other is None:
        return {}
    origin = _("As of %(cluster)s in the same town.") % {"cluster": other.name}
    return {
        name: OfferedValue(str(getattr(other, name)), "", origin)
        for name in ("latitude", "longitude")
    }


def country_of_region(
    admin: Any, request: HttpRequest, typed: Mapping[str, str]
) -> Mapping[str, OfferedValue]:
    key = typed["region"]
    region = admin.visible(request, Region).filter(pk=key).first() if key.isdecimal() else None
    if region is None:
        return {}
    origin = _("The country of the region.")
    return {"country": OfferedValue(region.country.code, str(region.country.name), origin)}


OF_A_PLACE = {"region": Suggester(("region",), country_of_region)}
WITH_COORDINATES = OF_A_PLACE | {"town": Suggester(("town", "country"), coordinates_of_town)}
REGION_BY_COUNTRY = {"region": "country"}
