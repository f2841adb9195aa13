"""Pages kept in front of Django: the same as Django's, to nobody signed in, and never old."""

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from threading import Event, Thread
from typing import Any

import pytest
import time_machine
from django.conf import settings as portal_settings
from django.core.signals import request_finished, request_started
from django.db import OperationalError, close_old_connections, connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from clusters.http.responses import CACHED_PAGE
from clusters.triggers.changes import Changes
from clusters.triggers.definitions import ROWS
from config import page_cache as pages
from config.page_cache import KeptPages
from config.serving.outage import outage
from config.wsgi import portal
from tests.factories import (
    make_account,
    make_announcement,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    make_topic,
)

PATH = "/en/clusters/biopmed/"


@dataclass(frozen=True)
class Answer:
    status: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        is_packed = self.headers.get("Content-Encoding") == "gzip"
        return (gzip.decompress(self.body) if is_packed else self.body).decode()


class Behind:
    """Counts what reaches the application behind the kept pages."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.asked = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.asked += 1
        return self.application(environ, start_response)


@pytest.fixture(autouse=True)
def connection_stays_open() -> Iterator[None]:
    """As for Django's own client: a test's transaction lives in its connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def kept(application: Any = portal) -> tuple[KeptPages, Behind]:
    behind = Behind(application)
    return KeptPages(behind), behind


def ask(application: Any, path: str = PATH, method: str = "GET", **environ: Any) -> Answer:
    """As a server would; `environ` are further entries."""
    given = RequestFactory().generic(method, path).environ | {"HTTP_HOST": "testserver"}
    del given["HTTP_COOKIE"]  # the factory has an empty one
    told: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        told[:] = [status, headers]
        return bytes  # nobody writes by hand

    answer = application(given | environ, start)
    try:
        body = b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return Answer(told[0], dict(told[1]), body)


def answering(
    body: bytes = b"text", status: str = "200 OK", is_shared: bool = True, **headers: str
) -> Any:
    """An application with one answer; a header's `_` is a `-`."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        if is_shared:
            environ[CACHED_PAGE] = True
        given = {"Content-Length": str(len(body)), "ETag": '"a"'} | headers
        start_response(status, [(name.replace("_", "-"), given[name]) for name in given])
        return [body]

    return application


def elsewhere(statement: str, *parameters: Any) -> None:
    """By a connection of its own, as any program may write."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(statement, parameters)
    finally:
        other.close()


# Sent again


@pytest.mark.django_db
def test_page_is_sent_again_as_it_was() -> None:
    make_cluster(slug="biopmed")
    application, behind = kept()
    first = ask(application, HTTP_ACCEPT_ENCODING="gzip")

    with CaptureQueriesContext(connection) as queries:
        again = ask(application, HTTP_ACCEPT_ENCODING="gzip")

    assert (again, behind.asked) == (first, 1)
    # What PostgreSQL is asked is whether something changed; SQLite tells that without a table.
    assert len(queries) == (1 if connection.vendor == "postgresql" else 0)


@pytest.mark.django_db
def test_page_is_what_django_answers() -> None:
    make_cluster(slug="biopmed")
    application, _behind = kept()
    ask(application)

    assert ask(application) == ask(portal)


@pytest.mark.django_db
def test_unchanged_page_is_what_django_answers() -> None:
    make_cluster(slug="biopmed")
    application, behind = kept()
    etag = ask(application).headers["ETag"]

    answer = ask(application, HTTP_IF_NONE_MATCH=etag)

    django = ask(portal, HTTP_IF_NONE_MATCH=etag)
    # Django forgets it with what has no content; a cache would take that over.
    assert answer.headers == django.headers | {"Vary": "Accept-Encoding"}
    assert (answer.status, answer.body, behind.asked) == ("304 Not Modified", b"", 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ('"a"', "304 Not Modified"),
        ('W/"a"', "304 Not Modified"),
        ('"b", "a"', "304 Not Modified"),
        ("*", "304 Not Modified"),
        ('"b"', "200 OK"),
        ('"a', "200 OK"),
        ("", "200 OK"),
    ],
)
def test_tag_is_compared_weakly(asked: str, status: str) -> None:
    application, _behind = kept(answering())
    ask(application)

    assert ask(application, HTTP_IF_NONE_MATCH=asked).status == status


@pytest.mark.django_db
def test_head_has_the_headers_alone() -> None:
    application, behind = kept(answering(b"text"))
    page = ask(application)

    answer = ask(application, method="HEAD")

    assert (answer, behind.asked) == (Answer(page.status, page.headers, b""), 1)


@pytest.mark.django_db
def test_head_is_not_kept_as_the_page() -> None:
    application, _behind = kept(answering(b"text"))
    ask(application, method="HEAD")

    assert ask(application).body == b"text"


@pytest.mark.django_db
def test_caches_learn_how_old_a_page_is() -> None:
    with time_machine.travel("2026-11-22 10:00:00+00:00", tick=False) as clock:
        application, _behind = kept(answering(Cache_Control="public, max-age=300"))
        ask(application)
        clock.shift(40)

        assert ask(application).headers["Age"] == "40"


# To whom


@pytest.mark.django_db
@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"HTTP_COOKIE": "sessionid=a"}, id="session"),
        pytest.param({"HTTP_AUTHORIZATION": "Bearer a"}, id="authorization"),
        pytest.param({"CONTENT_TYPE": "text/plain; charset=zlib"}, id="character set"),
        pytest.param({"CONTENT_LENGTH": "1", "wsgi.input": BytesIO(b"a")}, id="body"),
        pytest.param({"HTTP_IF_MATCH": '"b"'}, id="condition"),
        pytest.param({"REQUEST_METHOD": "POST"}, id="form"),
    ],
)
def test_request_of_somebody_neither_reads_nor_writes(environ: dict[str, Any]) -> None:
    application, behind = kept(answering())

    for given in (environ, {}, environ, {}):
        ask(application, **given)

    assert behind.asked == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answering(is_shared=False), id="not shared"),
        pytest.param(answering(status="404 Not Found"), id="no page"),
        pytest.param(answering(status="304 Not Modified"), id="not modified"),
        pytest.param(answering(Set_Cookie="a=b"), id="cookie"),
        pytest.param(answering(Vary="Accept-Encoding, Cookie"), id="varies by cookie"),
        pytest.param(answering(Vary="*"), id="varies"),
        pytest.param(answering(Cache_Control="private, no-store"), id="private"),
        pytest.param(answering(bytes(pages.LARGEST_PAGE + 1)), id="large"),
        pytest.param(answering(b"cut", Content_Length="9"), id="cut"),
    ],
)
def test_answer_is_not_kept(answer: Any) -> None:
    application, behind = kept(answer)

    assert ask(application) == ask(application) == ask(answer)
    assert behind.asked == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"HTTP_HOST": "localhost"}, id="host"),
        pytest.param({"QUERY_STRING": "a=b"}, id="query"),
        pytest.param({"PATH_INFO": "/it/"}, id="path"),
        pytest.param({"wsgi.url_scheme": "https"}, id="scheme"),
        pytest.param({"HTTP_X_FORWARDED_PROTO": "https"}, id="scheme before the proxy"),
        pytest.param({"HTTP_ACCEPT_ENCODING": "br, gzip;q=0.5"}, id="encoding"),
    ],
)
def test_addresses_do_not_mix(settings: Settings, environ: dict[str, Any]) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    application, behind = kept(answering())

    for given in (environ, {}, environ, {}):
        ask(application, **given)

    assert behind.asked == 2


@pytest.mark.django_db
def test_foreign_host_is_refused_with_the_page_kept() -> None:
    make_cluster(slug="biopmed")
    application, _behind = kept()
    ask(application)

    assert ask(application, HTTP_HOST="evil.example").status == "400 Bad Request"


@pytest.mark.django_db
def test_page_by_https_binds_to_https_and_the_plain_one_leads_there(settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT, settings.SECURE_SSL_HOST = True, "testserver"
    settings.SECURE_HSTS_SECONDS = 60
    make_cluster(slug="biopmed")
    application = KeptPages(type(portal)())

    for _turn in range(2):
        secure = ask(application, HTTP_X_FORWARDED_PROTO="https")
        plain = ask(application, HTTP_X_FORWARDED_PROTO="http")

        assert secure.headers["Strict-Transport-Security"] == "max-age=60"
        assert (plain.status, "Strict-Transport-Security" in plain.headers) == (
            "301 Moved Permanently",
            False,
        )


@pytest.mark.django_db(transaction=True)
def test_signed_in_visitor_is_answered_by_django(client: Any) -> None:
    make_cluster(slug="biopmed")
    client.force_login(make_account())
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    application, behind = kept()
    ask(application)

    answer = ask(application, HTTP_COOKIE=cookie)

    assert (answer.headers["Cache-Control"], behind.asked) == ("private, no-store", 2)
    assert "Cache-Control" not in ask(application).headers


# Never old


@pytest.mark.django_db(transaction=True)
def test_change_by_another_connection_is_seen_at_once() -> None:
    make_cluster(slug="biopmed", name="Before")
    application, _behind = kept()
    assert "Before" in ask(application).text

    elsewhere("UPDATE clusters_cluster SET name = 'After' WHERE slug = 'biopmed'")

    assert "Before" not in ask(application).text
    assert "After" in ask(application).text


@pytest.mark.django_db(transaction=True)
def test_change_by_another_process_is_seen_at_once() -> None:
    make_cluster(slug="biopmed", name="Before")
    application, behind = kept()
    ask(application)
    ask(application)

    written = (
        "import django; django.setup(); from clusters.models import Cluster; "
        "row = Cluster.objects.get(slug='biopmed'); row.name = 'After'; row.save()"
    )
    environment = os.environ | {"TEST_DATABASE_URL": address_of_the_database()}
    subprocess.run(
        [sys.executable, "-c", written], cwd=portal_settings.BASE_DIR, env=environment, check=True
    )

    assert "After" in ask(application).text
    assert behind.asked == 2


def address_of_the_database() -> str:
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    return f"postgres://{given['USER']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


@pytest.mark.django_db(transaction=True)
def test_change_of_what_no_page_shows_leaves_the_pages() -> None:
    make_cluster(slug="biopmed")
    application, behind = kept()
    ask(application)

    make_account()
    ask(application)

    assert behind.asked == 1


@pytest.mark.django_db(transaction=True)
def test_change_while_a_page_is_made_is_seen_in_the_next_request() -> None:
    """The page was read before the change and would be kept after it."""
    make_cluster(slug="biopmed", name="Before")
    changes = iter(["UPDATE clusters_cluster SET name = 'After'"])

    def slow(environ: Any, start_response: Any) -> Any:
        answer = portal(environ, start_response)
        for statement in changes:
            elsewhere(statement)
            another = Thread(target=ask_and_leave, args=[application])
            another.start()  # sees the change before this page is there to be kept
            another.join()
        return answer

    application = KeptPages(slow)

    assert "Before" in ask(application).text
    assert "After" in ask(application).text


def ask_and_leave(application: Any) -> None:
    ask(application)
    connection.close()


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_change_committed_late_is_seen_at_once() -> None:
    """Its row has a smaller id than one that was seen before."""
    make_cluster(slug="biopmed", name="Before")
    other = make_cluster()
    application, _behind = kept()
    late = connection.copy()
    late.set_autocommit(False)
    with late.cursor() as cursor:
        cursor.execute("UPDATE clusters_cluster SET name = 'After' WHERE slug = 'biopmed'")
    elsewhere("UPDATE clusters_cluster SET town = 'Novara' WHERE id = %s", other.pk)
    assert "Before" in ask(application).text
    assert "Before" in ask(application).text

    late.commit()
    late.close()

    assert "After" in ask(application).text


@pytest.mark.django_db
def test_page_dies_at_midnight_in_rome() -> None:
    with time_machine.travel("2026-11-22 22:59:59.9+00:00", tick=False) as clock:
        application, behind = kept(answering())
        ask(application)
        ask(application)
        assert behind.asked == 1

        clock.shift(0.1)
        ask(application)

        assert behind.asked == 2


@pytest.mark.django_db
def test_page_dies_when_an_announcement_appears() -> None:
    with time_machine.travel("2026-11-22 10:00:00+00:00", tick=False) as clock:
        make_announcement(published_at="2026-11-22 10:05:00+00:00")
        application, behind = kept(answering())
        ask(application)
        clock.shift(299)
        ask(application)
        assert behind.asked == 1

        clock.shift(1)
        ask(application)

        assert behind.asked == 2


@pytest.mark.django_db
def test_pages_fit_into_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest unused leaves: here "b", as "a" was asked for again."""
    monkeypatch.setattr(pages, "MOST_BYTES", 2 * pages.BYTES_BESIDE + 10_000)
    application, behind = kept(answering(bytes(4000)))

    for path in ("/a", "/b", "/a", "/c", "/a", "/c"):
        ask(application, path)
    assert behind.asked == 3

    ask(application, "/b")

    assert behind.asked == 4


@pytest.mark.django_db
def test_keys_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a small page with a long address could be kept without end."""
    monkeypatch.setattr(pages, "MOST_BYTES", 100_000)
    application, behind = kept(answering(b"x"))

    for number in range(100):
        ask(application, f"/?q={number:02}{'a' * 2000}")

    assert behind.asked == 100
    assert application.pages
    assert len(application.pages.found) < 100_000 / 2000


@pytest.mark.django_db
def test_overlong_address_is_not_kept() -> None:
    application, behind = kept(answering())

    for _turn in range(2):
        ask(application, f"/?q={'a' * pages.LONGEST_ADDRESS}")

    assert (behind.asked, application.pages) == (2, None)


@pytest.mark.django_db
def test_clock_that_is_set_back_drops_pages_of_what_is_to_come() -> None:
    application, behind = kept(answering())
    with time_machine.travel("2026-11-30T00:10+01:00", tick=False):
        ask(application)
    with time_machine.travel("2026-11-29T23:50+01:00", tick=False):
        ask(application)
        ask(application)

    assert behind.asked == 2


@pytest.fixture
def without_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread looks whether the database is back."""
    monkeypatch.setattr(outage, "begin", lambda: None)


@pytest.mark.django_db
@pytest.mark.usefixtures("without_looks")
def test_without_a_database_and_a_kept_page_django_answers() -> None:
    def fail(*_args: Any) -> None:
        raise OperationalError

    application, behind = kept(answering())
    with connection.execute_wrapper(fail):
        ask(application)
        ask(application)

    assert behind.asked == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("without_looks")
def test_without_a_database_the_kept_page_says_of_when_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    application, behind = kept()
    with time_machine.travel("2026-11-30T00:18+01:00", tick=False):
        ask(application, "/it/clusters/")
    monkeypatch.setattr(outage, "is_over", Event())

    with time_machine.travel("2026-11-30T00:20+01:00", tick=False):
        today = ask(application, "/it/clusters/")
        head = ask(application, "/it/clusters/", method="HEAD")
    with time_machine.travel("2026-12-01T00:20+01:00", tick=False):
        tomorrow = ask(application, "/it/clusters/")

    assert "Questa pagina mostra il registro alle 00:18." in today.text
    assert "Questa pagina mostra il registro al 30 novembre 2026, 00:18." in " ".join(
        tomorrow.text.split()
    )
    assert (today.headers["Age"], today.headers["Cache-Control"]) == ("120", "no-store")
    assert int(today.headers["Content-Length"]) == len(today.body)
    assert (head.headers, head.body) == (today.headers, b"")
    assert behind.asked == 1


@pytest.mark.django_db
def test_answer_is_closed_once_it_is_read() -> None:
    class File(BytesIO):
        pass

    file = File(b"text")

    def application(environ: Any, start_response: Any) -> Any:
        answering()(environ, start_response)
        return file

    assert ask(kept(application)[0]).body == b"text"
    assert file.closed


# What may be kept

# Beside what tells of its changes: that table itself, and what triggers make of the records.
TOLD_OTHERWISE = re.compile(r"clusters_change$|clusters_(?:document|word|fulltext)|sqlite_")


def tables_told() -> set[str]:
    return {row.table for rows in ROWS.values() for row in rows if isinstance(row, Changes)}


@pytest.fixture
def records() -> None:
    cluster = make_cluster(slug="biopmed", public_id="CBCDFGHJ")
    organisation = make_organisation(slug="bioindustry-park")
    make_management(cluster=cluster, organisation=organisation)
    make_participation(cluster=cluster)
    make_announcement(
        slug="gold",
        clusters=[cluster],
        organisations=[organisation],
        labels=[make_label(cluster=cluster)],
        programmes=[make_programme()],
        topics=[make_topic()],
    )


@pytest.mark.usefixtures("records")
@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/en/clusters/",
        "/it/clusters/?country=IT&q=bio",
        "/en/clusters/biopmed/",
        "/en/organisations/",
        "/en/programmes/",
        "/it/programmes/compare/?on=2015-09-08",
        "/en/figures/",
        "/it/figures/?country=IT&on=2015-09-08",
        "/en/news/",
        "/it/news/?country=IT&q=announcement",
        "/en/news/2015/",
        "/en/news/2015/09/",
        "/en/news/2015/gold/",
        "/news.json",
        "/api/v1/announcements",
    ],
)
def test_kept_page_reads_only_what_is_told(path: str) -> None:
    application, behind = kept()
    known = set(connection.introspection.table_names())

    with CaptureQueriesContext(connection) as queries:
        ask(application, path)

    read = {
        name
        for query in queries.captured_queries
        for name in re.findall(r'"(\w+)"', query["sql"])
        if name in known and not TOLD_OTHERWISE.match(name)
    }
    assert read - tables_told() == set()
    ask(application, path)
    assert behind.asked == 1


@pytest.mark.usefixtures("records")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "most"),
    [
        pytest.param("/en/clusters/", 4, id="list"),
        pytest.param("/en/clusters/?q=biopmed&country=IT&level=gold", 5, id="search"),
    ],
)
def test_list_takes_few_statements_of_django(path: str, most: int) -> None:
    """What changed, the words, the rows not yet seen, sources and managers; then what changed."""
    ask(portal, "/en/clusters/?country=FR")  # the index is made

    with CaptureQueriesContext(connection) as first:
        ask(portal, path)
    with CaptureQueriesContext(connection) as again:
        ask(portal, path)

    assert len(first) <= most
    assert len(again) == 1
