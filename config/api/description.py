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
        operation = methods["get"]
        for parameter in operation["parameters"]:
            tell_simply(parameter, where.removeprefix(f"{ROOT}/").partition("/")[0])
        answers = operation["responses"]
        answers["200"] |= {"headers": HEADERS}
        answers["200"]["content"]["application/json"]["example"] = example_of(
            answers["200"]["content"]["application/json"]["schema"], known
        )
        answers |= {
            str(int(status)): refusal(status)
            for status in REFUSALS
            if status != HTTPStatus.NOT_FOUND or "{" in where
        }
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


def refusal(status: HTTPStatus) -> Data:
    told: Data = {
        "description": REFUSALS[status],
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = {"description": "In seconds.", "schema": {"type": "integer"}}
        told["headers"] = {"Retry-After": seconds}
    return told


# Examples

PAGES = f"{settings.SITE_URL}/en"
# By record and field, else by field; the others have an example of their type.
EXAMPLES: Data = {
    "id": "B4K7M2PX",
    "url": f"{PAGES}/clusters/biopmed/",
    "name": "bioPmed",
    "next": f"{settings.SITE_URL}{ROOT}/clusters?country=IT&after=B4K7M2PX",
    "country": "IT",
    "town": "Colleretto Giacosa",
    "latitude": 45.4326,
    "longitude": 7.8103,
    "website": "https://www.example.org/",
    "contact_address": "info@example.org",
    "eccp_url": None,
    "logo": None,
    "picture": None,
    "source": "https://www.example.org/labels",
    "level": "gold",
    "state": "valid",
    "role": "lead",
    "language": "en",
    "on": "2015-09-08",
    "starts_on": "2015-07-01",
    "ends_on": "2017-07-31",
    "renewable_until": "2018-07-31",
    "rule_of": "2010-11-01",
    "extended_until": None,
    "transferred_on": None,
    "transferred_to": None,
    "transferred_from": None,
    "required_from": "2022-01-01",
    "required_until": None,
    "confirmed_on": "2026-03-10",
    "assessed_on": "2015-07",
    "awarded_on": None,
    "announced_on": "2015-09-08",
    "valid_until": None,
    "ended_on": None,
    "counted_on": "2015",
    "as_of_on": "2015-09-08",
    "published_at": "2015-09-08T14:38:00+02:00",
    "awarded_by": "ESCA",
    "score": None,
    "certificate_number": "G-2015/57",
    "official_wording": "Proven for Cluster Excellence",
    "managing_organisation": "Bioindustry Park Silvano Fumero SpA",
    "title": "bioPmed obtains the Gold Label",
    "lead": "The innovation cluster for human health of Piemonte.",
    "body": "<p>The label was announced on 8 September 2015.</p>",
    "legal_form": "SpA",
    "vat_number": None,
    "lei": None,
    "box": None,
    "box_title": None,
    "picture_alt": None,
    "picture_credit": None,
    "contact_role": "Cluster management",
    "ClusterRow.state": "active",
    "ClusterRecord.state": "active",
    "Holder.portfolio": "health-and-medical-science",
    "PortfolioName.id": "health-and-medical-science",
    "PortfolioName.name": {"en": "Health and Medical Science", "it": "Salute e scienze mediche"},
    "ProgrammeName.name": {"en": "ACE", "it": "ACE"},
    "ProgrammeRow.name": {"en": "ACE", "it": "ACE"},
    "ProgrammeRecord.name": {"en": "ACE", "it": "ACE"},
    "LevelRecord.id": "gold",
    "LevelRecord.name": {"en": "Gold", "it": "Gold"},
    "RegionRecord.id": "IT-21",
    "RegionRecord.name": "Piemonte",
    "RegionName.code": "IT-21",
    "RegionName.name": "Piemonte",
    "OtherName.name": "Bioindustry cluster",
    "OtherName.kind": "former",
    "StatementRecord.id": "12",
    "StatementRecord.definition": {"en": "clusters with Gold", "it": "cluster con il Gold"},
    "StatementRecord.detail": {"en": None, "it": None},
    "FacetCounts.name": "country",
    "FacetValue.value": "IT",
    "FacetValue.name": {"en": "Italy", "it": "Italia"},
    "InTwoLanguages.en": "Innovation for human health",
    "InTwoLanguages.it": "Innovazione per la salute umana",
}
OF_TYPE: Data = {"integer": 1, "number": 1.0, "boolean": True, "string": "", "null": None}


def example_of(schema: Data, known: Mapping[str, Data], record: str = "", name: str = "") -> Any:
    for key in (f"{record}.{name}", name):
        if key in EXAMPLES:
            return EXAMPLES[key]
    if "$ref" in schema:
        record = schema["$ref"].rpartition("/")[2]
        return example_of(known[record], known, record)
    for choice in ("examples", "enum"):
        if choice in schema:
            return schema[choice][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], known, record)
    if schema["type"] == "array":
        return [example_of(schema["items"], known, record)]
    if schema["type"] == "object":
        return {
            field: example_of(told, known, record, field)
            for field, told in schema["properties"].items()
        }
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
        told = methods["get"]
        found[told["tags"][0]].append(question(where, told))
    return [Group(name, TAGS[name], questions) for name, questions in found.items()]


def question(where: str, told: Data) -> Question:
    answer = told["responses"]["200"]["content"]["application/json"]
    path_asked = where.replace("{id}", EXAMPLES["id"])
    return Question(
        id=told["operationId"],
        path=where,
        summary=told["summary"],
        description=told.get("description", ""),
        parameters=[
            Field(row["name"], type_asked(row["schema"]), row["schema"].get("description", ""))
            for row in told["parameters"]
        ],
        curl=f"curl '{settings.SITE_URL}{path_asked}{ASKED.get(where, '')}'",
        example=json.dumps(answer["example"], ensure_ascii=False, indent=2),
    )


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
