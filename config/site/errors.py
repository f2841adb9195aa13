import sys
from http import HTTPStatus

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import get_language_from_request
from django.views import defaults

from clusters.http.responses import error_response, is_for_the_api, problem
from config.middleware import is_machine_address
from config.site.machine import uncached

RETRY_SECONDS = 60


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Django calls it a bad request when a session cannot be saved: look behind it.
    if is_outage(exception):
        return unavailable(request)
    if is_for_the_api(request):
        return problem(HTTPStatus.BAD_REQUEST, "This request cannot be read.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if is_outage(sys.exception()):
        return unavailable(request)
    if is_for_the_api(request):
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "A mistake of ours. It is in our log.")
    return defaults.server_error(request)


def is_outage(error: BaseException | None) -> bool:
    """Whether the database failed, rather than what it was asked, at the root of an error.

    Of a damaged file SQLite says `DatabaseError` itself.
    """
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError:
            return True
        error = error.__cause__ or error.__context__
    return False


def unavailable(request: HttpRequest) -> HttpResponse:
    # 503, made without the database: no session, no context processor.
    if is_machine_address(request):
        response = unavailable_to_machines(request)
    else:
        language = get_language_from_request(request, check_path=True)
        with translation.override(language):
            response = HttpResponse(render_to_string("503.html"), status=503)
        response["Content-Language"] = language
    response["Retry-After"] = str(RETRY_SECONDS)
    return uncached(response)


def unavailable_to_machines(request: HttpRequest) -> HttpResponse:
    message = "The database does not answer. Try again in a minute."
    if is_for_the_api(request):
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, message)
    return error_response(request, [message], HTTPStatus.SERVICE_UNAVAILABLE)
