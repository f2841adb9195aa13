"""What was typed comes back where a form cannot be taken: signed out, or of an older sign-in.

The page is made of the request itself and of nothing stored. It is sent back to the same address
with a new token by whoever presses its button.
"""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import csrf

# Of django-allauth's pages, which ask for secrets, nothing comes back; nor of these of admin.
APPS = ("clusters", "labels", "news", "config")
NOT_TYPED_IN = {"login", "logout", "password_change", "form_draft", "set_language"}
SECRETS = ("csrfmiddlewaretoken", "password")


def keep_what_was_typed(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer a form of an ended session with what was typed, not with the page to sign in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method != "POST" or not leads_to_sign_in(response):
            return response
        if request.user.is_authenticated:
            return response  # a second factor is asked for
        return typed_page(request) or response

    return middleware


def leads_to_sign_in(response: HttpResponse) -> bool:
    if response.status_code != HTTPStatus.FOUND:
        return False
    path = urlsplit(response["Location"]).path
    return path in (reverse("admin:login"), reverse("account_login"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    # The token is of the sign-in before, if the page is ours; what another site sends is not shown.
    page = typed_page(request) if is_from_this_site(request) else None
    return page or csrf.csrf_failure(request, reason)


def is_from_this_site(request: HttpRequest) -> bool:
    said = request.headers.get("Sec-Fetch-Site")
    if said is not None:
        return said == "same-origin"
    # A browser tells it only to a site with HTTPS.
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"


def typed_page(request: HttpRequest) -> HttpResponse | None:
    """The form once more, filled; None of a page that asks for secrets, or where nothing came."""
    sent = [
        (name, value)
        for name, values in request.POST.lists()
        if not any(secret in name.lower() for secret in SECRETS)
        for value in values
    ]
    if not sent or not is_typed_in(request):
        return None
    is_signed_in = request.user.is_authenticated
    response = TemplateResponse(
        request,
        "typed.html",
        {
            "sent": sent,
            "texts": [(n, v) for n, v in sent if v and not n.startswith("_") and "_FORMS" not in n],
            "files": [file.name for _name, files in request.FILES.lists() for file in files],
            "is_signed_in": is_signed_in,
        },
        status=HTTPStatus.FORBIDDEN if is_signed_in else HTTPStatus.UNAUTHORIZED,
        headers={"Cache-Control": "private, no-store"},
    )
    if not is_signed_in:
        response["WWW-Authenticate"] = 'Cookie realm="Cluster Register"'
    return response.render()


def is_typed_in(request: HttpRequest) -> bool:
    match = request.resolver_match
    if match is None or match.url_name in NOT_TYPED_IN:
        return False
    return match.app_name == "admin" or match.func.__module__.partition(".")[0] in APPS
