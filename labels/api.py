"""The API of labels, their verification, their levels, and the counts that sources published."""

import json
import re
from datetime import date
from http import HTTPStatus
from typing import Any, Literal

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils import timezone, translation
from ninja import Query, Router
from ninja.errors import HttpError
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from clusters.api.parts import (
    NO_RECORD,
    WITHOUT_CONTROL,
    ClusterId,
    Country,
    CountryCode,
    Day,
    Id,
    InTwoLanguages,
    LevelCode,
    Listed,
    Name,
    OnDay,
    Page,
    Paging,
    PortfolioCode,
    Reference,
    StateOnDay,
    Words,
    answer_list,
    any_of,
    in_two_languages,
    keyset_page,
    refuse_parameter,
    row_of_parameter,
    with_facts,
)
from clusters.http.addresses import Data
from clusters.models import Cluster, Confidence, Portfolio
from clusters.tables.reader import decode_csv
from labels.formats.records import FACTS, label_record_in_words, label_records, sources_of_labels
from labels.models import Label, Level, Statement
from labels.register.holdings import level_options
from labels.register.query import RegisterQuery, read_register_query
from labels.verify.answers import answer_lines, data_of
from labels.verify.limits import MAX_LISTS, is_within_limit, too_often
from labels.verify.lookup import Found, LineVerdict
from labels.verify.questions import (
    MAX_BYTES,
    MAX_LINES,
    QuestionLine,
    read_csv_lines,
    read_lines,
    read_pasted_lines,
)

router = Router()

# More digits would not fit into the integers of a database.
KEY = re.compile(r"[1-9][0-9]{0,17}")


class LabelParameters(Paging):
    q: Words = Field("", description="Words in a name of the cluster.")
    level: list[LevelCode] = any_of("Level")
    state: list[StateOnDay] = any_of("State on the day")
    country: list[CountryCode] = any_of("Country of the cluster, as two letters (ISO 3166)")
    portfolio: list[PortfolioCode] = any_of("Portfolio of the cluster, by its id")
    cluster: ClusterId | None = Field(None, description="The cluster that holds it, by its id.")
    on: Day = None


class Holder(BaseModel):
    id: Id
    name: Name
    url: Page
    country: Country
    portfolio: str | None = Field(
        description="The id of its portfolio.", examples=["health-and-medical-science"]
    )


@with_facts(FACTS)
class LabelRecord(BaseModel):
    """The columns of `/labels.csv`."""

    state: StateOnDay = Field(examples=["valid"])
    cluster: Holder = Field(description="The holder, under its present name.")
    kind: Literal["first", "renewal"] | None


class SourceOfLabel(BaseModel):
    source: str | None = Field(examples=["https://www.example.org/labels"])
    confidence: Confidence
    note: str | None = Field(description="What it says, in English.", examples=[None])


class LabelWithSources(LabelRecord):
    sources: list[SourceOfLabel] = Field(description="Every source that tells of it.")


class VerifyParameters(OnDay):
    lang: Literal["en", "it"] = Field("en", description="The language of words and of pages.")


class Questions(BaseModel):
    q: list[str]
    on: Day = None


class FoundLabel(LabelRecord):
    """The same facts as `/labels/{id}.json`."""

    state_in_words: str
    caveat: str | None = Field(description="What limits that.")


class LabelDetail(LabelWithSources, FoundLabel):
    pass


class ManagedOnDay(BaseModel):
    id: str
    manages_on_day: bool


class FoundOrganisation(Reference):
    clusters: list[ManagedOnDay] = Field(description="That it manages or managed.")


class NearName(BaseModel):
    name: str
    why: str


class VerifiedLine(BaseModel):
    line: int = Field(description="Its number; empty lines count.")
    asked: str = Field(description="What was read in it.")
    claimed_level: str | None = Field(description="The level that the line says.")
    claimed_on: str | None = Field(description="The day that the line says.")
    borne_out: Literal["yes", "no", "cannot_be_told"] | None = Field(
        description="Whether that is so; null where the line says neither level nor day."
    )
    verdict: LineVerdict
    found_as: Found | None = Field(description="What it was found as; null where it is unknown.")
    in_words: str = Field(description="The state of the label that decides: the highest valid one.")
    caveat: str | None = Field(description="What limits that.")
    page: str = Field(description="The page for people that answers the same.")
    labels: list[FoundLabel] = Field(description="At most 20, the highest first.")
    more_labels: int = Field(description="How many more there are.")
    clusters_without_labels: list[Reference]
    more_clusters: int
    organisations: list[FoundOrganisation] = Field(description="The organisations asked for.")
    nearest: list[NearName] = Field(description="Names in the register that resemble it.")
    reasons: list[str] = Field(description="Why nothing was found.")


class VerdictCounts(BaseModel):
    valid: int
    uncertain: int
    not_valid: int
    transferred: int
    unknown: int


class Verification(BaseModel):
    on: date = Field(description="The day for which the states are told.")
    summary: VerdictCounts = Field(description="How many lines have each verdict.")
    answers: list[VerifiedLine] = Field(description="One for each line that is not empty.")


class LevelRecord(BaseModel):
    id: str = Field(description="Its code.", examples=["gold"])
    name: InTwoLanguages = Field(examples=[{"en": "Gold", "it": "Gold"}])
    rank: int = Field(description="The highest valid level is a cluster’s current one.")
    official_wording: str = Field(
        description="As printed on the certificate.", examples=["Proven for Cluster Excellence"]
    )
    process: InTwoLanguages = Field(description="How it is reached.")


class StatementRecord(BaseModel):
    """A count that a source published: quoted, never derived from this register."""

    id: str = Field(examples=["12"])
    as_of_on: str = Field(
        description="As precise as it is known: 2015 or 2015-09-08.", examples=["2015-09-08"]
    )
    definition: InTwoLanguages = Field(
        description="What was counted.",
        examples=[{"en": "clusters with Gold", "it": "cluster con il Gold"}],
    )
    count: int
    is_more_than: bool = Field(description="The source says “more than”.")
    level: str | None = Field(
        description="The level, where all clusters that hold it were counted.", examples=["gold"]
    )
    detail: InTwoLanguages = Field(examples=[{"en": None, "it": None}])
    source: str = Field(examples=["https://www.example.org/labels"])


@router.get("/labels", response=Listed[LabelWithSources], tags=["labels"], summary="Labels")
def labels_list(request: HttpRequest, asked: Query[LabelParameters]) -> Data:
    """The register of labels, with their states on a day, in the order in which they entered it."""
    day = asked.on or timezone.localdate()
    rows = find_labels(asked).labels(day)
    if asked.cluster is not None:
        holder = row_of_parameter("cluster", Cluster.objects.published(), asked.cluster)
        rows = rows.of_clusters([holder.pk])
    # States are asked for the rows of the page only.
    numbers = rows.select_related(None).only("public_id")
    found, following = keyset_page(request, asked, numbers, Label.objects.published())
    keys = [label.pk for label in found.rows]
    rows = Label.objects.filter(pk__in=keys).order_by("pk").with_state(day)
    return {"count": found.count, "next": following, "results": label_records(rows, day)}


@router.get("/labels/{id}", response=LabelDetail, tags=["labels"], summary="A label")
def labels_detail(request: HttpRequest, id: str, asked: Query[OnDay]) -> Data:
    """The label and its state on a day, with what limits it."""
    day = asked.on or timezone.localdate()
    label = Label.objects.for_pages(day).with_certificate().with_public_id(id).first()
    if label is None:
        raise Http404("There is no record with this id.")
    with translation.override("en"):
        sources = sources_of_labels([label.pk])[label.pk]
        return label_record_in_words(label, day) | {"sources": sources}


# Texts without control characters, in one of which at least there is something to read.
QUESTIONS = {
    "type": "array",
    "items": {"type": "string", "pattern": WITHOUT_CONTROL},
    "contains": {"pattern": r"\S"},
    "maxItems": MAX_LINES,
}
EXAMPLE = {"q": ["G-2015/57", "bioPmed"], "on": "2015-09-08"}
BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    {
                        "type": "object",
                        "required": ["q"],
                        "properties": {
                            "q": QUESTIONS,
                            "on": {"type": ["string", "null"], "format": "date"},
                        },
                    },
                    QUESTIONS,
                ]
            },
            "example": EXAMPLE,
        }
    },
}


@router.post(
    "/verify",
    response=Verification,
    tags=["labels"],
    summary="Verify labels",
    description=f"Whether labels are valid on a day: up to {MAX_LINES:,} lines, at most 1 MB, each"
    " with a number, a name, a VAT number or an address. As JSON, or as text/plain with one in each"
    f" line, or as text/csv. At most {MAX_LISTS} lists a minute from one network.",
    openapi_extra={"requestBody": BODY},
)
def labels_verify(request: HttpRequest, asked: Query[VerifyParameters]) -> HttpResponse:
    with translation.override(asked.lang):
        if not is_within_limit(request, is_list=True):
            raise too_often()
        lines, day = _lines_in_body(request)
        day = day or asked.on or timezone.localdate()
        data = json.dumps(data_of(answer_lines(lines, day), day), ensure_ascii=False)
    # Not built from `Verification`, which describes it: a thousand lines may name 20,000 labels.
    return HttpResponse(data, content_type="application/json")


@router.get("/levels", response=Listed[LevelRecord], tags=["codes"], summary="Levels")
def levels_list(request: HttpRequest, asked: Query[Paging]) -> Data:
    """Bronze, Silver and Gold, the lowest first."""
    known = Level.objects.all()
    return answer_list(request, asked, known, known, level_record, name="code", order=("rank",))


@router.get(
    "/statements", response=Listed[StatementRecord], tags=["statements"], summary="Published counts"
)
def statements_list(request: HttpRequest, asked: Query[Paging]) -> Data:
    """Counts that sources published, each with its day, its definition and its source."""
    if asked.after is not None and not KEY.fullmatch(asked.after):
        refuse_parameter("after", NO_RECORD)
    known = Statement.objects.all()
    return answer_list(request, asked, known, known, statement_record, name="pk")


def find_labels(asked: LabelParameters) -> RegisterQuery:
    # As an address of the register, so that API and pages never filter differently.
    data = QueryDict(mutable=True)
    data["q"] = asked.q
    for name in ("level", "state", "country", "portfolio"):
        data.setlist(name, getattr(asked, name))
    query = read_register_query(data, level_options(), list(Portfolio.objects.all()))
    for name, value in query.unknown:
        refuse_parameter(name, f"there is no “{value[:60]}”")
    return query


def _lines_in_body(request: HttpRequest) -> tuple[list[QuestionLine], date | None]:
    """The questions and, where JSON has one, their day. Raises HttpError or TableRefused."""
    # By what the request says of itself, before any of it is read.
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The list is larger than 1 MB. Send it in parts."
        )
    match request.content_type:
        case "application/json":
            return _lines_in_json(request.body)
        case "text/csv":
            return read_csv_lines(request.body), None
        case "text/plain":
            return read_pasted_lines(decode_csv(request.body).read()), None
    raise HttpError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Send application/json, text/plain with a line for each question, or text/csv.",
    )


def _lines_in_json(body: bytes) -> tuple[list[QuestionLine], date | None]:
    try:
        given: Questions | list[str] = TypeAdapter(Questions | list[str]).validate_json(body)
    except ValidationError as error:
        detail = f"Send {json.dumps(EXAMPLE)}, or the list of texts alone."
        raise HttpError(HTTPStatus.BAD_REQUEST, detail) from error
    if isinstance(given, list):
        return read_lines(given), None
    return read_lines(given.q), given.on


def level_record(level: Level) -> Data:
    return {
        "id": level.code,
        "name": in_two_languages(level),
        "rank": level.rank,
        "official_wording": level.official_wording,
        "process": in_two_languages(level, "process"),
    }


def statement_record(row: Statement) -> Data:
    return {
        "id": str(row.pk),
        "as_of_on": str(row.as_of_on),
        "definition": in_two_languages(row, "definition"),
        "count": row.count,
        "is_more_than": row.is_more_than,
        "level": row.level_id,
        "detail": in_two_languages(row, "detail"),
        "source": row.source,
    }
