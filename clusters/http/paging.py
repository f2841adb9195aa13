"""The page of a list that an address asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

AnyModel = TypeVar("AnyModel", bound=Model)
Row = TypeVar("Row")


def numbered_page(
    rows: QuerySet[Any, Row] | Sequence[Row], data: QueryDict, *, per_page: int
) -> "Page[Row]":
    # The page of `?page=`, the first without it; Http404 for one that does not exist.
    try:
        return Paginator(rows, per_page).page(data.get("page", "1"))
    except InvalidPage as error:
        raise Http404(_("This page does not exist.")) from error


def page_numbers(number: int, last: int) -> list[int | None]:
    """The first page, the last and those beside this one; None for those left out between."""
    beside = range(max(number - 1, 1), min(number + 1, last) + 1)
    found: list[int | None] = []
    for one in sorted({1, *beside, last}):
        if found and found[-1] != one - 1:
            found.append(None)
        found.append(one)
    return found


@dataclass(frozen=True)
class KeysetPage(Generic[AnyModel]):
    """Some rows of a list, how many it has in all, and whether there are more behind them."""

    rows: list[AnyModel]
    count: int
    has_more: bool


def read_keyset_page(
    rows: QuerySet[AnyModel], *, behind: AnyModel | None, order: Sequence[str], limit: int
) -> KeysetPage[AnyModel]:
    """The rows that follow one row in this order, which need not be one of them itself.

    However deep, a stretch costs the same where the order has an index. `order` names columns
    without NULL, the last of them unique. Two queries.
    """
    following = rows.filter(behind_of(behind, order)) if behind else rows
    # One more than asked for tells whether there are others behind.
    found = list(following.order_by(*order)[: limit + 1])
    return KeysetPage(rows=found[:limit], count=rows.count(), has_more=len(found) > limit)


def behind_of(row: Model, order: Sequence[str]) -> Q:
    # Further in the first column, or equal there and further in the rest.
    name = order[0].removeprefix("-")
    value = getattr(row, name)
    side = "lt" if order[0].startswith("-") else "gt"
    further = Q((f"{name}__{side}", value))
    return further | Q((name, value)) & behind_of(row, order[1:]) if order[1:] else further
