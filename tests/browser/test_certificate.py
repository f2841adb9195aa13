"""A certificate on paper: printed, photographed, and followed to the label in Chromium."""

import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from clusters.formats.documents import library

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db,
    pytest.mark.skipif(library() is None, reason="there is no pango on this machine"),
]

LABEL = "main a.label:has-text('Gold')"


def on_paper(document: bytes) -> Image.Image:
    """The page in black and white at 150 dpi, a little askew."""
    page = pypdfium2.PdfDocument(document)[0]
    printed: Image.Image = page.render(scale=150 / 72, grayscale=True).to_pil()
    return printed.rotate(2, expand=True, fillcolor=255)


@pytest.mark.parametrize(
    ("language", "state"), [("en", "Expired on 31 July 2017."), ("it", "31 luglio 2017")]
)
def test_code_on_a_printed_certificate_leads_to_the_label_and_its_state(
    portal: str, page: Page, language: str, state: str
) -> None:
    page.goto(f"{portal}/{language}/clusters/biopmed/")
    page.locator(LABEL).first.click()
    label = page.url
    address = page.locator(f"main a[type='application/pdf'][hreflang={language}]")
    expect(address).to_have_count(1)
    response = page.request.get(f"{portal}{address.get_attribute('href')}")
    assert response.headers["content-type"] == "application/pdf"

    (code,) = zxingcpp.read_barcodes(on_paper(response.body()))
    page.goto("about:blank")
    page.goto(code.text.replace("http://testserver", portal))

    assert page.url == label
    expect(page.locator(".verdict")).to_contain_text(state)
