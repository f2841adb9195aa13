"""Markdown of editors to HTML that is safe to show."""

import re

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

LOWEST_HEADING = 6
TAGS = {
    "p", "br", "hr", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a",
    *(f"h{level}" for level in range(2, LOWEST_HEADING + 1)),
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
# What begins something inside a line, and what does so only at its start.
INLINE = re.compile(r"[\\`*_\[\]<]|&(?=#?\w+;)")
AT_THE_START = re.compile(r"^(?=[-+#>=~|])|^(\d+)(?=[.)])")
# Without pictures: one on another server would tell it who reads.
PARSER = MarkdownIt("commonmark", {"html": False}).disable("image")


def render(text: str, *, first_heading: int = 2) -> SafeString:
    """CommonMark without raw HTML or pictures; its highest heading becomes `first_heading`.

    Links give no credit to their target and tell it nothing.
    """
    parsed = PARSER.parse(text)
    highest = min((level_of(token) for token in parsed if is_heading(token)), default=1)
    tokens = [lowered(token, first_heading - highest) for token in parsed]
    html = PARSER.renderer.render(tokens, PARSER.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    )
    return mark_safe(clean)


def is_heading(token: Token) -> bool:
    return token.type in {"heading_open", "heading_close"}


def level_of(heading: Token) -> int:
    return int(heading.tag[1:])


def lowered(token: Token, by: int) -> Token:
    if not is_heading(token):
        return token
    return token.copy(tag=f"h{min(level_of(token) + by, LOWEST_HEADING)}")


def escaped_markup(text: str) -> str:
    # A name for use inside Markdown, where it stays what it is; on one line.
    line = INLINE.sub(r"\\\g<0>", " ".join(text.split()))
    return AT_THE_START.sub(r"\g<0>\\", line)


def unescaped(markdown: str) -> str:
    # The text of what `escaped_markup` gave.
    return re.sub(r"\\([^\w\s]|_)", r"\1", markdown)
