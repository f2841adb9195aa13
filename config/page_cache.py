"""Pages kept in front of Django, and sent again as long as nothing has changed.

Each worker keeps its own. Before it sends one it asks the database whether a public record has
changed, whoever wrote it, so no answer is ever older than its request (decision 0015).
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import Error, connection
from django.middleware.gzip import re_accepts_gzip
from django.utils import timezone
from django.utils.http import parse_etags

from clusters.directory.changes import SeenChanges, read_changes
from clusters.http.asof import next_midnight
from clusters.http.responses import CACHED_PAGE
from news.models import Announcement

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]
Key = tuple[str | None, ...]

# In each worker; a list page takes some 10 kB.
MOST_BYTES = 16 * 1024 * 1024
LARGEST_PAGE = 512 * 1024
BYTES_BESIDE = 1024  # about what Python needs for an entry

# Somebody signed in, a body, or a condition that is Django's to judge.
NOT_FOR_EVERYBODY = (
    "HTTP_COOKIE",
    "HTTP_AUTHORIZATION",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
)
# What a 304 does not repeat: it has no content.
OF_THE_CONTENT = {
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
}


@dataclass(frozen=True)
class Page:
    """Django's answer 200 to one address, as it was sent."""

    headers: Headers
    body: bytes
    made_at: datetime

    @property
    def size(self) -> int:
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers)

    @cached_property
    def named(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers}

    @cached_property
    def unchanged(self) -> Headers:
        # The headers of a 304.
        return [pair for pair in self.headers if pair[0].lower() not in OF_THE_CONTENT]

    def is_for_everybody(self) -> bool:
        # Whether nothing in the answer speaks against sending it to somebody else.
        varies = {name.strip().lower() for name in self.named.get("vary", "").split(",")}
        control = self.named.get("cache-control", "")
        return (
            varies <= {"", "accept-encoding"}
            and "set-cookie" not in self.named
            and "private" not in control
            and "no-store" not in control
        )

    def is_had_by(self, environ: "WSGIEnvironment") -> bool:
        # What the asker has is still right (RFC 9110, 13.1.2); tags are compared weakly.
        tags = environ.get("HTTP_IF_NONE_MATCH")
        own = self.named.get("etag", "").removeprefix("W/")
        if not tags or not own:
            return False
        return tags == "*" or own in {tag.removeprefix("W/") for tag in parse_etags(tags)}

    def send(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", now: datetime
    ) -> list[bytes]:
        is_had = self.is_had_by(environ)
        headers = list(self.unchanged if is_had else self.headers)
        if "cache-control" in self.named:
            # How long others may keep it counts from when it was made.
            headers.append(("Age", str(max(0, int((now - self.made_at).total_seconds())))))
        start_response("304 Not Modified" if is_had else "200 OK", headers)
        return [] if is_had or environ["REQUEST_METHOD"] == "HEAD" else [self.body]


@dataclass
class Pages:
    """Those of one state of the records: right until the next change, or until a moment."""

    seen: SeenChanges
    until: datetime
    written: object  # `Database.written` before the look
    found: OrderedDict[Key, Page] = field(default_factory=OrderedDict)
    bytes: int = 0
    lock: Lock = field(default_factory=Lock)

    def get(self, key: Key) -> Page | None:
        with self.lock:
            page = self.found.get(key)
            if page:
                self.found.move_to_end(key)
            return page

    def keep(self, key: Key, page: Page) -> None:
        # Those asked for the longest time ago make room.
        with self.lock:
            if key in self.found:
                return
            self.found[key] = page
            self.bytes += page.size + BYTES_BESIDE
            while self.bytes > MOST_BYTES:
                _key, oldest = self.found.popitem(last=False)
                self.bytes -= oldest.size + BYTES_BESIDE


class Database:
    """Whether anything at all was written, asked of SQLite without a look at any table.

    `data_version` tells a connection of what others wrote, so this one never writes.
    """

    def __init__(self) -> None:
        self.own: sqlite3.Connection | None = None
        self.lock = Lock()

    def written(self) -> object:
        """Equal twice where nothing was written in between; None where it cannot be told."""
        if connection.vendor != "sqlite":
            return None
        with self.lock:
            if self.own is None:
                name = str(connection.settings_dict["NAME"])
                self.own = sqlite3.connect(name, check_same_thread=False, isolation_level=None)
            number: int = self.own.execute("PRAGMA data_version").fetchone()[0]
            return number


class KeptPages:
    """A WSGI application around another one, which answers what this one has not kept."""

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application
        self.database = Database()
        self.pages: Pages | None = None
        self.lock = Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        key = key_of(environ)
        now = timezone.now()
        pages = self.pages_of(now) if key else None
        if key is None or pages is None:
            return self.application(environ, start_response)
        page = pages.get(key)
        if page:
            return page.send(environ, start_response, now)
        if environ["REQUEST_METHOD"] == "HEAD":
            return self.application(environ, start_response)
        return self.asked(environ, start_response, lambda page: pages.keep(key, page), now)

    def pages_of(self, now: datetime) -> Pages | None:
        """The pages of the records as they are now; None where nobody can tell: ask Django.

        What a request adds goes to the pages that it was given, which nobody is sent any more
        once there are new ones. So nothing made before a change is sent after it.
        """
        pages = self.pages
        try:
            written = self.database.written()
            if pages and now < pages.until and written is not None and written == pages.written:
                return pages
            seen, changed = read_changes(pages.seen if pages else None)
            is_new = pages is None or changed is None or bool(changed) or now >= pages.until
            until = next_boundary(now) if is_new else None
        except (Error, sqlite3.Error):
            return None
        with self.lock:
            if self.pages is not pages:
                return None  # another thread saw something meanwhile: this look may be older
            if until:
                self.pages = Pages(seen, until, written)
            elif pages:
                pages.seen, pages.written = seen, written
            return self.pages

    def asked(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        keep: Callable[[Page], None],
        now: datetime,
    ) -> Iterable[bytes]:
        # Django's answer, kept on its way where it is for everybody.
        told: list[tuple[str, Headers]] = []

        def start(status: str, headers: Headers, *error: Any) -> Callable[[bytes], object]:
            told.append((status, headers))
            return start_response(status, headers, *error)

        answer = self.application(environ, start)
        if CACHED_PAGE not in environ or not told or not told[-1][0].startswith("200 "):
            return answer
        page = Page(list(told[-1][1]), b"", now)
        length = int(page.named.get("content-length", LARGEST_PAGE + 1))
        if length > LARGEST_PAGE or not page.is_for_everybody():
            return answer
        body = whole(answer)
        if len(body) == length:
            keep(replace(page, body=body))
        return [body]


def whole(answer: Iterable[bytes]) -> bytes:
    try:
        return b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close:
            close()


def key_of(environ: "WSGIEnvironment") -> Key | None:
    # All of a request that the answer to everybody depends on; None: not to everybody.
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or "HTTP_HOST" not in environ:
        return None
    if any(environ.get(name) for name in NOT_FOR_EVERYBODY):
        return None
    proxy = settings.SECURE_PROXY_SSL_HEADER
    return (
        environ["wsgi.url_scheme"],
        environ.get(proxy[0]) if proxy else None,
        environ["HTTP_HOST"],
        environ["PATH_INFO"],
        environ.get("QUERY_STRING"),
        "gzip" if re_accepts_gzip.search(environ.get("HTTP_ACCEPT_ENCODING", "")) else None,
    )


def next_boundary(now: datetime) -> datetime:
    # When pages change with no record changing: at midnight, or with an announcement.
    midnight = next_midnight(now)
    return min(Announcement.objects.next_moment(now) or midnight, midnight)
