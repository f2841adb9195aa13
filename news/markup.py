"""Markdown of editors to HTML that is safe to show."""

import re
from functools import lru_cache

import nh3
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
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
# Without pictures: one on another server would tell it who reads. Without references: an address
# written once and referred to four thousand times would be four thousand addresses.
PARSER = MarkdownIt("commonmark", {"html": False}).disable(["image", "reference"])
MAX_TEXT, MAX_RENDERED = 20_000, 100_000


class TooMuchMarkup(ValueError):
    pass


def render(text: str, *, first_heading: int = 2) -> SafeString:
    """CommonMark without raw HTML or pictures; its highest heading becomes `first_heading`.

    Links give no credit to their target and tell it nothing. A text that is too long, or would
    become so, is shown as it is written, and cut.
    """
    try:
        return render_markdown(text, first_heading)
    except TooMuchMarkup:
        note = _("The text is too long to be shown in full.")
        return format_html("<p>{}…</p><p>{}</p>", text[:MAX_TEXT], note)


# A view costs nothing then; a new version of the rules starts with a new process.
@lru_cache(maxsize=100)
def render_markdown(text: str, first_heading: int) -> SafeString:
    """Raises TooMuchMarkup before more than that is parsed or given out."""
    if len(text) > MAX_TEXT:
        raise TooMuchMarkup
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
    if len(clean) > MAX_RENDERED:
        raise TooMuchMarkup
    return mark_safe(clean)


def validate_markdown(text: str) -> None:
    try:
        render_markdown(text, first_heading=2)
    except TooMuchMarkup as error:
        message = _("The text has too much markup: shown, it would be longer than %(max)d signs.")
        raise ValidationError(message, code="markup", params={"max": MAX_RENDERED}) from error


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
