import sys
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import get_language_from_request
from django.views import defaults

from clusters.http.responses import error_response, is_for_the_api, problem
from config.middleware import is_machine_address
from config.serving.outage import is_outage
from config.site.machine import uncached

RETRY_SECONDS = 60
TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Django calls it a bad request when a session cannot be saved: look behind it.
    if is_outage(exception):
        return unavailable(request)
    if request.method == "POST" and isinstance(exception, TOO_LARGE):
        return too_large(request)
    if is_for_the_api(request):
        return problem(HTTPStatus.BAD_REQUEST, "This request cannot be read.")
    return defaults.bad_request(request, exception)


def too_large(request: HttpRequest) -> HttpResponse:
    # Its rest may still be on the way, unread.
    message = "What was sent is larger, or has more parts, than the register takes."
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if is_for_the_api(request):
        return problem(status, message)
    if is_machine_address(request):
        return uncached(error_response(request, [message], status))
    return uncached(HttpResponse(render_to_string("413.html"), status=status))


def server_error(request: HttpRequest) -> HttpResponse:
    if is_outage(sys.exception()):
        return unavailable(request)
    if is_for_the_api(request):
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "A mistake of ours. It is in our log.")
    return defaults.server_error(request)


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
