"""Pages kept in front of Django, and sent again as long as nothing has changed.

Each worker keeps its own. Before it sends one it asks the database whether a public record has
changed, whoever wrote it, so no answer is ever older than its request (decision 0015). Only while
the database is away the last pages are sent as they were, and say so.
"""

import gzip
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from sys import getsizeof
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import Error, OperationalError, connection
from django.middleware.gzip import re_accepts_gzip
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.http import parse_etags

from clusters.directory.changes import Record, SeenChanges, read_changes
from clusters.http.asof import next_midnight
from clusters.http.responses import CACHED_PAGE
from config.serving.outage import outage, waiting
from config.serving.sqlite3.base import FileState, file_state
from news.models import Announcement

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]
Key = tuple[str | None, ...]

# In each worker; a list page takes some 10 kB.
MOST_BYTES = 16 * 1024 * 1024
LARGEST_PAGE = 512 * 1024
BYTES_BESIDE = 1024  # about what Python needs for an entry
# Path and query: more than every link of the portal needs.
LONGEST_ADDRESS = 2048
# They tell of the database, or do without it.
NEVER_KEPT = {"/healthz", "/readyz"}

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
# What a page of a database that is away does not say: it is not to be kept by anybody.
OF_THE_CURRENT = {"cache-control", "content-encoding", "content-length", "etag", "expires"}
# Where the line about it goes in: once in each page.
START_OF_PAGE = b'<main id="main"'


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

    def send_as_of(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        seen_at: datetime,
        now: datetime,
    ) -> list[bytes]:
        """The page of a database that is away: as a line in it and its `Age` say, for this once."""
        is_packed = self.named.get("content-encoding") == "gzip"
        body = gzip.decompress(self.body) if is_packed else self.body
        if self.named.get("content-type", "").startswith("text/html"):
            with translation.override(self.named.get("content-language", "en")):
                line = render_to_string("components/as_of_outage.html", {"seen_at": seen_at})
            body = body.replace(START_OF_PAGE, line.encode() + START_OF_PAGE, 1)
        headers = [pair for pair in self.headers if pair[0].lower() not in OF_THE_CURRENT]
        if is_packed:
            body = gzip.compress(body, compresslevel=1)
            headers.append(("Content-Encoding", "gzip"))
        headers += [
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Age", str(max(0, int((now - seen_at).total_seconds())))),
        ]
        start_response("200 OK", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


@dataclass
class Pages:
    """Those of one state of the records: right until the next change, or until a moment."""

    seen: SeenChanges
    since: datetime
    until: datetime
    written: object  # `Database.written` before the look
    seen_at: datetime  # the last look, which found nothing changed
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
            self.bytes += size_of(key, page)
            while self.bytes > MOST_BYTES:
                self.bytes -= size_of(*self.found.popitem(last=False))


def size_of(key: Key, page: Page) -> int:
    return page.size + sum(getsizeof(part) for part in key) + BYTES_BESIDE


class Database:
    """Whether anything at all was written, asked of SQLite without a look at any table.

    `data_version` tells a connection of what others wrote, so this one never writes.
    """

    def __init__(self) -> None:
        self.own: sqlite3.Connection | None = None
        self.file: FileState = None
        self.lock = Lock()

    def written(self) -> object:
        """Equal twice where nothing was written in between; None where it cannot be told."""
        if connection.vendor != "sqlite":
            return None
        name = str(connection.settings_dict["NAME"])
        file = file_state(name)
        with self.lock:
            if self.own is not None and file != self.file:
                self.own.close()
                self.own = None
            if self.own is None:
                if file is None:
                    raise OperationalError("The file of the database is not there.")
                self.file = file
                self.own = sqlite3.connect(
                    name,
                    check_same_thread=False,
                    isolation_level=None,
                    timeout=settings.WEB_DATABASE_OPTIONS["timeout"],
                )
            number: int = self.own.execute("PRAGMA data_version").fetchone()[0]
            return file, number


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
        if key is None:
            return self.application(environ, start_response)
        try:
            pages = self.pages_of(now)
        except (Error, sqlite3.Error):
            outage.begin()
            return self.without_database(key, environ, start_response, now)
        if pages is None:
            return self.application(environ, start_response)
        page = pages.get(key)
        if page:
            return page.send(environ, start_response, now)
        if environ["REQUEST_METHOD"] == "HEAD":
            return self.application(environ, start_response)
        return self.asked(environ, start_response, lambda page: pages.keep(key, page), now)

    def without_database(
        self, key: Key, environ: "WSGIEnvironment", start_response: "StartResponse", now: datetime
    ) -> Iterable[bytes]:
        pages = self.pages
        page = pages.get(key) if pages else None
        if pages and page:
            return page.send_as_of(environ, start_response, pages.seen_at, now)
        return self.application(environ, start_response)

    def pages_of(self, now: datetime) -> Pages | None:
        """The pages of the records as they are now; None where nobody can tell: ask Django.

        What a request adds goes to the pages that it was given, which nobody is sent any more
        once there are new ones. So nothing made before a change is sent after it.
        """
        if outage.is_on:
            raise OperationalError
        pages = self.pages
        written = self.database.written()
        # A clock that was set back has made pages of days that are yet to come.
        is_current = pages is not None and pages.since <= now < pages.until
        if pages and is_current and written is not None and written == pages.written:
            pages.seen_at = now
            return pages
        seen, changed = looked_at(pages.seen if pages else None)
        is_new = not is_current or changed is None or bool(changed)
        until = next_boundary(now) if is_new else None
        with self.lock:
            if self.pages is not pages:
                return None  # another thread saw something meanwhile: this look may be older
            if until:
                self.pages = Pages(seen, now, until, written, seen_at=now)
            elif pages:
                pages.seen, pages.written, pages.seen_at = seen, written, now
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


def looked_at(seen: SeenChanges | None) -> tuple[SeenChanges, set[Record] | None]:
    # A connection that its server closed meanwhile says nothing about the server.
    try:
        return read_changes(seen)
    except Error:
        if connection.connection is None or connection.is_usable():
            raise
        connection.close()
        waiting.has_given_up = False
        return read_changes(seen)


def key_of(environ: "WSGIEnvironment") -> Key | None:
    # All of a request that the answer to everybody depends on; None: not to everybody.
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or "HTTP_HOST" not in environ:
        return None
    if any(environ.get(name) for name in NOT_FOR_EVERYBODY):
        return None
    path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    if path in NEVER_KEPT or len(path) + len(query) > LONGEST_ADDRESS:
        return None
    proxy = settings.SECURE_PROXY_SSL_HEADER
    return (
        environ["wsgi.url_scheme"],
        environ.get(proxy[0]) if proxy else None,
        environ["HTTP_HOST"],
        path,
        query,
        "gzip" if re_accepts_gzip.search(environ.get("HTTP_ACCEPT_ENCODING", "")) else None,
    )


def next_boundary(now: datetime) -> datetime:
    # When pages change with no record changing: at midnight, or with an announcement.
    midnight = next_midnight(now)
    return min(Announcement.objects.next_moment(now) or midnight, midnight)
