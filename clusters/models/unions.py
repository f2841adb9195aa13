"""Several questions to the database asked as one."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, QuerySet, Value


def union_all(queries: list[QuerySet[Any, Any]]) -> Any:
    first, *others = queries
    return first.union(*others, all=True).order_by() if others else first


def count_query(number: int, rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    counted: QuerySet[Any, Any] = (
        rows.order_by()
        .annotate(question=Value(number))
        .values("question")
        .annotate(answer=Count("pk", distinct=True))
        .values_list("question", "answer")
    )
    return counted


def count_each(found: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    # By key the number of its rows; one query counts them all.
    counts = [count_query(number, rows) for number, rows in enumerate(found.values())]
    numbers = dict(union_all(counts)) if counts else {}
    return {label: numbers.get(number, 0) for number, label in enumerate(found)}
