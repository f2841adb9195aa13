"""The links and forms of a page, as a browser finds them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What `html` links to, and its forms with the values that they have when nobody types."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.field = ""  # the select or text area that is open
        self.is_first_option = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if "data-href-template" in given:  # admin's way to a row that a field refers to
            self.links.append(given["data-href-template"])
        if "data-ajax--url" in given:  # what admin's field suggests
            names = ("app_label", "model_name", "field_name")
            asked = {name: given[f"data-{name.replace('_', '-')}"] for name in names}
            query = urlencode({**asked, "term": "a", "page": "1"})
            self.links.append(f"{given['data-ajax--url']}?{query}")
        if tag == "form":
            method = given.get("method", "get").lower()
            self.forms.append(Form(given.get("action", ""), method))
        elif self.forms and tag in ("input", "button", "select", "textarea"):
            name = given.get("name", "")
            self.field = name if tag in ("select", "textarea") else ""
            self.is_first_option = tag == "select"
            may_be_off = given.get("type") in ("checkbox", "radio")
            if name and ("checked" in given or not may_be_off):
                value = given.get("value", "on" if may_be_off else "")
                self.forms[-1].fields.setdefault(name, value)
        elif tag == "option" and self.field and ("selected" in given or self.is_first_option):
            self.forms[-1].fields[self.field] = given.get("value", "")
            self.is_first_option = False

    def handle_data(self, data: str) -> None:
        if self.field and self.lasttag == "textarea":
            self.forms[-1].fields[self.field] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.field = ""
