"""All that happened to a record and to its parts, as one list."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.forms.models import _get_foreign_key
from django.utils.text import capfirst

from clusters.admin.conflicts import Part
from clusters.admin.versions import KINDS, Comparison, FieldChange, HistoryLine, origin_in_words
from clusters.models.unions import union_all
from clusters.people import policy


@dataclass(frozen=True)
class RecordPart:
    """Rows that belong to a record, with the admin of their model.

    `kind` is what its screen calls them, `parent` the field by which they belong to it, None of
    the record itself; what belongs to a part of it, as the sources of a cluster’s label, is not
    direct.
    """

    part: Part
    admin: Any
    kind: Any
    parent: Any = None
    is_direct: bool = True

    @property
    def model(self) -> Any:
        return self.part.model

    @property
    def key(self) -> str:
        name: str = self.model._meta.pk.attname
        return name

    @property
    def name(self) -> str:
        return capfirst(str(self.kind))


def parts_of(model_admin: Any, obj: Any) -> list[RecordPart]:
    """The record first, then what its screen shows below it, and what the screens of these show."""
    rows = {model_admin.model._meta.pk.attname: obj.pk}
    return [
        RecordPart(
            Part("row", model_admin.model, rows), model_admin, model_admin.opts.verbose_name
        ),
        *parts_below(model_admin, [obj.pk], is_direct=True),
    ]


def parts_below(model_admin: Any, keys: Any, *, is_direct: bool) -> Iterator[RecordPart]:
    for inline in model_admin.inlines:
        part_admin = model_admin.admin_site._registry.get(inline.model)
        if part_admin is None or not hasattr(inline.model, "history"):
            continue
        parent = _get_foreign_key(model_admin.model, inline.model, fk_name=inline.fk_name)
        rows = {f"{parent.attname}__in": keys}
        part = Part(f"{inline.model._meta.model_name}.{parent.name}", inline.model, rows)
        kind = inline.verbose_name or inline.model._meta.verbose_name
        yield RecordPart(part, part_admin, kind, parent, is_direct)
        below = part.history().order_by().values(inline.model._meta.pk.attname)
        yield from parts_below(part_admin, below, is_direct=False)


@dataclass(frozen=True)
class RecordHistory:
    """The versions of a record and its parts that a person may see, the latest first."""

    parts: list[RecordPart]
    viewer: Any
    day: date

    def versions_of(self, part: RecordPart) -> QuerySet[Any]:
        found: QuerySet[Any] = part.part.history()
        if part.parent is None:
            return found
        return policy.allowed_versions(self.viewer, policy.VIEW, part.model, found, self.day)

    @cached_property
    def entries(self) -> Any:
        """Of each version the place of its part, and its key; one query for a page of them."""
        return union_all(
            [
                self.versions_of(part)
                .order_by()
                .annotate(place_of_part=Value(place))
                .values("place_of_part", version_key=F("history_id"), moment=F("history_date"))
                for place, part in enumerate(self.parts)
            ]
        ).order_by("-moment", "place_of_part", "-version_key")

    def lines(self, entries: Iterable[dict[str, Any]]) -> list[HistoryLine]:
        """The entries in words; a few queries for each part that is among them."""
        order = [(entry["place_of_part"], entry["version_key"]) for entry in entries]
        keys = defaultdict(list)
        for place, key in order:
            keys[place].append(key)
        found = {
            (place, line.pk): line
            for place, of_part in keys.items()
            for line in self.lines_of(self.parts[place], of_part)
        }
        return [found[entry] for entry in order]

    def lines_of(self, part: RecordPart, keys: list[int]) -> Iterator[HistoryLine]:
        versions = with_older(part, part.model.history.filter(history_id__in=keys))
        older = part.model.history.in_bulk([one.older for one in versions if one.older])
        comparison = Comparison(part.model, [*versions, *older.values()], self.viewer)
        is_part = part.parent is not None
        for version in versions:
            yield HistoryLine(
                pk=version.pk,
                history_date=version.history_date,
                who=comparison.who(version),
                kind=KINDS[version.history_type],
                origin=origin_in_words(version.history_change_reason),
                differences=tuple(differences(part, comparison, older.get(version.older), version)),
                part=part.name if is_part else "",
                name=comparison.name_of(version) if is_part else "",
            )


def with_older(part: RecordPart, versions: QuerySet[Any]) -> list[Any]:
    # Each with the key of the version of the same row before it.
    before = Q(history_date__lt=OuterRef("history_date")) | Q(
        history_date=OuterRef("history_date"), history_id__lt=OuterRef("history_id")
    )
    same_row = part.model.history.filter(before, **{part.key: OuterRef(part.key)})
    latest = same_row.order_by("-history_date", "-history_id").values("history_id")[:1]
    return list(versions.annotate(older=Subquery(latest)))


def differences(
    part: RecordPart, comparison: Comparison, older: Any, version: Any
) -> Iterator[FieldChange]:
    if part.parent is None:
        return comparison.changes(older, version) if older else iter(())
    if version.history_type == "~" and older:
        return comparison.changes(older, version)
    return comparison.facts(version, part.parent, are_gone=version.history_type == "-")
