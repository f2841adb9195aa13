"""Verifying labels: a page with a question or a list."""

from collections.abc import Callable, Sequence
from datetime import date
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import urlencode

from clusters.http.asof import as_of
from clusters.tables.reader import TableRefused
from clusters.views.contact import cookieless_form
from labels.register.queries import coverage
from labels.verify.answers import Answered, answer_lines, as_csv, as_json, as_spreadsheet, parts
from labels.verify.limits import MINUTE, TooOften, is_within_limit, too_often
from labels.verify.lookup import verify
from labels.verify.questions import (
    MAX_BYTES,
    MAX_LINES,
    QuestionLine,
    read_csv_lines,
    read_pasted_lines,
)

FORMATS: dict[str, tuple[Callable[[Sequence[Answered], date], bytes], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_spreadsheet, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "json": (as_json, "application/json"),
}


@cookieless_form
def label_verify(request: HttpRequest) -> HttpResponse:
    # One question by an address, a list by a form that anybody may send from anywhere.
    return verify_list(request) if request.method == "POST" else verify_one(request)


def verify_one(request: HttpRequest) -> HttpResponse:
    shown = as_of(request.GET, request.path, timezone.localdate())
    asked = request.GET.get("q", "").strip()
    context = {"as_of": shown, "problems": shown.problems, "asked": asked}
    if asked and not is_within_limit(request, is_list=False):
        return page(request, context, problem=too_often())
    return page(request, context | {"answer": verify(asked, shown.day) if asked else None})


def verify_list(request: HttpRequest) -> HttpResponse:
    given = QueryDict(urlencode({"on": request.POST.get("on", "")}))
    shown = as_of(given, request.path, timezone.localdate())
    context = {"as_of": shown, "problems": shown.problems, "lines": request.POST.get("lines", "")}
    if not request.POST and not request.FILES:
        return page(request, context)
    if not is_within_limit(request, is_list=True):
        return page(request, context, problem=too_often())
    try:
        lines = lines_to_verify(request)
    except TableRefused as error:
        return page(request, context, problem=error)
    answered = answer_lines(lines, shown.day)
    if request.POST.get("format") in FORMATS:
        return download(request.POST["format"], answered, shown.day)
    context["lines"] = "\n".join(line.answer.asked for line in answered)
    return page(request, context | {"answered": answered, "parts": parts(answered)})


def lines_to_verify(request: HttpRequest) -> list[QuestionLine]:
    # A file that was chosen counts before what stands in the text area.
    upload = request.FILES.get("file")
    if upload is None:
        return read_pasted_lines(request.POST.get("lines", ""))
    return read_csv_lines(upload.read(MAX_BYTES + 1))


def page(
    request: HttpRequest, context: dict[str, object], problem: Exception | None = None
) -> HttpResponse:
    defaults: dict[str, object] = {"coverage": coverage(timezone.localdate())}
    defaults |= {"section": "verify", "asked": "", "answer": None, "lines": "", "answered": None}
    response = TemplateResponse(
        request,
        "labels/label_verify.html",
        {**defaults, "most_lines": MAX_LINES, "problem": problem, **context},
    )
    if isinstance(problem, TooOften):
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(MINUTE)
    elif problem:
        response.status_code = HTTPStatus.BAD_REQUEST
    return response


def download(name: str, answered: Sequence[Answered], day: date) -> HttpResponse:
    write, content_type = FORMATS[name]
    return HttpResponse(
        write(answered, day),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="verification-{day}.{name}"'},
    )
