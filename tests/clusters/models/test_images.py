import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, PngImagePlugin

from clusters.models.images import MAXIMUM_BYTES, reencode


def drawing(mode: str = "RGB", size: tuple[int, int] = (40, 20), colour: Any = None) -> Image.Image:
    return Image.new(mode, size, colour if colour is not None else 0)


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def upload(content: bytes, name: str = "mario.rossi.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/png")


def reopened(content: bytes, longest_side: int = 800) -> Image.Image:
    return Image.open(reencode(upload(content), longest_side=longest_side))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_picture_keeps_its_format_and_size(file_format: str) -> None:
    image = reopened(encoded(drawing(), file_format))

    assert (image.format, image.size) == (file_format, (40, 20))


def test_picture_is_made_as_small_as_asked() -> None:
    assert reopened(encoded(drawing(size=(400, 100)), "PNG"), longest_side=200).size == (200, 50)


def test_small_picture_is_not_made_larger() -> None:
    assert reopened(encoded(drawing(size=(4, 2)), "PNG"), longest_side=200).size == (4, 2)


def test_transparency_is_kept() -> None:
    image = reopened(encoded(drawing("RGBA", colour=(255, 0, 0, 0)), "PNG"))

    assert (image.mode, image.getpixel((0, 0))) == ("RGBA", (255, 0, 0, 0))


def test_palette_is_resolved() -> None:
    assert reopened(encoded(drawing("P"), "PNG")).mode == "RGB"


def test_metadata_is_dropped() -> None:
    note = PngImagePlugin.PngInfo()
    note.add_text("Author", "Mario Rossi")

    image = reopened(encoded(drawing(), "PNG", pnginfo=note))

    assert image.info == {}


def test_exif_is_dropped_from_a_jpeg() -> None:
    exif = Image.Exif()
    exif[0x013B] = "Mario Rossi"
    content = encoded(drawing(), "JPEG", exif=exif, comment=b"Mario Rossi")

    redrawn = reencode(upload(content), longest_side=800).read()

    assert b"Mario Rossi" in content
    assert b"Mario Rossi" not in redrawn


def test_picture_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees

    assert reopened(encoded(drawing(size=(40, 20)), "JPEG", exif=exif)).size == (20, 40)


def test_name_is_random_and_says_the_format() -> None:
    content = encoded(drawing(), "PNG")

    names = {reencode(upload(content), longest_side=800).name for _ in range(2)}

    assert len(names) == 2
    assert all(name and len(name) == 36 and name.endswith(".png") for name in names)


def test_first_frame_of_an_animation_is_kept() -> None:
    frames = [drawing(colour=(200, 0, 0)), drawing(colour=(0, 200, 0))]
    content = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])

    assert getattr(reopened(content), "n_frames", 1) == 1


NOT_PICTURES = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "gif": encoded(drawing("P"), "GIF"),
    "bmp": encoded(drawing(), "BMP"),
    "text": b"no picture",
    "one byte": b"\x89",
    "truncated": encoded(drawing(size=(300, 300), colour=(1, 2, 3)), "JPEG")[:-400],
}


@pytest.mark.parametrize("content", NOT_PICTURES.values(), ids=NOT_PICTURES)
def test_other_content_is_refused(content: bytes) -> None:
    with pytest.raises(ValidationError, match="PNG, JPEG or WebP") as caught:
        reencode(upload(content), longest_side=800)

    assert caught.value.code == "not_a_picture"


def test_large_file_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        reencode(upload(b"x" * (MAXIMUM_BYTES + 1)), longest_side=800)

    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("width", "height"),
    [
        pytest.param(4_000, 3_251, id="just above the limit"),
        pytest.param(60_000, 60_000, id="a bomb"),
    ],
)
def test_picture_of_too_many_pixels_is_refused_unread(width: int, height: int) -> None:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    with pytest.raises(ValidationError) as caught:
        reencode(upload(png(chunk(b"IHDR", header))), longest_side=800)

    assert caught.value.code == "too_many_pixels"


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
