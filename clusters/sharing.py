"""Which answers are the same for everybody, so that they may be kept in front of Django."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# The name in the WSGI environment by which `config.pages` is told.
SHARED = "portal.shared"

View = Callable[..., HttpResponseBase]


def shared(view: View) -> View:
    """For a view whose answer depends on the address, on the day and on public records alone.

    Everything that it reads must be told of in `clusters_change`, and change by itself at midnight
    or with a scheduled announcement only.
    """

    @wraps(view)
    def marked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.META[SHARED] = True
        return view(request, *args, **kwargs)

    return marked
