"""The page behind the mail that asks a team whether its profile is right."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clusters.confirmation import LinkState, clusters_of, confirm_by_link, owners_of, read_link
from clusters.membership import membership_table


# The signed link is the authority, not a session; a GET writes nothing, as mail scanners open it.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_profile(request: HttpRequest, token: str) -> HttpResponse:
    today = timezone.localdate()
    link = read_link(token, day=today)
    if link is None:
        raise Http404
    if request.method == "POST" and link.state != LinkState.ENDED:
        confirm_by_link(link.asked, day=today, now=timezone.now())
        return HttpResponseRedirect(request.path)
    if link.state == LinkState.ENDED:
        return TemplateResponse(request, "clusters/confirm_ended.html", {"section": ""}, status=410)
    organisation = link.asked.organisation
    return TemplateResponse(
        request,
        "clusters/confirm_profile.html",
        {
            "section": "",
            "organisation": organisation,
            "clusters": [
                (
                    cluster,
                    cluster.managers_on(today),
                    membership_table(cluster.membership_counts.all()),
                )
                for cluster in clusters_of(organisation, today).with_profile()
            ],
            "has_owner": owners_of(organisation).exists(),
            "is_used": link.state == LinkState.USED,
            "confirmed_on": link.asked.confirmed_at,
        },
    )
