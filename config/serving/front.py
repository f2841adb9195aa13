"""What every request passes first and every answer last, whoever gives it."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults

from django.conf import settings

from config.serving.bodies import receive_body
from config.serving.outage import web_request

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]

logger = logging.getLogger(__name__)

POLICIES = {
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
}


class Front:
    """A WSGI application around the portal's: deadlines, bodies, headers, the last words."""

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application
        self.policies = self.policies_of_django()
        self.last_words = Path(settings.BASE_DIR, "templates/500.html").read_bytes()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        def start(status: str, headers: Headers, *error: Any) -> Callable[[bytes], object]:
            given = {name.lower() for name, _value in headers}
            missing = [pair for pair in self.policies if pair[0].lower() not in given]
            return start_response(status, [*headers, *missing], *error)

        with web_request():
            receive_body(environ)
            try:
                return self.application(environ, start)
            except Exception:
                # Django answers for its views and middleware; this broke around them.
                logger.exception("A request was not answered.")
                start(
                    "500 Internal Server Error",
                    [
                        ("Content-Type", "text/html; charset=utf-8"),
                        ("Content-Length", str(len(self.last_words))),
                    ],
                )
                return [self.last_words]
            finally:
                environ["wsgi.input"].close()

    def policies_of_django(self) -> Headers:
        # Those that the middleware sets on any answer, here on one that asks no database.
        environ: WSGIEnvironment = {}
        setup_testing_defaults(environ)
        environ |= {"PATH_INFO": "/healthz", "HTTP_HOST": urlsplit(settings.SITE_URL).netloc}
        found: Headers = []

        def start(_status: str, headers: Headers, *_error: Any) -> Callable[[bytes], object]:
            found.extend(headers)
            return bytes

        for _piece in self.application(environ, start):
            pass
        return [pair for pair in found if pair[0].lower() in POLICIES]
