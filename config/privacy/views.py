"""What the portal holds about the signed-in account, to take along."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from clusters.http.limits import network_address
from clusters.models import EventKind
from clusters.people.access import signed_in_account
from clusters.people.log import record
from config.privacy.download import collect_account_data


@never_cache
@login_required
@require_POST
def account_data(request: HttpRequest) -> HttpResponse:
    # A POST, because it is noted in the log of events.
    person = signed_in_account(request)
    data = collect_account_data(person)
    record(
        EventKind.EXPORTED,
        now=timezone.now(),
        account=person,
        about=person,
        detail="own data",
        network_address=network_address(request) or None,
    )
    response = JsonResponse(data, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="account-data.json"'
    return response
