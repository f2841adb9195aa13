import os

from django.conf import settings
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


portal = get_wsgi_application()
portal.request_class = PortalRequest

# Their models want the registry that is now ready.
from config.page_cache import KeptPages  # noqa: E402
from config.serving.front import Front  # noqa: E402

# A template that is being written is looked at anew each time.
application = Front(portal if settings.DEBUG else KeptPages(portal))
