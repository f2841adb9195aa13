"""Where somebody keeps the filter of a list of admin under a name."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from clusters.models import SavedFilter
from clusters.people.access import save_or_refuse, signed_in_account

# The page of the list, and what Django adds after an error.
NOT_KEPT = {"p", "e", "all"}


def keep_filter(admins: Mapping[str, Any], request: HttpRequest) -> HttpResponse:
    """Keep the filter of a list that the person may see; with `remove`, forget one of their own."""
    model = request.POST.get("model", "")
    admin = admins.get(model)
    if admin is None:
        raise Http404
    admin.hide_from_strangers(request)
    account, query = signed_in_account(request), kept_part(request.POST.get("query", ""))
    if "remove" in request.POST:
        own = SavedFilter.objects.of(account, model)
        own.with_key(request.POST["remove"]).delete()
    else:
        name = " ".join(request.POST.get("name", "").split())
        try:
            row = SavedFilter(account=account, model=model, name=name, query=query)
            row.refuse_bad()
            save_or_refuse(row)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            text = _("The filter “%(name)s” is kept above this list.")
            messages.success(request, text % {"name": name})
    options = admin.opts
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return redirect(f"{address}?{query}".rstrip("?"))


def kept_part(query: str) -> str:
    pairs = parse_qsl(query)
    return urlencode([(name, value) for name, value in pairs if name not in NOT_KEPT])


def saved_filters_for(request: HttpRequest, model: str) -> dict[str, Any]:
    """What the list shows of them: those kept, and the filter of this page where it has one."""
    query = kept_part(request.META.get("QUERY_STRING", ""))
    kept = list(SavedFilter.objects.of(signed_in_account(request), model))
    return {
        "saved_filters": kept,
        "query_to_keep": "" if any(row.query == query for row in kept) else query,
        "filtered_query": query,
        "filtered_model": model,
    }
