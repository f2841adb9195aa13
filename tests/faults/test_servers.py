"""granian: a worker that dies, bodies that never end or never should, requests of any kind."""

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from select import select

import pytest
from django.conf import settings

from config.serving.bodies import MOST_AT_ONCE, MOST_BYTES_WITH_FILES
from config.serving.front import POLICIES
from tests.faults.processes import (
    GRANIAN,
    Answer,
    Granian,
    granian,
    read_answer,
    send,
    sqlite,
    wait_until,
)

AT_ONCE = 3.0
ROOT = Path(settings.BASE_DIR)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Granian]:
    """Two workers of eight threads, as `make demo` has them."""
    folder = tmp_path_factory.mktemp("servers")
    with granian(sqlite(folder), folder, workers=2, threads=2 * MOST_AT_ONCE) as server:
        yield server


@pytest.mark.parametrize("file", ["Makefile", "docs/operations.md"])
def test_servers_of_the_documents_are_the_one_that_is_tested(file: str) -> None:
    text = " ".join((ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ").split())

    assert GRANIAN.format(workers=2, threads=2 * MOST_AT_ONCE) in text


def test_worker_that_dies_is_started_again_and_requests_go_on(portal: Granian) -> None:
    [first, second] = portal.workers()
    send([first], signal.SIGKILL)
    statuses: Counter[int | str] = Counter()

    def is_back() -> bool:
        for _turn in range(5):
            try:
                statuses[portal.get("/en/about/").status] += 1
            except OSError:
                statuses["reset"] += 1
        return portal.started() == 3

    wait_until(is_back, 30, "a second worker")

    assert second in portal.workers()
    assert first not in portal.workers()
    statuses.update(portal.get("/en/about/").status for _turn in range(20))
    # A connection that the kernel had already given to the dead one is reset, and no other.
    assert statuses["reset"] <= 2
    assert set(statuses) <= {200, "reset"}


# Bodies

FORM = b"POST /en/account/login/ HTTP/1.1\r\nHost: localhost\r\n"
ENCODED = b"Content-Type: application/x-www-form-urlencoded\r\n"
WITH_FILES = b"Content-Type: multipart/form-data; boundary=a\r\n"
HALF = FORM + ENCODED + b"Content-Length: 1000\r\n\r\nlogin=a"


def test_half_sent_bodies_hold_some_threads_only(portal: Granian) -> None:
    """As many as there are threads: pages go on at once, and who finds no place is told."""
    with ExitStack() as open_ones:
        idle = [open_ones.enter_context(closing(portal.connect())) for _number in range(16)]
        for connection in idle:
            connection.sendall(HALF)
        time.sleep(2)

        pages = [portal.get("/en/about/") for _turn in range(10)]
        told = [read_answer(one, 0) for one in idle if select([one], [], [], 0)[0]]

    assert [(page.status, page.seconds < AT_ONCE) for page in pages] == [(200, True)] * 10
    assert len(told) >= 16 - 2 * MOST_AT_ONCE
    for answer in told:
        assert answer.status == 503
        assert "Too many forms are arriving slowly." in answer.text
        assert answer.headers["retry-after"] == "10"
        assert_portals_own(answer)
    # They have left: the next form finds a place, in either worker.
    time.sleep(1)
    assert [portal.post("/en/account/login/", b"login=a").status for _turn in range(8)] == [403] * 8


def test_body_that_comes_slowly_but_comes_is_taken(portal: Granian) -> None:
    form = b"login=nobody%40example.org&password=" + b"a" * 100
    head = FORM + ENCODED
    head += b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(form)
    with closing(portal.connect()) as connection:
        connection.sendall(head)
        for start in range(0, len(form), 50):
            time.sleep(0.7)
            connection.sendall(form[start : start + 50])
        answer = read_answer(connection, time.monotonic())

    # Django has read the form, and misses the token in it.
    assert (answer.status, "This form cannot be accepted" in answer.text) == (403, True)


@pytest.mark.parametrize(
    ("content_type", "size"),
    [
        ("application/x-www-form-urlencoded", settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1),
        ("multipart/form-data; boundary=a", MOST_BYTES_WITH_FILES + 1),
        ("multipart/form-data; boundary=a", 10**15),
    ],
)
def test_body_over_the_limit_is_refused_in_words_unread(
    portal: Granian, content_type: str, size: int
) -> None:
    head = FORM + f"Content-Type: {content_type}\r\nContent-Length: {size}\r\n\r\n".encode()

    answer = portal.ask(head)

    assert answer.status == 413
    assert answer.seconds < AT_ONCE
    assert "Too much was sent" in answer.text
    assert_portals_own(answer)


def test_body_without_a_length_is_read_to_the_limit_only(portal: Granian) -> None:
    piece = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    head = FORM + WITH_FILES + b"Transfer-Encoding: chunked\r\n\r\n"
    pieces = MOST_BYTES_WITH_FILES // 0x10000 + 1

    answer = portal.ask(head + piece * pieces)

    assert (answer.status, "Too much was sent" in answer.text) == (413, True)


def test_program_is_told_of_a_body_over_the_limit_in_its_own_words(portal: Granian) -> None:
    head = b"POST /api/v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

    answer = portal.ask(head + b"Content-Length: 10000000\r\n\r\n")

    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.text)["status"] == answer.status == 413


# Whatever is asked


def assert_portals_own(answer: Answer) -> None:
    assert set(answer.headers) >= POLICIES, answer


# What granian answers itself, before any code of the portal: an empty 400 to what is no HTTP.
def is_granians_own(answer: Answer) -> bool:
    return answer.status == 400 and not answer.body and "server" not in answer.headers


PIECES = [
    b"/", b"//", b"[", b"]", b"[]", b"..", b".", b"%", b"%00", b"%2f", b"%5c", b"\\", b"%zz",
    b"%ff", b"%c3%a9", b"\xc3\xa9", b"\xff", b"@", b":", b";", b"?", b"#", b"&", b"=", b"'",
    b"<", b">", b"%0d%0a", b"%20", b"en", b"it", b"clusters", b"labels", b"api", b"v1", b"admin",
    b"media", b"static", b"clusters.csv", b"healthz", b"evil.example", b"[::1]", b"a" * 300,
    b"http:", b"%252e", b"%E2%80%AE", b"search", b"q", b"on", b"page", b"bbox", b"-1", b"1e999",
]  # fmt: skip
METHODS = [b"GET"] * 20 + [b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE"]
METHODS += [b"CONNECT", b"PROPFIND", b"get", b"G\x00T", b""]
HOSTS = [b"localhost"] * 25 + [b"", b"evil.example", b"[", b"[]", b"localhost:x", b"a b", b"\xff"]
HEADERS = [
    b"Cookie: sessionid=\xff", b"Cookie: a=b; =; ;;", b"Accept-Language: \xff,,;q=",
    b"Range: bytes=9-1",
    b'If-None-Match: "', b"If-Modified-Since: never", b"Authorization: Basic \xff",
    b"X-Forwarded-Proto: https", b"X-Forwarded-For: '", b"X_Forwarded_Proto: https",
    b"Accept-Encoding: gzip;q=x", b"Content-Type: multipart/form-data", b"Origin: null",
    b"Content-Type: text/html; charset=utf-16", b"Expect: 100-continue", b"Upgrade: h2c",
    b"Content-Length: -1", b"Content-Length: 3", b"Content-Length: x",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip", b"Referer: http://[", b"Script-Name: /x", b"Accept: \xff",
]  # fmt: skip
BODIES = [b"", b"", b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"zz\r\n", b"a=%ff&b=%00"]
STARTS = [b"/"] * 4 + [b"/en/", b"/en/clusters/", b"/it/labels/?", b"/api/v1/labels?", b"/admin/"]
STARTS += [b"/labels.csv?", b"/en/about/", b"/en/account/login/", b"/media/", b"/static/"]
ALWAYS = [b"//[]", b"//[", b"//x[y/", b"/en//[]", b"//evil.example/en/", b"///", b"*", b"/%2f%2f[]"]


def hostile_requests(number: int) -> Iterator[bytes]:
    choose = random.Random(5)  # noqa: S311  # the same in every run
    for turn in range(number):
        path = choose.choice(STARTS) + b"".join(choose.choices(PIECES, k=choose.randint(0, 4)))
        path = ALWAYS[turn] if turn < len(ALWAYS) else path
        method = b"GET" if turn < len(ALWAYS) else choose.choice(METHODS)
        lines = [method + b" " + path + b" HTTP/1.1", b"Host: " + choose.choice(HOSTS)]
        lines += choose.sample(HEADERS, choose.choice((0, 0, 1, 2, 3)))
        body = choose.choice(BODIES)
        yield b"\r\n".join([*lines, b"Connection: close", b"", body])


def test_hostile_requests_are_answered_in_the_portals_words(portal: Granian) -> None:
    """No answer is an error of the server's, and each that reaches the portal has its headers."""
    found: Counter[int | str] = Counter()

    def check(request: bytes) -> None:
        # It may announce more than it sends, and then nobody answers.
        is_half = b"Content-Length: 3" in request or b"chunked" in request
        with closing(portal.connect(2 if is_half else 60)) as connection:
            connection.sendall(request)
            try:
                answer = read_answer(connection, time.monotonic())
            except ConnectionError:
                found["closed"] += 1
                return
            except TimeoutError:
                assert is_half, request
                found["waiting"] += 1
                return
        if is_granians_own(answer):
            found["granian"] += 1
            return
        found[answer.status] += 1
        is_meant = answer.status == 503 and "forms are arriving" in answer.text
        assert answer.status < 500 or is_meant, (request, answer)
        assert set(answer.headers) >= POLICIES, (request, answer)
        if answer.status >= 400 and not request.startswith(b"HEAD"):
            assert answer.body, (request, answer)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(check, hostile_requests(600)))

    # Hundreds reach the portal, and are answered in more than one way.
    assert sum(number for status, number in found.items() if isinstance(status, int)) > 300
    assert set(found) >= {200, 301, 302, 400, 404, 405, "granian"}
