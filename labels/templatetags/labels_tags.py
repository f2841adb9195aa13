"""Words for labels and sources."""

import re
from datetime import date

import segno
from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from labels.models import STATE_NAMES, Label
from labels.validity import State
from labels.words import REPLY_NAMES, Reply, end_in_short, start_in_short, verdict

register = template.Library()

ADDRESS = re.compile(r"(?:https?://)?(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/\S*)?", re.IGNORECASE)


@register.filter
def state_name(state: str) -> str:
    """`{{ label.state|state_name }}`: the state in a few words."""
    return str(STATE_NAMES[State(state)])


@register.filter
def reply_name(reply: Reply) -> str:
    return str(REPLY_NAMES[reply])


@register.filter
def state_sentence(label: Label, day: date) -> str:
    """`{{ label|state_sentence:day }}`: the state on the day as a sentence, with its caveat."""
    return str(verdict(label, day))


@register.filter
def short_start(label: Label) -> str:
    return start_in_short(label)


@register.filter
def short_end(label: Label) -> str:
    return end_in_short(label)


@register.filter
def qr_code(address: str, title: str | None = None) -> SafeString:
    """`{{ address|qr_code }}`: a drawing, dark on light in every scheme, as scanners want it.

    With `{{ address|qr_code:title }}` it carries its own text for who does not see it.
    """
    code = segno.make_qr(address, error="m")
    return mark_safe(
        code.svg_inline(
            border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, title=title
        )
    )


@register.filter
def source_links(source: str) -> SafeString:
    """A source as cited; each part that is an address becomes a link that gives no credit."""
    return format_html_join("; ", "{}", ((source_link(part),) for part in source.split("; ")))


def source_link(part: str) -> str | SafeString:
    if not ADDRESS.fullmatch(part):
        return part
    url = part if part.startswith(("http://", "https://")) else f"https://{part}"
    return format_html('<a href="{}" rel="nofollow noopener external">{}</a>', url, part)
