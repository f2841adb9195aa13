"""Pictures and attachments on the screen of an announcement: dropped, dragged, kept, read."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from clusters.models import Account
from news.models import Announcement
from tests.browser.looks import NARROW, faults, is_wide
from tests.browser.test_admin import is_complaint
from tests.factories import make_announcement
from tests.uploads import pdf_bytes, picture_bytes

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.ignore_template_errors,
]

SAVE = "input[name=_continue] >> nth=0"
WORDS = {"alt_en": "A square", "credit_en": "Drawing of the portal"}


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def announcement(transactional_db: None) -> Announcement:
    return make_announcement(slug="gold", lead="A day.")


@pytest.fixture
def desk(
    context: BrowserContext, live_server: LiveServer, announcement: Announcement
) -> Iterator[Page]:
    """The screen of the announcement; afterwards nothing was blocked or broken."""
    client = Client()
    client.force_login(Account.objects.create_superuser("secretariat@example.org"))
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if is_complaint(message) else None,
    )
    page.goto(f"{live_server.url}/admin/news/announcement/{announcement.pk}/change/")
    yield page
    assert complaints == []


def upload(name: str, content: bytes) -> Any:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def drop(page: Page, group: str, files: dict[str, bytes]) -> None:
    encoded = {name: b64encode(content).decode() for name, content in files.items()}
    page.evaluate(
        """([group, files]) => {
          const moved = new DataTransfer();
          for (const [name, content] of Object.entries(files)) {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            moved.items.add(new File([bytes], name, { type: "image/png" }));
          }
          const given = { dataTransfer: moved, bubbles: true, cancelable: true };
          document.querySelector(group).dispatchEvent(new DragEvent("drop", given));
        }""",
        [group, encoded],
    )


def faults_of(page: Page) -> list[str]:
    # On a page of its own: axe’s own styles are blocked, and would be complained of.
    other = page.context.new_page()
    other.goto(page.url)
    return faults(other)


def describe(page: Page, number: int, **words: str) -> None:
    for name, text in (WORDS | words).items():
        page.fill(f"#id_pictures-{number}-{name}", text)


def test_two_pictures_are_dropped_ordered_and_kept_over_an_error(
    desk: Page, live_server: LiveServer, announcement: Announcement
) -> None:
    wide = picture_bytes(size=(600, 300))
    drop(desk, "#pictures-group", {"a.png": picture_bytes(size=(90, 60)), "b.png": wide})
    for number, alt in ((0, "First"), (1, "Second")):
        describe(desk, number, alt_en=alt)
        expect(desk.locator(f"#pictures-{number} .focal img")).to_be_visible()
        expect(desk.locator(f"#id_pictures-{number}-position")).to_have_value(str(number + 1))
    desk.set_viewport_size({"width": 1280, "height": 1400})
    desk.locator("#pictures-group").evaluate("group => group.scrollIntoView()")
    desk.locator("#pictures-1 h3").drag_to(
        desk.locator("#pictures-0 h3"), target_position={"x": 40, "y": 2}
    )
    expect(desk.locator("#id_pictures-1-position")).to_have_value("1")
    expect(desk.locator("#id_pictures-0-position")).to_have_value("2")
    desk.locator("#pictures-1 .focal").click(position={"x": 3, "y": 3})
    assert int(desk.input_value("#id_pictures-1-focus_x")) < 10
    desk.fill("#id_texts-0-title", "")
    desk.click(SAVE)

    expect(desk.locator(".errornote")).to_be_visible()
    expect(desk.locator("#pictures-group")).to_contain_text("“a.png” is kept for the next save")
    desk.fill("#id_texts-0-title", "Gold")
    desk.click(SAVE)
    expect(desk.locator(".messagelist .success")).to_be_visible()
    found = [(row.alt_en, row.width) for row in announcement.pictures.all()]
    assert found == [("Second", 600), ("First", 90)]
    assert announcement.cover.focus_x < 10

    desk.goto(f"{live_server.url}/en/news/2015/gold/")
    images = desk.locator("figure.figure img")
    assert images.evaluate_all("found => found.map((one) => one.alt)") == ["Second", "First"]
    cover = images.first.evaluate("image => image.currentSrc")
    assert cover == f"{live_server.url}/media/{announcement.cover.image.name}.600.avif"
    image = json.loads(
        desk.locator("script[type='application/ld+json']").first.text_content() or ""
    )
    assert image["image"].endswith(f"/media/{announcement.cover.image.name}")
    assert faults_of(desk) == []


def test_files_are_ordered_by_number_and_saved_by_who_reads(
    desk: Page, live_server: LiveServer, announcement: Announcement
) -> None:
    """As somebody does it without a mouse."""
    for number, title in ((0, "Programme"), (1, "Map")):
        if number:
            desk.locator("#attachments-group .add-row a").press("Enter")
        field = f"#id_attachments-{number}-file"
        desk.set_input_files(field, upload(f"../{title}.exe", pdf_bytes()))
        desk.fill(f"#id_attachments-{number}-title_en", title)
        desk.fill(f"#id_attachments-{number}-position", str(9 - number))
    desk.click(SAVE)
    expect(desk.locator(".messagelist .success")).to_be_visible()

    desk.goto(f"{live_server.url}/en/news/2015/gold/")
    expect(desk.locator("#attachments + ul li")).to_have_text(
        [r"Map PDF, " + size_of(announcement, 0), r"Programme PDF, " + size_of(announcement, 1)]
    )
    with desk.expect_download():
        desk.get_by_role("link", name="Programme", exact=True).click()
    assert faults_of(desk) == []


def size_of(announcement: Announcement, place: int) -> str:
    return f"{announcement.attachments.all()[place].size} bytes"


def test_too_much_at_once_is_told_before_it_is_sent(desk: Page) -> None:
    heavy = {f"{number}.png": bytes(6 * 1024 * 1024) for number in range(2)}
    drop(desk, "#pictures-group", heavy)
    desk.click(SAVE)

    told = "document.querySelector('#id_pictures-1-image').validationMessage"
    desk.wait_for_function(f"{told}.startsWith('Together these files')")
    assert desk.locator(".errornote, .messagelist").count() == 0


def test_screen_with_files_is_no_wider_than_its_own(desk: Page) -> None:
    desk.set_viewport_size({"width": NARROW, "height": 800})
    drop(desk, "#pictures-group", {"a.png": picture_bytes(size=(600, 300))})
    expect(desk.locator("#pictures-0 .focal img")).to_be_visible()
    assert not is_wide(desk)
