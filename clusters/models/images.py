"""Pictures that people upload, drawn anew so that nothing but their pixels is kept."""

import secrets
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, PngImagePlugin

MAXIMUM_BYTES = 5 * 1024 * 1024
# As telephones take them (4032 × 3024). Of a WebP each costs up to 16 bytes while it is read.
MAXIMUM_PIXELS = 13_000_000
FORMATS = ("PNG", "JPEG", "WEBP")
SUFFIXES = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {"optimize": True},
    "JPEG": {"quality": 85, "optimize": True, "progressive": True},
    "WEBP": {"quality": 85, "method": 4},
}
# Those that become smaller well; others are converted before.
MODES = ("L", "LA", "RGB", "RGBA", "CMYK")
# Of the texts inside a PNG, none of which is kept; Pillow would unpack 64 MiB of them.
PngImagePlugin.MAX_TEXT_MEMORY = PngImagePlugin.MAX_TEXT_CHUNK

# Files that were chosen in a form which came back with an error (clusters/admin/uploads.py): sent
# to nobody.
KEPT_IN = "kept"
KEPT_FOR = timedelta(days=1)


def reencode(upload: "File[bytes]", *, longest_side: int) -> "ContentFile[bytes]":
    """The picture in its own format, upright, at most `longest_side` pixels wide and high.

    The content decides, not the name or the type that the browser states. Metadata, colour
    profile and further frames are dropped; the file's name is random. Raises ValidationError.
    """
    if upload.size > MAXIMUM_BYTES:
        raise ValidationError(
            _("The file has %(size)s; at most %(maximum)s are accepted."),
            code="too_large",
            params={"size": filesizeformat(upload.size), "maximum": filesizeformat(MAXIMUM_BYTES)},
        )
    image, file_format = draw(upload.read(), longest_side)
    # Metadata, which the formats’ writers would take along.
    image.info = {}
    drawn = BytesIO()
    image.save(drawn, file_format, **OPTIONS[file_format])
    return ContentFile(drawn.getvalue(), name=f"{secrets.token_hex(16)}.{SUFFIXES[file_format]}")


def draw(content: bytes, longest_side: int) -> tuple[Image.Image, str]:
    """The first frame, upright and small, and its format.

    The size is checked before any pixel is read. The larger picture is there once, at most twice.
    """
    try:
        image: Image.Image = Image.open(BytesIO(content), formats=FORMATS)
        if image.width * image.height > MAXIMUM_PIXELS:
            raise Image.DecompressionBombError
        file_format = image.format if image.format in ("PNG", "WEBP") else "JPEG"
        mode = "RGBA" if file_format != "JPEG" and image.has_transparency_data else "RGB"
        if image.mode not in MODES:
            image = image.convert(mode)
        # Before all else: a JPEG is then read at a half, a quarter or an eighth of its size.
        image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
        return ImageOps.exif_transpose(image).convert(mode), file_format
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValidationError(
            _("The picture has too many pixels; at most %(maximum)s million are accepted."),
            code="too_many_pixels",
            params={"maximum": MAXIMUM_PIXELS // 1_000_000},
        ) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise ValidationError(
            _("This is not a complete PNG, JPEG or WebP picture. Save it as one and try again."),
            code="not_a_picture",
        ) from error


class NotStored(OSError):
    """The disk is full, or the folder cannot be written."""


class WholeFileStorage(FileSystemStorage):
    """Keeps a file as a whole or not at all: raises NotStored."""

    def _save(self, name: str, content: "File[Any]") -> str:
        try:
            saved: str = super()._save(name, content)  # type: ignore[misc]  # not in the stubs
        except OSError as error:
            # Names are random, so what lies there is a part of this file.
            with suppress(OSError):
                self.delete(name)
            raise NotStored(error.errno, error.strerror) from error
        return saved
