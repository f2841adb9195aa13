"""Who is sent which picture."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image

from clusters.models import Cluster, Role
from config.privacy.pictures import file_fields
from config.site.media import FILES
from tests.factories import (
    MOMENT,
    make_account,
    make_announcement,
    make_attachment,
    make_cluster,
    make_management,
    make_participation,
    make_picture,
    make_policy_maker,
    make_team_member,
)
from tests.uploads import pdf_bytes

pytestmark = pytest.mark.django_db

Upload = Callable[..., str]

HOSTILE = b"<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def upload() -> Iterator[Upload]:
    """Store a file that a public cluster names, give its address, and take it away again."""
    stored = []

    def store(name: str, content: bytes, **fields: Any) -> str:
        stored.append(default_storage.save(name, ContentFile(content)))
        make_cluster(logo=stored[-1], **fields)
        return f"/media/{stored[-1]}"

    yield store
    for name in stored:
        default_storage.delete(name)


def png() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    return buffer.getvalue()


def read(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_media_shows_a_picture(client: Client, upload: Upload) -> None:
    picture = png()

    response = client.get(upload("logos/a.png", picture))

    assert read(response) == picture
    assert response["Content-Type"] == "image/png"
    assert response["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize("name", ["a.html", "a.svg", "A.SVG", "a.png.html", "a.pdf", "a"])
def test_media_saves_anything_else(client: Client, upload: Upload, name: str) -> None:
    response = client.get(upload(name, HOSTILE))

    assert read(response) == HOSTILE
    assert response["Content-Disposition"].startswith("attachment")


def test_media_cannot_become_a_page(client: Client, upload: Upload) -> None:
    response = client.get(upload("a.html", HOSTILE))

    assert read(response) == HOSTILE
    assert (
        response["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    )
    assert response["X-Content-Type-Options"] == "nosniff"


def test_media_keeps_the_name_of_a_file_in_its_quotes(client: Client, upload: Upload) -> None:
    response = client.get(upload('a"; filename=evil.html; x=".txt', HOSTILE))

    assert read(response) == HOSTILE
    assert response["Content-Disposition"] == (
        'attachment; filename="a\\"; filename=evil.html; x=\\".txt"'
    )


def test_media_takes_the_name_of_a_picture_at_its_word(client: Client, upload: Upload) -> None:
    """A page that calls itself a picture is a broken picture: nobody may guess its type."""
    response = client.get(upload("page.png", HOSTILE))

    assert read(response) == HOSTILE
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == (
        "image/png",
        "nosniff",
    )


def test_media_is_not_sent_twice(client: Client, upload: Upload) -> None:
    address = upload("logos/a.png", png())
    first = client.get(address)
    read(first)

    again = client.get(address, headers={"if-modified-since": first["Last-Modified"]})

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["missing.png", "logos/", "../settings.py", "..%2fsettings.py", "/etc/passwd", "a" * 400],
)
def test_media_finds_nothing_outside(client: Client, path: str) -> None:
    assert client.get(f"/media/{path}").status_code == 404


def test_every_field_with_files_has_its_rule() -> None:
    assert {(one.model, one.name) for one in FILES} == {
        (field.model, field.name) for field in file_fields()
    }


def status(client: Client, address: str) -> int:
    response = client.get(address)
    if response.streaming:
        read(response)
    return response.status_code


def test_picture_is_gone_at_once_when_it_is_taken_down(client: Client, upload: Upload) -> None:
    address = upload("logos/a.png", png())
    first = client.get(address)
    read(first)
    Cluster.objects.update(is_published=False)

    again = client.get(address, headers={"if-modified-since": first["Last-Modified"]})
    missing = client.get("/media/logos/never.png")

    assert first["Cache-Control"] == "public, no-cache"
    assert again.status_code == 404
    assert again.content.replace(b"a.png", b"never.png") == missing.content


def test_replaced_picture_is_gone_at_once(client: Client, upload: Upload) -> None:
    address = upload("logos/a.png", png())
    cluster = Cluster.objects.get()
    cluster.logo = "logos/b.png"
    cluster.save()

    assert status(client, address) == 404
    client.force_login(make_account(Role.AUDITOR))
    assert status(client, address) == 404
    client.force_login(make_account(Role.EDITOR))  # who may restore the version
    assert status(client, address) == 200


def test_file_that_no_row_names_is_sent_to_nobody(client: Client, upload: Upload) -> None:
    address = upload("logos/a.png", png())
    Cluster.objects.update(logo="")
    Cluster.history.all().delete()
    client.force_login(make_account(is_superuser=True))

    assert status(client, address) == 404


@pytest.mark.parametrize(
    ("fields", "published_in", "expected"),
    [
        pytest.param({}, -1, 200, id="public"),
        pytest.param({}, 1, 404, id="later"),
        pytest.param({"state": "draft"}, -1, 404, id="draft"),
        pytest.param({"state": "archived", "archived_at": MOMENT}, -1, 200, id="archived"),
        pytest.param(
            {"state": "withdrawn", "withdrawn_at": MOMENT, "withdrawal_reason": "Wrong."},
            -1,
            404,
            id="withdrawn",
        ),
    ],
)
def test_picture_of_an_announcement_is_public_with_it(
    client: Client, upload: Upload, fields: dict[str, Any], published_in: int, expected: int
) -> None:
    address = upload("announcements/a.png", png(), is_published=False)
    announcement = make_announcement(
        **fields, published_at=timezone.now() + timedelta(hours=published_in)
    )
    make_picture(announcement, image="announcements/a.png")
    Cluster.objects.update(logo="")

    assert status(client, address) == expected


@pytest.mark.parametrize("copy", ["480.avif", "card.webp"])
@pytest.mark.parametrize(("state", "expected"), [("published", 200), ("draft", 404)])
def test_copy_of_a_picture_is_public_with_it(
    client: Client, upload: Upload, copy: str, state: str, expected: int
) -> None:
    address = upload(f"announcements/b.png.{copy}", png())
    Cluster.objects.update(logo="")
    make_picture(make_announcement(state=state), image="announcements/b.png")

    response = client.get(address)

    assert response.status_code == expected
    if response.streaming:
        read(response)
        assert response["Content-Type"] == f"image/{copy[-4:]}"
    assert status(client, address.replace("/b.png", "/c.png")) == 404


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 200),
        ({"state": "draft"}, 404),
        ({"published_at": timezone.now() + timedelta(hours=1)}, 404),
        ({"state": "withdrawn", "withdrawn_at": MOMENT, "withdrawal_reason": "Wrong."}, 404),
    ],
)
def test_attachment_of_an_announcement_is_public_with_it(
    client: Client, upload: Upload, fields: dict[str, Any], expected: int
) -> None:
    address = upload("attachments/b.pdf", pdf_bytes())
    Cluster.objects.update(logo="")
    make_attachment(make_announcement(**fields), file="attachments/b.pdf")

    assert status(client, address) == expected


def test_attachment_is_saved_by_its_title_and_shown_by_nobody(
    client: Client, upload: Upload
) -> None:
    address = upload("attachments/c.docx", HOSTILE)
    Cluster.objects.update(logo="")
    title = 'Città "x"\r\n../a.exe'
    make_attachment(make_announcement(), file="attachments/c.docx", title_en=title)

    response = client.get(address)

    assert read(response) == HOSTILE
    assert response["Content-Disposition"] == 'attachment; filename="citta-x-aexe.docx"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_deleted_file_of_a_draft_is_sent_to_who_brings_it_back(
    client: Client, upload: Upload
) -> None:
    address = upload("announcements/d.png", png())
    Cluster.objects.update(logo="")
    member = make_team_member()
    draft = make_announcement(state="draft", written_by=member.organisation)
    make_picture(draft, image="announcements/d.png").delete()

    found = []
    for account in (make_account(Role.EDITOR), make_account(Role.AUDITOR), member.account):
        client.force_login(account)
        found.append(status(client, address))
    assert found == [200, 404, 404]


def test_hidden_picture_is_sent_to_who_sees_its_record(client: Client, upload: Upload) -> None:
    address = upload("logos/a.png", png(), is_published=False)
    cluster = Cluster.objects.get()
    mine = make_team_member(organisation=make_management(cluster=cluster).organisation).account
    participation = make_participation(cluster=cluster)

    def answer(account: Any) -> int:
        client.force_login(account)
        return status(client, address)

    assert [answer(account) for account in (mine, make_account(Role.AUDITOR))] == [200, 200]
    strangers = (
        make_team_member().account,
        make_policy_maker(participation.programme),
        make_account(Role.EXPERT),
        make_account(),
    )
    assert [answer(account) for account in strangers] == [404, 404, 404, 404]
    client.force_login(mine)
    response = client.get(address)
    read(response)
    assert response["Cache-Control"] == "private, no-store"


def test_hidden_picture_needs_the_second_factor(
    client: Client, upload: Upload, settings: Any
) -> None:
    address = upload("logos/a.png", png(), is_published=False)
    client.force_login(make_account(Role.AUDITOR))
    settings.REQUIRE_SECOND_FACTOR = True

    assert status(client, address) == 404


def test_draft_s_picture_is_sent_to_its_team(client: Client, upload: Upload) -> None:
    address = upload("announcements/a.png", png(), is_published=False)
    member = make_team_member()
    Cluster.objects.update(logo="")
    draft = make_announcement(state="draft", written_by=member.organisation)
    assert make_picture(draft, image="announcements/a.png").image.url == address

    client.force_login(member.account)
    assert status(client, address) == 200
    client.force_login(make_team_member().account)
    assert status(client, address) == 404
