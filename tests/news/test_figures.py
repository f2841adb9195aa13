"""Pictures and attachments where announcements are read: page, lists, feeds, data."""

from typing import Any

import feedparser
import pytest
from django.test import Client

from news.lists.feeds import ATOM
from news.models import Announcement
from tests.factories import (
    make_announcement,
    make_announcement_text,
    make_attachment,
    make_cluster,
    make_picture,
)
from tests.uploads import picture_upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def gold(settings: Any, tmp_path: Any) -> Announcement:
    settings.MEDIA_ROOT = tmp_path
    announcement = make_announcement(slug="gold", clusters=[make_cluster(slug="biopmed")])
    upload = picture_upload(size=(600, 300))
    make_picture(announcement, position=2, alt_en="A second one", credit_en="Theirs")
    make_picture(announcement, position=1, alt_en="The cover", credit_en="Ours", image=upload)
    make_attachment(announcement, file="attachments/a.docx")
    return announcement


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return b"".join(response).decode()


def test_article_begins_with_its_cover_and_lists_the_rest(
    client: Client, gold: Announcement
) -> None:
    page = text_of(client, "/en/news/2015/gold/")
    cover = f"/media/{gold.cover.image.name}"

    assert (
        f'<source type="image/avif" srcset="{cover}.480.avif 480w, {cover}.600.avif 600w"' in page
    )
    assert 'width="600" height="300"' in page
    assert page.index('alt="The cover"') < page.index('alt="A second one"')
    assert page.count('loading="lazy"') == 1
    assert '<meta property="og:image:alt" content="The cover">' in page
    assert f"http://testserver{cover}" in page
    assert ">Programme</a>" in page
    assert "Word document, 117.2\xa0KB" in page


def test_article_says_it_in_the_language_of_its_text(client: Client, gold: Announcement) -> None:
    make_announcement_text(gold, language="it", slug="oro")
    page = text_of(client, "/it/news/2015/oro/")

    assert 'alt="Un disco"' in page
    assert ">Programma</a>" in page
    assert "Documento Word" in page


@pytest.mark.parametrize("path", ["/en/news/", "/en/clusters/biopmed/", "/en/news/2015/"])
def test_list_shows_the_cover_cut_for_it(client: Client, gold: Announcement, path: str) -> None:
    page = text_of(client, path)

    assert f'srcset="/media/{gold.cover.image.name}.card.avif"' in page
    assert 'alt="" width="480" height="320" loading="lazy"' in page
    assert page.count(".card.webp") == 1


def test_json_feed_names_cover_and_attachments(client: Client, gold: Announcement) -> None:
    (item,) = client.get("/news.json").json()["items"]

    assert item["image"] == f"http://testserver/media/{gold.cover.image.name}"
    (attachment,) = item["attachments"]
    assert attachment["url"] == "http://testserver/media/attachments/a.docx"
    assert attachment["mime_type"].endswith("wordprocessingml.document")
    assert (attachment["title"], attachment["size_in_bytes"]) == ("Programme", 120_000)


def test_atom_feed_encloses_attachments(client: Client, gold: Announcement) -> None:
    response = client.get("/news.atom")
    assert response["Content-Type"].startswith(ATOM)
    (entry,) = feedparser.parse(b"".join(response)).entries

    (enclosure,) = entry.enclosures
    assert (enclosure.href, enclosure.length) == (
        "http://testserver/media/attachments/a.docx",
        "120000",
    )


def test_api_tells_of_pictures_and_attachments(client: Client, gold: Announcement) -> None:
    row = client.get(f"/api/v1/announcements/{gold.public_id}").json()

    assert [one["alt"]["en"] for one in row["pictures"]] == ["The cover", "A second one"]
    assert [one["width"] for one in row["pictures"]] == [600, None]
    (attachment,) = row["attachments"]
    assert (attachment["bytes"], attachment["title"]["it"]) == (120_000, "Programma")


def test_lists_ask_the_same_for_many_pictures(
    client: Client, gold: Announcement, count_queries: Any
) -> None:
    one = count_queries("/en/news/")
    for _ in range(3):
        make_picture(make_announcement())

    assert count_queries("/en/news/") == one
