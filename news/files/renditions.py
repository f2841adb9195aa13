"""Smaller copies of a picture, in the formats that browsers take; made once, when it is stored.

Each lies beside its original, under its name with a size and a format behind it.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

WIDTHS = (480, 960, 1600)
# Of lists: cut to one shape around the focal point.
CARD, CARD_SIZE = "card", (480, 320)
# The smaller format first: a browser takes the first that it knows.
OPTIONS: dict[str, dict[str, Any]] = {
    "avif": {"quality": 60, "speed": 9, "max_threads": 1},
    "webp": {"quality": 80, "method": 4},
}
RENDITION = re.compile(rf"(?P<original>.+)\.(?:[0-9]+|{CARD})\.(?:{'|'.join(OPTIONS)})")


def original_of(name: str) -> str:
    """The picture of which the file of this name is a rendition; of any other file its own name."""
    found = RENDITION.fullmatch(name)
    return found["original"] if found else name


def rendition_name(original: str, size: int | str, file_format: str) -> str:
    return f"{original}.{size}.{file_format}"


def widths_of(width: int) -> list[int]:
    # A picture is made smaller only.
    return sorted({min(width, each) for each in WIDTHS})


def height_of(width: int, size: tuple[int, int]) -> int:
    # Of a copy of that width.
    return max(1, round(size[1] * width / size[0]))


def store_renditions(original: str) -> tuple[int, int]:
    """Make the copies of each width; the size of the picture, too."""
    with default_storage.open(original) as file, Image.open(file) as image:
        image.load()
        for width in widths_of(image.width):
            size = (width, height_of(width, image.size))
            small = image.resize(size, Image.Resampling.LANCZOS)
            store(original, width, small)
        return image.size


def store_card(original: str, focus: tuple[int, int]) -> None:
    """Make the copy for lists; `focus` in percent from the left and from the top."""
    across, down = focus
    with default_storage.open(original) as file, Image.open(file) as image:
        centre = (across / 100, down / 100)
        method = Image.Resampling.LANCZOS
        store(original, CARD, ImageOps.fit(image, CARD_SIZE, method, centering=centre))


def store(original: str, size: int | str, image: Image.Image) -> None:
    for name, content in encoded(original, size, image):
        default_storage.delete(name)  # of another focal point
        default_storage.save(name, ContentFile(content))


def encoded(original: str, size: int | str, image: Image.Image) -> Iterator[tuple[str, bytes]]:
    for file_format, options in OPTIONS.items():
        drawn = BytesIO()
        image.save(drawn, file_format.upper(), **options)
        yield rendition_name(original, size, file_format), drawn.getvalue()
