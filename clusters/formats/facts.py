"""What a record says: one table of facts for each kind of record.

CSV, spreadsheets, JSON, the fields of the API, the archive of the whole register and the page about
data are all made from it. A fact that is added to the table is in each of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Model
from django.utils.functional import Promise

from clusters.formats.writers import Value, value_at
from clusters.http.addresses import iso_text, page_address

Record = dict[str, Any]
Text = str | Promise

EXAMPLE_ID = "B4K7M2PX"
EXAMPLE_PAGE = f"{settings.SITE_URL}/en/clusters/biopmed/"


class Column(NamedTuple):
    """A column of CSV and spreadsheets, and where its value stands in the record."""

    name: str
    help: Text
    path: Sequence[str]


def json_value(value: object) -> object:
    # Days and codes as text, numbers as numbers, None for what is empty.
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, bool | int | float | list | dict):
        return value
    return str(value) or None


@dataclass(frozen=True)
class Fact:
    """A key of the record in JSON, which `read` makes from `source`: columns of the model.

    `type` and `example` are for the API: a fact without a type is not in it, or in another form.
    `columns` are those of its inner values, each with its key; without, it is a column itself.
    """

    name: str
    help: Text = ""
    type: Any = None
    example: Any = None
    source: str = ""
    read: Callable[..., object] = json_value
    # Empty is not None: such a fact is in JSON only.
    columns: Sequence[tuple[str, Text, str]] | None = None
    is_detail: bool = False  # not in the lists of the API

    @cached_property
    def sources(self) -> list[str]:
        return (self.source or self.name).split()

    def value(self, get: Callable[[str], Any]) -> object:
        return self.read(*map(get, self.sources))


Facts = Sequence[Fact]


def columns_of(facts: Facts) -> list[Column]:
    columns = []
    for fact in facts:
        if fact.columns is None:
            columns.append(Column(fact.name, fact.help, (fact.name,)))
        for name, help, key in fact.columns or ():
            columns.append(Column(name, help, (fact.name, key)))
    return columns


def sources_of(facts: Facts) -> list[str]:
    return list(dict.fromkeys(name for fact in facts for name in fact.sources))


def facts_named(facts: Facts, names: str) -> list[Fact]:
    by_name = {fact.name: fact for fact in facts}
    return [by_name[name] for name in names.split()]


def record_of_row(facts: Facts, row: Mapping[str, Any]) -> Record:
    return {fact.name: fact.value(row.__getitem__) for fact in facts}


def record_of_instance(facts: Facts, instance: Model) -> Record:
    return {fact.name: fact.value(partial(attribute, instance)) for fact in facts}


def attribute(instance: object, source: str) -> Any:
    """As `values()` names it: `region__code`; None where there is no region."""
    for name in source.split("__"):
        instance = getattr(instance, name) if instance is not None else None
    return instance


def rows_of(facts: Facts, records: Iterable[Record]) -> Iterator[list[Value]]:
    paths = [column.path for column in columns_of(facts)]
    return ([value_at(record, path) for path in paths] for record in records)


def header_of(facts: Facts) -> list[str]:
    return [column.name for column in columns_of(facts)]


# What facts of several kinds of record are read with


def url_of(name: str) -> Callable[[str | None], str | None]:
    return lambda argument: page_address(name, argument) if argument else None


def value_if_shown(value: str, is_shown: bool | None) -> str | None:
    return value if is_shown else None


def region_of(code: str | None, name: str | None) -> Record | None:
    return {"code": code, "name": name} if name else None


def period(row: Any) -> Record:
    return {"started_on": iso_text(row.started_on), "ended_on": iso_text(row.ended_on)}
