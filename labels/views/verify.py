"""Verifying labels: a page with a question or a list."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language

from clusters.formats.documents import SECONDS_TO_RETRY, TooManyAtOnce, library, page_as_pdf, turn
from clusters.http.addresses import absolute
from clusters.http.asof import AsOf, as_of
from clusters.tables.reader import TableRefused
from clusters.views.contact import cookieless_form
from labels.register.queries import coverage
from labels.verify.answers import (
    Answered,
    answer_lines,
    as_csv,
    as_json,
    as_spreadsheet,
    parts,
    reference_of,
)
from labels.verify.credentials import MAX_LENGTH, check_credential
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
    # One question by an address; a list or a credential by forms that anybody may send from
    # anywhere.
    if request.method != "POST":
        return verify_one(request)
    if "credential" in request.POST or "credential" in request.FILES:
        return verify_credential(request)
    return verify_list(request)


def verify_one(request: HttpRequest) -> HttpResponse:
    shown = as_of(request.GET, request.path, timezone.localdate())
    asked = request.GET.get("q", "").strip()
    context = {"as_of": shown, "problems": shown.problems, "asked": asked}
    if asked and not is_within_limit(request, is_list=False):
        return page(request, context, problem=too_often())
    if not asked:
        return page(request, context)
    answer, now = verify(asked, shown.day), timezone.now()
    context |= {
        "answer": answer,
        "checked_at": now,
        "reference": reference_of(answer, timezone.localdate(now)),
        "pdf_url": f"{request.path}?{query_of(asked, shown, format='pdf')}",
    }
    if request.GET.get("format") != "pdf" or library() is None:
        return page(request, context)
    try:
        return on_paper(context, shown.day)
    except TooManyAtOnce as error:
        return page(request, context, problem=error)


def query_of(asked: str, shown: AsOf, **others: str) -> str:
    on = {} if shown.is_today else {"on": shown.day.isoformat()}
    return urlencode({"q": asked, **on, **others})


def on_paper(context: dict[str, object], day: date) -> HttpResponse:
    style = render_to_string("labels/certificate.css")
    context |= {"language": get_language(), "address": absolute(reverse("labels:verify"))}
    paper = render_to_string("labels/verification.html", context)
    with turn():
        document = page_as_pdf(paper, style, str(context["reference"]))
    name = f"verification-{context['reference']}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(document, content_type="application/pdf", headers=headers)


def verify_list(request: HttpRequest) -> HttpResponse:
    given = QueryDict(urlencode({"on": request.POST.get("on", "")}))
    shown = as_of(given, request.path, timezone.localdate())
    context = {"as_of": shown, "problems": shown.problems, "lines": request.POST.get("lines", "")}
    if not request.POST and not request.FILES:
        return page(request, context)
    if not is_within_limit(request, is_list=True):
        return page(request, context, problem=too_often())
    try:
        lines = with_accepted(lines_to_verify(request), request.POST.getlist("accept"))
    except TableRefused as error:
        return page(request, context, problem=error)
    answered = answer_lines(lines, shown.day)
    if request.POST.get("format") in FORMATS:
        return download(request.POST["format"], answered, shown.day)
    context["lines"] = "\n".join(one.line.text for one in answered)
    context |= {"answered": answered, "parts": parts(answered)}
    return page(request, context | {"has_near": any(one.answer.nearest for one in answered)})


def verify_credential(request: HttpRequest) -> HttpResponse:
    shown = as_of(QueryDict(), request.path, timezone.localdate())
    context: dict[str, object] = {"as_of": shown, "problems": shown.problems}
    if not is_within_limit(request, is_list=False):
        return page(request, context, problem=too_often())
    upload = request.FILES.get("credential")
    text = request.POST.get("credential", "")
    if upload is not None:
        text = upload.read(MAX_LENGTH).decode("ascii", errors="replace")
    checked = check_credential(text[:MAX_LENGTH], shown.day)
    return page(request, context | {"is_checked": True, "checked": checked})


def with_accepted(lines: list[QuestionLine], accepted: Sequence[str]) -> list[QuestionLine]:
    # Each ticked name stands in the place of what was asked in its line: `3:bioPmed`.
    names = dict(text.split(":", 1) for text in accepted if ":" in text)
    return [replace(line, asked=names.get(str(line.number), line.asked)) for line in lines]


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
        {
            **defaults,
            "most_lines": MAX_LINES,
            "problem": problem,
            "posted_form": "list-form" if "lines" in context else "",
            **context,
        },
    )
    if isinstance(problem, TooOften):
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(MINUTE)
    elif isinstance(problem, TooManyAtOnce):
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        response["Retry-After"] = str(SECONDS_TO_RETRY)
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
