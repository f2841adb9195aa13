"""Writing an announcement: toolbar, preview, paste, tabs; by keyboard, without script."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from clusters.models import Account, FormDraft
from news.models import Announcement
from tests.browser.looks import faults
from tests.browser.test_unsaved import kept, sign_in
from tests.factories import make_announcement, make_announcement_text

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.ignore_template_errors,
]

BODY = "#id_texts-0-body"
FRAME = "iframe >> nth=0"


@pytest.fixture
def announcement(transactional_db: None) -> Announcement:
    made = make_announcement(title="Gold", body="one two", box="About.")
    make_announcement_text(made, language="it", title="Oro", body="uno due", state="draft")
    return made


@pytest.fixture
def account(transactional_db: None) -> Account:
    return Account.objects.create_superuser("secretariat@example.org")


@pytest.fixture
def desk(
    context: BrowserContext, live_server: LiveServer, account: Account, announcement: Announcement
) -> Iterator[Page]:
    """The screen of the announcement; an error of a script, or of the policy, fails the test."""
    wrong: list[str] = []
    sign_in(context, live_server, account)
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.extend([said.text] * (said.type == "error")))
    page.goto(change(live_server, announcement))
    yield page
    assert wrong == []


def change(live_server: LiveServer, announcement: Announcement) -> str:
    return f"{live_server.url}/admin/news/announcement/{announcement.pk}/change/"


def write(desk: Page, text: str, start: int, end: int) -> Locator:
    field = desk.locator(BODY)
    field.fill(text)
    field.evaluate("(field, [start, end]) => field.setSelectionRange(start, end)", [start, end])
    return field


def selected(field: Locator) -> str:
    text: str = field.evaluate("(one) => one.value.slice(one.selectionStart, one.selectionEnd)")
    return text


def tool(desk: Page, name: str) -> Locator:
    return desk.locator(f"{BODY} >> xpath=.. >> [data-tool={name}]")


@pytest.mark.parametrize(
    ("name", "keys", "before", "after", "chosen"),
    [
        ("bold", "b", "one [two] three", "one **two** three", "two"),
        ("bold", "b", "one **[two]** three", "one two three", "two"),
        ("bold", "b", "one [**two**] three", "one two three", "two"),
        ("bold", "b", "one[ two ]three", "one **two** three", "two"),
        ("bold", "b", "one [] three", "one **** three", ""),
        ("bold", "b", "one *[two]* three", "one ***two*** three", "two"),
        ("italic", "i", "one [two] three", "one *two* three", "two"),
        ("italic", "i", "one *[two]* three", "one two three", "two"),
        ("italic", "i", "one **[two]** three", "one ***two*** three", "two"),
        ("heading", "Shift+h", "one\nt[w]o\nthree", "one\n## two\nthree", ""),
        ("heading", "Shift+h", "one\n### t[w]o", "one\ntwo", ""),
        ("list", "Shift+8", "[one\ntwo\n\nthree]", "- one\n- two\n\n- three", "all"),
        ("list", "Shift+8", "[- one\n- two]", "one\ntwo", "all"),
        ("list", "Shift+8", "[1. one\n2. two]", "- one\n- two", "all"),
        ("list", "Shift+8", "[]", "- ", ""),
        ("numbers", "Shift+7", "[one\ntwo]", "1. one\n2. two", "all"),
        ("numbers", "Shift+7", "[1. one\n2. two]", "one\ntwo", "all"),
        ("quote", "Shift+9", "[one\ntwo]", "> one\n> two", "all"),
        ("quote", "Shift+9", "[> one\n> two]", "one\ntwo", "all"),
        ("link", "k", "one [two] three", "one [two](https://) three", "https://"),
        ("link", "k", "one [https://example.org/]", "one [](https://example.org/)", ""),
        ("link", "k", "one []", "one [](https://)", ""),
    ],
)
def test_tool(desk: Page, name: str, keys: str, before: str, after: str, chosen: str) -> None:
    start = before.index("[")
    end = before.index("]") - 1
    text = before.replace("[", "", 1).replace("]", "", 1)
    uses: list[Callable[[Locator], Any]] = [
        lambda field: tool(desk, name).click(),
        lambda field: field.press(f"Control+{keys}"),
    ]
    for use in uses:
        field = write(desk, text, start, end)
        use(field)
        expect(field).to_have_value(after)
        expect(field).to_be_focused()
        assert selected(field) == (after if chosen == "all" else chosen)
        field.press("Control+z")
        expect(field).to_have_value(text)
        field.press("Control+Shift+z")
        expect(field).to_have_value(after)


def test_tool_of_pictures_leads_to_them(desk: Page) -> None:
    tool(desk, "picture").click()

    expect(desk.locator("input[type=file]").first).to_be_focused()


def test_toolbar_is_one_stop_of_the_keyboard(desk: Page) -> None:
    bar = desk.get_by_role("toolbar", name="Markdown: Body").first
    first, last = tool(desk, "bold"), tool(desk, "picture")
    desk.locator("#id_texts-0-lead").focus()
    desk.keyboard.press("Tab")
    expect(first).to_be_focused()
    for key, target in (("ArrowLeft", last), ("ArrowRight", first), ("End", last), ("Home", first)):
        desk.keyboard.press(key)
        expect(target).to_be_focused()
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("Tab")
    expect(desk.locator(BODY)).to_be_focused()
    desk.keyboard.press("Control+a")
    desk.keyboard.press("Shift+Tab")
    desk.keyboard.press("Enter")

    expect(desk.locator(BODY)).to_have_value("*one two*")
    assert [one.get_attribute("title") for one in bar.locator("button").all()][:2] == [
        "Bold (Ctrl+B)",
        "Italics (Ctrl+I)",
    ]


def test_words_are_counted(desk: Page) -> None:
    count = desk.locator("[data-words] >> nth=0")
    expect(count).to_have_text("2")
    desk.locator(BODY).fill("L’8 settembre – **Torino** e-mail 14:38\n\n- è")

    expect(count).to_have_text("7")


def test_preview_follows_what_is_typed_and_is_the_article(
    desk: Page, context: BrowserContext, live_server: LiveServer, announcement: Announcement
) -> None:
    button = desk.get_by_role("button", name="Preview").first
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    shown = desk.frame_locator(FRAME)
    expect(shown.locator(".prose").first).to_have_text("one two")
    styled = "(one) => getComputedStyle(one).fontFamily"
    assert "Palatino" in shown.locator("h1").evaluate(styled)  # by the site's own style sheet
    desk.locator(BODY).fill("Long.\n\n" * 40)
    expect(shown.locator(".prose").first).to_contain_text("Long.")
    shown.locator("html").evaluate("(page) => page.scrollTo(0, 400)")

    desk.locator(BODY).fill("# Now\n\n- a **b**\n\n<script>alert(1)</script>" + "\n\nLong." * 40)
    desk.locator("#id_texts-0-title").fill("A title")

    expect(shown.locator("h1")).to_have_text("A title")
    expect(shown.locator(".prose strong")).to_have_text("b")
    assert shown.locator("html").evaluate("(page) => page.scrollTop") == 400
    previewed = [one.inner_html() for one in shown.locator(".prose").all()]
    desk.click("input[name=_save] >> nth=0")
    expect(desk.locator(".messagelist .success")).to_be_visible()
    article = context.new_page()
    article.goto(live_server.url + announcement.get_absolute_url())
    assert [one.inner_html() for one in article.locator(".prose").all()] == previewed


def test_preview_that_fails_says_so_and_comes_back(desk: Page) -> None:
    desk.get_by_role("button", name="Preview").first.click()
    expect(desk.frame_locator(FRAME).locator(".prose").first).to_have_text("one two")
    desk.route("**/preview/", lambda route: route.fulfill(status=302, headers={"Location": "/"}))
    desk.locator(BODY).fill("three")
    status = desk.locator(".pane [role=status]").first
    expect(status).to_contain_text("could not be made")
    desk.unroute("**/preview/")
    desk.locator(BODY).fill("four")

    expect(desk.frame_locator(FRAME).locator(".prose").first).to_have_text("four")
    expect(status).to_be_empty()


PASTE = """(field, [html, plain]) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/html", html);
  clipboardData.setData("text/plain", plain);
  field.focus();
  const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
  return field.dispatchEvent(event);
}"""


def test_paste_becomes_markdown_and_is_undone(desk: Page) -> None:
    field = write(desk, "one two", 4, 7)
    status = desk.locator(".markdown__status").first
    html = "<p>A <b>b</b><img src=x onerror=alert(1)><script>alert(1)</script></p><ul><li>c</ul>"
    field.evaluate(PASTE, [html, "A b\r\nc"])
    expect(field).to_have_value("one A **b**\n\n- c")
    expect(status).to_contain_text("Pasted as Markdown")
    field.press("Control+z")
    expect(field).to_have_value("one A b\nc")
    field.press("Control+z")
    expect(field).to_have_value("one two")


def test_paste_without_formats_is_left_to_the_browser(desk: Page) -> None:
    html = "<meta charset=utf-8><div style='color:red'><span>**a**</span></div>"

    assert desk.locator(BODY).evaluate(PASTE, [html, "**a**"]) is True


def test_paste_without_a_connection_is_the_plain_text(desk: Page) -> None:
    desk.route("**/paste/", lambda route: route.fulfill(status=302, headers={"Location": "/"}))
    field = write(desk, "", 0, 0)
    field.evaluate(PASTE, ["<p><b>A</b> b</p>", "A b"])

    expect(desk.locator(".markdown__status").first).to_contain_text("Pasted as plain text")
    expect(field).to_have_value("A b")


def test_what_tools_and_paste_write_is_in_the_draft(desk: Page) -> None:
    write(desk, "one two", 0, 3)
    tool(desk, "bold").click()
    kept(desk)
    assert "**one** two" in FormDraft.objects.get().data


def test_typing_beside_a_draft_that_waits_loses_neither(
    desk: Page, context: BrowserContext, live_server: LiveServer, announcement: Announcement
) -> None:
    desk.locator(BODY).fill("first")
    kept(desk)
    desk.close()
    again = context.new_page()
    again.goto(change(live_server, announcement))
    expect(again.locator("[data-offered-draft]")).to_have_count(1)
    again.locator(BODY).fill("second")
    kept(again)
    again.close()

    page = context.new_page()
    page.goto(change(live_server, announcement))
    expect(page.locator("[data-offered-draft]")).to_have_count(2)
    page.click("text=Restore it >> nth=1")
    expect(page.locator(BODY)).to_have_value("first")
    page.locator(BODY).fill("first, and more")
    kept(page)
    page.goto(change(live_server, announcement))
    page.click("text=Restore it >> nth=1")
    expect(page.locator(BODY)).to_have_value("second")


def test_narrow_screen_has_tabs_by_keyboard_and_leads_to_errors(
    desk: Page, announcement: Announcement
) -> None:
    desk.set_viewport_size({"width": 360, "height": 800})
    tabs = desk.get_by_role("tab")
    expect(tabs).to_have_count(2)
    expect(desk.get_by_role("tab", name="English ready")).to_have_attribute("aria-selected", "true")
    expect(desk.locator("#id_texts-1-title")).to_be_hidden()
    tabs.first.focus()
    desk.keyboard.press("ArrowRight")
    expect(desk.get_by_role("tab", name="Italian draft")).to_be_focused()
    expect(desk.locator("#id_texts-1-title")).to_be_visible()
    expect(desk.locator("#id_texts-0-title")).to_be_hidden()

    desk.locator("#id_texts-1-title").fill("")
    desk.click("input[name=_continue] >> nth=0")

    expect(desk.locator(".error-summary")).to_be_visible()
    expect(desk.locator("#id_texts-1-title")).to_be_visible()
    desk.get_by_role("tab").first.click()
    desk.click(".error-summary a")
    expect(desk.locator("#id_texts-1-title")).to_be_visible()
    desk.set_viewport_size({"width": 1280, "height": 800})
    expect(desk.locator("#id_texts-0-title")).to_be_visible()
    expect(desk.get_by_role("tablist")).to_be_hidden()


def test_kind_opens_what_it_needs(desk: Page) -> None:
    expect(desk.locator("#id_begins_at")).to_be_hidden()
    desk.select_option("#id_kind", "event")

    expect(desk.locator("#id_begins_at")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("width", [360, 1280])
def test_screen_is_right(
    desk: Page, context: BrowserContext, live_server: LiveServer, language: str, width: int
) -> None:
    context.add_cookies([{"name": "language", "value": language, "url": live_server.url}])
    page = context.new_page()  # axe sets styles, which the policy refuses aloud
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(desk.url)
    page.locator("[data-preview] >> visible=true").first.click()
    expect(page.frame_locator(FRAME).locator(".prose").first).to_have_text("one two")

    assert faults(page, exclude=["#changelist-filter", "iframe"]) == []


def test_without_script_the_button_opens_the_preview(
    browser: Browser, live_server: LiveServer, account: Account, announcement: Announcement
) -> None:
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, live_server, account)
    page = context.new_page()
    page.goto(change(live_server, announcement))
    expect(page.get_by_role("toolbar")).to_have_count(0)
    page.locator("#id_texts-1-body").fill("- **tre**")
    with context.expect_page() as opened:
        page.get_by_role("button", name="Preview").nth(1).click()

    expect(opened.value.locator(".prose strong")).to_have_text("tre")
    assert re.search(r'lang="it"', opened.value.content())
    expect(page.locator("#id_texts-1-body")).to_have_value("- **tre**")
    context.close()
