"""An article as PDF/UA, with its labels as they stand on a day; made once for what it says."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from PIL import Image

from clusters.formats.documents import make_once, page_as_pdf, path_of
from clusters.http.addresses import absolute
from clusters.models.images import FORMATS
from news.figures import downloads_of, figures_of
from news.files.renditions import rendition_name, widths_of
from news.models import Announcement, AnnouncementText, Picture
from news.queries import labels_then_and_today, recipient_of

# The cover takes the whole width of the page, the others half of it.
MOST_WIDE = {"cover": 1600, "other": 960}
JPEG_OPTIONS: dict[str, Any] = {"quality": 82, "optimize": True}


@dataclass(frozen=True)
class ArticlePaper:
    """All that a document says: the same parts give the same document."""

    public_id: str
    slug: str
    language: str
    day: date
    page: str
    style: str
    # The stored file by the address in the page; of another picture the name is another.
    pictures: dict[str, str]

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps([self.page, self.style]).encode()).hexdigest()

    @property
    def path(self) -> Path:
        return path_of(self.day, f"{self.public_id}-{self.language}-{self.digest}.pdf")

    @property
    def saved_as(self) -> str:
        return f"{self.slug}-{self.day}.pdf"


def article_pdf_address(announcement: Announcement) -> str:
    # A text has one document, wholly in its own language, from whichever page it is asked for.
    text = announcement.text()
    assert text is not None
    with translation.override(text.language):
        return reverse("news:pdf", args=[announcement.year, text.slug])


def article_paper(announcement: Announcement, text: AnnouncementText, day: date) -> ArticlePaper:
    """Of a row of `for_page` and its text, in whose language all of it is."""
    with translation.override(text.language):
        names = stored_pictures(announcement)
        addresses = [absolute(default_storage.url(name)) for name in names]
        context = {
            "announcement": announcement,
            "text": text,
            "day": day,
            "labels": labels_then_and_today(announcement, day),
            "figures": [*zip(addresses, figures_of(announcement, text), strict=True)],
            "downloads": [
                (absolute(download.url), download) for download in downloads_of(announcement, text)
            ],
            "address": absolute(announcement.get_absolute_url()),
            "contact_address": contact_address(announcement, text, day),
        }
        page = render_to_string("news/article_pdf.html", context)
    return ArticlePaper(
        public_id=announcement.public_id,
        slug=text.slug,
        language=text.language,
        day=day,
        page=page,
        style=render_to_string("news/article_pdf.css"),
        pictures=dict(zip(addresses, names, strict=True)),
    )


def contact_address(announcement: Announcement, text: AnnouncementText, day: date) -> str:
    if recipient_of(announcement, day) is None:
        return ""
    return absolute(reverse("news:contact", args=[announcement.year, text.slug]))


def stored_pictures(announcement: Announcement) -> list[str]:
    # The names of the files, the cover's first.
    return [
        file_to_print(picture, MOST_WIDE["other" if place else "cover"])
        for place, picture in enumerate(announcement.pictures.all())
    ]


def file_to_print(picture: Picture, most: int) -> str:
    # A smaller copy costs less to read; the original where there is none.
    original = str(picture.image)
    widths = [width for width in widths_of(picture.width) if 0 < width <= most]
    return rendition_name(original, max(widths), "webp") if widths else original


def make_article_pdf(wanted: ArticlePaper) -> bytes:
    # Wants the library. Raises TooManyAtOnce.
    return make_once(wanted.path, lambda: write_article_pdf(wanted))


def write_article_pdf(wanted: ArticlePaper) -> bytes:
    pictures: dict[str, Callable[[], bytes]] = {
        address: partial(as_jpeg, name) for address, name in wanted.pictures.items()
    }
    return page_as_pdf(
        wanted.page,
        wanted.style,
        wanted.digest[:32],
        pictures=pictures,
        language_of_quotes=wanted.language,
    )


def as_jpeg(name: str) -> bytes:
    # Of what is stored: other formats would lie in the document as bare pixels.
    with default_storage.open(name) as file, Image.open(file, formats=FORMATS) as image:
        image.thumbnail((MOST_WIDE["cover"],) * 2, Image.Resampling.LANCZOS)
        picture = image.convert("RGBA")
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture)
    drawn = BytesIO()
    paper.save(drawn, "JPEG", **JPEG_OPTIONS)
    return drawn.getvalue()
