from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import translation

from clusters.models import Account, Role
from news.models import Announcement
from news.workflow.previews import preview_link
from news.workflow.steps import archive, publish, return_to_draft, submit, withdraw_announcement
from tests.factories import (
    MOMENT,
    make_account,
    make_announcement,
    make_announcement_text,
    make_attachment,
    make_picture,
)
from tests.uploads import document_upload, picture_bytes, picture_upload

pytestmark = pytest.mark.django_db

NOW = MOMENT + timedelta(days=1)
DAY = timedelta(days=1)


def path_to(announcement: Announcement, language: str = "en") -> str:
    with translation.override(language):
        return preview_link(announcement).removeprefix("http://testserver")


@pytest.fixture
def draft() -> Announcement:
    draft = make_announcement(state="draft", published_at=None, title="Gold", lead="A day.")
    make_announcement_text(draft, language="it", title="Oro", state="draft")
    return draft


def test_preview_shows_the_page_in_both_languages(client: Client, draft: Announcement) -> None:
    for language, title in (("en", "Gold"), ("it", "Oro")):
        response = client.get(path_to(draft, language))
        page = response.content.decode()

        assert f"<h1>{title}</h1>" in page
        assert '<meta name="robots" content="noindex">' in page
        assert response["X-Robots-Tag"] == "noindex"
        assert "no-store" in response["Cache-Control"]


def test_preview_ends_after_a_week(client: Client, draft: Announcement) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        path = path_to(draft)
        clock.shift(7 * DAY)
        assert client.get(path).status_code == 200
        clock.shift(timedelta(seconds=1))
        assert client.get(path).status_code == 404


def test_preview_ends_with_the_next_step_and_does_not_come_back(client: Client) -> None:
    editor = make_account(Role.EDITOR)
    scheduled = make_announcement(published_at=NOW + DAY)
    path = path_to(scheduled)
    assert client.get(path).status_code == 200

    return_to_draft(scheduled, by=editor, now=NOW)
    assert client.get(path).status_code == 404
    publish(scheduled, by=editor, now=NOW, at=NOW + DAY)
    assert client.get(path).status_code == 404


def test_nothing_of_what_is_withdrawn_is_previewed(client: Client, draft: Announcement) -> None:
    announcement = make_announcement()
    path = path_to(announcement)
    withdrawn = withdraw_announcement(
        announcement, by=make_account(Role.EDITOR), now=NOW, reason="Wrong."
    )

    assert preview_link(withdrawn) == ""
    assert client.get(path).status_code == 404


def test_token_of_something_else_is_refused(client: Client, draft: Announcement) -> None:
    path = path_to(draft)

    for forged in (path[:-3] + "x/", "/en/previews/x/", path.replace("/previews/", "/previews/x")):
        assert client.get(forged).status_code == 404


def test_picture_of_a_preview_is_sent_with_it(
    client: Client, draft: Announcement, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    picture = make_picture(draft, image=picture_upload())

    path = f"{path_to(draft)}pictures/{picture.pk}/"
    assert f'src="{path}"' in client.get(path_to(draft)).content.decode()
    response = client.get(path)

    assert response.status_code == 200
    assert b"".join(response.streaming_content) == picture_bytes()  # type: ignore[attr-defined]
    response.close()
    assert "no-store" in response["Cache-Control"]


def test_attachment_of_a_preview_is_saved_from_it(
    client: Client, draft: Announcement, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    attachment = make_attachment(draft, file=document_upload("../../etc/passwd.pdf"))
    other = make_attachment(make_announcement())

    path = path_to(draft)
    for key in (other.pk, 0):
        assert client.get(f"{path}attachments/{key}/").status_code == 404

    response = client.get(f"{path}attachments/{attachment.pk}/")

    assert b"".join(response.streaming_content).startswith(b"%PDF")  # type: ignore[attr-defined]
    response.close()
    assert response["Content-Disposition"] == 'attachment; filename="programme.pdf"'
    assert response["Content-Security-Policy"].startswith("sandbox")
    assert response["X-Robots-Tag"] == "noindex"


@pytest.mark.ignore_template_errors
@pytest.mark.parametrize(
    ("role", "step", "is_shown"),
    [
        (Role.EDITOR, None, True),
        (Role.EDITOR, submit, True),
        (Role.EDITOR, publish, False),
        (Role.EDITOR, archive, True),
        (Role.AUDITOR, None, False),
    ],
)
def test_link_is_shown_to_who_writes(
    client: Client, draft: Announcement, role: Role, step: Callable[..., Any] | None, is_shown: bool
) -> None:
    editor: Account = make_account(Role.EDITOR)
    if step is archive:
        publish(draft, by=editor, now=NOW)
    if step:
        step(draft, by=editor, now=NOW)
    draft.refresh_from_db()
    client.force_login(make_account(role))

    page = client.get(reverse("admin:news_announcement_change", args=[draft.pk]))

    assert ("/previews/" in page.content.decode()) is is_shown
