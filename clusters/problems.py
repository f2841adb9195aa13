"""What is wrong with a request to the API, in the words of RFC 9457."""

import json
from collections.abc import Sequence
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from clusters.structured import Data

CONTENT_TYPE = "application/problem+json"


def is_for_the_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def problem(status: HTTPStatus, detail: str, errors: Sequence[Data] = ()) -> HttpResponse:
    """`errors` name parameters, each with what is wrong with it. Open to every origin."""
    data: Data = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
    }
    if errors:
        data["errors"] = list(errors)
    return HttpResponse(
        json.dumps(data, ensure_ascii=False),
        status=status,
        content_type=CONTENT_TYPE,
        headers={
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "no-store",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )
