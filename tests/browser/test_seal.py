"""The seal where holders use it: in a page of another origin, in Chromium, in both schemes."""

import io
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Literal

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

LABEL = "main a.label:has-text('Gold')"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The address of a plain server, of another site, that shows what stands in the folder."""
    handler = partial(Quiet, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def code_on_the_label_page(page: Page, portal: str, language: str) -> str:
    """What somebody copies, with the test server in place of the portal's own address."""
    page.goto(f"{portal}/{language}/clusters/biopmed/")
    page.locator(LABEL).first.click()
    code = page.locator(f"#seal-label-{language}").input_value()
    return code.replace("http://testserver", portal)


def loaded(page: Page) -> bool:
    shown: bool = page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    return shown


@pytest.mark.parametrize("language", ["en", "it"])
def test_copied_code_shows_the_seal_on_another_site_and_leads_to_the_label(
    portal: str, context: BrowserContext, page: Page, elsewhere: str, tmp_path: Path, language: str
) -> None:
    reports: list[str] = []
    page.on("console", lambda message: reports.append(message.text))
    code = code_on_the_label_page(page, portal, language)
    label = page.url
    (tmp_path / "index.html").write_text(f"<!doctype html><title>Holder</title><p>{code}</p>")

    page.goto(elsewhere)
    assert loaded(page)
    page.reload()  # the picture is asked for again, and not sent again
    assert loaded(page)
    expect(page.get_by_alt_text("bioPmed")).to_have_js_property("naturalWidth", 360)
    page.get_by_role("link").click()

    assert page.url == label
    assert context.cookies() == []
    assert [report for report in reports if "favicon" not in report and "404" not in report] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_seal_has_the_colours_of_the_page_around_it(
    portal: str, browser: Browser, elsewhere: str, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    code = code_on_the_label_page(page, portal, "en")
    head = '<!doctype html><meta name="color-scheme" content="light dark">'
    (tmp_path / "index.html").write_text(f"{head}<title>Holder</title>{code}")
    page.goto(elsewhere)
    assert loaded(page)

    picture = Image.open(io.BytesIO(page.locator("img").screenshot())).convert("RGB")
    context.close()

    card = {"light": (255, 255, 255), "dark": (0x13, 0x1C, 0x2B)}[scheme]
    assert picture.getpixel((picture.width - 8, picture.height // 2)) == card


def test_seal_opened_by_itself_keeps_to_its_content_security_policy(
    portal: str, page: Page
) -> None:
    reports: list[str] = []
    page.on("console", lambda message: reports.append(message.text))
    code_on_the_label_page(page, portal, "en")
    address = page.locator("img.seal").first.evaluate("image => image.currentSrc")
    reports.clear()

    page.emulate_media(color_scheme="dark")
    page.goto(address)

    fill = page.locator("rect").evaluate("rect => getComputedStyle(rect).fill")
    assert fill == "rgb(19, 28, 43)"
    assert [report for report in reports if "favicon" not in report] == []


@pytest.mark.parametrize("media", ["screen", "print"])
def test_code_on_the_page_leads_to_the_page(
    portal: str, page: Page, media: Literal["screen", "print"]
) -> None:
    code_on_the_label_page(page, portal, "it")
    page.emulate_media(media=media, color_scheme="dark")

    picture = Image.open(io.BytesIO(page.locator(".qr").screenshot()))

    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text.replace("http://testserver", portal) == page.url
