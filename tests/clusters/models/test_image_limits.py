"""Pictures are drawn in limits of memory, in a process that has no more."""

import struct
import subprocess
import sys
import zlib
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from PIL import Image

from clusters.models.images import MAXIMUM_PIXELS, reencode

SIDE = int(MAXIMUM_PIXELS**0.5)
MEBIBYTE = 2**20
# Above what the process has when the picture comes; 40 million pixels took 370, of WebP 610.
MOST = 260 * MEBIBYTE
CHILD = """
import os, resource, sys
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()
from django.core.files.base import ContentFile
from clusters.models import images
content = sys.stdin.buffer.read()
most, images.MAXIMUM_PIXELS = int(sys.argv[1]), int(sys.argv[2])
# Plugins and their libraries are loaded before.
from PIL import Image
from io import BytesIO
for kind in images.FORMATS:
    Image.new("RGB", (9, 9)).save(small := BytesIO(), kind)
    images.reencode(ContentFile(small.getvalue()), longest_side=8)
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + most,) * 2)
try:
    images.reencode(ContentFile(content), longest_side=2000)
except MemoryError:
    sys.exit(3)
"""


def picture(mode: str, file_format: str, side: int = SIDE, **options: Any) -> bytes:
    file = BytesIO()
    Image.new(mode, (side, side)).save(file, file_format, **options)
    return file.getvalue()


def drawn_within(content: bytes, most: int, pixels: int = MAXIMUM_PIXELS) -> bool:
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(most), str(pixels)], input=content, check=False
    )
    assert child.returncode in (0, 3)
    return child.returncode == 0


@pytest.mark.parametrize(
    ("mode", "file_format", "options"),
    [
        pytest.param("RGBA", "PNG", {}, id="png"),
        pytest.param("LA", "PNG", {}, id="grey with alpha"),
        pytest.param("I;16", "PNG", {}, id="16 bits"),
        pytest.param("P", "PNG", {}, id="palette"),
        pytest.param("RGB", "JPEG", {"progressive": True}, id="progressive jpeg"),
        pytest.param("CMYK", "JPEG", {}, id="cmyk"),
        pytest.param("RGBA", "WEBP", {}, id="webp"),
    ],
)
def test_largest_picture_is_drawn_within_limits(
    mode: str, file_format: str, options: dict[str, Any]
) -> None:
    assert drawn_within(picture(mode, file_format, **options), MOST)


def test_picture_without_a_limit_takes_more() -> None:
    assert not drawn_within(picture("RGBA", "PNG", 6300), MOST, pixels=40_000_000)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(*chunks: bytes) -> bytes:
    whole = picture("RGB", "PNG", 9)
    after_header = 8 + 25
    return whole[:after_header] + b"".join(chunks) + whole[after_header:]


BOMB = zlib.compress(bytes(32 * MEBIBYTE))
TEXT = zlib.compress(bytes(1_000_000))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(with_chunks(chunk(b"zTXt", b"a\0\0" + BOMB)), id="text bomb"),
        pytest.param(with_chunks(chunk(b"iCCP", b"a\0\0" + BOMB)), id="profile bomb"),
        pytest.param(with_chunks(*[chunk(b"zTXt", b"a\0\0" + TEXT)] * 60), id="sixty texts"),
        pytest.param(
            with_chunks()[:16] + struct.pack(">II", 2**31 - 1, 2**31 - 1) + with_chunks()[24:],
            id="huge dimensions",
        ),
        pytest.param(picture("RGB", "PNG", 900)[:400], id="truncated png"),
        pytest.param(picture("RGB", "JPEG", 900)[:4000], id="truncated jpeg"),
        pytest.param(picture("RGB", "WEBP", 900)[:200], id="truncated webp"),
        pytest.param(picture("RGBA", "ICO", 64), id="ico"),
        pytest.param(picture("RGBA", "ICNS", 64), id="icns"),
        pytest.param(picture("RGB", "GIF", 64), id="gif"),
        pytest.param(picture("RGB", "TIFF", 64), id="tiff"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="signature alone"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_picture_that_is_none_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(ValidationError, match=r"not a complete PNG|too many pixels"):
        reencode(ContentFile(content, name="a.png"), longest_side=2000)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_animation_keeps_its_first_frame(file_format: str) -> None:
    file = BytesIO()
    first, *others = [Image.new("RGB", (50, 50), (shade, 0, 0)) for shade in range(0, 250, 50)]
    first.save(file, file_format, save_all=True, append_images=others)

    with Image.open(reencode(ContentFile(file.getvalue()), longest_side=20)) as drawn:
        assert (getattr(drawn, "n_frames", 1), drawn.size) == (1, (20, 20))
