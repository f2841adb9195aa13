"""The read API: what every request and every error has in common. Loaded when first asked for.

What clients may rely on stands in docs/api.md.
"""

from collections.abc import Sequence
from http import HTTPStatus
from time import monotonic
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils import timezone, translation
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation
from ninja.renderers import JSONRenderer

from clusters.api import routers as clusters_routers
from clusters.http.limits import Quota, network_address, network_of
from clusters.http.responses import cacheable, cached_page, conditional, open_to_all, problem
from clusters.tables.reader import TableRefused
from labels.api import router as labels_router
from labels.verify.limits import TooOften
from news.api import router as news_router

ROOT = "/api/v1"
MINUTE = 60
READING = ("GET", "HEAD", "OPTIONS")
# Of the addresses that are not only read, by their names.
METHODS = {"labels_verify": ("POST", "OPTIONS")}
QUOTA = Quota(seconds=MINUTE)

ABOUT = """\
Everything that the public pages of the Cluster Register show, as JSON. No key, no registration.

Records are named by ids that never change. Lists answer `count`, `next` and `results`; follow
`next` to its end for all of them. Parameters that are not known are ignored; a wrong value is
refused by its name. Errors are problem details (RFC 9457). Dates are as precise as they are known:
2013, 2015-07 or 2015-07-14.
"""
TAGS = {
    "clusters": "Clusters, the counts of their filters, and all that is known of one.",
    "organisations": "The legal entities that manage clusters, own programmes, hold shares.",
    "labels": "The register of Cluster Management Excellence Labels, with states on any day.",
    "announcements": "What clusters and their organisations made known.",
    "programmes": "Public policies that support clusters, and the level that they require.",
    "statements": "Counts that sources published, quoted with day, definition and source.",
    "codes": "Levels, portfolios and regions that the other records name.",
}


class Utf8Renderer(JSONRenderer):
    json_dumps_params = {"ensure_ascii": False}


class ReadApi(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        # What clients made from the description call their functions.
        return str(operation.view_func.__name__)


api = ReadApi(
    title="Cluster Register",
    version="1.0.0",
    description=ABOUT,
    urls_namespace="api",
    openapi_url=None,
    docs_url=None,
    renderer=Utf8Renderer(),
    servers=[{"url": settings.SITE_URL}],
    openapi_extra={
        "info": {
            "license": {"name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
            "contact": {"email": settings.CONTACT_ADDRESS},
        },
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
    },
)
for router in (*clusters_routers, labels_router, news_router):
    api.add_router("", router)


# Every request


def answer_request(request: HttpRequest) -> HttpResponseBase:
    """What anybody may ask from anywhere; the same for everybody, in English."""
    with translation.override("en"):
        return open_to_all(_route(request))


def _route(request: HttpRequest) -> HttpResponseBase:
    try:
        found = resolve(request.path_info, "config.api.urls")
    except Resolver404:
        where = f"{settings.SITE_URL}{ROOT}/docs"
        return problem(HTTPStatus.NOT_FOUND, f"There is nothing here; {where} tells what there is.")
    methods = METHODS.get(found.url_name or "", READING)
    if request.method == "OPTIONS":
        return _preflight(methods)
    if request.method not in methods:
        return _not_allowed(methods)
    network = network_of(network_address(request))
    # By a clock that nobody can set back.
    seconds = QUOTA.wait(network, most=settings.API_REQUESTS_A_MINUTE, now=monotonic())
    if seconds:
        return _too_many(
            f"More was asked from your network in this minute than is fair: wait {seconds} s.",
            seconds,
        )
    if request.method == "POST":
        response: HttpResponseBase = found.func(request, **found.kwargs)
        response["Cache-Control"] = "no-store"
        return response
    return _read(request, found.func, found.kwargs)


@cached_page
def _read(request: HttpRequest, view: Any, arguments: dict[str, Any]) -> HttpResponseBase:
    # Of HEAD the server leaves the body out.
    method, request.method = request.method, "GET"
    response: HttpResponseBase = view(request, **arguments)
    request.method = method
    if response.status_code != HTTPStatus.OK:
        return response
    return conditional(request, cacheable(response, timezone.now()))


def _preflight(methods: Sequence[str]) -> HttpResponse:
    """What a browser asks before it sends a header of its own, or JSON, from another origin."""
    return HttpResponse(
        status=HTTPStatus.NO_CONTENT,
        headers={
            "Allow": ", ".join(methods),
            # Without OPTIONS, which is last.
            "Access-Control-Allow-Methods": ", ".join(methods[:-1]),
            "Access-Control-Allow-Headers": "If-None-Match" if "GET" in methods else "Content-Type",
            "Access-Control-Max-Age": "86400",
        },
    )


# Errors


def _not_allowed(methods: Sequence[str]) -> HttpResponse:
    is_read_only = "POST" not in methods
    detail = "This API is read only: ask with GET." if is_read_only else "Ask with POST."
    response = problem(HTTPStatus.METHOD_NOT_ALLOWED, detail)
    response["Allow"] = ", ".join(methods)
    return response


def _too_many(detail: str, seconds: int) -> HttpResponse:
    response = problem(HTTPStatus.TOO_MANY_REQUESTS, detail)
    response["Retry-After"] = str(seconds)
    response["Access-Control-Expose-Headers"] = "Retry-After"
    return response


@api.exception_handler(TooOften)
def too_many_lists(request: HttpRequest, error: TooOften) -> HttpResponse:
    return _too_many(str(error), MINUTE)


@api.exception_handler(TableRefused)
def unreadable_list(request: HttpRequest, error: TableRefused) -> HttpResponse:
    is_large = error.is_too_large
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_large else HTTPStatus.BAD_REQUEST
    return problem(status, str(error), **({} if not error.line else {"line": error.line}))


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(HTTPStatus.NOT_FOUND, str(error))


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(HTTPStatus(error.status_code), error.message)


@api.exception_handler(ValidationError)
def wrong_value(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [
        {"parameter": _parameter_in(row["loc"]), "detail": row["msg"]} for row in error.errors
    ]
    detail = "; ".join(f"{row['parameter']}: {row['detail']}" for row in errors)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


def _parameter_in(place: Sequence[str | int]) -> str:
    # Of a place such as (“query”, “asked”, “level”, 0): the last that is no number in a list.
    return [str(part) for part in place if not isinstance(part, int)][-1]
