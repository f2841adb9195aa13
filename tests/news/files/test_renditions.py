"""Copies of pictures: which there are, of what size, and that nothing else is in them."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from news.files.renditions import OPTIONS, original_of, store_card, store_renditions
from tests.uploads import picture_bytes


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def stored(content: bytes, name: str = "announcements/a.png") -> str:
    return default_storage.save(name, ContentFile(content))


def opened(name: str) -> Image.Image:
    with default_storage.open(name) as file:
        return Image.open(BytesIO(file.read()))


def copies() -> list[str]:
    return sorted(default_storage.listdir("announcements")[1])


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        pytest.param((2000, 1000), (480, 960, 1600), id="large"),
        pytest.param((700, 350), (480, 700), id="medium"),
        pytest.param((480, 240), (480,), id="as the smallest"),
        pytest.param((10, 5), (10,), id="small"),
    ],
)
def test_picture_is_copied_in_each_format_and_width(
    size: tuple[int, int], widths: tuple[int, ...]
) -> None:
    name = stored(picture_bytes(size=size))

    assert store_renditions(name) == size

    expected = {f"a.png.{width}.{each}" for width in widths for each in OPTIONS}
    assert {*copies()} == expected | {"a.png"}
    for width in widths:
        for each in OPTIONS:
            copy = opened(f"{name}.{width}.{each}")
            assert (copy.format, copy.size) == (each.upper(), (width, width // 2))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize(("size", "height"), [((2000, 1), 1), ((1, 2000), 2000)])
def test_extreme_picture_is_copied(mode: str, size: tuple[int, int], height: int) -> None:
    name = stored(picture_bytes(size=size, mode=mode))

    store_renditions(name)
    store_card(name, (50, 50))

    width = min(size[0], 480)
    assert opened(f"{name}.{width}.webp").size == (width, height)
    assert opened(f"{name}.card.avif").size == (480, 320)


@pytest.mark.parametrize(
    ("focus", "colour"), [((0, 50), "red"), ((100, 50), "blue")], ids=["left", "right"]
)
def test_copy_for_lists_is_cut_around_the_focal_point(focus: tuple[int, int], colour: str) -> None:
    halves = Image.new("RGB", (4000, 400), "red")
    halves.paste("blue", (2000, 0, 4000, 400))
    file = BytesIO()
    halves.save(file, "PNG")
    name = stored(file.getvalue())

    store_card(name, focus)

    card = opened(f"{name}.card.webp").convert("RGB")
    (pixel,) = Image.new("RGB", (1, 1), colour).get_flattened_data()
    for place in ((2, 2), (477, 317)):
        found = card.getpixel(place)
        assert all(abs(one - other) < 12 for one, other in zip(found, pixel, strict=True))  # type: ignore[arg-type]


def test_another_focal_point_takes_the_place_of_the_first() -> None:
    name = stored(picture_bytes(size=(900, 300)))

    store_card(name, (0, 0))
    store_card(name, (100, 100))

    assert copies() == ["a.png", "a.png.card.avif", "a.png.card.webp"]


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("announcements/a.png", "announcements/a.png"),
        ("announcements/a.png.480.avif", "announcements/a.png"),
        ("announcements/a.png.card.webp", "announcements/a.png"),
        ("announcements/a.png.480.png", "announcements/a.png.480.png"),
        ("announcements/a.png.other.webp", "announcements/a.png.other.webp"),
        ("a.png.480.avif\n", "a.png.480.avif\n"),
        ("a.480.avif.480.avif", "a.480.avif"),
        ("", ""),
    ],
)
def test_copy_belongs_to_its_picture(name: str, original: str) -> None:
    assert original_of(name) == original
