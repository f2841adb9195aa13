"""What every request and every answer has in common."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

GetResponse = Callable[[HttpRequest], HttpResponse]

# Tab, line feed and carriage return are legitimate in a text area.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def security_headers(get_response: GetResponse) -> GetResponse:
    """Isolate the site from other origins and switch off browser features it never uses."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault(
            "Permissions-Policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
        )
        return response

    return middleware


def refuse_control_characters(get_response: GetResponse) -> GetResponse:
    """Answer 400 to a path or query with NUL or control characters: PostgreSQL refuses NUL."""

    def middleware(request: HttpRequest) -> HttpResponse:
        texts = [request.path, *request.GET.keys()]
        texts += [value for values in request.GET.lists() for value in values[1]]
        if any(CONTROL_CHARACTERS.search(text) for text in texts):
            return HttpResponseBadRequest(
                "The address contains control characters. Remove them and try again.",
                content_type="text/plain; charset=utf-8",
            )
        return get_response(request)

    return middleware
