"""Atom, RSS and exports of WordPress: read item by item, whatever the size of the file.

The parser loads nothing, expands nothing, and a file that declares a document type is refused.
"""

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

from lxml import etree

from news.inout.feed_items import (
    feed_item,
    first_moment,
    iso_moment,
    mail_moment,
    paragraphs,
    slug_of_link,
    utc_moment,
)
from news.inout.items import Item, NotTaken, Source, Unreadable

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
DC = "{http://purl.org/dc/elements/1.1/}"
LANGUAGE, BASE = (f"{{http://www.w3.org/XML/1998/namespace}}{name}" for name in ("lang", "base"))
WXR = re.compile(r"\{http://wordpress\.org/export/1\.[0-2]/\}")
EXCERPT = re.compile(r"\{http://wordpress\.org/export/1\.[0-2]/excerpt/\}encoded")
TAGS = ("rss", "item", f"{ATOM}feed", f"{ATOM}entry")
NOT_PUBLISHED = "only what is published there is taken, and this is “{}”."


def read_feed(path: Path, language: str, credit: str) -> Iterator[Item | Unreadable]:
    found = False
    try:
        with path.open("rb") as file:
            for item in read_items(file, path, language, credit):
                found = True
                yield item
    except etree.XMLSyntaxError as error:
        yield Unreadable(
            f"{path.name}, line {error.lineno}",
            f"here the file is damaged or ends too early: {error.msg}. "
            "What stands before was read; mend the file and import it again.",
        )
    except NotTaken as refusal:
        yield Unreadable(path.name, str(refusal))
    else:
        if not found:
            yield Unreadable(path.name, "there is no item of RSS, Atom or WordPress in this file.")


def read_items(file: Any, path: Path, language: str, credit: str) -> Iterator[Item | Unreadable]:
    parsed = etree.iterparse(
        file,
        events=("start", "end"),
        tag=TAGS,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    source = None
    for event, element in parsed:
        if event == "start":
            refuse_document_type(element)
        elif element.tag in ("item", f"{ATOM}entry"):
            source = source or read_head(element.getparent(), path, language, credit)
            yield read_item(element, source)
            forget(element)


def refuse_document_type(element: Any) -> None:
    if element.getparent() is None and element.getroottree().docinfo.internalDTD is not None:
        raise NotTaken(
            "the file declares a document type, which no feed needs and which may be a trap. "
            "Remove the declaration (<!DOCTYPE …>) and try again."
        )


def forget(element: Any) -> None:
    # What was read is let go, and what stood before it.
    element.clear()
    parent = element.getparent()
    if parent is not None:
        for before in element.itersiblings(preceding=True):
            if before.tag == element.tag:
                parent.remove(before)


def read_head(head: Any, path: Path, language: str, credit: str) -> Source:
    if head.tag == f"{ATOM}feed":
        own, base = head.get(LANGUAGE, ""), head.get(BASE) or link_of(head)
    else:
        own, base = child_text(head, "language"), child_text(head, "link")
    return Source(path, language, own, base, credit)


def read_item(element: Any, source: Source) -> Item | Unreadable:
    read = read_entry if element.tag == f"{ATOM}entry" else read_rss
    guid = (child_text(element, f"{ATOM}id") or child_text(element, "guid"))[:100]
    place = f"{source.path.name}, line {element.sourceline}" + (f" ({guid})" if guid else "")
    try:
        return read(element, source, place)
    except NotTaken as refusal:
        return Unreadable(place, str(refusal))


def read_entry(entry: Any, source: Source, place: str) -> Item:
    link = link_of(entry)
    content = next((entry.find(f"{ATOM}{name}") for name in ("content", "summary")
                    if entry.find(f"{ATOM}{name}") is not None), None)  # fmt: skip
    if content is not None and content.get("src"):
        raise NotTaken("its text is kept elsewhere, and nothing is fetched.")
    moment = first_moment(
        (child_text(entry, f"{ATOM}published") or child_text(entry, f"{ATOM}updated"), iso_moment)
    )
    base = next(
        (one.get(BASE) for one in (content, entry) if one is not None and one.get(BASE)), ""
    )
    summary = entry.find(f"{ATOM}summary")
    topics = [one.get("label") or one.get("term", "") for one in entry.findall(f"{ATOM}category")]
    return feed_item(
        source,
        place,
        key=child_text(entry, f"{ATOM}id") or link,
        title=html_of(entry.find(f"{ATOM}title")),
        moment=moment,
        language=entry.get(LANGUAGE, ""),
        slug=slug_of_link(link),
        lead=html_of(summary) if summary is not content else "",
        html=html_of(content),
        link=link,
        base=urljoin(source.base, base) if base else link or source.base,
        topics=topics,
    )


def read_rss(element: Any, source: Source, place: str) -> Item:
    link = child_text(element, "link")
    own = of_wordpress(element)
    lead, content = wordpress_texts(element) if own else rss_texts(element)
    if own:
        refuse_what_is_no_post(own)
    return feed_item(
        source,
        place,
        key=child_text(element, "guid") or link,
        title=child_text(element, "title"),
        moment=first_moment(
            (own.get("post_date_gmt", ""), utc_moment),
            (child_text(element, "pubDate"), mail_moment),
            (child_text(element, f"{DC}date"), iso_moment),
        ),
        language=child_text(element, f"{DC}language"),
        slug=unquote(own.get("post_name", "")) or slug_of_link(link),
        lead=lead,
        html=content,
        link=link,
        base=link or source.base,
        topics=[(one.text or "").strip() for one in element.findall("category")],
    )


def rss_texts(element: Any) -> tuple[str, str]:
    # Joomla has the text as the description, and no other.
    description, content = child_text(element, "description"), child_text(element, CONTENT)
    return (description, content) if content else ("", description)


def wordpress_texts(element: Any) -> tuple[str, str]:
    excerpts = (
        child.text for child in element if isinstance(child.tag, str) and EXCERPT.match(child.tag)
    )
    return next(excerpts, "") or "", paragraphs(child_text(element, CONTENT))


def of_wordpress(element: Any) -> dict[str, str]:
    return {
        WXR.sub("", child.tag): (child.text or "").strip()
        for child in element
        if isinstance(child.tag, str) and WXR.match(child.tag)
    }


def refuse_what_is_no_post(of_wordpress: dict[str, str]) -> None:
    kind = of_wordpress.get("post_type", "post")
    if kind != "post":
        raise NotTaken(f"only posts are taken, and this is of the type “{kind[:40]}”.")
    state = of_wordpress.get("status", "publish")
    if state != "publish":
        raise NotTaken(NOT_PUBLISHED.format(state[:40]))
    if of_wordpress.get("post_password"):
        raise NotTaken(NOT_PUBLISHED.format("protected by a password"))


def child_text(element: Any, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def link_of(element: Any) -> str:
    links = element.findall(f"{ATOM}link")
    return next((one.get("href", "") for one in links if one.get("rel") in (None, "alternate")), "")


def html_of(element: Any) -> str:
    """Of a text of Atom, which is plain, HTML or elements of XHTML."""
    if element is None:
        return ""
    if element.get("type") == "xhtml":
        inner = (etree.tostring(child, encoding="unicode", with_tail=False) for child in element)
        return "".join(inner)
    text: str = element.text or ""
    if element.get("type", "text") in ("html", "text/html"):
        return text
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
