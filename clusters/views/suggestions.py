"""What a field of a form in admin says about others (clusters/admin/suggestions.py)."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, JsonResponse


def offer_values(admins: Mapping[str, Any], request: HttpRequest) -> JsonResponse:
    """Suggestions for a form that the person may fill in. Raises Http404 for any other."""
    admin: Any = admins.get(request.GET.get("model", ""))
    may = admin and (admin.has_add_permission(request) or admin.has_change_permission(request))
    suggester = may and admin.suggesters.get(request.GET.get("field", ""))
    if not suggester:
        raise Http404
    typed = {name: request.GET.get(name, "").strip() for name in suggester.fields}
    found = suggester.find(admin, request, typed)
    return JsonResponse({name: one._asdict() for name, one in found.items()})
