"""What every page has to be: accessible in light and in dark, and no wider than its screen."""

from collections.abc import Iterable
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page

REQUIRED = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
RULES = (*REQUIRED, "best-practice")
# What axe reads from the colours. All else is the same in both schemes.
OF_COLOURS = ("color-contrast", "link-in-text-block")
# Made in admin by the scripts of Select2 and of Django.
NOT_OURS = (".select2-selection__rendered", ".help-tooltip")
NARROW = 360
WIDTHS = (320, NARROW, 1280)

# Of what is right, axe would send back as much as of what is wrong.
RUN = """
async ({ exclude, runOnly }) => {
  const { violations } = await axe.run({ exclude }, { runOnly, resultTypes: ["violations"] });
  return { violations };
}
"""


def faults(
    page: Page,
    *,
    exclude: Iterable[str] = (),
    rules: Iterable[str] = RULES,
    widths: Iterable[int] = WIDTHS,
) -> list[str]:
    """What is wrong with the page as it stands, in words; it is left light and of its own width."""
    page.evaluate(AXE_SCRIPT)
    found = broken_rules(page, "light", exclude, rules)
    # Colours are the same in every language.
    if page.evaluate("document.documentElement.lang") != "it":
        found += broken_rules(page, "dark", exclude, OF_COLOURS)
        page.emulate_media(color_scheme="light")
    return found + too_wide(page, widths)


def broken_rules(
    page: Page, scheme: Literal["light", "dark"], exclude: Iterable[str], rules: Iterable[str]
) -> list[str]:
    page.emulate_media(color_scheme=scheme)
    found = page.evaluate(RUN, {"exclude": list(exclude), "runOnly": list(rules)})
    return [f"{scheme}: {AxeResults(found).generate_report()}"] if found["violations"] else []


def too_wide(page: Page, widths: Iterable[int]) -> list[str]:
    own = page.viewport_size
    assert own
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": own["height"]})
        if is_wide(page):
            found.append(f"wider than {width} px")
    page.set_viewport_size(own)
    return found


def is_wide(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return wide
