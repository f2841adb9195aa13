"""A list of the admin: narrowed by its own filters, searched and ordered by what it shows."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.contrib.admin import FieldListFilter, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path, lookup_spawns_duplicates
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.db.models import Exists, Max, Min, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import smart_split, unescape_string_literal

from clusters.dates import FIRST_DAY, FIRST_MOMENT, FIRST_YEAR, LAST_DAY, LAST_MOMENT, LAST_YEAR
from clusters.fields import MomentField, normal_name_fields
from clusters.fulltext import KINDS, records_matching
from clusters.http.asof import midnight
from clusters.people import policy

# The last two: from a link, between two days.
PERIODS = ("year", "month", "day", "gte", "lt")


# Of filters that leave rows out also where nobody asks them to.
NARROWING_UNASKED = frozenset({"proposals"})


class PortalChangeList(ChangeList):
    filters_found: Any = None

    @cached_property
    def querysets(self) -> dict[frozenset[str], QuerySet[Any]]:
        return {}

    def get_filters(self, request: HttpRequest) -> Any:
        year = self.params.get(f"{self.date_hierarchy}__year")
        if year and not (year.isdecimal() and FIRST_YEAR <= int(year[:9]) <= LAST_YEAR):
            raise IncorrectLookupParameters
        # Once: each facet asks for the list without itself, and filters ask for their choices.
        if self.filters_found is None:
            self.filters_found = super().get_filters(request)
        return self.filters_found

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Once for all facets that narrow nothing: without them the list is the same."""
        left_out = frozenset(exclude_parameters or ()) & (self.params.keys() | NARROWING_UNASKED)
        if left_out not in self.querysets:
            self.querysets[left_out] = super().get_queryset(request, exclude_parameters)
        found: QuerySet[Any] = self.querysets[left_out].all()
        return found

    @property
    def within_years(self) -> "PortalChangeList":
        """For the years above the list: SQLite cannot tell the local year at an end of the
        calendar.
        """
        moments = isinstance(self.model._meta.get_field(self.date_hierarchy), MomentField)
        bounds = (FIRST_MOMENT, LAST_MOMENT) if moments else (FIRST_DAY, LAST_DAY)
        shown: Any = copy(self)
        rows = self.queryset.filter(**{f"{self.date_hierarchy}__range": bounds})
        made = MomentsByYear if moments else RowsByYear
        shown.queryset = made(rows, self.date_hierarchy)
        found: PortalChangeList = shown
        return found

    def get_results(self, request: HttpRequest) -> None:
        # The keys of the page first: SQLite would make every column of every row to order them.
        super().get_results(request)
        keys = list(self.result_list.values_list("pk", flat=True))
        self.result_list = self.queryset.filter(pk__in=keys)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        # Also for an export, whose list comes without them.
        self.sortable_by: Any = self.model_admin.get_sortable_by(request)
        return super().get_ordering(request, queryset)

    def get_ordering_field(self, field_name: Any) -> Any:
        # Django asks `sortable_by` for the links in the heading only, not for `?o=`.
        return super().get_ordering_field(field_name) if field_name in self.sortable_by else None


@dataclass(frozen=True)
class RowsByYear:
    """Rows whose years are told from the days that there are.

    SQLite calls Python for each row to cut a day.
    """

    rows: QuerySet[Any]
    field: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rows, name)

    def dates(self, field: str, kind: str) -> Any:
        if kind != "year":
            return self.rows.dates(field, kind)  # type: ignore[arg-type]  # a literal to the stubs
        days = self.rows.order_by().values_list(field, flat=True).distinct()
        return [date(year, 1, 1) for year in sorted({day.year for day in days})]


class MomentsByYear(RowsByYear):
    """Moments are as many as rows: ends and years are looked up in the index of the column."""

    def aggregate(self, first: Min, last: Max) -> dict[str, Any]:
        first_and_last = self.ends or [None, None]
        return dict(zip(("first", "last"), first_and_last, strict=True))

    @cached_property
    def ends(self) -> list[Any]:
        ordered = (self.rows.order_by(f"{sign}{self.field}") for sign in ("", "-"))
        found = (rows.values_list(self.field, flat=True).first() for rows in ordered)
        return [end for end in found if end]

    def datetimes(self, field: str, kind: str) -> Any:
        if kind != "year":
            return self.rows.datetimes(field, kind)  # type: ignore[arg-type]  # a literal to the stubs
        if not self.ends:
            return []
        first, last = (timezone.localtime(end).year for end in self.ends)
        rows = self.rows.order_by()
        years = {
            f"of_{year}": Exists(rows.filter(**{f"{field}__year": year}))
            for year in range(first, last + 1)
        }
        found = rows.annotate(**years).values(*years)[:1].get()
        return [
            midnight(date(year, 1, 1)) for year in range(first, last + 1) if found[f"of_{year}"]
        ]


class CountedFilter(SimpleListFilter):
    """Its facets in one query, where Django counts each choice by a condition on all rows."""

    def count_choices(self, rows: QuerySet[Any]) -> dict[str, int]:
        """By choice the number of its rows, `rows` being narrowed by all other filters."""
        raise NotImplementedError

    def get_facet_queryset(self, changelist: Any) -> dict[str, int]:
        others = changelist.get_queryset(
            self.request, exclude_parameters=self.expected_parameters()
        )
        numbers = self.count_choices(others.order_by())
        return {
            f"{place}__c": numbers.get(str(choice), 0)
            for place, (choice, _title) in enumerate(self.lookup_choices)
        }


def parameters_of(model_admin: Any, request: HttpRequest) -> frozenset[str]:
    """What an address may ask of the list: the parameters of its filters and its line of dates."""
    day = model_admin.date_hierarchy
    names = {f"{day}__{period}" for period in PERIODS} if day else set()
    for given in model_admin.get_list_filter(request):
        if isinstance(given, type) and issubclass(given, SimpleListFilter):
            names.add(str(given.parameter_name))
        else:
            found: Any = field_filter(model_admin, request, given)
            names.update(found.expected_parameters())
    return frozenset(names)


def field_filter(model_admin: Any, request: HttpRequest, given: Any) -> FieldListFilter:
    # As Django makes it of an entry of `list_filter`.
    path, make = given if isinstance(given, tuple | list) else (given, FieldListFilter.create)
    field = get_fields_from_path(model_admin.model, path)[-1]
    found: FieldListFilter = make(
        field, request, {}, model_admin.model, model_admin, field_path=path
    )
    return found


def found_by_words(
    request: HttpRequest, rows: QuerySet[Any], paths: list[str], text: str
) -> QuerySet[Any]:
    """The rows with every word in one of the paths, each once.

    As Django searches, but no row is found by the name of another that the person does not know of.
    """
    words = split_words(text)
    if not paths or not words:
        return rows
    conditions = []
    for word in words:
        found: list[Any] = [search_lookup(request, rows.model, path, word) for path in paths]
        conditions.append(Q.create(found, connector=Q.OR))
    if any(lookup_spawns_duplicates(rows.model._meta, path) for path in paths):
        # By their keys: to tell rows apart the database would compare all their columns.
        keys = rows.model._base_manager.filter(*conditions).order_by().values("pk")
        return rows.filter(pk__in=keys)
    return rows.filter(*conditions)


def search_lookup(
    request: HttpRequest, model: type[Model], path: str, word: str
) -> tuple[str, Any]:
    name, _separator, rest = path.partition("__")
    field: Any = model._meta.get_field(name)
    if not field.is_relation:
        # Where a lookup is given, it is `holds`: base.normal_search.
        return (path if rest else f"{path}__icontains"), word
    lookup, value = search_lookup(request, field.related_model, rest, word)
    if not policy.is_partly_seen(request.user, field):
        return f"{name}__{lookup}", value
    related = field.related_model._base_manager.all()
    known = policy.nameable_rows(request.user, related, timezone.localdate())
    return f"{name}__in", known.filter(**{lookup: value}).values("pk")


# Nothing but ASCII stands in these: the databases themselves know its case.
ASCII_FIELDS = (models.SlugField, models.EmailField)
ASCII_NAMES = ("public_id", "record_id", "code", "vat_number", "lei", "languages")


def normal_search(model: type[models.Model], path: str) -> str:
    """The lookup that searches this field without regard to case, accents and kinds of signs."""
    field = get_fields_from_path(model, path)[-1]
    if isinstance(field, ASCII_FIELDS) or field.name in ASCII_NAMES:
        return path
    forms = normal_name_fields(field.model)
    parents, _separator, name = path.rpartition("__")
    column = forms[name].name if name in forms else name
    return "__".join(filter(None, (parents, column, "holds")))


# Of public texts the documents know the words; of these the first.
MOST_FOUND_BY_WORDS = 1_000


def found_everywhere(model_admin: Any, request: HttpRequest, text: str) -> QuerySet[Any]:
    """The rows that a search from any page finds, as far as the person may see rows and fields.

    By the fields of the list’s own search, and by those of the parts of the row; by the words of
    public texts through their documents, as only of a few rows, those not public, is the text
    itself looked through.
    """
    model = model_admin.model
    rows = policy.allowed_rows(
        request.user, policy.VIEW, model._base_manager.all(), timezone.localdate()
    )
    own = model_admin.get_search_fields(request)
    found = model._base_manager.all()
    for word in split_words(text):
        ways = Q(pk__in=[])
        for path in own:
            ways |= Q(search_lookup(request, model, path, word))
        for relation, paths in model_admin.searched_parts.items():
            ways |= found_by_part(request, model_admin, relation, paths, word)
        found = found.filter(pk__in=model._base_manager.filter(ways).order_by().values("pk"))
    is_found = Q(pk__in=found.order_by().values("pk"))
    if model._meta.model_name in KINDS:
        keys = records_matching(model._meta.model_name, text, MOST_FOUND_BY_WORDS)
        is_found |= Q(pk__in=keys)
    return rows.filter(is_found)


def split_words(text: str) -> list[str]:
    return [
        unescape_string_literal(word) if word[0] in "\"'" and word[0] == word[-1] else word
        for word in smart_split(text)
    ]


def found_by_part(
    request: HttpRequest, model_admin: Any, relation: str, paths: Sequence[str], word: str
) -> Q:
    # Parts that the person does not see find nothing.
    field: Any = model_admin.model._meta.get_field(relation)
    part: Any = field.related_model
    parts = policy.allowed_rows(
        request.user, policy.VIEW, part._base_manager.all(), timezone.localdate()
    )
    ways = Q(pk__in=[])
    for path in paths:
        if not policy.reads_path(request.user, part, path, any_row=False):
            continue
        way = Q(search_lookup(request, part, normal_search(part, path), word))
        is_text = isinstance(get_fields_from_path(part, path)[-1], models.TextField)
        if is_text:
            rows = model_admin.model._base_manager.filter(model_admin.without_document)
            way &= Q(**{f"{field.field.name}__in": rows})
        ways |= way
    return Q(pk__in=parts.filter(ways).order_by().values(field.field.attname))
