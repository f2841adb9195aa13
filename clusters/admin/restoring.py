"""The way back: a row, or a record with its parts, made what it was at an earlier version."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import IntegrityError, models, transaction
from django.db.models import OuterRef, ProtectedError, Subquery
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from clusters.admin.conflicts import stored_value, versions_text
from clusters.admin.record_history import RecordHistory, RecordPart
from clusters.admin.versions import Comparison, FieldChange, none_for_empty
from clusters.models.history import Restored, came_from
from clusters.people import policy

CHANGED, ADDED, DELETED = _("changed back"), _("added again"), _("deleted")
LOOK_ONCE_MORE = _(
    "Somebody changed this after you opened the page. Nothing is restored yet: look at the changes "
    "once more."
)
REFUSED_BY_THE_DATABASE = _(
    "The register does not take this state any more, because of what was written since. Nothing "
    "is restored."
)


@dataclass(frozen=True)
class RowChange:
    """What becomes of one row: `row` is it as it is stored, `version` what it is to be.

    Without a row it is added again, without a version it is deleted.
    """

    part: RecordPart
    row: Any
    version: Any
    kind: Promise
    name: str
    differences: tuple[FieldChange, ...]
    columns: tuple[Any, ...] = ()
    relations: tuple[Any, ...] = ()


@dataclass
class Restoration:
    """What a person would change by restoring `version`, by itself or with the whole record.

    It goes past no rule of the forms: what a form would not write stays as it is.
    """

    request: HttpRequest
    history: RecordHistory
    part: RecordPart
    version: Any
    is_whole: bool
    files_gone: set[str] = field(default_factory=set)  # the fields whose old file is not kept

    @cached_property
    def parts(self) -> list[RecordPart]:
        if not self.is_whole:
            return [self.part]
        return [
            part
            for part in self.history.parts
            if part.is_direct and may_be_restored(self.request, part)
        ]

    @property
    def versions(self) -> str:
        return versions_text(part.part for part in self.parts)

    @cached_property
    def changes(self) -> list[RowChange]:
        return [change for part in self.parts for change in self.changes_of(part)]

    def changes_of(self, part: RecordPart) -> Iterator[RowChange]:
        targets = self.targets(part)
        stored = {row.pk: row for row in part.model._base_manager.filter(pk__in=[*targets])}
        latest = latest_versions(part, part.model.history.filter(**{f"{part.key}__in": [*targets]}))
        present = {key: as_stored(part, row, latest.get(key)) for key, row in stored.items()}
        shown = [one for one in (*targets.values(), *present.values()) if one is not None]
        comparison = Comparison(part.model, shown, self.request.user)
        for key, target in targets.items():
            row, now = stored.get(key), present.get(key)
            if target is None and row is not None:
                lost = tuple(comparison.facts(now, part.parent, are_gone=True))
                yield RowChange(part, row, None, DELETED, comparison.name_of(now), lost)
            elif target is not None:
                change = self.change(part, comparison, row, now, target)
                if change.differences:
                    yield change

    def targets(self, part: RecordPart) -> dict[Any, Any]:
        """By key of a row the version that it is to be; None of one that is to go."""
        if not self.is_whole:
            return {getattr(self.version, part.key): self.version}
        ever = part.part.history()
        then = latest_versions(part, ever.filter(history_date__lte=self.version.history_date))
        if part.parent is None:
            return then
        ((record,),) = part.part.rows.values()
        # What was on another record then, or is now, is not of this record's past.
        here = {*part.model._base_manager.filter(**part.part.rows).values_list("pk", flat=True)}
        elsewhere = {
            *part.model._base_manager.filter(pk__in=[*then]).values_list("pk", flat=True)
        } - here
        elsewhere |= {
            key for key, version in then.items() if getattr(version, part.parent.attname) != record
        }
        return {
            key: then[key] if key in then and then[key].history_type != "-" else None
            for key in sorted((here | {*then}) - elsewhere)
        }

    def change(
        self, part: RecordPart, comparison: Comparison, row: Any, now: Any, target: Any
    ) -> RowChange:
        columns, relations = self.written(part, comparison, row, target)
        name = comparison.name_of(target)
        if row is None:
            facts = tuple(comparison.facts(target, part.parent))
            return RowChange(part, None, target, ADDED, name, facts, columns, relations)
        columns = tuple(one for one in columns if differs(one, now, target))
        relations = tuple(
            one
            for one in relations
            if comparison.related[one.name][now.pk] != comparison.related[one.name][target.pk]
        )
        names = {capfirst(str(one.verbose_name)) for one in (*columns, *relations)}
        shown = tuple(one for one in comparison.changes(now, target) if one.field in names)
        return RowChange(part, row, target, CHANGED, name, shown, columns, relations)

    def written(
        self, part: RecordPart, comparison: Comparison, row: Any, target: Any
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        # What the row's own form would let the person write; of a new one to which records it
        # belongs as well.
        offered = {*part.admin.get_form(self.request, row, change=row is not None).base_fields}
        if row is None:
            offered |= {part.parent.name, *part.admin.part_of}
        gone = {one for one in comparison.fields if is_file_gone(part, one, target)}
        self.files_gone |= {capfirst(str(one.verbose_name)) for one in gone}
        return (
            tuple(one for one in comparison.fields if one.name in offered and one not in gone),
            tuple(one for one in comparison.m2m_fields if one.name in offered),
        )

    # Doing it

    def restore(self, seen: str) -> list[RowChange]:
        """All of it or nothing: raises ValidationError in words.

        `seen` are the versions of the page on which the person said yes.
        """
        try:
            with transaction.atomic():
                for part in self.parts:
                    part.part.lock()
                if self.versions != seen:
                    raise ValidationError(LOOK_ONCE_MORE)
                origin = str(Restored(self.version.pk, self.version.history_date))
                with came_from(origin):
                    self.write_all()
        except IntegrityError as error:
            raise ValidationError(REFUSED_BY_THE_DATABASE) from error
        return self.changes

    def write_all(self) -> None:
        # What one row is refused for another may take away, as a second lead: so in any order.
        waiting = sorted(self.changes, key=lambda change: change.version is not None)
        while waiting:
            refused: list[tuple[RowChange, ValidationError]] = []
            for change in waiting:
                try:
                    with transaction.atomic():
                        self.write(change)
                except ValidationError as error:
                    refused.append((change, error))
            if len(refused) == len(waiting):
                raise ValidationError(
                    [text for change, error in refused for text in refusals_in_words(change, error)]
                )
            waiting = [change for change, _error in refused]

    def write(self, change: RowChange) -> None:
        part, row = change.part, change.row
        if change.version is None:
            self.delete(part, row)
            return
        may = (
            policy.may(self.request.user, policy.ADD, part.model)
            if row is None
            else part.admin.has_change_permission(self.request, row)
        )
        if not may:
            raise ValidationError(_("You may not change this."))
        if row is None:
            row = part.model(pk=getattr(change.version, part.key))
        for column in change.columns:
            setattr(row, column.attname, getattr(change.version, column.attname))
        related = {one: keys_then(one, change.version) for one in change.relations}
        self.refuse_what_is_not_offered(change, row, related)
        check_as_form(row, change.columns)
        row._history_user = self.request.user
        part.admin.write(row)
        for column, keys in related.items():
            getattr(row, column.name).set(keys)

    def delete(self, part: RecordPart, row: Any) -> None:
        if not part.admin.has_delete_permission(self.request, row):
            raise ValidationError(_("You may not delete this."))
        row._history_user = self.request.user
        try:
            row.delete()
        except ProtectedError as error:
            raise ValidationError(_("Other records refer to it.")) from error

    def refuse_what_is_not_offered(
        self, change: RowChange, row: Any, related: dict[Any, set[Any]]
    ) -> None:
        # As in a form: a related row that is gone, or that the person does not know of.
        parent = change.part.parent.name if change.part.parent is not None else ""
        keys = related | {
            column: {getattr(row, column.attname)} - {None}
            for column in change.columns
            if column.is_relation and column.name != parent
        }
        for column, wanted in keys.items():
            offered = change.part.admin.visible(self.request, column.related_model)
            known = {*offered.order_by().filter(pk__in=wanted).values_list("pk", flat=True)}
            if wanted - known:
                raise ValidationError(
                    {column.name: _("What stood there is not in the register any more.")}
                )


def may_be_restored(request: HttpRequest, part: RecordPart) -> bool:
    # What actions write, as the facts of a label, an earlier version does not.
    return (
        not part.admin.is_written_by_actions
        and bool(part.admin.allows(request, policy.RESTORE, None))
        and bool(part.admin.allows(request, policy.CHANGE, None))
    )


def latest_versions(part: RecordPart, versions: Any) -> dict[Any, Any]:
    """By key of its row the last of the versions."""
    of_row = versions.filter(**{part.key: OuterRef(part.key)})
    newest = of_row.order_by("-history_date", "-history_id").values("history_id")[:1]
    found = versions.order_by(part.key).filter(history_id=Subquery(newest))
    return {getattr(version, part.key): version for version in found}


def as_stored(part: RecordPart, row: models.Model, latest: Any) -> Any:
    # What was written past the history is compared as well; relations to many are the latest’s.
    version = part.model.history.model
    values = {
        column.attname: stored_value(getattr(row, column.attname))
        for column in version.tracked_fields
    }
    return version(history_id=latest.pk if latest else None, **values)


def differs(column: Any, now: Any, then: Any) -> bool:
    before, after = (getattr(version, column.attname) for version in (now, then))
    return bool(none_for_empty(before) != none_for_empty(after))


def is_file_gone(part: RecordPart, column: Any, version: Any) -> bool:
    # A version keeps the name of a file only.
    name = getattr(version, column.attname)
    is_file = isinstance(part.model._meta.get_field(column.name), models.FileField)
    return is_file and bool(name) and not default_storage.exists(str(name))


def keys_then(column: Any, version: Any) -> set[Any]:
    keys = getattr(version, column.name).values_list(column.m2m_reverse_field_name(), flat=True)
    return set(keys)


def check_as_form(row: Any, columns: Iterable[Any]) -> None:
    # As a form does: the columns that are written, and every rule of the row.
    written = {column.name for column in columns}
    row.clean_fields(exclude={column.name for column in row._meta.fields} - written)
    row.clean()
    row.validate_unique()
    row.validate_constraints()


def refusals_in_words(change: RowChange, error: ValidationError) -> Iterator[str]:
    # Each message with the row and the field that it is about.
    named = change.part.name if change.part.parent is not None else ""
    if named and change.name:
        named = f"{named} “{change.name}”"
    by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    names = {column.name: column for column in change.part.model._meta.get_fields()}
    for name, texts in by_field.items():
        column = capfirst(str(names[name].verbose_name)) if name in names else ""
        for text in texts:
            yield ": ".join(filter(None, (named, column, text)))
