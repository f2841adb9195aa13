"""Announcements as Markdown files with front matter, each in a folder of its own."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Prefetch
from django.utils import timezone

from news.inout.frontmatter import as_file
from news.inout.items import (
    ABOUT,
    MOMENTS,
    OF_ATTACHMENTS,
    OF_CORRECTIONS,
    OF_ORGANISATIONS,
    OF_PICTURES,
    OF_STATEMENTS,
    OF_TEXTS,
    WORDS,
)
from news.models import Announcement, AnnouncementText, TextState

CHUNK = 200
FILES = {"pictures": ("image", OF_PICTURES), "attachments": ("file", OF_ATTACHMENTS)}


def announcements_to_export(now: datetime, *, everything: bool) -> Iterator[Announcement]:
    """Those that everybody reads, with what is public of them; else all with all."""
    rows = Announcement.objects.all() if everything else Announcement.objects.readable(now)
    texts = AnnouncementText.objects.all() if everything else AnnouncementText.objects.ready()
    related: list[Any] = [
        Prefetch(name, public(name, everything)) if name in ABOUT else name
        for name in (*ABOUT, "statements", "topics", "corrections", "pictures", "attachments")
    ]
    with_all = rows.select_related(*OF_ORGANISATIONS).prefetch_related(
        Prefetch("texts", texts), *related
    )
    yield from with_all.order_by("published_at", "pk").iterator(chunk_size=CHUNK)


def public(name: str, everything: bool) -> Any:
    model: Any = Announcement._meta.get_field(name).related_model
    rows = model.objects.order_by("public_id")
    return rows if everything else rows.published()


def write_announcement(folder: Path, announcement: Announcement, *, everything: bool) -> list[str]:
    """Its folder, under the day and its number; what could not be written, in words."""
    texts = sorted(announcement.texts.all(), key=lambda text: text.language)
    if not texts:
        return ["it has no text, and so no file."]
    day = announcement.published_at
    named = f"{timezone.localtime(day):%Y-%m-%d}" if day else "undated"
    place = folder / f"{named}-{announcement.public_id}"
    place.mkdir()
    common, missing = common_front_matter(announcement, everything), []
    for key in FILES:
        written, gone = write_files(place, key, announcement)
        missing += gone
        if written:
            common[key] = written
    for text in texts:
        front = {"language": text.language, **of_text(text), **common}
        content = as_file(front, text.body).encode()
        (place / f"{text.language}.md").write_bytes(content)
    return [f"the file of {name} is not there." for name in missing]


def common_front_matter(announcement: Announcement, everything: bool) -> dict[str, Any]:
    organisations: dict[str, Any] = {name: getattr(announcement, name) for name in OF_ORGANISATIONS}
    if not everything:
        del organisations["written_by"]
        contact = organisations["contact_organisation"]
        organisations["contact_organisation"] = (
            contact if contact and contact.is_published else None
        )
    front = {
        "public_id": announcement.public_id,
        "source_key": announcement.source_key,
        **{name: getattr(announcement, name) for name in WORDS},
        **{name: moment(getattr(announcement, name)) for name in MOMENTS},
        "topics": sorted(topic.slug for topic in announcement.topics.all()),
        **{name: [row.public_id for row in getattr(announcement, name).all()] for name in ABOUT},
        **{name: row and row.public_id for name, row in organisations.items()},
        "statements": sorted(
            (filled_columns(row, OF_STATEMENTS) for row in announcement.statements.all()),
            key=lambda row: [*row.values()],
        ),
        "corrections": [
            {**filled_columns(row, OF_CORRECTIONS), "corrected_at": moment(row.corrected_at)}
            for row in announcement.corrections.all()
        ],
    }
    return {name: value for name, value in front.items() if value}


def of_text(text: AnnouncementText) -> dict[str, Any]:
    past = AnnouncementText.history.filter(
        announcement=text.announcement_id, language=text.language, state=TextState.READY
    )
    slugs = past.exclude(slug=text.slug).order_by("slug").values_list("slug", flat=True).distinct()
    front = filled_columns(text, OF_TEXTS)
    if slugs:
        front["old_slugs"] = [*slugs]
    if text.state != TextState.READY:
        front["text_state"] = text.state
    return front


def filled_columns(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    # A focal point is 0 at an edge.
    return {
        name: value if isinstance(value, int) else str(value)
        for name, value in values.items()
        if value != ""
    }


def moment(value: datetime | None) -> str:
    return timezone.localtime(value).isoformat() if value else ""


def write_files(
    place: Path, key: str, announcement: Announcement
) -> tuple[list[dict[str, Any]], list[str]]:
    """The entries of those that are there, and the names of those that are not."""
    column, names = FILES[key]
    written, missing = [], []
    for number, row in enumerate(getattr(announcement, key).all(), start=1):
        stored = str(getattr(row, column))
        name = f"{key[:-1]}-{number}{PurePosixPath(stored).suffix}"
        if not default_storage.exists(stored):
            missing.append(name)
            continue
        with default_storage.open(stored) as file, (place / name).open("xb") as copy:
            shutil.copyfileobj(file, copy)
        written.append({"file": name, **filled_columns(row, names)})
    return written, missing
