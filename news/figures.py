"""The files of an announcement as a page shows them, with their words in its language."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat

from news.models import Announcement, AnnouncementText

# The address of a picture or an attachment: on a page that is not public it is another.
Address = Callable[[Any], str]


@dataclass(frozen=True)
class Figure:
    """`sources`: for each format its media type and its addresses with their widths."""

    url: str
    sources: list[tuple[str, str]]
    width: int
    height: int
    alt: str
    credit: str


@dataclass(frozen=True)
class Download:
    url: str
    title: str
    about: str  # what it is, and how large


def figures_of(
    announcement: Announcement, text: AnnouncementText, address: Address | None = None
) -> list[Figure]:
    """The cover first."""
    return [
        Figure(
            address(picture) if address else picture.image.url,
            [] if address else picture.sources,
            picture.width,
            picture.height,
            picture.words_in("alt", text.language),
            picture.words_in("credit", text.language),
        )
        for picture in announcement.pictures.all()
    ]


def downloads_of(
    announcement: Announcement, text: AnnouncementText, address: Address | None = None
) -> list[Download]:
    return [
        Download(
            address(attachment) if address else attachment.file.url,
            attachment.words_in("title", text.language) or str(attachment),
            f"{attachment.kind.name}, {filesizeformat(attachment.size)}",
        )
        for attachment in announcement.attachments.all()
    ]
