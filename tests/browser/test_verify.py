"""Verifying a list in a real browser: pasted, uploaded, by keyboard, without script."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_pages import WCAG, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

LANGUAGES = ["en", "it"]
DAY = "2015-09-08"
LINES = "bioPmed\n<script>alert(1)</script>\nbiomped\nIT 0123"


@pytest.fixture(autouse=True)
def _counted_anew(portal: str) -> None:
    cache.clear()


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def visitor(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = browser.new_context(java_script_enabled=request.param)
    yield context
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_list_is_pasted_and_downloaded(portal: str, visitor: BrowserContext, language: str) -> None:
    page = visitor.new_page()
    page.goto(f"{portal}/{language}/verify/")
    page.fill("#lines", LINES)
    page.fill("#list-on", DAY)
    page.locator("#list-form button").click()

    expect(page.locator("#answers table").first).to_contain_text("bioPmed")
    expect(page.locator("#answers table").last).to_contain_text("<script>alert(1)</script>")
    expect(page.locator("#lines")).to_have_value(LINES)
    with page.expect_download() as download:
        page.locator("button[value=csv]").click()
    rows = read(download.value.path())
    assert [row["verdict"] for row in rows] == ["valid", "unknown", "unknown", "unknown"]
    assert rows[0]["on"] == DAY
    assert visitor.cookies() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_file_is_uploaded(
    portal: str, visitor: BrowserContext, language: str, tmp_path: Path
) -> None:
    path = tmp_path / "suppliers.csv"
    path.write_bytes("\ufeffpaese;cluster\nIT;BIOPMED\n".encode())
    page = visitor.new_page()
    page.goto(f"{portal}/{language}/verify/")
    page.set_input_files("#file", path)
    page.locator("#list-form button").click()

    expect(page.locator("#answers table")).to_contain_text("bioPmed")
    expect(page.locator("#lines")).to_have_value("BIOPMED")


def test_list_is_verified_by_keyboard(portal: str, page: Page) -> None:
    page.goto(f"{portal}/en/verify/")
    tab_to(page, "#lines")
    page.keyboard.type("bioPmed")
    tab_to(page, "#list-form button")
    page.keyboard.press("Enter")

    expect(page.locator("#answers table")).to_contain_text("bioPmed")


def test_wrong_file_is_refused_in_words(portal: str, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(b"PK\x03\x04")
    page.goto(f"{portal}/en/verify/")
    page.fill("#lines", "typed")
    page.set_input_files("#file", path)
    page.locator("#list-form button").click()

    expect(page.get_by_role("alert")).to_contain_text("this is no CSV file")
    expect(page.locator("#lines")).to_have_value("typed")


# Colours are the same in every language.
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("it", "light"), ("en", "dark")])
def test_answers_are_accessible_and_fit(
    portal: str, browser: Browser, language: str, scheme: Any
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{portal}/{language}/verify/")
    page.fill("#lines", f"{LINES}\n{'x' * 200}")
    page.locator("#list-form button").click()
    expect(page.locator("#answers")).to_be_visible()

    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    wide = []
    for width in (320, 360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(width)
    context.close()

    assert results.violations_count == 0, results.generate_report()
    assert wide == []


def read(path: Path) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))
