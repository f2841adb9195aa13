"""HTML of other programs, pasted or imported, to the Markdown that `markup` renders."""

import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

import nh3
from html_to_markdown import ConversionOptions, convert

MAX_HTML, MAX_TAGS = 500_000, 20_000
BLOCKS = {
    "p", "div", "blockquote", "ul", "ol", "li", "hr", *(f"h{level}" for level in range(1, 7))
}  # fmt: skip
INLINE = {"br", "b", "strong", "i", "em", "a", "span"}
TABLE = {"table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"}
STYLED = {"b", "strong", "i", "em", "span"}
BOLD = re.compile(r"(?<![\w-])font-weight:\s*(?:bold|[6-9]00)", re.IGNORECASE)
NOT_BOLD = re.compile(r"(?<![\w-])font-weight:\s*(?:normal|[1-5]00)", re.IGNORECASE)
ITALIC = re.compile(r"(?<![\w-])font-style:\s*italic", re.IGNORECASE)
NOT_ITALIC = re.compile(r"(?<![\w-])font-style:\s*normal", re.IGNORECASE)
ONE_PARAGRAPH = re.compile(r"<(p|div)>(.*)</\1>", re.DOTALL)
A_BLOCK = re.compile(rf"<(?:{'|'.join(sorted(BLOCKS))})\b")
# Word writes a list as paragraphs, each with its marker in an element that says so.
OF_A_LIST = re.compile(r"(?<![\w-])mso-list:", re.IGNORECASE)
NUMBER = re.compile(r"\s*\(?(?:\d+|\w)[.)]")
TIDY = (
    # Beside each other the signs of two would be read as others.
    (re.compile(r"</b><b>|</i><i>|</ul>\s*<ul>|</ol>\s*<ol>"), ""),
    (re.compile(r"<li>\s*<p>((?:(?!</?p>).)*)</p>\s*</li>", re.DOTALL), r"<li>\1</li>"),
)
# The library escapes each sign that means something somewhere; these mean it everywhere.
ESCAPED = re.compile(r"\\([^\w\s]|_)")
ALWAYS = frozenset("\\`*_[]<")
ENTITY = re.compile(r"#?\w+;")
MARKERS = re.compile(r"[\s>*+\d-]*")


class NotConverted(ValueError):
    """Too long, or nested too deep."""


def markdown_of_html(html: str, *, base: str = "") -> str:
    """Headings, emphasis, lists, links and quotes as Markdown, the rest as its text.

    A row of figures becomes a line, a table of the layout its contents. Pictures, scripts and
    addresses other than of the web and of mail are dropped; relative ones are read as of the page
    `base`, if any. Raises NotConverted.
    """
    if len(html) > MAX_HTML or html.count("<") > MAX_TAGS:
        raise NotConverted
    clean = nh3.clean(
        html.replace("\0", ""),
        tags=BLOCKS | INLINE | TABLE,
        clean_content_tags={"script", "style", "title", "template", "noscript"},
        attributes={"a": {"href"}, "ol": {"start"}} | {tag: {"style"} for tag in STYLED | {"p"}},
        url_schemes={"http", "https", "mailto"},
        url_relative=("rewrite_with_base", base) if base else "deny",
        link_rel=None,
    )
    found = convert(plainer(clean), OPTIONS)
    if found.warnings:
        raise NotConverted
    lines = (found.content or "").split("\n")
    return "\n".join(map(without_needless_escapes, lines)).strip("\n")


OPTIONS = ConversionOptions(
    bullets="-",
    list_indent_width=2,
    escape_asterisks=True,
    escape_underscores=True,
    escape_misc=True,
    autolinks=False,
    extract_metadata=False,
)


def without_needless_escapes(line: str) -> str:
    def escape_or_sign(found: re.Match[str]) -> str:
        sign, rest = found[1], line[found.end() :]
        is_needed = (
            sign in ALWAYS
            or MARKERS.fullmatch(line, 0, found.start())
            or (sign == "#" and line.startswith("#"))
            or (sign == "&" and ENTITY.match(ESCAPED.sub(r"\1", rest)))
        )
        return found[0] if is_needed else sign

    return ESCAPED.sub(escape_or_sign, line)


def plainer(clean: str) -> str:
    parser = Plainer()
    parser.feed(clean)
    parser.close()
    html = "".join(parser.written)
    for pattern, better in TIDY:
        html = pattern.sub(better, html)
    return html


class Plainer(HTMLParser):
    """Of the well-formed HTML of nh3: styles as elements, rows of tables as lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.written: list[str] = []
        # Of each open element its end, or what is made of it when it ends.
        self.ends: list[str | Callable[[str], str]] = []
        self.outer: list[list[str]] = []  # what was written before each of the latter
        self.rows: list[list[str]] = []  # the cells of each open row
        self.marker = ""  # of the point of a list of Word

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        style = given.pop("style", "")
        if tag in ("br", "hr"):
            self.written.append(f"<{tag}>")
        elif tag == "tr":
            self.rows.append([])
            self.hold(self.end_row)
        elif tag in ("td", "th"):
            self.hold(self.end_cell)
        elif OF_A_LIST.search(style):
            self.hold(self.end_marker if tag == "span" else self.end_point)
        else:
            names = styled(tag, style) if tag in STYLED else [tag] * (tag not in TABLE)
            # What nh3 has left is an address, or the number with which a list begins.
            kept = "".join(f' {name}="{escape(value)}"' for name, value in given.items())
            self.written += [f"<{name}{kept}>" for name in names]
            self.ends.append("".join(f"</{name}>" for name in reversed(names)))

    def handle_endtag(self, tag: str) -> None:
        end = self.ends.pop()
        if isinstance(end, str):
            self.written.append(end)
        else:
            part, self.written = "".join(self.written), self.outer.pop()
            self.written.append(end(part))

    def hold(self, end: Callable[[str], str]) -> None:
        self.ends.append(end)
        self.outer.append(self.written)
        self.written = []

    def end_cell(self, part: str) -> str:
        if not self.rows:
            return part
        self.rows[-1].append(part)
        return ""

    def end_row(self, part: str) -> str:
        return line_of([*self.rows.pop(), part])

    def end_marker(self, part: str) -> str:
        self.marker = part
        return ""

    def end_point(self, part: str) -> str:
        kind = "ol" if NUMBER.match(self.marker) else "ul"
        self.marker = ""
        return f"<{kind}><li>{part}</li></{kind}>"

    def handle_data(self, data: str) -> None:
        self.written.append(data)

    def handle_entityref(self, name: str) -> None:
        self.written.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.written.append(f"&#{name};")


def styled(tag: str, style: str) -> list[str]:
    is_bold = BOLD.search(style) or (tag in ("b", "strong") and not NOT_BOLD.search(style))
    is_italic = ITALIC.search(style) or (tag in ("i", "em") and not NOT_ITALIC.search(style))
    return ["b"] * bool(is_bold) + ["i"] * bool(is_italic)


def line_of(cells: list[str]) -> str:
    # Figures beside each other are one line; what has blocks was put there for its place.
    stripped = [cell.replace("&nbsp;", " ").strip() for cell in cells]
    inner = [one[2] if (one := ONE_PARAGRAPH.fullmatch(cell)) else cell for cell in stripped]
    inner = [cell.strip() for cell in inner if cell.strip()]
    if any(map(A_BLOCK.search, inner)):
        return "".join(f"<div>{cell}</div>" for cell in stripped)
    return f"<p>{' – '.join(inner)}</p>" if inner else ""
