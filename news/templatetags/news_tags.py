"""The text of announcements, and how to pass them on."""

from urllib.parse import quote

from django import template
from django.utils.safestring import SafeString

from news.markup import render

register = template.Library()


@register.filter
def markdown(text: str, first_heading: int = 2) -> SafeString:
    """`{{ text.body|markdown }}`; in a box with its own title `{{ text.box|markdown:3 }}`."""
    return render(text, first_heading=first_heading)


@register.simple_tag
def mailto(subject: str, body: str) -> str:
    """An address that opens a new message, to nobody yet."""
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"
