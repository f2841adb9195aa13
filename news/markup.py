"""Markdown of editors to HTML that is safe to show."""

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
PARSER = MarkdownIt("commonmark", {"html": False}).disable("image")


def render(text: str, *, first_heading: int = 2) -> SafeString:
    """CommonMark without raw HTML or pictures; `#` becomes a heading of `first_heading`.

    Links give no credit to their target and tell it nothing.
    """
    tokens = [lowered(token, first_heading - 1) for token in PARSER.parse(text)]
    html = PARSER.renderer.render(tokens, PARSER.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    )
    return mark_safe(clean)


def lowered(token: Token, by: int) -> Token:
    if token.type not in {"heading_open", "heading_close"}:
        return token
    level = min(int(token.tag[1:]) + by, LOWEST_HEADING)
    return token.copy(tag=f"h{level}")
