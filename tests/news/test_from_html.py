"""HTML of word processors and web pages as Markdown: what it keeps, and that nothing harms."""

import re
from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from news import from_html
from news.from_html import NotConverted, markdown_of_html
from news.markup import render

WORD_POINT = (
    "<p class=MsoListParagraph style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'>"
    "<![if !supportLists]><span style='font-family:Symbol'><span style='mso-list:Ignore'>{}"
    "<span style='font:7.0pt \"Times New Roman\"'>&nbsp;&nbsp; </span></span></span><![endif]>{}"
    "<o:p></o:p></p>\n"
)


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo."),
        ("<div>One.</div><div>Two.</div>", "One.\n\nTwo."),
        ("One<br>two", "One  \ntwo"),
        ("<h1>A</h1><h3>B</h3><p>c</p>", "# A\n\n### B\n\nc"),
        ("<p><b>a</b> and <strong>b</strong></p>", "**a** and **b**"),
        ("<p><i>a</i> and <em>b</em></p>", "*a* and *b*"),
        ("<p><b>a</b><b>b</b></p>", "**ab**"),
        ("<p>x <b> a </b>y</p>", "x **a** y"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<ul><li><p>a</p></li><li><p>b</p></li></ul>", "- a\n- b"),
        ("<ul><li>a<ul><li>b</li></ul></li></ul>", "- a\n  - b"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ("<ol start=3><li>a</li></ol>", "3. a"),
        ("<blockquote><p>a</p></blockquote>", "> a"),
        ("<p>a</p><hr><p>b</p>", "a\n\n---\n\nb"),
        ('<a href="https://example.org/?a=1&amp;b=2">x</a>', "[x](https://example.org/?a=1&b=2)"),
        ('<a href="mailto:desk@example.org">desk</a>', "[desk](mailto:desk@example.org)"),
        ("<p>è, Ω, ж, 😀, “a”</p>", "è, Ω, ж, 😀, “a”"),
        ("<p>AT&amp;T (a) - b! 5 + 3 #1</p>", "AT&T (a) - b! 5 + 3 #1"),
        # Of styles, as Google Docs and others write them.
        ('<span style="font-weight:700">a</span>', "**a**"),
        ('<span style="font-weight: bold">a</span>', "**a**"),
        ('<span style="font-style:italic">a</span>', "*a*"),
        ('<span style="font-weight:700;font-style:italic">a</span>', "***a***"),
        ('<span style="font-weight:400;color:red">a</span>', "a"),
        ('<b style="font-weight:normal" id="docs-internal-guid-1"><p>a</p><p>b</p></b>', "a\n\nb"),
        # Of Word.
        ("<b style='mso-bidi-font-weight:normal'>a</b>", "**a**"),
        (WORD_POINT.format("·", "a") + WORD_POINT.format("·", "<b>b</b>"), "- a\n- **b**"),
        (WORD_POINT.format("1.", "a") + WORD_POINT.format("2.", "b"), "1. a\n2. b"),
        (WORD_POINT.format("a)", "a"), "1. a"),
        (WORD_POINT.format("§", "a") + "<p>b</p>", "- a\n\nb"),
        ("<p class=MsoNormal>a<o:p>&nbsp;</o:p></p>", "a"),
        # A row of figures is a line; what only gives a page its form is what it holds.
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>",
         "a – b\n\n1 – 2"),
        ("<table><tr><td><p class=x>1</p></td><td>&nbsp;</td><td>2</td></tr></table>", "1 – 2"),
        ("<table><caption>c</caption><tr><td>1</td></tr></table>", "c\n\n1"),
        ("<table><tr><td><h2>a</h2><p>b</p></td><td><ul><li>c</ul></td></tr></table>",
         "## a\n\nb\n\n- c"),
        ("<table><tr><td><table><tr><td>1</td><td>2</td></tr></table></td></tr></table>", "1 – 2"),
        ("<table>" * 20 + "<tr><td>x", "x"),
        ("<table><tr>loose<td>1</td></tr></table>", "loose\n\n1"),
    ],
)  # fmt: skip
def test_what_is_kept(html: str, markdown: str) -> None:
    assert markdown_of_html(html) == markdown


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>a",
        "<SCRIPT SRC=//evil.example/x.js></SCRIPT>a",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<svg><script>alert(1)</script></svg>a",
        "<svg/onload=alert(1)>a",
        "<svg><tr><td onclick=alert(1)>a</td></tr></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<img src=x onerror=alert(1)>a",
        "<img src='https://evil.example/pixel.png' alt='a'>",
        "<img src='data:image/png;base64,AAAA'>a",
        "<body onload=alert(1)>a",
        "<p onmouseover=alert(1)>a</p>",
        "<p style='background:url(javascript:alert(1))'>a</p>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href='JaVaScRiPt:alert(1)'>a</a>",
        "<a href='java\tscript:alert(1)'>a</a>",
        "<a href='&#106;avascript:alert(1)'>a</a>",
        "<a href='vbscript:x'>a</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>a</a>",
        "<a href='file:///etc/passwd'>a</a>",
        "<a href='//evil.example/'>a</a>",
        "<a href='/admin/'>a</a>",
        "<a href='#_ftn1'>a</a>",
        "<iframe src='https://evil.example/'></iframe>a",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>a",
        "<object data=x></object><embed src=x>a",
        "<form action='https://evil.example/'><input name=a><button>b</button></form>",
        "<meta http-equiv=refresh content='0;url=https://evil.example/'>a",
        "<link rel=stylesheet href='https://evil.example/x.css'>a",
        "<base href='https://evil.example/'><a href=x>a</a>",
        "<style>*{background:url(https://evil.example/)}</style>a",
        "<!--[if gte mso 9]><xml><o:x>hidden</o:x></xml><script>alert(1)</script><![endif]-->a",
        "<![if !mso]><script>alert(1)</script><![endif]>a",
        "<?xml:namespace prefix=o ns='urn:x'?>a",
        "<template><script>alert(1)</script></template>a",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>a",
        "<textarea><script>alert(1)</script></textarea>",
        "<title><img src=x onerror=alert(1)></title>a",
        "<xmp><script>alert(1)</script></xmp>",
        "<plaintext><script>alert(1)</script>",
        "<video><source onerror=alert(1)></video>a",
        "<details open ontoggle=alert(1)>a</details>",
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
        "<p>[a](javascript:alert(1))</p>",
        "<p>&lt;javascript:alert(1)&gt;</p>",
        "<p>![a](https://evil.example/pixel.png)</p>",
        "<p>[a]: javascript:alert(1)</p><p>[a]</p>",
        "<a href='https://example.org/)[x](javascript:alert(1)'>a</a>",
        "<a href='https://example.org/'>a](javascript:alert(1))</a>",
        "<a href='https://example.org/\"onclick=alert(1)'>a</a>",
        "\0<script\0>alert(1)</script>",
        "<p>a\u202eb</p>",
        "</td></tr></table>a",
        "<td>a</td><tr>",
        "<b><p>a</b></p>",
        "<li>a",
        "<p",
        "&#0;&#x110000;&nosuch;",
        "<span style='mso-list:Ignore'><p>a</p></span><p style='mso-list:x'>",
    ],
)  # fmt: skip
def test_nothing_harms(html: str) -> None:
    shown = str(render(markdown_of_html(html)))
    # As the words of a page these may stand.
    markup = " ".join(re.findall(r"<[^>]*>", shown))
    assert not re.search(r"<(?!/?(?:p|br|hr|em|strong|ul|ol|li|a|h\d|blockquote)\b)", markup)
    assert "javascript" not in unescape(markup).lower()
    assert " on" not in markup
    addresses = re.findall(r'href="([^"]*)"', markup)
    assert all(one.startswith("https://example.org/") for one in addresses), addresses


@pytest.mark.parametrize(
    "html",
    [
        "x" * (from_html.MAX_HTML + 1),
        "<br>" * (from_html.MAX_TAGS + 1),
        "<blockquote>" * 5_000 + "x",
        "<b>" * 9_000 + "x",
    ],
    ids=["long", "many", "quotes", "deep"],
)
def test_what_is_too_much_is_refused(html: str) -> None:
    with pytest.raises(NotConverted):
        markdown_of_html(html)


LINE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "))


@given(st.lists(LINE.map(str.split).map(" ".join).filter(bool), min_size=1, max_size=3))
def test_a_text_says_what_it_said(lines: list[str]) -> None:
    html = "".join(f"<p>{escape(line)}</p>" for line in lines)

    shown = render(markdown_of_html(html))

    paragraphs = re.findall(r"<p>(.*?)</p>", str(shown), re.DOTALL)
    assert [unescape(one) for one in paragraphs] == lines
