"""What each kind of answer carries, what no header of a request can change, what is refused."""

import json
import os
import runpy
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as portal_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIRequest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from pytest_django import Settings

from clusters.formats.documents import library
from clusters.models import Role
from config.middleware import never_store_private, refuse_unreadable_requests
from config.serving.bodies import REFUSED
from config.wsgi import application
from tests.factories import make_account, make_announcement, make_cluster, make_label

Ask = Callable[[Client], Any]

# django-csp writes the directives in an order of the day.
POLICY = "; ".join(
    [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "manifest-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
    ]
)
STRICT: dict[str, str | None] = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), "
        "encrypted-media=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), screen-wake-lock=(), serial=(), usb=(), "
        "xr-spatial-tracking=()"
    ),
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Strict-Transport-Security": None,
}
HSTS = "max-age=63072000; includeSubDomains; preload"


# Strict headers


def get(path: str, **headers: str) -> Ask:
    return lambda client: client.get(path, headers=headers)


def forged_form(client: Client) -> Any:
    client.handler.enforce_csrf_checks = True
    return client.post("/en/about/")


def too_many_fields(client: Client) -> Any:
    return client.post("/en/about/", {str(number): "" for number in range(5001)})


def refused_body(status: HTTPStatus) -> Ask:
    """As `config.serving.bodies` says."""
    environ: dict[str, Any] = {REFUSED: status}
    return lambda client: client.post("/en/about/", **environ)


def failing_with(error: Exception) -> Ask:
    def fail(*_args: Any) -> None:
        raise error

    def ask(client: Client) -> Any:
        client.raise_request_exception = False
        with connection.execute_wrapper(fail):
            return client.get("/en/")

    return ask


def not_modified(client: Client) -> Any:
    return client.get("/en/about/", headers={"if-none-match": client.get("/en/about/")["ETag"]})


def api_unchanged(client: Client) -> Any:
    path = "/api/v1/levels"
    return client.get(path, headers={"if-none-match": client.get(path)["ETag"]})


def label_json(client: Client) -> Any:
    return client.get(f"/labels/{make_label().public_id}.json")


def label_certificate(client: Client) -> Any:
    """The document, or where there is no pango the way to the page."""
    return client.get(f"/labels/{make_label().public_id}/certificate.en.pdf")


def table_of_admin(client: Client) -> Any:
    client.force_login(make_account(Role.EDITOR))
    return client.post("/admin/clusters/cluster/export/", {"format": "csv"})


def article_as_pdf(client: Client) -> Any:
    make_announcement(slug="gold")
    return client.get("/en/news/2015/gold.pdf")


@dataclass(frozen=True)
class Kind:
    """A kind of answer: how to get it, its status, what it carries instead of `STRICT`."""

    name: str
    ask: Ask
    status: int = 200
    instead: dict[str, str] = field(default_factory=dict)


SHARED = {"Cross-Origin-Resource-Policy": "cross-origin"}
SANDBOX = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox"}
KINDS = [
    Kind("page", get("/en/")),
    Kind("statement", get("/it/about/")),
    Kind("page unchanged", not_modified, 304),
    Kind("language redirect", get("/clusters/"), 302),
    Kind("slash redirect", get("/en/about"), 301),
    Kind("admin", get("/admin/"), 302),
    Kind("table of admin", table_of_admin),
    Kind("options", lambda client: client.options("/en/about/"), 405),
    Kind("wrong method", lambda client: client.delete("/en/"), 405),
    Kind("feed", get("/news.atom"), 200, SHARED),
    Kind("feed in no language", get("/news.atom?lang=tlh"), 400, SHARED),
    Kind("label as JSON", label_json, 200, SHARED),
    Kind("no label as JSON", get("/labels/none.json"), 404, SHARED),
    Kind("clusters as CSV", get("/clusters.csv"), 200, SHARED),
    Kind("API", get("/api/v1/levels"), 200, SHARED),
    Kind("API unchanged", api_unchanged, 304, SHARED),
    Kind("API wrong value", get("/api/v1/levels?limit=0"), 422, SHARED),
    Kind("API nowhere", get("/api/v2"), 404, SHARED),
    Kind("API not readable", get("/api/v1/clusters?q=%00"), 400, SHARED),
    Kind("API wrong method", lambda client: client.post("/api/v1/levels"), 405, SHARED),
    Kind("API asked before", lambda client: client.options("/api/v1/levels"), 204, SHARED),
    Kind("API documentation", get("/api/v1/docs"), 200, SHARED),
    Kind("certificate", label_certificate, 200 if library() else 302, SHARED),
    Kind("article as PDF", article_as_pdf, 200 if library() else 302, SHARED),
    Kind("no drawn picture", get("/news/none/picture.en.0.png"), 404, SHARED),
    Kind("no article as PDF", get("/en/news/2015/none.pdf"), 404),
    Kind("table of clusters compared", get("/clusters/compare.csv"), 200, SHARED),
    Kind("no cluster to compare", get("/clusters/compare.csv?c=none"), 400, SHARED),
    Kind("sitemap", get("/sitemap.xml")),
    Kind("robots", get("/robots.txt")),
    Kind("search", get("/en/search/?q=biopmed")),
    Kind("search for browsers", get("/opensearch.it.xml")),
    Kind("no search for browsers", get("/opensearch.de.xml"), 404),
    Kind("security.txt", get("/.well-known/security.txt")),
    Kind("health", get("/healthz")),
    Kind("readiness", get("/readyz")),
    Kind("body refused", refused_body(HTTPStatus.REQUEST_ENTITY_TOO_LARGE), 413),
    Kind("no place for a body", refused_body(HTTPStatus.SERVICE_UNAVAILABLE), 503),
    Kind("address of no host", lambda client: client.get("/", PATH_INFO="//[]"), 400),
    Kind("picture", get("/media/shown.png"), 200, SANDBOX),
    Kind("file", get("/media/saved.html"), 200, SANDBOX),
    Kind("no file", get("/media/missing.png"), 404),
    Kind("static file", get("/static/portal.css")),
    Kind("static wrong method", lambda client: client.post("/static/portal.css"), 405),
    Kind("no static file", get("/static/missing.css"), 404),
    Kind("control character", get("/en/a%00/"), 400),
    Kind("foreign host", get("/en/", host="evil.example"), 400),
    Kind("too many fields", too_many_fields, 413),
    Kind("forged form", forged_form, 403),
    Kind("no page", get("/en/nothing/"), 404),
    Kind("mistake of ours", failing_with(RuntimeError()), 500),
    Kind("no database", failing_with(OperationalError()), 503),
]


def strict_headers_of(response: Any) -> dict[str, str | None]:
    headers: dict[str, str | None] = {name: response.get(name) for name in STRICT}
    return headers | {"Content-Security-Policy": in_order(headers["Content-Security-Policy"])}


def in_order(policy: str | None) -> str | None:
    return policy and "; ".join(sorted(policy.split("; ")))


@pytest.fixture
def files(settings: Settings, db: None) -> Iterator[None]:
    """WhiteNoise serves the static files from where they are; two uploads are stored."""
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    names = [default_storage.save(name, ContentFile(b"x")) for name in ("shown.png", "saved.html")]
    for name in names:
        make_cluster(logo=name)
    yield
    for name in names:
        default_storage.delete(name)


@pytest.fixture
def https(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The portal's own settings with `HTTPS=True`."""
    monkeypatch.setenv("HTTPS", "True")
    own = runpy.run_path(str(Path(portal_settings.BASE_DIR, "config", "settings.py")))
    for name, value in own.items():
        if name.startswith("SECURE_") or name.endswith("_COOKIE_SECURE"):
            setattr(settings, name, value)


class SecureClient(Client):
    def generic(self, *args: Any, **extra: Any) -> Any:
        return super().generic(*args, **extra | {"secure": True})


def close(response: Any) -> None:
    """A file is read to its end, or it stays open."""
    if response.streaming:
        b"".join(response.streaming_content)


@pytest.mark.django_db
@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_answer_carries_the_strict_headers(client: Client, kind: Kind) -> None:
    response = kind.ask(client)
    close(response)

    assert (response.status_code, strict_headers_of(response)) == (
        kind.status,
        STRICT | kind.instead,
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("files", "https")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_answer_by_https_carries_the_strict_headers(kind: Kind) -> None:
    response = kind.ask(SecureClient())
    close(response)

    assert (response.status_code, strict_headers_of(response)) == (
        kind.status,
        STRICT | kind.instead | {"Strict-Transport-Security": HSTS},
    )


@pytest.mark.parametrize("name", sorted(set(STRICT) - {"Strict-Transport-Security"}))
def test_missing_header_would_be_seen(client: Client, settings: Settings, name: str) -> None:
    """Without the middleware that sets it, the comparison above fails."""
    responsible = {
        "Content-Security-Policy": "csp.middleware.CSPMiddleware",
        "Cross-Origin-Resource-Policy": "config.middleware.security_headers",
        "Permissions-Policy": "config.middleware.security_headers",
        "X-Frame-Options": "django.middleware.clickjacking.XFrameOptionsMiddleware",
    }.get(name, "django.middleware.security.SecurityMiddleware")
    settings.MIDDLEWARE = [entry for entry in settings.MIDDLEWARE if entry != responsible]

    assert strict_headers_of(client.get("/en/about/"))[name] is None


def test_policy_trusts_nobody_else_and_nothing_inline() -> None:
    sources = {
        source
        for values in portal_settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].values()
        for source in values
    }

    assert sources == {"'none'", "'self'", "data:"}


@pytest.mark.usefixtures("https")
def test_plain_request_is_led_to_https(client: Client) -> None:
    response = client.get("/en/about/?a=b")

    assert (response.status_code, response["Location"]) == (301, "https://testserver/en/about/?a=b")
    assert strict_headers_of(response) == STRICT


@pytest.mark.django_db
@pytest.mark.usefixtures("https")
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_without_https(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_forged_form_is_refused_in_words(client: Client) -> None:
    assert "This form cannot be accepted" in forged_form(client).content.decode()


# Caches


@pytest.mark.django_db
def test_answer_to_a_session_is_not_stored(client: Client) -> None:
    client.cookies["sessionid"] = "somebody"

    assert client.get("/en/")["Cache-Control"] == "private, no-store"


def test_answer_that_sets_a_cookie_is_not_stored() -> None:
    def welcome(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        response.set_cookie("seen", "yes")
        return response

    answer = never_store_private(welcome)(RequestFactory().get("/"))

    assert answer["Cache-Control"] == "private, no-store"


def test_answer_to_a_session_keeps_what_it_says_of_itself(client: Client, files: None) -> None:
    client.cookies["sessionid"] = "somebody"
    response = client.get("/media/shown.png")
    close(response)

    assert response["Cache-Control"] == "public, no-cache"


def test_page_for_everybody_may_be_stored(client: Client) -> None:
    assert "Cache-Control" not in client.get("/en/about/")


@pytest.mark.usefixtures("files")
def test_static_file_is_stored_for_a_session_too(client: Client) -> None:
    client.cookies["sessionid"] = "somebody"
    response = client.get("/static/portal.css")
    close(response)

    assert response["Cache-Control"] == "max-age=60, public"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/news.atom",
        "/clusters.json",
        "/labels/none.json",
        "/sitemap.xml",
        "/robots.txt",
        "/.well-known/security.txt",
    ],
)
def test_machine_answer_is_one_for_all_languages(client: Client, path: str) -> None:
    response = client.get(path, headers={"accept-language": "it"})
    close(response)

    assert response.get("Vary") in (None, "Accept-Encoding")
    assert response.get("Content-Language") is None


# The host and what a proxy forwards


FORGED = {
    "host": "localhost",
    "x-forwarded-host": "evil.example",
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-port": "4443",
    "x-forwarded-proto": "https",
    "x-forwarded-prefix": "/evil",
    "forwarded": "for=192.0.2.1;host=evil.example;proto=https",
    "x-original-url": "/admin/",
    "x-rewrite-url": "/admin/",
    "x-host": "evil.example",
    "x-http-method-override": "DELETE",
}
ADDRESSES = (
    "/en/",
    "/it/clusters/",
    "/en/clusters/biopmed/",
    "/en/news/",
    "/en/nothing/",
    "/news.atom",
    "/news.atom?lang=it",
    "/sitemap.xml",
    "/robots.txt",
    "/.well-known/security.txt",
    "/",
    "/clusters/",
    "/en/about",
    "/admin/",
)


def answer_of(response: Any) -> tuple[int, bytes, str | None]:
    return response.status_code, response.content, response.get("Location")


@pytest.mark.django_db
@pytest.mark.parametrize("behind_proxy", [False, True], ids=["direct", "behind a proxy"])
@pytest.mark.parametrize("path", ADDRESSES)
def test_no_header_changes_a_page_or_a_link(
    client: Client, settings: Settings, path: str, behind_proxy: bool
) -> None:
    if behind_proxy:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    cluster = make_cluster(slug="biopmed")
    make_announcement(clusters=[cluster])
    plain = answer_of(client.get(path))

    answers = {
        name: answer_of(client.get(path, headers={name: value})) for name, value in FORGED.items()
    }

    assert answers == dict.fromkeys(FORGED, plain)


@pytest.mark.django_db
def test_no_header_changes_the_data_of_a_label(client: Client) -> None:
    path = f"/labels/{make_label().public_id}.json"

    assert client.get(path, headers=FORGED).content == client.get(path).content


@pytest.mark.django_db
def test_portal_stands_at_the_root_whatever_a_server_was_told(client: Client) -> None:
    """gunicorn takes SCRIPT_NAME from a header that a proxy on its machine lets through."""
    assert client.get("/en/", SCRIPT_NAME="/evil").content == client.get("/en/").content


@pytest.mark.usefixtures("https")
@pytest.mark.parametrize("name", FORGED)
def test_redirect_to_https_leads_to_the_portal(client: Client, name: str) -> None:
    response = client.get("/en/about/", headers={name: FORGED[name]})

    assert (response.status_code, response["Location"]) == (301, "https://testserver/en/about/")


@pytest.mark.usefixtures("https")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-forwarded-proto": "https"}, 200),
        ({"x-forwarded-proto": "http"}, 301),
        ({"x-forwarded-ssl": "on"}, 301),
        ({"x-forwarded-port": "443"}, 301),
        ({"forwarded": "proto=https"}, 301),
        ({"front-end-https": "on"}, 301),
    ],
    ids=str,
)
def test_proxy_tells_the_scheme_by_one_header(
    client: Client, settings: Settings, headers: dict[str, str], status: int
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert client.get("/en/about/", headers=headers).status_code == status


# Requests that nobody can read


def refusal(response: Any) -> tuple[int, str, str]:
    return response.status_code, response["Content-Type"], response.content.decode()


def told_of(problem: str) -> tuple[int, str, str]:
    return 400, "text/plain; charset=utf-8", f"{problem} Correct it and try again."


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("/clusters.csv?q=%00", id="NUL"),
        pytest.param("/clusters.csv?q=a%1b%5b2J", id="escape"),
        pytest.param("/clusters.csv?q=%7f", id="delete"),
        pytest.param("/en/clusters/?a%00=1", id="name of a parameter"),
        pytest.param("/clusters.csv?nobody-reads=%01", id="unknown parameter"),
        pytest.param("/clusters.csv?q=a&q=%01&q=b", id="repeated parameter"),
        pytest.param("/en/clusters/a%00b/", id="path"),
        pytest.param("/media/a%00.png", id="upload"),
        pytest.param("/labels/a%08.json", id="machine address"),
        pytest.param("/admin/?q=%00", id="admin"),
    ],
)
def test_control_character_in_an_address_is_refused(client: Client, address: str) -> None:
    assert refusal(client.get(address)) == told_of("The address contains control characters.")


@pytest.mark.parametrize(
    "page", ["clusters", "labels", "verify", "search", "organisations", "news"]
)
@pytest.mark.parametrize(
    ("query", "cleaned"),
    [
        ("q=bio%0BPmed", "q=bio+Pmed"),
        ("q=%00bioPmed%0C&on=2015-09-08", "q=bioPmed&on=2015-09-08"),
        ("q=a&q=%01&q=b", "q=a&q=&q=b"),
    ],
)
def test_search_of_a_page_is_led_on_without_what_was_pasted(
    client: Client, page: str, query: str, cleaned: str
) -> None:
    for language in ("en", "it"):
        response = client.get(f"/{language}/{page}/?{query}")
        assert (response.status_code, response["Location"]) == (
            302,
            f"/{language}/{page}/?{cleaned}",
        )


@pytest.mark.parametrize("query", ["q=%ff", "q=caf%e9", "q=%ed%a0%80", "%c3=1", "q=%c0%80"])
def test_query_that_is_not_utf8_is_refused(client: Client, query: str) -> None:
    answer = refusal(client.get(f"/en/about/?{query}"))

    assert answer == told_of("The address or the form is not encoded in UTF-8.")


def test_path_that_is_not_utf8_is_no_page(client: Client) -> None:
    assert client.get("/en/caf%e9/").status_code == 404


@pytest.mark.parametrize("query", ["q=caf%c3%a9", "q=a%09b%0d%0ac", "q=%f0%9f%8f%85", "q=+%2B&&="])
def test_query_in_utf8_is_read(client: Client, query: str) -> None:
    assert client.get(f"/en/about/?{query}").status_code == 200


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"te\x01xt": "a"}, id="name"),
        pytest.param({"te\x0bxt": "a"}, id="name as pasted"),
    ],
)
def test_control_character_in_the_name_of_a_field_is_refused(
    client: Client, encoding: str, fields: dict[str, Any]
) -> None:
    answer = post(client, encoding, fields)

    assert refusal(answer) == told_of("The form contains control characters.")


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
@pytest.mark.parametrize(
    ("pasted", "read"),
    [
        ("Rete\x0bpiemontese", "Rete piemontese"),
        ("One.\r\nTwo.\x0bThree.\x0cFour.", "One.\r\nTwo.\r\nThree.\r\nFour."),
        ("e\x1email, Pie\x1fmonte", "e-mail, Piemonte"),
        ("a\x00b\x1bc\x7f", "a\x00b\x00c\x00"),
        ("tab\tand line\n", "tab\tand line\n"),
    ],
)
def test_control_character_in_a_form_is_cleaned(encoding: str, pasted: str, read: str) -> None:
    fields = {"text": [pasted, "second"], "other": "as it is"}
    request = RequestFactory().post("/", fields)
    if encoding == "urlencoded":
        body = RequestFactory().get("/", fields).META["QUERY_STRING"]
        request = RequestFactory().post("/", body, content_type="application/x-www-form-urlencoded")
    given: dict[str, list[str]] = {}

    def view(request: HttpRequest) -> HttpResponse:
        given.update(request.POST.lists())
        return HttpResponse()

    refuse_unreadable_requests(view)(request)

    assert given == {"text": [read, "second"], "other": ["as it is"]}


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
def test_line_feed_and_tab_in_a_form_are_read(client: Client, encoding: str) -> None:
    answer = post(client, encoding, {"text": "one\r\n\ttwo è"})

    assert answer.status_code == 405


def post(client: Client, encoding: str, fields: dict[str, Any]) -> Any:
    if encoding == "multipart":
        return client.post("/en/about/", fields)
    body = RequestFactory().get("/", fields).META["QUERY_STRING"]
    return client.post("/en/about/", body, content_type="application/x-www-form-urlencoded")


def test_control_character_in_the_field_of_a_file_is_refused(client: Client) -> None:
    answer = client.post("/en/about/", {"lo\x00go": SimpleUploadedFile("a.png", b"x")})

    assert refusal(answer) == told_of("The form contains control characters.")


def reading(request: HttpRequest) -> HttpResponse:
    """What a view behind the middleware would be given."""
    names = [file.name for files in request.FILES.lists() for file in files[1]]
    return HttpResponse(json.dumps({"files": names, "cookies": sorted(request.COOKIES)}))


def pass_by(request: HttpRequest) -> HttpResponse:
    return refuse_unreadable_requests(reading)(request)


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        ("a\x00b\x1b.png", "ab.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\evil\\a.png", "a.png"),
        ("a\u202egnp.exe", "agnp.exe"),
    ],
)
def test_name_of_an_upload_is_cleaned(sent: str, given: str) -> None:
    body = (
        '--b\r\nContent-Disposition: form-data; name="logo"; filename="'
        + sent.replace("\\", "\\\\")
        + '"\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n'
    )

    answer = pass_by(
        RequestFactory().post("/", body, content_type="multipart/form-data; boundary=b")
    )

    assert json.loads(answer.content)["files"] == [given]


def from_the_server(method: str, address: str, content_type: str, body: bytes = b"") -> Any:
    """As gunicorn asks; the test client reads requests in a way of its own."""
    environ = RequestFactory().generic(method, address, body).environ
    environ |= {"CONTENT_TYPE": content_type}
    told: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        told.update(status=int(status.split()[0]), headers=dict(headers))
        return bytes  # nobody writes by hand

    content = b"".join(application(environ, start))
    return HttpResponse(content, **told)


FORM = b'--b\r\nContent-Disposition: form-data; name="q"\r\n\r\n\\ud800\r\n--b--\r\n'


@pytest.mark.django_db
@pytest.mark.parametrize(
    "charset", ["unicode_escape", "raw_unicode_escape", "zlib", "rot13", "utf-16", "iso-8859-1"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_character_set_is_refused(method: str, charset: str) -> None:
    content_type = f"multipart/form-data; boundary=b; charset={charset}"

    answer = from_the_server(method, "/en/about/?q=%5Cud800", content_type, FORM)

    assert refusal(answer) == told_of("The address or the form is not encoded in UTF-8.")
    assert strict_headers_of(answer) == STRICT


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "klingon"])
def test_utf8_and_what_nobody_knows_is_read_as_utf8(charset: str) -> None:
    answer = from_the_server("GET", "/en/about/?q=%C3%A9", f"text/plain; charset={charset}")

    assert answer.status_code == 200


@pytest.mark.django_db
def test_too_many_parameters_are_refused_whatever_the_character_set() -> None:
    address = "/en/about/?" + "&".join(["a=1"] * 5001)

    answer = from_the_server("GET", address, "text/plain; charset=utf-8")

    assert (answer.status_code, strict_headers_of(answer)) == (400, STRICT)


def test_cookie_with_a_control_character_is_ignored() -> None:
    request = RequestFactory().get("/", headers={"cookie": r'sessionid="a\000b"; good=1'})

    assert json.loads(pass_by(request).content)["cookies"] == ["good"]


@pytest.mark.django_db
def test_session_with_a_control_character_opens_the_page(client: Client) -> None:
    response = client.get("/admin/", headers={"cookie": r'sessionid="aaaaaaaa\000b"'})

    assert response.status_code == 302


TOO_LARGE = b"text=" + b"a" * 2_700_000


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(TOO_LARGE, "application/x-www-form-urlencoded", id="too large"),
        pytest.param(b"&".join([b"a=1"] * 5001), "application/x-www-form-urlencoded", id="many"),
        pytest.param(
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n'
            + TOO_LARGE
            + b"\r\n--b--\r\n",
            "multipart/form-data; boundary=b",
            id="too large field",
        ),
        pytest.param(
            b"".join(
                b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx\r\n'
                for _ in range(101)
            )
            + b"--b--\r\n",
            "multipart/form-data; boundary=b",
            id="too many files",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/en/about/", "/api/v1/verify", "/labels.json"])
def test_form_beyond_the_limits_is_refused_in_words(
    client: Client, body: bytes, content_type: str, path: str
) -> None:
    response = client.generic("POST", path, body, content_type=content_type)

    words = "Too much was sent" if path == "/en/about/" else "larger, or has more parts"
    assert response.status_code == 413
    assert words in response.content.decode()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"--b\r\n", "multipart/form-data", id="no boundary"),
        pytest.param(b"--b\r\n", "multipart/form-data; boundary=\u00e9", id="strange boundary"),
        pytest.param(
            b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\na\r\n--b--\r\n",
            "multipart/form-data; boundary=b",
            id="broken base64",
        ),
    ],
)
def test_form_that_cannot_be_read_is_refused_in_words(
    client: Client, body: bytes, content_type: str
) -> None:
    response = client.generic("POST", "/en/about/", body, content_type=content_type)

    assert response.status_code == 400
    assert "This request cannot be read" in response.content.decode()


@pytest.mark.parametrize("body", [b"", b"--b", b"--b\r\n", b"nonsense", b"--b\r\nContent-Disp"])
def test_form_cut_short_reaches_its_page(client: Client, body: bytes) -> None:
    answer = client.generic(
        "POST", "/en/about/", body, content_type="multipart/form-data; boundary=b"
    )

    assert answer.status_code == 405


def test_form_that_breaks_off_is_refused() -> None:
    class Gone(BytesIO):
        def read(self, *_args: Any) -> bytes:
            raise OSError

    environ = RequestFactory().post("/").environ | {"CONTENT_LENGTH": "9", "wsgi.input": Gone()}
    environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"

    assert refusal(pass_by(WSGIRequest(environ))) == told_of("The form did not arrive as a whole.")


# The database is away


ASK_EVERYTHING = """
import json, sys, django
django.setup()
from django.conf import settings
from django.core import mail
from django.db import connections
from django.test import Client
from django.test.utils import setup_test_environment
from config.settings import database_options, env
setup_test_environment()
settings.ADMINS = [("Operator", "operator@example.org")]

def break_database(address):
    database = env.db_url_config(address)
    database |= database_options(database)
    if "sqlite" in database["ENGINE"]:
        database["OPTIONS"]["timeout"] = 0.1
    connections.settings = connections.configure_settings({"default": database})
    del connections["default"]

def ask_everything(asked):
    answers = {}
    for method, path, session in asked:
        client = Client(raise_request_exception=False)
        if session:
            client.cookies["sessionid"] = "a" * 32
        response = client.generic(method, path, headers={"accept-language": "it"})
        answers[f"{method} {path}"] = {
            "status": response.status_code,
            "headers": dict(response.headers),
            "text": response.content.decode(),
        }
    answers["mails"] = len(mail.outbox)
    return answers

addresses, asked = json.loads(sys.argv[1])
said = {}
for way, address in addresses.items():
    break_database(address)
    said[way] = ask_everything(asked)
print(json.dumps(said))
"""
ASKED = [
    ("GET", "/en/", False),
    ("GET", "/it/clusters/", False),
    ("HEAD", "/en/labels/", False),
    ("GET", "/en/news/", True),
    ("GET", "/admin/", True),
    ("GET", "/labels/none.json", False),
    ("GET", "/news.atom", False),
    ("GET", "/sitemap.xml", False),
    ("GET", "/healthz", False),
    ("GET", "/readyz", False),
    ("GET", "/en/about/", False),
    ("GET", "/robots.txt", False),
    ("GET", "/en/nothing/", False),
]
Answers = dict[str, Any]


@contextmanager
def directory(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}"


@contextmanager
def damaged_file(folder: Path) -> Iterator[str]:
    path = folder / "db.sqlite3"
    path.write_bytes(b"no database " * 1000)
    yield f"sqlite:///{path}"


@contextmanager
def locked_file(folder: Path) -> Iterator[str]:
    path = folder / "db.sqlite3"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE held (id)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        yield f"sqlite:///{path}"
    finally:
        holder.close()


@contextmanager
def no_server(folder: Path) -> Iterator[str]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        yield f"postgres://portal@127.0.0.1:{unused.getsockname()[1]}/portal"


BROKEN = {way.__name__: way for way in (no_server, directory, damaged_file, locked_file)}


@pytest.fixture(scope="module")
def said_without_database(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    """What a portal of its own says while its database is broken, by the way in which it is."""
    with ExitStack() as stack:
        addresses = {
            name: stack.enter_context(way(tmp_path_factory.mktemp(name)))
            for name, way in BROKEN.items()
        }
        result = subprocess.run(
            [sys.executable, "-c", ASK_EVERYTHING, json.dumps([addresses, ASKED])],
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "TEST_DATABASE_URL": addresses["no_server"],
                "TEST_RUN": f"{os.environ['TEST_RUN']}-broken",
            },
            cwd=portal_settings.BASE_DIR,
            check=True,
            capture_output=True,
            text=True,
        )
    said: dict[str, Answers] = json.loads(result.stdout)
    return said


@pytest.fixture(params=BROKEN)
def without_database(
    request: pytest.FixtureRequest, said_without_database: dict[str, Answers]
) -> Answers:
    return said_without_database[request.param]


ENGLISH, ITALIAN, MACHINES = "en", "it", None


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("GET /en/", ENGLISH),
        ("GET /it/clusters/", ITALIAN),
        ("GET /en/news/", ENGLISH),
        ("GET /admin/", ITALIAN),
        ("GET /labels/none.json", MACHINES),
        ("GET /news.atom", MACHINES),
        ("GET /sitemap.xml", MACHINES),
    ],
)
def test_broken_database_is_told_and_when_to_come_again(
    without_database: Answers, asked: str, language: str | None
) -> None:
    answer = without_database[asked]

    headers = answer["headers"]
    assert answer["status"] == 503
    assert (headers["Retry-After"], headers["Cache-Control"]) == ("60", "no-store")
    assert headers.get("Content-Language") == language
    assert in_order(headers["Content-Security-Policy"]) == POLICY
    assert told_to(language) in answer["text"]


def told_to(language: str | None) -> str:
    if language is None:
        return "The database does not answer. Try again in a minute."
    with translation.override(language):
        return translation.gettext("The register does not answer right now")


def test_broken_database_is_told_in_json(without_database: Answers) -> None:
    answer = without_database["GET /labels/none.json"]

    assert json.loads(answer["text"]) == {"error": told_to(MACHINES)}
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"


def test_broken_database_shows_nothing_of_itself(without_database: Answers) -> None:
    texts = " ".join(answer["text"] for name, answer in without_database.items() if name != "mails")

    for word in ("Traceback", "OperationalError", "sqlite", "psycopg", "127.0.0.1", "/tmp"):  # noqa: S108
        assert word not in texts


def test_broken_database_sends_no_mail_about_a_visitor(without_database: Answers) -> None:
    assert without_database["mails"] == 0


def test_broken_database_leaves_what_needs_none(without_database: Answers) -> None:
    asked = ("GET /en/about/", "GET /robots.txt", "GET /en/nothing/")

    assert [without_database[name]["status"] for name in asked] == [200, 200, 404]


def test_broken_database_is_told_to_the_monitoring(without_database: Answers) -> None:
    ready = without_database["GET /readyz"]

    assert ready["status"] == 503
    assert json.loads(ready["text"])["database"] in {"failed", "too slow"}
    assert without_database["GET /healthz"]["status"] == 200


def test_broken_database_answers_head_without_a_body(without_database: Answers) -> None:
    answer = without_database["HEAD /en/labels/"]

    assert (answer["status"], answer["text"]) == (503, "")


@pytest.mark.django_db
def test_session_that_cannot_be_saved_is_no_fault_of_the_visitor(
    client: Client, settings: Settings
) -> None:
    settings.SESSION_SAVE_EVERY_REQUEST = True
    session = client.session
    session["seen"] = "yes"
    session.save()

    def away(execute: Any, sql: str, *args: Any) -> Any:
        if "django_session" in sql and not sql.startswith("SELECT"):
            raise OperationalError
        return execute(sql, *args)

    with connection.execute_wrapper(away):
        response = client.get("/en/about/")

    assert (response.status_code, response["Retry-After"]) == (503, "60")


@pytest.mark.django_db
@pytest.mark.skipif(
    portal_settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"),
    reason="PostgreSQL ends a statement that takes too long",
)
def test_statement_that_takes_too_long_is_told_like_a_broken_database(client: Client) -> None:
    client.raise_request_exception = False

    def slow(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        execute("SET LOCAL statement_timeout = 1", None, many, context)
        return execute("SELECT pg_sleep(1)", None, many, context)

    with connection.execute_wrapper(slow):
        response = client.get("/en/")

    assert (response.status_code, response["Retry-After"]) == (503, "60")
