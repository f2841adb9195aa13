"""What every request and every answer has in common."""

import codecs
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Any, cast
from urllib.parse import unquote_to_bytes, urlencode

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
    UnreadablePostError,
)
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.middleware.locale import LocaleMiddleware
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.cache import get_conditional_response, set_response_etag
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language, get_language_from_path, override

from clusters.http.responses import is_for_the_api, open_to_all, problem
from clusters.names import is_public_id
from clusters.people.signing_in import person_in_session
from config.serving.bodies import REFUSED
from config.serving.outage import waiting

GetResponse = Callable[[HttpRequest], HttpResponse]

RETRY_SECONDS = 10

# Tab, line feed and carriage return are legitimate in a text area. Halves of a surrogate pair
# come from forged character sets only; no database takes them.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

# A passkey needs publickey-credentials-*: not named, so open to this site alone.
UNUSED_FEATURES = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)


def security_headers(get_response: GetResponse) -> GetResponse:
    # Other origins get nothing of the site, and the browser none of the features it never uses.
    permissions = ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES)

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Permissions-Policy", permissions)
        return response

    return middleware


def explain_refused_methods(get_response: GetResponse) -> GetResponse:
    # Django names them in a header only.
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            response.content = f"This address takes {response['Allow']} only.\n"
            response["Content-Type"] = "text/plain; charset=utf-8"
            response["Content-Length"] = str(len(response.content))
        return response

    return middleware


def never_store_private(get_response: GetResponse) -> GetResponse:
    # No cache stores what somebody signed in was shown, or an answer with a cookie.
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Also for an ended session: the page may be the one behind it.
        if response.cookies or settings.SESSION_COOKIE_NAME in request.COOKIES:
            response.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def refuse_half_answers(get_response: GetResponse) -> GetResponse:
    # What could not be written was not counted or not saved, though Django's cache says nothing.
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if waiting.has_given_up and response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
            raise OperationalError("The database failed what the request asked.")
        return response

    return middleware


def lazy_user(get_response: GetResponse) -> GetResponse:
    # Who is signed in is looked up when something asks: a public page touches no session.
    def middleware(request: HttpRequest) -> HttpResponse:
        person: Any = SimpleLazyObject(lambda: person_in_session(request, timezone.now()))
        request.user = person
        return get_response(request)

    return middleware


def refuse_unreadable_requests(get_response: GetResponse) -> GetResponse:
    """Answer 400 to what is not UTF-8, and to control characters in addresses and names of fields.

    A page's own search is led on to the address without them.

    In the values of a form they are cleaned (`cleaned_text`), as people paste them without seeing
    them. Reads the form, so Django's limits of a form are checked here. A cookie with control
    characters is ignored: a visitor could not take it back. Django drops them from the names of
    uploaded files.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if REFUSED in request.META:
            return refuse_body(request, request.META[REFUSED])
        if not is_splittable(request.path):
            return refuse_request(request, "The address cannot be read.")
        if not is_utf8(request):
            return refuse_request(request, "The address or the form is not encoded in UTF-8.")
        if any(CONTROL_CHARACTERS.search(text) for text in texts_in_address(request)):
            cleaned = cleaned_address(request)
            if cleaned is None:
                return refuse_request(request, "The address contains control characters.")
            return HttpResponseRedirect(cleaned)
        request.COOKIES = {
            name: value
            for name, value in request.COOKIES.items()
            if not CONTROL_CHARACTERS.search(name + value)
        }
        try:
            names = [*request.POST, *request.FILES]
        except UnreadablePostError:
            return refuse_request(request, "The form did not arrive as a whole.")
        if any(CONTROL_CHARACTERS.search(name) for name in names):
            return refuse_request(request, "The form contains control characters.")
        clean_form(request)
        return get_response(request)

    return middleware


def refuse_body(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise RequestDataTooBig
    if status == HTTPStatus.BAD_REQUEST:
        return refuse_request(request, "The form did not arrive as a whole.")
    response = refuse_request(request, "Too many forms are arriving slowly.", status)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def is_splittable(path: str) -> bool:
    """Whether it is a path and nothing else to what splits addresses, such as the language switch.

    After two slashes a host is read, also one that is none: `//[]`.
    """
    return not path.startswith("//")


def is_utf8(request: HttpRequest) -> bool:
    """Whether the query is, and the form says to be; unset or unknown is taken as UTF-8."""
    query = request.META.get("QUERY_STRING", "").encode("latin-1")
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        return False
    return request.encoding is None or codecs.lookup(request.encoding).name == "utf-8"


def texts_in_address(request: HttpRequest) -> Iterator[str]:
    yield request.path
    for name, values in request.GET.lists():
        yield from (name, *values)


def cleaned_address(request: HttpRequest) -> str | None:
    # Of a page whose search field somebody pasted into; None for what no page's form makes.
    texts = [request.path, *request.GET]
    is_page = get_language_from_path(request.path_info) and request.method in ("GET", "HEAD")
    if not is_page or any(CONTROL_CHARACTERS.search(text) for text in texts):
        return None
    pairs = [
        (name, " ".join(CONTROL_CHARACTERS.sub(" ", value).split()))
        for name, values in request.GET.lists()
        for value in values
    ]
    return f"{request.path}?{urlencode(pairs)}"


def clean_form(request: HttpRequest) -> None:
    values = [value for _name, values in request.POST.lists() for value in values]
    if not any(CONTROL_CHARACTERS.search(value) for value in values):
        return
    cleaned: Any = request.POST.copy()
    for name, found in request.POST.lists():
        cleaned.setlist(name, [cleaned_text(value) for value in found])
    cleaned._mutable = False
    request.POST = cleaned


def cleaned_text(value: str) -> str:
    """What a word processor means by its control characters; NUL for those that mean nothing.

    Every field of Django's forms refuses NUL, so that the error stands at the field.
    """
    # A text with line ends comes from a text area; anything else may be a field of one line.
    line_end = next((end for end in ("\r\n", "\n", "\r") if end in value), " ")
    meant = {"\v": line_end, "\f": line_end, "\x1e": "-", "\x1f": ""}
    return CONTROL_CHARACTERS.sub(lambda found: meant.get(found[0], "\0"), value)


def refuse_request(
    request: HttpRequest, why: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST
) -> HttpResponse:
    text = f"{why} Correct it and try again."
    if is_for_the_api(request):
        return problem(status, text)
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


# What stands between slashes and points; an address names records by slugs and public ids.
WORD = re.compile(r"[A-Za-z0-9_-]+")
NAMING_A_RECORD = {"slug", "public_id", "id", "year", "month", "language", "purpose", "version"}


def lead_to_usual_spelling(get_response: GetResponse) -> GetResponse:
    """Redirect permanently from an address that is not found as it is spelt: in capitals, with a
    number in small letters, or of a machine with a slash at its end.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != HTTPStatus.NOT_FOUND or request.method not in ("GET", "HEAD"):
            return response
        path = usual_path(request.path_info)
        if path is None or path == request.path_info:
            return response
        query = request.META.get("QUERY_STRING", "")
        redirect = HttpResponsePermanentRedirect(f"{path}?{query}".rstrip("?"))
        # A program on another site follows only where it may read that it is led on.
        return redirect if get_language_from_path(path) else open_to_all(redirect)

    return middleware


def usual_path(path: str) -> str | None:
    # The path as the portal spells it, where that leads to a view; what a record is called is
    # known to the view only.
    spelt = WORD.sub(lambda word: usual_word(word[0]), path)
    without = spelt.rstrip("/")
    return next(filter(is_address, (spelt, without, f"{without}/")), None)


def usual_word(word: str) -> str:
    return word.upper() if is_public_id(word.upper()) else word.lower()


def is_address(path: str) -> bool:
    urls = "config.api.urls" if path.startswith("/api/") else None
    with override(get_language_from_path(path) or get_language()):
        try:
            found: Any = resolve(path, urls)
        except Resolver404:
            return False
    return NAMING_A_RECORD.issuperset(found.captured_kwargs)


class ConditionalMiddleware(ConditionalGetMiddleware):
    """304 by ETag alone, and the same headers for HEAD as for GET.

    Of rows that have gone, the moment of the last change of the others tells nothing. What a view
    answers to HEAD has the content of GET, which the server leaves out.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        # A file brings its own tag, and its view has compared it.
        if request.method not in ("GET", "HEAD") or not isinstance(response, HttpResponse):
            return response
        if "ETag" not in response and self.needs_etag(response):
            set_response_etag(response)
        if "ETag" not in response:
            return response
        answer = get_conditional_response(request, etag=response["ETag"], response=response)
        return cast(HttpResponseBase, answer)


class PageLocaleMiddleware(LocaleMiddleware):
    """Django's, but what machines read is one copy for every cache, whatever the reader speaks."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if is_machine_address(request) and not is_page(response):
            return response
        return super().process_response(request, response)


def is_machine_address(request: HttpRequest) -> bool:
    # The API, or a file name without a language before it: a feed, an uploaded picture.
    if is_for_the_api(request):
        return True
    has_suffix = bool(PurePosixPath(request.path_info).suffix)
    return has_suffix and not get_language_from_path(request.path_info)


def is_page(response: HttpResponseBase) -> bool:
    return str(response.get("Content-Type", "")).startswith("text/html")
