"""Verifying labels: a page with a question or a list, and the same for machines."""

import json
from collections.abc import Callable, Sequence
from datetime import date
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from clusters.http.asof import as_of, read_day
from clusters.http.limits import allow, network_address, network_of
from clusters.http.responses import open_to_all, opened
from clusters.tables.reader import TableRefused
from clusters.views.contact import cookieless_form
from labels.verify.answers import (
    Answered,
    answer_lines,
    as_csv,
    as_json,
    as_spreadsheet,
    data_of,
    parts,
)
from labels.verify.lookup import verify
from labels.verify.questions import (
    MAX_BYTES,
    MAX_LINES,
    QuestionLine,
    read_csv_lines,
    read_lines,
    read_pasted_lines,
)

MINUTE = 60
MOST_QUESTIONS = 120
MOST_LISTS = 20
MOST_IN_ADDRESS = 100

FORMATS: dict[str, tuple[Callable[[Sequence[Answered], date], bytes], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (
        as_spreadsheet,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "json": (as_json, "application/json"),
}

HOW_TO_ASK: dict[str, object] = {
    "GET": f"/verify.json?q=G-2015/57&on=2015-09-08; q up to {MOST_IN_ADDRESS} times",
    "POST": f"up to {MAX_LINES} lines as text/plain, text/csv or application/json",
    "JSON": {"q": ["G-2015/57", "bioPmed"], "on": "2015-09-08"},
}


@cookieless_form
def label_verify(request: HttpRequest) -> HttpResponse:
    """One question by an address, a list by a form that anybody may send from anywhere."""
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
    """A file that was chosen counts before what stands in the text area."""
    upload = request.FILES.get("file")
    if upload is None:
        return read_pasted_lines(request.POST.get("lines", ""))
    return read_csv_lines(upload.read(MAX_BYTES + 1))


def page(
    request: HttpRequest, context: dict[str, object], problem: Exception | None = None
) -> HttpResponse:
    defaults = {"section": "verify", "asked": "", "answer": None, "lines": "", "answered": None}
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


class TooOften(Exception):
    """More was asked from one network than is fair."""


def too_often() -> TooOften:
    return TooOften(
        _(
            "More was asked from your network in the last minute than one reader needs. Nothing"
            " you typed is lost: wait a minute and send it again."
        )
    )


def is_within_limit(request: HttpRequest, *, is_list: bool) -> bool:
    name, most = ("verify list", MOST_LISTS) if is_list else ("verify", MOST_QUESTIONS)
    return allow(name, network_of(network_address(request)), most=most, seconds=MINUTE)


# For machines


class Problem(Exception):
    """What is wrong with a request, as RFC 9457 tells it."""

    def __init__(self, status: HTTPStatus, detail: str, *, line: int | None = None):
        super().__init__(detail)
        self.status, self.detail, self.line = status, detail, line

    def response(self) -> HttpResponse:
        data: dict[str, object] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }
        if self.line is not None:
            data["line"] = self.line
        response = json_answer(data, "application/problem+json")
        response.status_code = self.status
        response["Cache-Control"] = "no-store"
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            response["Retry-After"] = str(MINUTE)
        if self.status == HTTPStatus.METHOD_NOT_ALLOWED:
            response["Allow"] = "GET, HEAD, POST, OPTIONS"
        return response


@csrf_exempt
def verify_json(request: HttpRequest) -> HttpResponse:
    """Uses no authority of a session, so another origin may send lists too."""
    language = request.GET.get("lang", "en")
    with translation.override(language if language in dict(settings.LANGUAGES) else "en"):
        try:
            response = answer_machine(request)
        except Problem as problem:
            response = problem.response()
        except TableRefused as error:
            is_large = error.is_too_large
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_large else HTTPStatus.BAD_REQUEST
            response = Problem(status, str(error), line=error.line or None).response()
    response["Access-Control-Expose-Headers"] = "Retry-After"
    open_to_all(response)
    return response


def answer_machine(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return may_verify()
    if request.method not in ("GET", "HEAD", "POST"):
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, "Ask with GET or POST.")
    language = request.GET.get("lang", "en")
    if language not in dict(settings.LANGUAGES):
        raise Problem(HTTPStatus.BAD_REQUEST, "lang: give en or it.")
    is_list = request.method == "POST"
    if not is_list and "q" not in request.GET:
        return json_answer(HOW_TO_ASK)
    if not is_within_limit(request, is_list=is_list):
        raise Problem(HTTPStatus.TOO_MANY_REQUESTS, str(too_often()))
    now = timezone.now()
    if not is_list:
        lines, day = lines_in_address(request), day_asked(request.GET, timezone.localdate(now))
        response = json_answer(data_of(answer_lines(lines, day), day))
        opened(response, now)
        return response
    lines, day = lines_in_body(request, timezone.localdate(now))
    response = json_answer(data_of(answer_lines(lines, day), day))
    response["Cache-Control"] = "no-store"
    return response


def may_verify() -> HttpResponse:
    """What a browser asks before it sends JSON to another origin."""
    return HttpResponse(
        status=HTTPStatus.NO_CONTENT,
        headers={
            "Allow": "GET, HEAD, POST, OPTIONS",
            "Access-Control-Allow-Methods": "GET, HEAD, POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": "86400",
        },
    )


def json_answer(data: dict[str, object], content_type: str = "application/json") -> HttpResponse:
    return HttpResponse(json.dumps(data, ensure_ascii=False), content_type=content_type)


def lines_in_address(request: HttpRequest) -> list[QuestionLine]:
    asked = request.GET.getlist("q")
    if len(asked) > MOST_IN_ADDRESS:
        detail = (
            f"q: {len(asked)} times; at most {MOST_IN_ADDRESS} fit in an address."
            f" Send up to {MAX_LINES} lines by POST."
        )
        raise Problem(HTTPStatus.BAD_REQUEST, detail)
    if not any(text.strip() for text in asked):
        detail = "q: give what to verify, as in /verify.json?q=G-2015/57&on=2015-09-08."
        raise Problem(HTTPStatus.BAD_REQUEST, detail)
    return read_lines(asked)


def day_asked(data: QueryDict, today: date) -> date:
    day, problem = read_day(data)
    if problem:
        raise Problem(HTTPStatus.BAD_REQUEST, "on: this is not a day like 2015-09-08.")
    return day or today


def lines_in_body(request: HttpRequest, today: date) -> tuple[list[QuestionLine], date]:
    if content_length(request) > MAX_BYTES:
        detail = "The list is larger than 1 MB. Send it in parts."
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    day = day_asked(request.GET, today)
    if request.content_type == "application/json":
        return lines_in_json(request.body, day)
    if request.content_type == "text/csv":
        return read_csv_lines(request.body), day
    if request.content_type == "text/plain":
        try:
            return read_pasted_lines(request.body.decode("utf-8-sig")), day
        except UnicodeDecodeError as error:
            line = request.body.count(b"\n", 0, error.start) + 1
            detail = f"Line {line} is not encoded in UTF-8."
            raise Problem(HTTPStatus.BAD_REQUEST, detail, line=line) from error
    raise Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Send application/json, text/plain with a line for each question, or text/csv.",
    )


def content_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def lines_in_json(body: bytes, day: date) -> tuple[list[QuestionLine], date]:
    """`{"q": ["…", "…"], "on": "2015-09-08"}`, or the list alone."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is not JSON in UTF-8.") from error
    if isinstance(data, list):
        data = {"q": data}
    asked = data.get("q") if isinstance(data, dict) else None
    if not isinstance(asked, list) or not all(isinstance(text, str) for text in asked):
        detail = 'Send {"q": ["…", "…"], "on": "2015-09-08"} with a list of texts.'
        raise Problem(HTTPStatus.BAD_REQUEST, detail)
    on = data.get("on", "")
    if not isinstance(on, str):
        raise Problem(HTTPStatus.BAD_REQUEST, "on: this is not a day like 2015-09-08.")
    given = QueryDict(mutable=True)
    given["on"] = on
    return read_lines(asked), day_asked(given, day)
