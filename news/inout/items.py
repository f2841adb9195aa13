"""What an announcement of another system, or of an export, says: read, and nothing written yet."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class NotTaken(Exception):
    """Why an item, or the rest of a file, is left out: a sentence that says what to do."""


@dataclass(slots=True)
class TextItem:
    language: str
    title: str
    body: str
    slug: str = ""
    lead: str = ""
    box_title: str = ""
    box: str = ""
    contact_role: str = ""
    state: str = "ready"
    # Addresses that it had before, which lead on.
    old_slugs: list[str] = field(default_factory=list)


@dataclass(slots=True)
class FileItem:
    path: Path
    # The words and the focal point, by column.
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Item:
    """`place` tells a person where it stands, `key` is what it is called at its source."""

    place: str
    key: str
    public_id: str = ""
    link: str = ""  # its page at the source
    # Columns of the announcement, as they are stored.
    columns: dict[str, Any] = field(default_factory=dict)
    texts: list[TextItem] = field(default_factory=list)
    # Topics by address or name; whatever else it is about by its public id.
    topics: list[str] = field(default_factory=list)
    about: dict[str, list[str]] = field(default_factory=dict)
    organisations: dict[str, str] = field(default_factory=dict)
    statements: list[dict[str, str]] = field(default_factory=list)
    pictures: list[FileItem] = field(default_factory=list)
    attachments: list[FileItem] = field(default_factory=list)
    corrections: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Unreadable:
    """An item, or what follows in the file, that could not be read."""

    place: str
    message: str


@dataclass(frozen=True)
class Source:
    """What is the same for all items of a feed."""

    path: Path
    language: str  # of the command
    own_language: str  # of the file
    base: str
    credit: str


# What each entry of these lists has in an export: names of columns.
OF_PICTURES = ("focus_x", "focus_y", "alt_en", "alt_it", "credit_en", "credit_it")
OF_ATTACHMENTS = ("title_en", "title_it")
OF_CORRECTIONS = ("corrected_at", "text_en", "text_it")
OF_STATEMENTS = ("as_of_on", "definition_en", "source")
MOMENTS = (
    "published_at", "withdrawn_at", "archived_at", "begins_at", "ends_at", "deadline_at",
)  # fmt: skip
WORDS = ("kind", "state", "withdrawal_reason", "place", "address")
ABOUT = ("clusters", "organisations", "labels", "programmes")
OF_ORGANISATIONS = ("contact_organisation", "written_by")
OF_TEXTS = ("title", "slug", "lead", "box_title", "box", "contact_role")


def file_inside(folder: Path, name: str) -> Path | None:
    """The file of that name in the folder or below; None where it leads out, or is none."""
    try:
        path = (folder / name).resolve(strict=True)
        found = path.is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError, RuntimeError):
        return None
    return path if found else None
