"""The page of a list that an address asks for."""

from typing import TypeVar

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

AnyModel = TypeVar("AnyModel", bound=Model)


def page_of(rows: QuerySet[AnyModel], data: QueryDict, *, per_page: int) -> "Page[AnyModel]":
    """The page of `?page=`, the first without it; Http404 for one that does not exist."""
    try:
        return Paginator(rows, per_page).page(data.get("page", "1"))
    except InvalidPage as error:
        raise Http404(_("This page does not exist.")) from error
