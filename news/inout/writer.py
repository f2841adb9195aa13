"""Writing what was read: item by item whole or not at all, and once only.

Items that are new are written many at a time, which costs a tenth; where that fails, one by one,
so that the bad one is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import Error, reset_queries, transaction

from clusters.models.history import IMPORT, came_from
from news.inout.found import Lookup
from news.inout.items import Item, NotTaken, Unreadable
from news.inout.redirects import leads_on
from news.inout.rows import Rows, add_files, checked_files, insert, row_of_item
from news.inout.update import is_as_imported, says_the_same, update
from news.models import Announcement

CHUNK = 100
REFUSALS = (NotTaken, ValidationError, Error, OSError)


class Fate(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    EDITED = "edited here since, left as it is"
    REFUSED = "not taken"


@dataclass
class Told:
    place: str
    fate: Fate
    messages: list[str] = field(default_factory=list)
    leads_on: str = ""


def write_items(items: Iterator[Item | Unreadable], *, dry_run: bool) -> Iterator[Told]:
    """What became of each, in order. A dry run does the same, and its transaction is taken back."""
    seen: set[str] = set()
    while chunk := list(islice(items, CHUNK)):
        with came_from(IMPORT):
            yield from import_chunk(chunk, seen, dry_run)
        reset_queries()  # With DEBUG on, Django keeps the text of every statement.


def import_chunk(chunk: list[Item | Unreadable], seen: set[str], dry_run: bool) -> Iterator[Told]:
    items = [item for item in chunk if isinstance(item, Item)]
    lookup = Lookup(items)
    new: list[tuple[Item, Rows]] = []
    fates: dict[int, Told] = {}
    for place, item in enumerate(chunk):
        if isinstance(item, Unreadable):
            fates[place] = Told(item.place, Fate.REFUSED, [item.message])
            continue
        try:
            refuse_second(item, seen)
            stored = lookup.stored(item)
            files = checked_files(item)
            if stored is None:
                rows = row_of_item(item, lookup, files)
                new.append((item, rows))
                moved = leads_on(item, rows.announcement, rows.texts)
                fates[place] = Told(item.place, Fate.CREATED, item.notices, moved)
            else:
                fates[place] = update_stored(stored, item, lookup, files, dry_run)
                fates[place].leads_on = leads_on(item, stored, [*stored.texts.all()])
        except REFUSALS as refusal:
            fates[place] = refusal_told(item, refusal)
    failed = create(new, dry_run)
    for place, item in enumerate(chunk):
        yield failed.get(id(item)) or fates[place]


def refuse_second(item: Item, seen: set[str]) -> None:
    for key in filter(None, (item.key, item.public_id)):
        if key in seen:
            raise NotTaken("an item of the same guid, id or address was read before.")
    seen.update(filter(None, (item.key, item.public_id)))


def create(new: list[tuple[Item, Rows]], dry_run: bool) -> dict[int, Told]:
    # All at once, or each by itself; those that failed.
    try:
        create_together([rows for _item, rows in new], dry_run)
    except REFUSALS:
        failed = {}
        for item, rows in new:
            try:
                create_together([rows.anew()], dry_run)
            except REFUSALS as refusal:
                failed[id(item)] = refusal_told(item, refusal)
        return failed
    return {}


@transaction.atomic
def create_together(rows: list[Rows], dry_run: bool) -> None:
    insert(rows)
    if not dry_run:
        for one in rows:
            add_files(one)


def update_stored(
    stored: Announcement, item: Item, lookup: Lookup, files: Any, dry_run: bool
) -> Told:
    wanted = row_of_item(item, lookup, files, stored)
    if says_the_same(stored, wanted):
        return Told(item.place, Fate.UNCHANGED)
    if not is_as_imported(stored):
        return Told(item.place, Fate.EDITED, ["the portal’s own version is another."])
    with transaction.atomic():
        update(stored, wanted, dry_run)
    return Told(item.place, Fate.UPDATED, item.notices)


def refusal_told(item: Item, refusal: Exception) -> Told:
    if isinstance(refusal, ValidationError):
        messages = refusal_words(refusal)
    elif isinstance(refusal, NotTaken):
        messages = [str(refusal)]
    else:
        messages = [f"it could not be stored: {refusal}".strip()]
    return Told(item.place, Fate.REFUSED, messages)


def refusal_words(error: ValidationError) -> list[str]:
    if not hasattr(error, "error_dict"):
        return error.messages
    return [
        f"{name}: {' '.join(messages)}" if name != "__all__" else " ".join(messages)
        for name, messages in error.message_dict.items()
    ]
