"""An announcement that was imported before, as the source has it now."""

from typing import Any

from clusters.models.history import IMPORT
from news.inout.items import MOMENTS, OF_CORRECTIONS, OF_TEXTS, WORDS
from news.inout.rows import Rows, add_files
from news.models import Announcement, AnnouncementText, Correction

# What became of it here is decided by steps, whatever the source says.
COLUMNS = (
    *(name for name in (*WORDS, *MOMENTS)
      if name not in ("state", "withdrawn_at", "withdrawal_reason", "archived_at")),
    "contact_organisation_id", "written_by_id",
)  # fmt: skip
OF_A_TEXT = ("language", "state", "body", *OF_TEXTS)


def says_the_same(stored: Announcement, wanted: Rows) -> bool:
    return said_by_stored(stored) == said_by_rows(wanted)


def said_by_stored(stored: Announcement) -> list[Any]:
    links = {
        relation.name: sorted(row.pk for row in getattr(stored, relation.name).all())
        for relation in Announcement._meta.many_to_many
    }
    return said(
        stored, stored.texts.all(), links, stored.corrections.all(), stored.pictures.all(),
        stored.attachments.all(),
    )  # fmt: skip


def said_by_rows(rows: Rows) -> list[Any]:
    return said(
        rows.announcement, rows.texts, rows.links, rows.corrections, rows.pictures,
        rows.attachments,
    )  # fmt: skip


def said(
    announcement: Any, texts: Any, links: Any, corrections: Any, pictures: Any, attachments: Any
) -> list[Any]:
    # Of files the words: what was drawn anew tells nothing of the bytes that it was made of.
    return [
        [getattr(announcement, name) for name in COLUMNS],
        sorted([getattr(text, name) for name in OF_A_TEXT] for text in texts),
        sorted(links.items()),
        [[getattr(row, name) for name in OF_CORRECTIONS] for row in corrections],
        [file_words(row) for row in (*pictures, *attachments)],
    ]


def file_words(file: Any) -> list[str]:
    columns = (field.name for field in file._meta.concrete_fields)
    names = (*file.words, "focus")
    return [str(getattr(file, name)) for name in columns if name.startswith(names)]


def is_as_imported(stored: Announcement) -> bool:
    """Whether every version of it, of its texts and its files came from an import."""
    past: list[Any] = [
        Announcement.history.filter(id=stored.pk),
        *(rows.model.history.filter(announcement=stored.pk) for rows in imported_parts(stored)),
    ]
    return not any(versions.exclude(history_change_reason=IMPORT).exists() for versions in past)


def imported_parts(stored: Announcement) -> tuple[Any, ...]:
    return stored.texts, stored.corrections, stored.pictures, stored.attachments


def update(stored: Announcement, wanted: Rows, dry_run: bool) -> None:
    """Inside a transaction, and `came_from(IMPORT)`."""
    for name in COLUMNS:
        setattr(stored, name, getattr(wanted.announcement, name))
    stored.full_clean()
    stored.save()
    update_texts(stored, wanted.texts)
    for name, keys in wanted.links.items():
        getattr(stored, name).set(keys)
    replace(stored.corrections, wanted.corrections, stored)
    files = [*stored.pictures.all(), *stored.attachments.all()]
    new = [*wanted.pictures, *wanted.attachments]
    if not dry_run and [*map(file_words, files)] != [*map(file_words, new)]:
        for file in files:
            file.delete()
        wanted.announcement = stored
        add_files(wanted)


def update_texts(stored: Announcement, wanted: list[AnnouncementText]) -> None:
    present = {text.language: text for text in stored.texts.all()}
    for row in wanted:
        text = present.pop(row.language, None) or AnnouncementText(announcement=stored)
        for name in OF_A_TEXT:
            setattr(text, name, getattr(row, name))
        text.full_clean()
        text.save()
    for text in present.values():
        text.delete()


def replace(manager: Any, wanted: list[Correction], stored: Announcement) -> None:
    present = [*manager.all()]
    if [values_of(row) for row in present] == [values_of(row) for row in wanted]:
        return
    for row in present:
        row.delete()
    for row in wanted:
        row.announcement = stored
        row.save()


def values_of(row: Correction) -> list[Any]:
    return [getattr(row, name) for name in OF_CORRECTIONS]
