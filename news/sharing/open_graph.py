"""The picture with which an announcement is shared: its cover, else one drawn for what it says."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from mimetypes import guess_type
from pathlib import Path

from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clusters.dates import PartialDate
from clusters.formats.documents import make_once, path_of
from clusters.http.addresses import absolute
from clusters.templatetags.clusters_tags import date_in_words
from labels.proofs.seal import Seal, seal_of_label
from news.files.renditions import height_of, rendition_name, widths_of
from news.models import Announcement, AnnouncementText, Picture
from news.queries import LabelThenAndToday
from news.sharing.drawing import SIZE, draw_picture, has_fonts

MOST_WIDE = 1200
PNG = "image/png"


@dataclass(frozen=True)
class SharedPicture:
    """As the page tells of it; 0 where the size is not known."""

    url: str
    content_type: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class DrawnPicture:
    """All that a drawn picture says: the same words have the same version."""

    public_id: str
    language: str
    site: str
    day: str
    title: str
    about: str
    seal: Seal | None

    @property
    def version(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]

    @property
    def saved_as(self) -> str:
        return f"{self.public_id}-{self.language}-{self.version}.png"

    @property
    def alt(self) -> str:
        parts = (self.title, self.about, self.seal and f"{self.seal.heading}, {self.seal.status}")
        return " · ".join(part for part in parts if part)

    def path_on(self, day: date) -> Path:
        return path_of(day, self.saved_as)


def picture_to_share(
    announcement: Announcement, text: AnnouncementText, labels: Sequence[LabelThenAndToday]
) -> SharedPicture | None:
    """None where it has no cover, and the system no font to draw with. No query more."""
    cover: Picture | None = announcement.cover
    if cover is not None:
        return shared_cover(cover, cover.words_in("alt", text.language))
    if not has_fonts():
        return None
    drawn = drawn_picture(announcement, text, labels)
    arguments = [drawn.public_id, drawn.language, drawn.version]
    url = absolute(reverse("announcement_picture", args=arguments))
    return SharedPicture(url, PNG, *SIZE, drawn.alt)


def shared_cover(cover: Picture, alt: str) -> SharedPicture:
    # The largest copy that is not too large; AVIF is not read by all who fetch it.
    original = str(cover.image)
    widths = [width for width in widths_of(cover.width) if 0 < width <= MOST_WIDE]
    if not widths:
        url = absolute(default_storage.url(original))
        return SharedPicture(url, guess_type(original)[0] or "", 0, 0, alt)
    width = max(widths)
    url = absolute(default_storage.url(rendition_name(original, width, "webp")))
    height = height_of(width, (cover.width, cover.height))
    return SharedPicture(url, "image/webp", width, height, alt)


def drawn_picture(
    announcement: Announcement, text: AnnouncementText, labels: Sequence[LabelThenAndToday]
) -> DrawnPicture:
    """Of a published one with its public labels, the highest first; in the text's language."""
    moment = announcement.published_at
    assert moment is not None
    with translation.override(text.language):
        return DrawnPicture(
            public_id=announcement.public_id,
            language=text.language,
            site=_("Cluster Register"),
            day=date_in_words(PartialDate.from_date(timezone.localdate(moment))),
            title=text.title,
            about=", ".join(cluster.name for cluster in announcement.clusters.all()),
            seal=highest_seal(labels),
        )


def highest_seal(labels: Sequence[LabelThenAndToday]) -> Seal | None:
    # Of several it says whose it is.
    if not labels:
        return None
    seal = seal_of_label(labels[0].label, timezone.localdate())
    return replace(seal, status=f"{seal.status} · {seal.name}") if len(labels) > 1 else seal


def make_picture(wanted: DrawnPicture, day: date) -> bytes:
    # Wants `has_fonts()`. Raises TooManyAtOnce.
    return make_once(wanted.path_on(day), lambda: write_picture(wanted))


def write_picture(wanted: DrawnPicture) -> bytes:
    return draw_picture(wanted.site, wanted.day, wanted.title, wanted.about, wanted.seal)
