"""The read API described: for machines as OpenAPI, for people as a page made from that."""

import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from clusters.formats.facts import EXAMPLE_ID
from clusters.http.addresses import Data
from clusters.http.responses import CONTENT_TYPE
from config.api.requests import ROOT, TAGS, api


def openapi_json(request: HttpRequest) -> HttpResponse:
    return HttpResponse(description_bytes(), content_type="application/json")


def docs(request: HttpRequest) -> HttpResponse:
    context = {
        "section": "",
        "info": openapi_description()["info"],
        "groups": [(name, TAGS[name], found) for name, found in _operations_by_tag().items()],
        "records": _record_schemas(),
        "root": f"{settings.SITE_URL}{ROOT}",
        "most": settings.API_REQUESTS_A_MINUTE,
    }
    response = HttpResponse(render_to_string("api_docs.html", context, request))
    response["Content-Language"] = "en"
    return response


@cache
def description_bytes() -> bytes:
    return json.dumps(openapi_description(), ensure_ascii=False, indent=1).encode()


@cache
def openapi_description() -> Data:
    """The OpenAPI description, with examples and with what every answer has in common."""
    schema: Data = json.loads(json.dumps(api.get_openapi_schema(path_prefix=ROOT), default=str))
    known = schema["components"]["schemas"]
    known["Problem"] = PROBLEM
    # Of an operation that has a body, django-ninja leaves its parameters among the records.
    del known["VerifyParameters"]
    for where, methods in schema["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                _simplify(parameter, where.removeprefix(f"{ROOT}/").partition("/")[0])
            answers = operation["responses"]
            content = answers["200"]["content"]["application/json"]
            content["example"] = _example(content["schema"], known)
            refusals = {**REFUSALS, **(OF_LISTS if method == "post" else {})}
            if "{" not in where:
                del refusals[HTTPStatus.NOT_FOUND]
            for status, text in refusals.items():
                answers[str(int(status))] = _problem_response(status, text)
            if "{" in where:
                answers["301"] = {"description": "The record has this id in other letters."}
            if method == "get":
                answers["200"] |= {"headers": HEADERS}
                answers["304"] = {"description": "What If-None-Match names is still right."}
    return schema


def _simplify(parameter: Data, resource: str) -> None:
    """A parameter that may be left out is not null, which cannot be written in an address.

    Formats of our own name the lists whose ids or codes a text is one of.
    """
    schema = parameter["schema"]
    schema.pop("title", None)
    examples = schema.pop("examples", None)
    if parameter.pop("examples", None):
        parameter["example"] = examples[0]
    if schema.get("default", "") is None:
        del schema["default"]
    for choice in schema.pop("anyOf", []):
        schema |= choice if choice != {"type": "null"} else {}
    if parameter["name"] in ("after", "id"):
        schema["format"] = f"{resource}-id"


PROBLEM: Data = {
    "title": "Problem",
    "type": "object",
    "description": "What is wrong, as RFC 9457 tells it.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "In words, for people."},
        "line": {"type": "integer", "description": "Which line of a list cannot be read."},
        "errors": {
            "type": "array",
            "description": "Where values are wrong: each parameter, and what is wrong with it.",
            "items": {
                "type": "object",
                "required": ["parameter", "detail"],
                "properties": {"parameter": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
REFUSALS = {
    HTTPStatus.BAD_REQUEST: "The address cannot be read.",
    HTTPStatus.NOT_FOUND: "No public record has this id.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A parameter has a wrong value; `errors` names it.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too much was asked; Retry-After tells how long to wait.",
}
OF_LISTS = {
    HTTPStatus.BAD_REQUEST: "The list cannot be read.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The list has too many lines or bytes.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "A list is JSON, text/plain or text/csv.",
}
HEADERS: Data = {
    "ETag": {
        "description": "Send it back as If-None-Match: 304 says that nothing has changed.",
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "How long the answer may be kept.",
        "schema": {"type": "string"},
    },
}


def _problem_response(status: HTTPStatus, description: str) -> Data:
    answer: Data = {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = {"description": "In seconds.", "schema": {"type": "integer"}}
        answer["headers"] = {"Retry-After": seconds}
    return answer


# Examples

# Of what has no example of its own.
OF_TYPE: Data = {"integer": 1, "number": 1.0, "boolean": True, "string": "", "null": None}


def _example(schema: Data, known: Mapping[str, Data]) -> Any:
    for choice in ("examples", "enum"):
        if choice in schema:
            return schema[choice][0]
    if "$ref" in schema:
        return _example(known[schema["$ref"].rpartition("/")[2]], known)
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], known)
    if schema["type"] == "array":
        return [_example(schema["items"], known)]
    if schema["type"] == "object":
        return {name: _example(of, known) for name, of in schema["properties"].items()}
    return OF_TYPE[schema["type"]]


# The page of the description


def _operations_by_tag() -> dict[str, list[Data]]:
    found: dict[str, list[Data]] = {name: [] for name in TAGS}
    for path, methods in openapi_description()["paths"].items():
        for method, operation in methods.items():
            found[operation["tags"][0]].append(_operation(method, path, operation))
    return found


def _operation(method: str, path: str, operation: Data) -> Data:
    answer = operation["responses"]["200"]["content"]["application/json"]
    address = f"{settings.SITE_URL}{path.replace('{id}', EXAMPLE_ID)}{QUERIES.get(path, '')}"
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": [
            _field(parameter["name"], parameter["schema"], is_parameter=True)
            for parameter in operation["parameters"]
        ],
        "curl": f"curl {_body_of_curl(operation)}'{address}'",
        "example": json.dumps(answer["example"], ensure_ascii=False, indent=2),
    }


def _field(name: str, schema: Data, *, is_parameter: bool = False) -> Data:
    return {
        "name": name,
        "type": _type_in_words(schema, is_parameter=is_parameter),
        "description": schema.get("description", ""),
    }


def _body_of_curl(operation: Data) -> str:
    if "requestBody" not in operation:
        return ""
    example = operation["requestBody"]["content"]["application/json"]["example"]
    return f"-H 'Content-Type: application/json' -d '{json.dumps(example)}' "


# What the examples of the page ask.
QUERIES = {
    f"{ROOT}/clusters": "?country=IT&country=FR&level=gold&limit=1",
    f"{ROOT}/clusters/facets": "?country=IT",
    f"{ROOT}/labels": "?state=valid&on=2015-09-08",
    f"{ROOT}/announcements": "?year=2015",
    f"{ROOT}/organisations": "?q=park",
    f"{ROOT}/regions": "?country=IT",
}


def _record_schemas() -> list[Data]:
    # The lists themselves say nothing new.
    return [
        {
            "name": name,
            "description": schema.get("description", ""),
            "fields": [_field(name, of) for name, of in schema["properties"].items()],
        }
        for name, schema in sorted(openapi_description()["components"]["schemas"].items())
        if "properties" in schema and "results" not in schema["properties"]
    ]


TYPES: dict[str, str] = {
    "string": "text",
    "integer": "whole number",
    "boolean": "true or false",
    "date": "day",
    "date-time": "moment",
}


def _type_in_words(schema: Data, *, is_parameter: bool = False) -> str:
    """“text or null”, “list of Manager”, “one of a, b”."""
    if "$ref" in schema:
        name: str = schema["$ref"].rpartition("/")[2]
        of_the_name = openapi_description()["components"]["schemas"][name]
        return _type_in_words(of_the_name) if "enum" in of_the_name else name
    if "anyOf" in schema:
        return " or ".join(map(_type_in_words, schema["anyOf"]))
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema["type"] == "array":
        items = _type_in_words(schema["items"])
        # An address repeats a parameter for each value.
        return f"{items}; may be repeated" if is_parameter else f"list of {items}"
    kind: str = schema["type"]
    return TYPES.get(schema.get("format", "")) or TYPES.get(kind, kind)
