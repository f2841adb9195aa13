"""Atom feeds in which every text is plain text, whatever it holds."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.feedgenerator import Atom1Feed
from django.utils.xmlutils import SimplerXMLGenerator

# https://www.rfc-editor.org/rfc/rfc4287#section-3.1
TEXT_CONSTRUCTS = {"title", "subtitle", "summary", "rights"}
# A feed without entries has not changed since there are such feeds.
EMPTY_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


class PlainTextGenerator(SimplerXMLGenerator):
    def startElement(self, name: str, attrs: Any) -> None:
        if name in TEXT_CONSTRUCTS:
            attrs = {**attrs, "type": "text"}
        super().startElement(name, attrs)


class AtomFeed(Atom1Feed):
    """Django declares a summary to be HTML, in which readers drop `<Life Sciences>` as a tag."""

    def write(self, outfile: Any, encoding: str) -> None:
        handler = PlainTextGenerator(outfile, encoding, short_empty_elements=True)
        handler.startDocument()
        handler.startElement("feed", self.root_attributes())
        self.add_root_elements(handler)
        self.write_items(handler)
        handler.endElement("feed")

    def latest_post_date(self) -> datetime:
        # Django's says the present moment where there is no entry: another feed at each request.
        return super().latest_post_date() if self.items else EMPTY_SINCE


def tag_uri(path: str) -> str:
    """https://www.rfc-editor.org/rfc/rfc4151: the same whatever language or address it has."""
    return f"tag:{urlsplit(settings.SITE_URL).hostname},2026:{path}"
