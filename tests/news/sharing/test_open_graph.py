"""The picture with which an announcement is shared: its cover, else one drawn for what it says."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from PIL import Image, ImageFont
from pytest_django import Settings

from news.models import Announcement
from news.sharing import drawing
from news.sharing.drawing import (
    SANS,
    SERIF,
    SIZE,
    WIDTH,
    draw_picture,
    drawable,
    font,
    has_fonts,
    has_letter,
    wrapped,
)
from tests.factories import (
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_picture,
    update_label,
)
from tests.labels.proofs.test_certificates import made
from tests.news.sharing.test_article_pdf import uploaded

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not has_fonts(), reason="there are no DejaVu fonts on this machine"),
]

PAGE = "/en/news/2015/gold/"


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2016-02-01T12:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CERTIFICATES_ROOT, settings.MEDIA_ROOT = tmp_path / "made", tmp_path / "media"
    cache.clear()
    return tmp_path / "made"


@pytest.fixture
def gold() -> Announcement:
    cluster = make_cluster(name="bioPmed", slug="biopmed")
    label = make_label(cluster=cluster)
    return make_announcement(
        title="Gold for bioPmed", slug="gold", clusters=[cluster], labels=[label]
    )


def properties(client: Client, page: str = PAGE) -> dict[str, str]:
    """What the page says of itself to who shares it."""
    response = client.get(page)
    assert response.status_code == 200
    found = re.findall(
        r'<meta (?:property|name)="((?:og:image|twitter)[^"]*)" content="([^"]*)">',
        response.content.decode(),
    )
    assert len(dict(found)) == len(found)
    return {name: unescape(content) for name, content in found}


def address_of(client: Client, page: str = PAGE) -> str:
    return properties(client, page)["og:image"].removeprefix("http://testserver")


# What the page says


def test_page_without_a_cover_names_the_picture_drawn_for_it(
    client: Client, gold: Announcement
) -> None:
    said = properties(client)

    url = said.pop("og:image")
    picture = rf"http://testserver/news/{gold.public_id}/picture\.en\.[0-9a-f]{{16}}\.png"
    assert re.fullmatch(picture, url)
    assert said == {
        "og:image:type": "image/png",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "Gold for bioPmed · bioPmed · Gold label, valid until about July 2017",
        "twitter:card": "summary_large_image",
    }


@pytest.mark.parametrize(
    ("size", "told"), [((2000, 1000), (960, 480)), ((1100, 33), (1100, 33)), ((60, 40), (60, 40))]
)
def test_page_with_a_cover_names_a_copy_that_is_not_too_large(
    client: Client, gold: Announcement, size: tuple[int, int], told: tuple[int, int]
) -> None:
    cover = make_picture(gold, image=uploaded("PNG", size), alt_en="A coin")

    said = properties(client)

    assert said == {
        "og:image": f"http://testserver/media/{cover.image.name}.{told[0]}.webp",
        "og:image:type": "image/webp",
        "og:image:width": str(told[0]),
        "og:image:height": str(told[1]),
        "og:image:alt": "A coin",
        "twitter:card": "summary_large_image",
    }
    response = client.get(said["og:image"].removeprefix("http://testserver"))
    with Image.open(BytesIO(b"".join(response))) as image:
        assert image.size == told
    response.close()


def test_page_with_a_cover_that_has_no_copies_names_the_cover(
    client: Client, gold: Announcement
) -> None:
    make_picture(gold, image="announcements/1.jpg", alt_en="A coin")

    assert properties(client) == {
        "og:image": "http://testserver/media/announcements/1.jpg",
        "og:image:type": "image/jpeg",
        "og:image:alt": "A coin",
        "twitter:card": "summary_large_image",
    }


def test_picture_is_in_the_language_of_the_text(client: Client, gold: Announcement) -> None:
    make_announcement_text(gold, language="it", slug="oro", title="Oro")

    said = properties(client, "/it/news/2015/oro/")

    assert "/picture.it." in said["og:image"]
    assert said["og:image:alt"].startswith("Oro · bioPmed · ")
    gold.texts.filter(language="it").delete()
    assert address_of(client, "/it/news/2015/gold/") == address_of(client)


def test_without_fonts_the_picture_of_the_site_stays(client: Client, gold: Announcement) -> None:
    """The loader of fonts finds none; what it found before is forgotten."""
    address = address_of(client)
    for made_once in (has_fonts, font):
        made_once.cache_clear()
    try:
        with patch.object(ImageFont, "truetype", side_effect=OSError):
            assert properties(client) == {
                "og:image": "http://testserver/static/open-graph.png",
                "twitter:card": "summary_large_image",
            }
            assert client.get(address).status_code == 404
    finally:
        has_fonts.cache_clear()


# The picture


def picture_at(client: Client, address: str) -> Image.Image:
    response = client.get(address)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "image/png"
    image = Image.open(BytesIO(response.content))
    image.load()
    return image


def colours_of(image: Image.Image) -> set[Any]:
    return {colour for _number, colour in image.convert("RGB").getcolors(1 << 24) or []}


FACE_OF_GOLD = (0xE2, 0xB9, 0x4F)


def test_picture_has_the_size_that_the_page_says(client: Client, gold: Announcement) -> None:
    image = picture_at(client, address_of(client))

    assert (image.format, image.size) == ("PNG", SIZE)
    assert FACE_OF_GOLD in colours_of(image)


def test_label_that_is_not_valid_does_not_shine(client: Client, gold: Announcement) -> None:
    update_label(gold.labels.get(), revoked_on="2016-01-01", revocation_reason="Audit.")

    assert FACE_OF_GOLD not in colours_of(picture_at(client, address_of(client)))
    assert "Gold label, revoked on 1 January 2016" in properties(client)["og:image:alt"]


def test_of_several_labels_the_highest_is_told_with_whose_it_is(
    client: Client, gold: Announcement
) -> None:
    other = make_cluster(name="Another")
    gold.clusters.add(other)
    gold.labels.add(make_label(cluster=other, level="silver"))

    assert properties(client)["og:image:alt"] == (
        "Gold for bioPmed · Another, bioPmed · Gold label, valid until about July 2017 · bioPmed"
    )


def test_picture_names_nothing_that_is_hidden(client: Client) -> None:
    hidden = make_cluster(name="Hidden", is_published=False)
    make_announcement(
        title="Gold", slug="gold", clusters=[hidden], labels=[make_label(cluster=hidden)]
    )

    assert properties(client)["og:image:alt"] == "Gold"
    picture_at(client, address_of(client))


@pytest.mark.parametrize("name", [SERIF, SANS])
@pytest.mark.parametrize(
    "text", ["Short", "Words and words " * 30, "W" * 200, "i" * 200, "Ωμέγα Кластер " * 14, ""]
)
def test_lines_fit_and_what_is_too_long_ends_in_an_ellipsis(name: str, text: str) -> None:
    with_font = font(name, 46)

    lines, is_all = wrapped(text, with_font, 3)

    assert len(lines) <= 3
    assert all(with_font.getlength(line) <= WIDTH for line in lines)
    assert is_all is not any(line.endswith("…") for line in lines)
    if is_all:
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Città Žižkov", ("Città Žižkov", SERIF)),
        ("Кластер Σχηματισμός", ("Кластер Σχηματισμός", SERIF)),
        ("Gold 漢字 for all", ("Gold for all", SANS)),
        ("漢字", ("", SANS)),
        ("a\u202eb\x00c\nd", ("abc d", SERIF)),
    ],
)
def test_letter_that_no_font_has_is_left_out(text: str, shown: tuple[str, str]) -> None:
    assert drawable(text, SERIF, SANS) == shown


def test_missing_letter_would_be_drawn_as_a_box() -> None:
    """The control of how it is told that one is missing."""
    assert has_letter(SERIF, "à")
    assert not has_letter(SERIF, "漢")


@pytest.mark.parametrize("title", ["", "漢字", "x" * 200, "👩‍👩‍👧 e\u0301" * 50, "שלום تجمع"])
def test_any_title_is_drawn(title: str) -> None:
    with Image.open(BytesIO(draw_picture("Site", "Today", title, title, None))) as image:
        assert image.size == SIZE


# The address: once for each version, and only what is public


def test_picture_is_drawn_once_for_what_it_says(
    client: Client, gold: Announcement, folder: Path
) -> None:
    address = address_of(client)
    first = client.get(address)

    with patch.object(drawing, "draw_picture", side_effect=RuntimeError):
        again = client.get(address)
    assert again.content == first.content
    assert made(folder) == [f"{gold.public_id}-{address[6:].split('.', 1)[1]}".replace(".", "-", 1)]
    assert first["Cache-Control"] == "public, max-age=300"
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304


def retitle(announcement: Announcement) -> None:
    text = announcement.texts.get()
    text.title = "Another"
    text.save()


def rename(announcement: Announcement) -> None:
    announcement.clusters.update(name="Another")


def revoke(announcement: Announcement) -> None:
    update_label(announcement.labels.get(), revoked_on="2016-01-01", revocation_reason="Audit.")


def give_a_cover(announcement: Announcement) -> None:
    make_picture(announcement)


@pytest.mark.parametrize("change", [retitle, rename, revoke, give_a_cover])
def test_old_version_is_drawn_no_more(
    client: Client, gold: Announcement, folder: Path, change: Callable[[Announcement], None]
) -> None:
    address = address_of(client)

    change(gold)

    assert client.get(address).status_code == 404
    assert address_of(client) != address
    assert made(folder) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"state": "draft", "published_at": None}, 404),
        ({"published_at": "2016-02-01T12:00:01Z"}, 404),
        (
            {
                "state": "withdrawn",
                "withdrawn_at": "2016-01-01T09:00Z",
                "withdrawal_reason": "It was wrong.",
            },
            404,
        ),
        ({"state": "archived", "archived_at": "2016-01-01T09:00Z"}, 200),
    ],
)
def test_picture_is_there_where_the_page_is(
    client: Client, gold: Announcement, folder: Path, fields: dict[str, Any], status: int
) -> None:
    address = address_of(client)
    Announcement.objects.filter(pk=gold.pk).update(**fields)

    assert client.get(address).status_code == status
    assert len(made(folder)) == (status == 200)


@pytest.mark.parametrize(
    ("old", "new"),
    [(".en.", ".it."), (".en.", ".de."), (r"[0-9a-f]{16}", "0" * 16), (r"[0-9a-f]{16}", "x")],
)
def test_other_addresses_are_answered_alike_and_draw_nothing(
    client: Client, gold: Announcement, folder: Path, old: str, new: str
) -> None:
    response = client.get(re.sub(old, new, address_of(client)))

    assert (response.status_code, response.content) == (404, b"there is no such picture\n")
    assert client.get("/news/ZZZZZZZZ/picture.en.0.png").content == response.content
    assert made(folder) == []


def test_naming_the_picture_takes_no_query_and_drawing_it_as_many_for_three_labels(
    client: Client, count_queries: Callable[..., int], gold: Announcement
) -> None:
    client.get(address_of(client))  # drawn from now on
    with patch("news.sharing.open_graph.has_fonts", return_value=False):
        without = count_queries(PAGE, most=20)
    for_one = count_queries(address_of(client))
    gold.labels.add(make_label(cluster=make_cluster()), make_label(cluster=make_cluster()))
    client.get(address_of(client))

    assert count_queries(PAGE, most=20) == without
    assert count_queries(address_of(client)) == for_one
