"""Pictures that people upload, drawn anew so that nothing but their pixels is kept."""

import secrets
from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

MAXIMUM_BYTES = 5 * 1024 * 1024
MAXIMUM_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "WEBP")
SUFFIXES = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {"optimize": True},
    "JPEG": {"quality": 85, "optimize": True, "progressive": True},
    "WEBP": {"quality": 85, "method": 4},
}


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
    image, file_format = open_image(upload.read())
    has_alpha = file_format != "JPEG" and image.has_transparency_data
    image = image.convert("RGBA" if has_alpha else "RGB")
    image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    # Metadata, which the formats’ writers would take along.
    image.info = {}
    drawn = BytesIO()
    image.save(drawn, file_format, **OPTIONS[file_format])
    return ContentFile(drawn.getvalue(), name=f"{secrets.token_hex(8)}.{SUFFIXES[file_format]}")


def open_image(content: bytes) -> tuple[Image.Image, str]:
    """The first frame, upright and fully read, and its format.

    The size is checked before any pixel is read.
    """
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
        if image.width * image.height > MAXIMUM_PIXELS:
            raise Image.DecompressionBombError
        file_format = image.format if image.format in ("PNG", "WEBP") else "JPEG"
        return ImageOps.exif_transpose(image), file_format
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
