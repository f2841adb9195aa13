"""Verifying a list in a real browser: pasted, uploaded, by keyboard, without script."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.looks import faults
from tests.browser.test_pages import tab_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

DAY = "2015-09-08"
LINES = "bioPmed\n<script>alert(1)</script>\nbiomped\nIT 0123"


@pytest.fixture(autouse=True)
def _counted_anew(portal: str) -> None:
    cache.clear()


WITH_AND_WITHOUT_SCRIPT = pytest.mark.parametrize(
    ("language", "visitor"), [("en", True), ("it", False)], indirect=["visitor"]
)


@pytest.fixture
def visitor(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """With script or without."""
    context = browser.new_context(java_script_enabled=request.param)
    yield context
    context.close()


@WITH_AND_WITHOUT_SCRIPT
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


@WITH_AND_WITHOUT_SCRIPT
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


@pytest.mark.parametrize("language", ["en", "it"])
def test_answers_are_accessible_and_fit(portal: str, page: Page, language: str) -> None:
    page.goto(f"{portal}/{language}/verify/")
    page.fill("#lines", f"{LINES}\n{'x' * 200}")
    page.locator("#list-form button").click()
    expect(page.locator("#answers")).to_be_visible()

    assert faults(page) == []


def read(path: Path) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8-sig")
    # In English with commas, in Italian with semicolons, as spreadsheets there expect them.
    delimiter = ";" if text.startswith("line;") else ","
    return list(csv.DictReader(StringIO(text, newline=""), strict=True, delimiter=delimiter))
