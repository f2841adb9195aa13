"""Of what a feed says of an item, the announcement: cleaned, with its language and its pictures."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from urllib.parse import unquote, urlsplit

import nh3
from django.conf import settings

from news.from_html import NotConverted, markdown_of_html
from news.inout.items import FileItem, Item, NotTaken, Source, TextItem, file_inside
from news.models import MAX_PICTURES

MOST_KEY, MOST_LEAD = 300, 2_000
SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
SUFFIX = re.compile(r"\.(?:html?|php|aspx?)$")
IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"\b(src|alt)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
# Of WordPress: what a program there would have put in the place of a word in brackets.
CAPTION = re.compile(r"\[/?caption\b[^\]]*\]")
SHORTCODE = re.compile(r"^\[/?(?:gallery|embed|audio|video|playlist)\b[^\]]*\]", re.MULTILINE)
BLOCK = re.compile(r"<(?:p|div|ul|ol|h[1-6]|table|blockquote)\b", re.IGNORECASE)


def feed_item(
    source: Source,
    place: str,
    *,
    key: str,
    title: str,
    moment: datetime,
    language: str,
    slug: str,
    lead: str,
    html: str,
    link: str,
    base: str,
    topics: list[str],
) -> Item:
    if not 0 < len(key) <= MOST_KEY:
        raise NotTaken(
            f"it needs a guid, an id or a link of at most {MOST_KEY} signs, by which it is known."
        )
    written_in = known_language(language, source.language, source.own_language)
    item = Item(place, key, link=link, columns={"published_at": moment, "state": "published"})
    text = TextItem(written_in, plain(title), as_markdown(html, web_address(base)))
    if not text.title:
        raise NotTaken("it has no title.")
    add_lead_and_address(item, text, lead, slug)
    item.texts.append(text)
    item.topics = [topic for topic in topics if topic]
    add_pictures(item, html, source, written_in)
    if not text.body:
        raise NotTaken("it has no text.")
    return item


def add_lead_and_address(item: Item, text: TextItem, lead: str, slug: str) -> None:
    text.lead = plain(lead)
    if len(text.lead) > MOST_LEAD:
        text.lead = ""
        item.notices.append(f"its summary has more than {MOST_LEAD} signs and is left out.")
    if SLUG.fullmatch(slug):
        text.slug = slug
    elif slug:
        item.notices.append("its address has other signs than letters, digits and hyphens; it "
                            "gets one made of its title.")  # fmt: skip


def add_pictures(item: Item, html: str, source: Source, language: str) -> None:
    for tag in dict.fromkeys(IMAGE.findall(html)):
        given = {name.lower(): unescape(one or other) for name, one, other in
                 ATTRIBUTE.findall(tag)}  # fmt: skip
        name = unquote(urlsplit_path(given.get("src", ""))).lstrip("/")
        path = file_inside(source.path.parent, name) if name else None
        if path is None:
            item.notices.append(
                f"the picture “{name[:100]}” is not in the folder of the file and is left out."
            )
        elif len(item.pictures) == MAX_PICTURES:
            item.notices.append(f"it has more than {MAX_PICTURES} pictures; “{name}” is left out.")
        else:
            words = {"alt": given.get("alt", "").strip(), "credit": source.credit}
            columns = {f"{name}_{language}": value for name, value in words.items()}
            item.pictures.append(FileItem(path, columns))


def urlsplit_path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def as_markdown(html: str, base: str) -> str:
    try:
        return markdown_of_html(html, base=base)
    except NotConverted as error:
        raise NotTaken("its text is too long or nested too deep.") from error
    except ValueError:  # of a base that is no address after all
        return as_markdown(html, "")


def paragraphs(content: str) -> str:
    # The editor of WordPress before blocks stored empty lines between paragraphs.
    content = SHORTCODE.sub("", CAPTION.sub("", content))
    if BLOCK.search(content):
        return content
    parts = re.split(r"\n\s*\n", content.strip())
    return "".join(f"<p>{part.replace(chr(10), '<br>')}</p>" for part in parts if part)


def plain(html: str) -> str:
    # A title or a summary on one line.
    if "<" in html or "&" in html:
        html = unescape(nh3.clean(html, tags=set()))
    return " ".join(html.split())


def known_language(*said: str) -> str:
    """The first that is one of the portal's; a feed may say `it-IT`."""
    for one in said:
        code = one.replace("_", "-").split("-")[0].strip().lower()
        if code in dict(settings.LANGUAGES):
            return code
    raise NotTaken("its language is not known: say it with --language.")


def slug_of_link(link: str) -> str:
    """The last part of the path; none where the address is a number in a query."""
    last = SUFFIX.sub("", unquote(urlsplit_path(link)).rstrip("/").rpartition("/")[2]).lower()
    return last if SLUG.fullmatch(last) and not last.isdigit() else ""


def web_address(address: str) -> str:
    return address if re.match(r"https?://[^/\s]", address) else ""


# Moments: with a zone, or none.


def first_moment(*given: tuple[str, Callable[[str], datetime | None]]) -> datetime:
    for text, read in given:
        if text and (moment := read(text)):
            return moment
    raise NotTaken("it has no date with time and zone by which it could be told when it appeared.")


def iso_moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def utc_moment(text: str) -> datetime | None:
    # WordPress writes 0000-00-00 where it does not know.
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def mail_moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # “-0000”
