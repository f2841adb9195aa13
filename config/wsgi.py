import os

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class PortalRequest(WSGIRequest):
    """Read as UTF-8, whatever it says.

    Django decodes the query the moment it learns of a character set, and fails with those that
    encode no text before any middleware could answer. Here it only remembers the name, which
    `refuse_unreadable_requests` looks at.
    """

    encoding: str | None = None


application = get_wsgi_application()
application.request_class = PortalRequest
