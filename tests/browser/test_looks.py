"""The control of every test that finds no faults in a page: here are some of each kind."""

import pytest
from playwright.sync_api import Page

from tests.browser.looks import faults

pytestmark = pytest.mark.browser

PAGE = """
<!doctype html><html lang="en"><title>Faults</title>
<style>
  :root { color-scheme: light dark }
  p { color: light-dark(#000, #222); background: light-dark(#fff, #000); width: 340px; margin: 0 }
</style>
<main><h1>Faults</h1><p>Hard to read in the dark.</p><img src="data:,"></main></html>
"""


def test_each_kind_of_fault_is_found(page: Page) -> None:
    page.set_content(PAGE)

    light, dark, *wide = faults(page)

    assert light.startswith("light: ")
    assert "image-alt" in light
    assert "color-contrast" not in light
    assert dark.startswith("dark: ")
    assert "color-contrast" in dark
    assert wide == ["wider than 320 px"]
