"""How machines are answered: refused, kept for a while, open to every origin, written to a file."""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeVar, cast

from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    JsonResponse,
)
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response, set_response_etag

from clusters.http.asof import next_midnight, read_on

AnyResponse = TypeVar("AnyResponse", bound=HttpResponseBase)

# How many seconds a cache may keep an answer, at most until the next midnight.
FRESH_SECONDS = 300
MOST_BYTES_IN_MEMORY = 1024 * 1024
MOST_LETTERS = 60
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a 304 has to repeat.
OF_EVERY_ANSWER = (
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Cache-Control",
    "Content-Security-Policy",
    "Corrected-To",
    "Cross-Origin-Resource-Policy",
    "ETag",
)


def wrong_day(request: HttpRequest) -> list[str]:
    if not read_on(request.GET)[1]:
        return []
    given = request.GET.get("on", "").strip()[:MOST_LETTERS]
    return [f"on: “{given}” is not a day like 2015-09-08"]


def wrong_choices(request: HttpRequest, **choices: Iterable[str]) -> list[str]:
    return [
        f"{name}: “{request.GET[name][:MOST_LETTERS]}” is not one of {', '.join(known)}"
        for name, known in choices.items()
        if name in request.GET and request.GET[name] not in list(known)
    ]


def error_response(request: HttpRequest, problems: list[str], status: int) -> HttpResponse:
    text = "; ".join(problems)
    if request.path.endswith(".json"):
        response: HttpResponse = JsonResponse(
            {"error": text}, status=status, json_dumps_params={"ensure_ascii": False}
        )
    else:
        response = HttpResponse(
            f"{text}\n", status=status, content_type="text/plain; charset=utf-8"
        )
    return open_to_all(response)


def open_to_all(response: AnyResponse) -> AnyResponse:
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def cacheable(
    response: HttpResponseBase, now: datetime, seconds: int = FRESH_SECONDS
) -> HttpResponseBase:
    # For every origin, and to keep for a short while: at midnight a state may change.
    seconds_left = int((next_midnight(now) - now).total_seconds())
    response["Cache-Control"] = f"public, max-age={min(seconds, seconds_left)}"
    return open_to_all(response)


def conditional(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The answer, or “not modified” to who has it, which says again who may read it.

    A cache takes over what a 304 says, and would close to other origins what was open.
    """
    if isinstance(response, HttpResponse):
        set_response_etag(response)
    unchanged = get_conditional_response(request, etag=response["ETag"])
    if unchanged is None:
        return response
    if isinstance(response, FileResponse) and response.file_to_stream:
        # The file only: to close the answer would say that the whole request has ended.
        response.file_to_stream.close()
    for name in OF_EVERY_ANSWER:
        if name in response:
            unchanged[name] = response[name]
    return cast(HttpResponseBase, unchanged)


def file_response(
    write: Callable[[IO[bytes]], None], *, name: str, content_type: str, is_download: bool = False
) -> FileResponse:
    """Written as a whole before the first byte leaves, on the disk where it is large.

    So an error is an error and not half a file, the database does not wait for a slow reader, and
    the file has an ETag. The response closes it.
    """
    file = SpooledTemporaryFile(max_size=MOST_BYTES_IN_MEMORY)  # noqa: SIM115  # the response closes it
    write(file)
    file.seek(0)
    etag = f'"{hashlib.file_digest(file, "sha256").hexdigest()}"'
    file.seek(0)
    return FileResponse(
        file,
        filename=name,
        as_attachment=is_download,
        content_type=content_type,
        headers={"ETag": etag},
    )


def redirect_permanently(request: HttpRequest, name: str, *arguments: str) -> HttpResponseBase:
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    address = reverse(name, args=arguments) + query
    return open_to_all(HttpResponsePermanentRedirect(address))


CONTENT_TYPE = "application/problem+json"


def is_for_the_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def problem(status: HTTPStatus, detail: str, **members: object) -> HttpResponse:
    """Describe an error (RFC 9457) to every origin; `members` say more: `errors`, `line`."""
    data = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        **members,
    }
    response = HttpResponse(
        json.dumps(data, ensure_ascii=False), status=status, content_type=CONTENT_TYPE
    )
    response["Cache-Control"] = "no-store"
    return open_to_all(response)


# The name in the WSGI environment by which `config.page_cache` is told.
CACHED_PAGE = "portal.cached_page"


View = Callable[..., HttpResponseBase]


def cached_page(view: View) -> View:
    """For a view whose answer depends on the address, on the day and on public records alone.

    Everything that it reads must be told of in `clusters_change`, and change by itself at midnight
    or with a scheduled announcement only.
    """

    @wraps(view)
    def marked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.META[CACHED_PAGE] = True
        return view(request, *args, **kwargs)

    return marked
