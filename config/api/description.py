"""The read API described: for machines as OpenAPI, for people as a page made from that."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
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
    return HttpResponse(described_bytes(), content_type="application/json")


def docs(request: HttpRequest) -> HttpResponse:
    context = {
        "section": "",
        "info": description()["info"],
        "groups": groups(),
        "records": records(),
        "root": f"{settings.SITE_URL}{ROOT}",
        "most": settings.API_REQUESTS_A_MINUTE,
    }
    response = HttpResponse(render_to_string("api_docs.html", context, request))
    response["Content-Language"] = "en"
    return response


@cache
def described_bytes() -> bytes:
    return json.dumps(description(), ensure_ascii=False, indent=1).encode()


@cache
def description() -> Data:
    """The OpenAPI description, with examples and with what every answer has in common."""
    schema: Data = json.loads(json.dumps(api.get_openapi_schema(path_prefix=ROOT), default=str))
    known = schema["components"]["schemas"]
    known["Problem"] = PROBLEM
    for where, methods in schema["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                tell_simply(parameter, where.removeprefix(f"{ROOT}/").partition("/")[0])
            answers = operation["responses"]
            content = answers["200"]["content"]["application/json"]
            content["example"] = example_of(content["schema"], known)
            refusals = {**REFUSALS, **(OF_LISTS if method == "post" else {})}
            if "{" not in where:
                del refusals[HTTPStatus.NOT_FOUND]
            answers |= {str(int(status)): refusal(status, refusals[status]) for status in refusals}
            if method == "get":
                answers["200"] |= {"headers": HEADERS}
                answers["304"] = {"description": "What If-None-Match names is still right."}
    return schema


def tell_simply(parameter: Data, resource: str) -> None:
    """A parameter that may be left out is not null, which cannot be written in an address.

    Formats of our own name the lists whose ids or codes a text is one of.
    """
    told = parameter["schema"]
    told.pop("title", None)
    examples = told.pop("examples", None)
    if parameter.pop("examples", None):
        parameter["example"] = examples[0]
    if told.get("default", "") is None:
        del told["default"]
    for way in told.pop("anyOf", []):
        told |= way if way != {"type": "null"} else {}
    if parameter["name"] in ("after", "id"):
        told["format"] = f"{resource}-id"


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


def refusal(status: HTTPStatus, description: str) -> Data:
    told: Data = {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = {"description": "In seconds.", "schema": {"type": "integer"}}
        told["headers"] = {"Retry-After": seconds}
    return told


# Examples

# Of what has no example of its own.
OF_TYPE: Data = {"integer": 1, "number": 1.0, "boolean": True, "string": "", "null": None}


def example_of(schema: Data, known: Mapping[str, Data]) -> Any:
    """Made of the examples of the fields; the first of the values of which a field has one."""
    for choice in ("examples", "enum"):
        if choice in schema:
            return schema[choice][0]
    if "$ref" in schema:
        return example_of(known[schema["$ref"].rpartition("/")[2]], known)
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], known)
    if schema["type"] == "array":
        return [example_of(schema["items"], known)]
    if schema["type"] == "object":
        return {name: example_of(told, known) for name, told in schema["properties"].items()}
    return OF_TYPE[schema["type"]]


# The page of the description


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Question:
    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    curl: str
    example: str


@dataclass(frozen=True)
class Group:
    name: str
    description: str
    questions: list[Question]


@dataclass(frozen=True)
class Record:
    name: str
    description: str
    fields: list[Field]


def groups() -> list[Group]:
    found: dict[str, list[Question]] = {name: [] for name in TAGS}
    for where, methods in description()["paths"].items():
        for method, told in methods.items():
            found[told["tags"][0]].append(question(method, where, told))
    return [Group(name, TAGS[name], questions) for name, questions in found.items()]


def question(method: str, where: str, told: Data) -> Question:
    answer = told["responses"]["200"]["content"]["application/json"]
    path_asked = where.replace("{id}", EXAMPLE_ID)
    return Question(
        id=told["operationId"],
        method=method.upper(),
        path=where,
        summary=told["summary"],
        description=told.get("description", ""),
        parameters=[
            Field(row["name"], type_asked(row["schema"]), row["schema"].get("description", ""))
            for row in told["parameters"]
        ],
        curl=f"curl {body_asked(told)}'{settings.SITE_URL}{path_asked}{ASKED.get(where, '')}'",
        example=json.dumps(answer["example"], ensure_ascii=False, indent=2),
    )


def body_asked(told: Data) -> str:
    if "requestBody" not in told:
        return ""
    example = told["requestBody"]["content"]["application/json"]["example"]
    return f"-H 'Content-Type: application/json' -d '{json.dumps(example)}' "


# What the examples of the page ask.
ASKED = {
    f"{ROOT}/clusters": "?country=IT&country=FR&level=gold&limit=1",
    f"{ROOT}/clusters/facets": "?country=IT",
    f"{ROOT}/labels": "?state=valid&on=2015-09-08",
    f"{ROOT}/announcements": "?year=2015",
    f"{ROOT}/organisations": "?q=park",
    f"{ROOT}/regions": "?country=IT",
}


def records() -> list[Record]:
    """What the answers are made of; the lists themselves say nothing new."""
    return [
        Record(
            name,
            told.get("description", ""),
            [
                Field(field, type_of(of), of.get("description", ""))
                for field, of in told["properties"].items()
            ],
        )
        for name, told in sorted(description()["components"]["schemas"].items())
        if "properties" in told and "results" not in told["properties"]
    ]


def type_asked(schema: Data) -> str:
    """Of a parameter, which an address repeats for each value of a list."""
    if schema.get("type") == "array":
        return f"{type_of(schema['items'])}; may be repeated"
    return type_of(schema)


def type_of(schema: Data) -> str:
    """In a few words: “text or null”, “list of Manager”, “one of a, b”."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        told = description()["components"]["schemas"][name]
        return type_of(told) if "enum" in told else name
    if "anyOf" in schema:
        return " or ".join(type_of(way) for way in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema["type"] == "array":
        return f"list of {type_of(schema['items'])}"
    names = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    if schema.get("format") in ("date", "date-time"):
        return "day" if schema["format"] == "date" else "moment"
    return names.get(str(schema["type"]), str(schema["type"]))
