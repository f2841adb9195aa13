"""Articles as PDF/UA, opened with pikepdf (qpdf) and read with PDFium, as viewers do."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pikepdf
import pypdfium2
import pytest
import time_machine
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from clusters.formats import documents
from clusters.formats.documents import fetcher, library
from news.models import Announcement, Picture
from news.views import sharing
from tests.factories import (
    make_announcement,
    make_announcement_text,
    make_attachment,
    make_cluster,
    make_correction,
    make_label,
    make_organisation,
    make_picture,
    update_label,
)
from tests.labels.proofs.test_certificates import (
    is_font_descriptor,
    made,
    opened,
    structure,
    text_of,
)
from tests.uploads import picture_bytes

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(library() is None, reason="there is no pango on this machine"),
]

GOLD, ORO = "/en/news/2015/gold.pdf", "/it/news/2015/oro.pdf"
Change = Callable[[Announcement], Any]


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2018-02-01T12:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CERTIFICATES_ROOT, settings.MEDIA_ROOT = tmp_path / "made", tmp_path / "media"
    cache.clear()
    return tmp_path / "made"


def uploaded(file_format: str, size: tuple[int, int], mode: str = "RGB") -> SimpleUploadedFile:
    content = picture_bytes(file_format, size, mode)
    return SimpleUploadedFile(f"a.{file_format.lower()}", content)


@pytest.fixture
def gold() -> Announcement:
    """With everything that an article may have."""
    cluster = make_cluster(name="bioPmed", slug="biopmed")
    announcement = make_announcement(
        title="Gold for bioPmed",
        slug="gold",
        lead="The cluster holds the Gold Label.",
        body="It is *one* of few:\n\n- first\n- second\n\n> Quoted words\n\n[Source](https://example.org/s)",
        box="What a label is.",
        contact_role="Press office",
        contact_organisation=make_organisation(
            name="Park", role_address="press@example.org", is_address_shown=True
        ),
        clusters=[cluster],
        labels=[make_label(cluster=cluster)],
    )
    make_announcement_text(
        announcement, language="it", slug="oro", title="Oro a bioPmed", body="> Parole\n\nTesto."
    )
    cover = uploaded("PNG", (60, 40))
    make_picture(announcement, image=cover, alt_en="A coin", alt_it="Una moneta")
    make_picture(announcement, image=uploaded("PNG", (40, 60)), credit_en="Theirs")
    make_attachment(announcement, file="attachments/programme.pdf")
    make_correction(announcement)
    return announcement


def document_at(client: Client, path: str) -> bytes:
    response = client.get(path)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/pdf"
    return response.content


# What it says


def test_document_says_what_the_article_does(client: Client, gold: Announcement) -> None:
    text = text_of(document_at(client, GOLD))

    parts = [
        "Cluster Register News 8 September 2015, 14:38 Gold for bioPmed",
        "The cluster holds the Gold Label. Picture: Ours It is one of few:",
        "first",
        "Background What a label is.",
        "Pictures Picture: Theirs",
        "Corrections 9 September 2015, 14:38 The town is Torino.",
        "The label as it stands on 1 February 2018 Gold bioPmed Expired on 31 July 2017; "
        "may still be renewed until 31 July 2018.",
        "On the day of the announcement, 8 September 2015: valid",
        "Attachments",
        "http://testserver/media/attachments/programme.pdf",
        "Contact Press office Park press@example.org",
        "http://testserver/en/news/2015/gold/contact/",
        "http://testserver/en/news/2015/gold/ This is the text of 1 February 2018;",
    ]
    assert [part for part in parts if part not in text] == []


def test_document_is_wholly_in_the_language_of_its_text(client: Client, gold: Announcement) -> None:
    document = document_at(client, ORO)

    text = text_of(document)
    assert "8 settembre 2015, 14:38 Oro a bioPmed" in text
    assert "http://testserver/it/news/2015/oro/" in text
    assert "La certificazione in data 1 febbraio 2018 Gold bioPmed Scaduta" in text
    assert "Il giorno dell’annuncio, 8 settembre 2015: valida" in text
    pdf = opened(document)
    assert [str(e.Lang) for e in structure(pdf) if e.S == "/BlockQuote"] == ["it"]


def test_text_of_one_language_has_one_document(client: Client) -> None:
    make_announcement(slug="gold")

    response = client.get("/it/news/2015/gold.pdf")

    assert (response.status_code, response["Location"]) == (302, GOLD)
    page = client.get("/it/news/2015/gold/").content.decode()
    assert f'href="{GOLD}" type="application/pdf"' in page


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"kind": "event", "begins_at": "2018-03-01T09:00Z", "place": "Torino"},
            "Event 8 September 2015, 14:38 Gold Start 1 March 2018, 10:00 Place Torino Text.",
        ),
        (
            {"kind": "call", "deadline_at": "2018-03-01T09:00Z"},
            "Call 8 September 2015, 14:38 Gold Deadline 1 March 2018, 10:00 Text.",
        ),
        (
            {"state": "archived", "archived_at": "2017-01-01T09:00Z"},
            "This announcement is archived: it says what was known at its time.",
        ),
    ],
)
def test_document_says_what_kind_it_is(client: Client, fields: dict[str, Any], told: str) -> None:
    make_announcement(title="Gold", slug="gold", **fields)

    assert told in text_of(document_at(client, GOLD))


def test_document_names_nothing_that_is_hidden(client: Client) -> None:
    hidden = make_cluster(name="Hidden cluster", is_published=False)
    team = make_organisation(name="Hidden team", role_address="x@example.org", is_published=False)
    make_announcement(slug="gold", labels=[make_label(cluster=hidden)], contact_organisation=team)

    text = text_of(document_at(client, GOLD))

    assert "Hidden" not in text
    assert "x@example.org" not in text


def test_markup_of_an_editor_brings_in_nothing(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Not by a tag, not by a picture, not by a link that a viewer would run."""
    body = (
        "<img src='http://example.org/a.png'> ![x](file:///etc/passwd) [x](file:///etc/passwd)"
        " <style>@import 'http://example.org/a.css'</style> [y](javascript:alert(1))"
    )
    make_announcement(slug="gold", title="<script>1</script>", body=body, box=body)

    with caplog.at_level(logging.DEBUG, logger="weasyprint"):
        document = document_at(client, GOLD)

    assert "<script>1</script>" in text_of(document)
    links = [str(link.A.URI) for page in opened(document).pages for link in page.obj.Annots]
    assert {link.split(":")[0] for link in links} == {"http"}
    assert "Failed to load" not in caplog.text


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "http://example.org/a.png", "data:image/png;base64,AA", "/media/a.png"],
)
def test_nothing_is_fetched_but_the_pictures(address: str) -> None:
    own = fetcher({"http://testserver/media/a.png": lambda: b"picture"})

    assert own("http://testserver/media/a.png").read() == b"picture"
    with pytest.raises(ValueError, match="Not one of the pictures"):
        own(address)
    with pytest.raises(ValueError, match="Not one of the pictures"):
        own.open(address)


# For everybody: PDF/UA


@pytest.mark.parametrize(("path", "language"), [(GOLD, "en"), (ORO, "it")])
def test_document_is_tagged_with_language_and_title(
    client: Client, gold: Announcement, path: str, language: str
) -> None:
    pdf = opened(document_at(client, path))

    root: Any = pdf.Root
    assert pdf.check_pdf_syntax() == []
    assert root.MarkInfo.Marked
    assert str(root.Lang) == language
    assert root.ViewerPreferences.DisplayDocTitle
    title = gold.texts.get(language=language).title
    assert str(pdf.docinfo["/Title"]) == title
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == title
    assert {page.obj.Tabs for page in pdf.pages} == {pikepdf.Name.S}


def test_document_has_headings_lists_and_words_for_each_picture_and_link(
    client: Client, gold: Announcement
) -> None:
    pdf = opened(document_at(client, GOLD))
    found = structure(pdf)
    tags = [str(element.S) for element in found]
    links = [link for page in pdf.pages for link in page.obj.get("/Annots", [])]

    headings = [tag for tag in tags if tag.startswith("/H")]
    assert headings == ["/H1"] + ["/H2"] * 6
    assert tags.count("/L") == 3
    assert [str(e.Alt) for e in found if e.S == "/Figure"] == ["A coin", "A disc"]
    assert tags.count("/Caption") == 2
    assert tags.count("/Link") == len(links) == 5
    assert all(str(link.Contents) for link in links)


def test_document_brings_its_fonts(client: Client, gold: Announcement) -> None:
    pdf = opened(document_at(client, GOLD))

    described = [thing for thing in pdf.objects if is_font_descriptor(thing)]

    assert described
    assert all("/FontFile2" in font or "/FontFile3" in font for font in described)


# Pictures


def test_pictures_come_as_jpeg_no_larger_than_paper_wants(client: Client) -> None:
    """Also of a picture without copies; one that is lost is told in words."""
    announcement = make_announcement(slug="gold")
    make_picture(announcement, image=uploaded("PNG", (1800, 90), "RGBA"))
    make_picture(announcement, image=uploaded("WEBP", (1000, 90)))
    bare = make_picture(announcement, image=uploaded("WEBP", (1700, 80)))
    lost = make_picture(announcement, image=uploaded("WEBP", (70, 80)), alt_en="A lost one")
    Picture.objects.filter(pk=bare.pk).update(width=0, height=0)
    Path(f"{lost.image.path}.70.webp").unlink()

    document = document_at(client, GOLD)

    assert pictures_in(document) == {(1600, 80), (960, 86), (1600, 75)}
    assert "A lost one" in text_of(document)


def pictures_in(document: bytes) -> set[tuple[int, int]]:
    pdf = opened(document)
    found = [
        thing
        for thing in pdf.objects
        if isinstance(thing, pikepdf.Stream) and thing.get("/Subtype") == "/Image"
    ]
    assert {str(image.Filter) for image in found} == {"/DCTDecode"}
    return {(int(image.Width), int(image.Height)) for image in found}


# Made once and stored


def test_document_is_made_once_for_what_it_says(
    client: Client, gold: Announcement, folder: Path
) -> None:
    first = document_at(client, GOLD)

    with patch.object(documents, "page_as_pdf", side_effect=RuntimeError):
        assert document_at(client, GOLD) == first
    assert len(made(folder)) == 1


def rewrite(announcement: Announcement) -> None:
    text = announcement.texts.get(language="en")
    text.body = "Rewritten."
    text.save()


def replace_the_picture(announcement: Announcement) -> None:
    picture = announcement.pictures.first()
    assert picture is not None
    picture.image = uploaded("PNG", (40, 30))
    picture.save()


def describe(announcement: Announcement) -> None:
    announcement.pictures.update(credit_en="Somebody else")


def revoke(announcement: Announcement) -> None:
    update_label(announcement.labels.get(), revoked_on="2018-01-01", revocation_reason="Audit.")


@pytest.mark.parametrize(
    "change", [rewrite, replace_the_picture, describe, revoke, make_correction]
)
def test_document_is_made_anew_when_what_it_says_changes(
    client: Client, gold: Announcement, folder: Path, change: Change
) -> None:
    document_at(client, GOLD)

    change(gold)

    document_at(client, GOLD)
    assert len(made(folder)) == 2


def test_document_is_of_the_day(
    client: Client, gold: Announcement, folder: Path, today: time_machine.Traveller
) -> None:
    document_at(client, GOLD)
    today.move_to("2018-08-01T12:00Z")

    assert "as it stands on 1 August 2018 Gold bioPmed Expired on 31 July 2017." in text_of(
        document_at(client, GOLD)
    )
    assert sorted(path.name for path in folder.iterdir()) == ["2018-02-01", "2018-08-01"]


# The address


def test_address_says_who_may_keep_it(client: Client, gold: Announcement) -> None:
    response = client.get(GOLD)

    assert response["Cache-Control"] == "public, max-age=300"
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Content-Disposition"] == 'inline; filename="gold-2018-02-01.pdf"'
    again = client.get(GOLD, headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"state": "draft", "published_at": None}, 404),
        ({"state": "in_review", "published_at": None}, 404),
        ({"published_at": "2018-02-01T12:00:01Z"}, 404),
        (
            {
                "state": "withdrawn",
                "withdrawn_at": "2017-01-01T09:00Z",
                "withdrawal_reason": "It was wrong.",
            },
            410,
        ),
        ({"state": "archived", "archived_at": "2017-01-01T09:00Z"}, 200),
        ({}, 200),
    ],
)
def test_document_is_there_where_the_page_is(
    client: Client, folder: Path, fields: dict[str, Any], status: int
) -> None:
    year = 2018 if str(fields.get("published_at")).startswith("2018") else 2015
    make_announcement(slug="gold", title="Unseen", **fields)

    document = client.get(f"/en/news/{year}/gold.pdf")

    assert document.status_code == client.get(f"/en/news/{year}/gold/").status_code == status
    assert len(made(folder)) == (status == 200)
    if status == 410:
        assert "It was wrong." in document.content.decode()
        assert "Unseen" not in document.content.decode()


def test_text_that_is_a_draft_has_no_document(client: Client) -> None:
    announcement = make_announcement(slug="gold")
    make_announcement_text(announcement, language="it", slug="oro", state="draft")

    assert client.get(ORO).status_code == 404


def test_old_address_leads_to_the_document(client: Client) -> None:
    announcement = make_announcement(slug="silver")
    text = announcement.texts.get()
    text.slug = "gold"
    text.save()

    response = client.get("/en/news/2015/silver.pdf")

    assert (response.status_code, response["Location"]) == (301, GOLD)


def test_address_may_be_a_number(client: Client, gold: Announcement) -> None:
    gold.texts.update(slug="12")

    assert client.get("/en/news/2015/12.pdf")["Content-Type"] == "application/pdf"


def test_document_takes_the_same_queries_however_much_it_shows(
    client: Client, count_queries: Callable[[str], int], gold: Announcement
) -> None:
    document_at(client, GOLD)
    for_one = count_queries(GOLD)
    gold.labels.add(make_label(cluster=make_cluster()), make_label(cluster=make_cluster()))
    make_picture(gold)
    make_correction(gold)
    document_at(client, GOLD)

    assert count_queries(GOLD) == for_one


def test_without_pango_the_page_answers(client: Client, gold: Announcement) -> None:
    with patch.object(sharing, "library", return_value=None):
        response = client.get(GOLD)

    assert (response.status_code, response["Location"]) == (302, "/en/news/2015/gold/")


def test_a_long_article_has_a_number_on_every_page(client: Client) -> None:
    make_announcement(slug="gold", body="Words of it. " * 1_000)

    pages = pypdfium2.PdfDocument(document_at(client, GOLD))

    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in page.get_textpage().get_text_bounded()
