"""Where the forms of admin store what somebody types (static/unsaved.js)."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clusters.models import FormDraft
from clusters.models.drafts import MAX_CHARACTERS
from clusters.people.access import signed_in_account

OPENING = re.compile("[A-Za-z0-9]{12}")
# Of the names that begin so, the one that a form needs again: what its row was when it was opened.
OF_THE_PAGE, KEPT = ("_", "csrf"), "_versions"


@require_POST
def store_draft(request: HttpRequest) -> HttpResponse:
    """Store what was typed into a form of admin; without it, discard the draft.

    Only for a form that the person may open and save, and only their own.
    """
    address = request.POST.get("address", "")
    refuse_closed_form(request, address)
    opening = request.POST.get("opening", "")
    if not OPENING.fullmatch(opening):
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    account = signed_in_account(request)
    if "data" not in request.POST:
        FormDraft.objects.of(account, address).opened(opening).delete()
        return redirect(address)
    try:
        typed = json.dumps([*pairs_to_keep(request.POST["data"])], ensure_ascii=False)
        typed.encode()
    except (ValueError, TypeError, RecursionError):
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    if len(typed) > MAX_CHARACTERS:
        told = _("This is too long for a draft. Save it soon.")
        return JsonResponse({"told": told}, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    now = timezone.now()
    FormDraft.objects.store(account, address, opening, data=typed, now=now)
    clock = date_format(timezone.localtime(now), "H:i")
    return JsonResponse({"told": _("Draft stored at %(time)s.") % {"time": clock}})


def refuse_closed_form(request: HttpRequest, address: str) -> None:
    # As the form itself would answer.
    try:
        found = resolve(address)
    except Resolver404 as error:
        raise Http404 from error
    model_admin: Any = getattr(found.func, "model_admin", None)
    if model_admin is None or str(found.url_name).rpartition("_")[2] not in ("add", "change"):
        raise Http404
    key = found.kwargs.get("object_id")
    model_admin.hide_from_strangers(request, key)
    if not (
        model_admin.has_add_permission(request)
        if key is None
        else model_admin.has_change_permission(
            request, model_admin.get_object(request, unquote(key))
        )
    ):
        raise PermissionDenied


def pairs_to_keep(data: str) -> Iterator[tuple[str, str]]:
    for name, text in json.loads(data):
        if not (isinstance(name, str) and isinstance(text, str)):
            raise ValueError(name)
        if name == KEPT or not name.startswith(OF_THE_PAGE):
            yield name, text
