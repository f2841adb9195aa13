"""The page behind the mail that tells a team of the end of its label."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from labels.models import NoticeAnswer
from labels.notices.mails import notice_facts, read_link, save_answer
from labels.words import verdict


# The signed link is the authority, not a session; a GET writes nothing, as mail scanners open it.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def notice(request: HttpRequest, token: str) -> HttpResponse:
    today = timezone.localdate()
    link = read_link(token, day=today)
    if link is None:
        raise Http404
    if link.label is None:
        return TemplateResponse(request, "labels/notice_ended.html", {"section": ""}, status=410)
    given = request.POST.get("answer", "")
    if request.method == "POST" and given in NoticeAnswer.values:
        save_answer(link, NoticeAnswer(given), now=timezone.now())
    if request.method == "POST":
        return HttpResponseRedirect(request.path)
    context = {
        "section": "",
        "notice": link.notice,
        "verdict": verdict(link.label, today),
        **notice_facts(link.label, today),
        "may_say_received": NoticeAnswer.RECEIVED in link.answers,
        "may_say_renewing": NoticeAnswer.RENEWING in link.answers,
    }
    return TemplateResponse(request, "labels/notice.html", context)
