from html import escape as html_escape
from time import process_time

import pytest
from django.core.exceptions import ValidationError

from news.markup import (
    MAX_RENDERED,
    MAX_TEXT,
    escaped_markup,
    render,
    render_markdown,
    unescaped,
    validate_markdown,
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("One.\n\nTwo.", "<p>One.</p>\n<p>Two.</p>\n", id="paragraphs"),
        pytest.param("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n", id="list"),
        pytest.param("3. c", '<ol start="3">\n<li>c</li>\n</ol>\n', id="numbered list"),
        pytest.param("*a* **b**", "<p><em>a</em> <strong>b</strong></p>\n", id="emphasis"),
        pytest.param("> a", "<blockquote>\n<p>a</p>\n</blockquote>\n", id="quotation"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_render_knows_markdown(text: str, html: str) -> None:
    assert render(text) == html


@pytest.mark.parametrize(
    ("text", "first_heading", "html"),
    [
        pytest.param("# A\n\n## B", 2, "<h2>A</h2>\n<h3>B</h3>\n", id="under a title"),
        pytest.param("## A\n\n### B", 2, "<h2>A</h2>\n<h3>B</h3>\n", id="begins lower"),
        pytest.param("# A", 3, "<h3>A</h3>\n", id="in a box"),
        pytest.param("# A\n\n###### B", 3, "<h3>A</h3>\n<h6>B</h6>\n", id="never below h6"),
        pytest.param("A\n===", 2, "<h2>A</h2>\n", id="underlined"),
    ],
)
def test_render_starts_headings_where_the_page_wants_them(
    text: str, first_heading: int, html: str
) -> None:
    assert render(text, first_heading=first_heading) == html


def test_render_gives_links_no_credit() -> None:
    assert render("[a](https://example.org/)") == (
        '<p><a href="https://example.org/" rel="nofollow noopener">a</a></p>\n'
    )


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param(
            "<script>alert(1)</script>",
            "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n",
            id="script",
        ),
        pytest.param(
            '<b onclick="x">a</b>', '<p>&lt;b onclick="x"&gt;a&lt;/b&gt;</p>\n', id="raw HTML"
        ),
        pytest.param(
            "[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n", id="script link"
        ),
        pytest.param(
            "![a](https://example.org/a.png)",
            '<p>!<a href="https://example.org/a.png" rel="nofollow noopener">a</a></p>\n',
            id="picture of another host",
        ),
        pytest.param("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>\n", id="data link"),
    ],
)
def test_render_lets_nothing_else_through(text: str, html: str) -> None:
    assert render(text) == html


@pytest.mark.parametrize(
    "name",
    [
        "*x* [a](b)",
        "**_a_** `c` ~~d~~",
        "<script>alert(1)</script>",
        "![a](https://example.org/x.png)",
        "# A", "- a", "+ a", "1. a", "12) a", "> a", "=== a", "~~~ a", "---", "***",
        "https://example.org/ <https://example.org/>",
        "&lt; &#42; &amp",
        "a \\* b \\",
        "Food & Bio Cluster, s.c.r.l. (IT) – 100 % | a",
        "[a]: https://example.org/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "- ", "Of "])
def test_escaped_name_stays_what_it_is(name: str, before: str) -> None:
    text = escaped_markup(name)
    element = "li" if before == "- " else "p"
    shown = before if before == "Of " else ""
    words = html_escape(shown + name, quote=False)

    html = f"<p>{words}</p>\n" if element == "p" else f"<ul>\n<li>{words}</li>\n</ul>\n"

    assert render(before + text).replace("&quot;", '"') == html


@pytest.mark.parametrize("name", ["*x* [a](b)", "a \\* b \\", "1. a_b", "plain, s.c.r.l."])
def test_unescaped_gives_the_name_back(name: str) -> None:
    assert unescaped(escaped_markup(name)) == name


def test_escaped_name_is_one_line() -> None:
    assert escaped_markup(" a\n\n# b\r\nc ") == "a # b c"


def test_escaped_changes_no_ordinary_name() -> None:
    assert (
        escaped_markup("Food & Bio Cluster, s.c.r.l. – e. V.")
        == "Food & Bio Cluster, s.c.r.l. – e. V."
    )


ONE_ADDRESS = f"[a]: https://example.org/{'x' * 3000}\n\n"


def test_address_is_not_written_once_and_shown_often() -> None:
    html = render(ONE_ADDRESS + "[a] " * 4000)

    assert "<a " not in html
    assert len(html) < MAX_TEXT


@pytest.mark.parametrize("text", ["a" * (MAX_TEXT + 1), "&" * MAX_TEXT])
def test_text_that_would_be_too_long_is_refused_and_shown_cut(text: str) -> None:
    with pytest.raises(ValidationError, match="has too much markup"):
        validate_markdown(text)

    html = render(text)

    assert html.endswith("…</p><p>The text is too long to be shown in full.</p>")
    assert len(html) < 6 * MAX_TEXT + 100


@pytest.mark.parametrize(
    "unit",
    [
        "[", "![", "[a](", "[a](<b", "[[[[a](b)", "*a ", "*a_b ", "a**b", "_a", "**", "`a``b", "`",
        "> ", ">" * 50 + "a\n", "- " * 50 + "a\n", "* a\n", "1. a\n", "# a\n", "---\n", "    a\n",
        "<a", "<http://a>", "&amp;", "\\", "a  \n", "|a|b|\n", "[a]: b\n\n[a]\n\n",
    ],
)  # fmt: skip
def test_longest_text_is_rendered_within_limits(unit: str) -> None:
    render_markdown.cache_clear()
    # Of processor time: the machine may be busy.
    begun = process_time()
    html = render((unit * MAX_TEXT)[:MAX_TEXT])

    assert process_time() - begun < 3
    assert len(html) <= MAX_RENDERED + 100


def test_text_is_rendered_once_for_all_views(monkeypatch: pytest.MonkeyPatch) -> None:
    first = render("*Once*, said of one text alone.")
    monkeypatch.setattr("news.markup.PARSER", None)

    assert render("*Once*, said of one text alone.") == first
