"""Pictures and attachments of announcements: order, words, copies."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.utils import translation

from news.models import Announcement, Attachment, Picture
from tests.factories import (
    MOMENT,
    make_announcement,
    make_announcement_text,
    make_attachment,
    make_picture,
)
from tests.uploads import document_upload, pdf_bytes, picture_upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def copies(picture: Picture) -> set[str]:
    return {
        name.removeprefix(f"{picture.image.name}.".rpartition("/")[2])
        for name in default_storage.listdir("announcements")[1]
    } - {str(picture.image).rpartition("/")[2]}


def test_first_picture_is_the_cover() -> None:
    announcement = make_announcement()
    assert announcement.cover is None
    last, first = (make_picture(announcement, position=number) for number in (2, 1))

    assert [*announcement.pictures.all()] == [first, last]
    assert announcement.cover == first


def test_file_without_a_place_comes_last() -> None:
    announcement = make_announcement()
    for number in (7, 3):
        make_picture(announcement, position=number)
        make_attachment(announcement, position=number)

    assert make_picture(announcement).position == 8
    assert make_attachment(announcement).position == 8
    assert make_picture(make_announcement()).position == 1
    make_picture(announcement, position=1_000)
    assert make_picture(announcement).position == 1_000


def test_copies_are_made_with_the_picture() -> None:
    picture = make_picture(make_announcement(), image=picture_upload(size=(600, 300)))

    sizes = ("480", "600", "card")
    assert copies(picture) == {f"{size}.{each}" for size in sizes for each in ("avif", "webp")}
    assert (picture.width, picture.height) == (600, 300)
    name = f"/media/{picture.image.name}"
    assert picture.sources == [
        ("image/avif", f"{name}.480.avif 480w, {name}.600.avif 600w"),
        ("image/webp", f"{name}.480.webp 480w, {name}.600.webp 600w"),
    ]
    assert picture.card["avif"] == f"{name}.card.avif"


def test_picture_without_copies_names_none() -> None:
    picture = make_picture(make_announcement())

    assert (picture.sources, picture.card) == ([], {})


def test_copies_are_made_once() -> None:
    picture = make_picture(make_announcement(), image=picture_upload())
    for name in copies(picture):
        default_storage.delete(f"{picture.image.name}.{name}")

    picture.alt_en = "Another word"
    picture.save()
    assert copies(picture) == set()

    picture.focus_x = 10
    picture.save()
    assert copies(picture) == {"card.avif", "card.webp"}


def test_size_of_an_attachment_is_stored() -> None:
    attachment = make_attachment(make_announcement(), file=document_upload())

    assert attachment.size == len(pdf_bytes())
    assert attachment.kind.media_type == "application/pdf"


@pytest.mark.parametrize(
    ("titles", "name"),
    [
        (("Programme of the day", "Programma"), "programme-of-the-day.pdf"),
        (("", "Città e società"), "citta-e-societa.pdf"),
        (("../../etc/passwd", ""), "etcpasswd.pdf"),
        (("a.exe\r\nX: y", ""), "aexe-x-y.pdf"),
        (("…", ""), "attachment.pdf"),
        (("", ""), "attachment.pdf"),
        (("x" * 200, ""), f"{'x' * 80}.pdf"),
    ],
)
def test_attachment_is_saved_by_its_title(titles: tuple[str, str], name: str) -> None:
    row = Attachment(file="attachments/0.pdf", title_en=titles[0], title_it=titles[1])

    assert row.saved_as == name


def test_name_of_a_row_is_in_the_language_of_the_reader() -> None:
    rows = make_picture(make_announcement()), make_attachment(make_announcement())

    assert [*map(str, rows)] == ["A disc", "Programme"]
    with translation.override("it"):
        assert [*map(str, rows)] == ["Un disco", "Programma"]
        assert str(Attachment(title_en="Programme")) == "Programme"
        assert str(Picture(alt_en="A disc")) == "immagine"


@pytest.mark.parametrize("state", ["published", "archived"])
@pytest.mark.parametrize(
    ("make", "name"),
    [(make_picture, "alt_en"), (make_picture, "credit_en"), (make_attachment, "title_en")],
)
def test_file_of_a_public_page_has_its_words(state: str, make: Any, name: str) -> None:
    moment: dict[str, Any] = {"archived_at": MOMENT} if state == "archived" else {}
    row = make(make_announcement(state=state, **moment))
    setattr(row, name.replace("_en", "_it"), "")  # no Italian text is ready
    row.full_clean()

    setattr(row, name, "")
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    assert [*caught.value.message_dict] == [name]

    draft = make(make_announcement(state="draft"), **{name: ""})
    draft.full_clean()


@pytest.mark.parametrize(
    ("make", "name"), [(make_picture, "alt_it"), (make_attachment, "title_it")]
)
def test_text_is_not_added_to_a_public_page_without_words_in_its_language(
    make: Any, name: str
) -> None:
    announcement = make_announcement()
    row = make(announcement, **{name: ""})
    text = make_announcement_text(announcement, language="it", state="draft")
    text.full_clean()

    text.state = "ready"
    with pytest.raises(ValidationError, match="Say in each language that is ready"):
        text.full_clean()

    setattr(row, name, "Detto")
    row.save()
    text.full_clean()


def test_files_are_readable_with_their_announcement() -> None:
    now = MOMENT
    rows: list[Announcement] = [
        make_announcement(),
        make_announcement(state="archived", archived_at=MOMENT),
        make_announcement(state="draft"),
        make_announcement(published_at=MOMENT.replace(year=2016)),
    ]
    pictures = [make_picture(row) for row in rows]
    attachments = [make_attachment(row) for row in rows]

    assert {*Picture.objects.readable(now)} == {*pictures[:2]}
    assert {*Attachment.objects.readable(now)} == {*attachments[:2]}
