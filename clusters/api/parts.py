"""What all lists and records of the read API share: paging, references, what is refused."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any, Generic, Literal, NoReturn, TypeVar, cast, get_args
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.utils import translation
from ninja.errors import ValidationError
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, create_model

from clusters.dates import FIRST_YEAR, LAST_YEAR, parse_day
from clusters.formats.facts import EXAMPLE_ID, EXAMPLE_PAGE, Fact, Facts, record_of_instance
from clusters.http.addresses import Data, absolute
from clusters.http.faceted import MAX_VALUES
from clusters.http.paging import KeysetPage, read_keyset_page
from clusters.models import Cluster, Organisation, Programme

Row = TypeVar("Row")
AnyModel = TypeVar("AnyModel", bound=Model)
AnyRecord = TypeVar("AnyRecord", bound=BaseModel)

MAX_ROWS, DEFAULT_ROWS = 100, 24
NO_RECORD = "there is no record with this id"


def exact_day(text: Any) -> date | None:
    # Pydantic would take a moment, or seconds since 1970, for a day.
    if text is None:
        return None
    try:
        return parse_day(str(text))
    except ValueError as error:
        message = f"give a day of the years {FIRST_YEAR} to {LAST_YEAR}, as 2015-09-08"
        raise ValueError(message) from error


Day = Annotated[
    date | None,
    BeforeValidator(exact_day),
    Field(
        description="The day for which states and managers are told; today without it.",
        examples=["2015-09-08"],
    ),
]


def _format(what: str) -> Any:
    # That a list has the text, no schema can say: the format names the list.
    return WithJsonSchema({"type": "string", "format": what})


# What no address may carry (config.middleware).
WITHOUT_CONTROL = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Words = Annotated[str, Field(pattern=WITHOUT_CONTROL)]
CountryCode = Annotated[str, _format("country-code")]
RegionCode = Annotated[str, _format("regions-id")]
PortfolioCode = Annotated[str, _format("portfolios-id")]
ProgrammeSlug = Annotated[str, _format("programme-slug")]
TopicSlug = Annotated[str, _format("topic-slug")]
Month = Annotated[str, _format("month")]
PlaceName = Annotated[str, _format("place")]
BoxText = Annotated[str, _format("box")]
LevelCode = Literal["bronze", "silver", "gold"]
StateOnDay = Literal[
    "not_yet",
    "valid",
    "uncertain",
    "renewable",
    "expired",
    "suspended",
    "revoked",
    "transferred",
    "undated",
]
ClusterId = Annotated[str, _format("clusters-id")]
OrganisationId = Annotated[str, _format("organisations-id")]


def any_of(title: str) -> Any:
    return Field([], description=f"{title}.", max_length=MAX_VALUES)


class Paging(BaseModel):
    after: str | None = Field(
        None, description="The id of the last record that you have: what follows it is told."
    )
    limit: int = Field(
        DEFAULT_ROWS, ge=1, le=MAX_ROWS, description="How many records to tell at most."
    )


class Listed(BaseModel, Generic[Row]):
    count: int = Field(description="How many records the whole list has.", examples=[1])
    next: str | None = Field(
        description="Where the list goes on; null at its end.",
        examples=[f"{settings.SITE_URL}/api/v1/clusters?country=IT&after={EXAMPLE_ID}"],
    )
    results: list[Row]

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        # As the description and clients made from it call the list.
        return f"ListOf{params[0].__name__}"


# Fields of many records

Id = Annotated[
    str, Field(description="Eight letters and digits that never change.", examples=[EXAMPLE_ID])
]
Page = Annotated[str, Field(description="Its page.", examples=[EXAMPLE_PAGE])]
Name = Annotated[str, Field(examples=["bioPmed"])]
Country = Annotated[str, Field(description="As two letters (ISO 3166).", examples=["IT"])]
LevelName = Annotated[str, Field(description="bronze, silver or gold.", examples=["gold"])]
AS_KNOWN = "As precise as it is known: 2013, 2015-07 or 2015-07-14."
PartialDay = Annotated[str | None, Field(description=AS_KNOWN, examples=["2013"])]
EndDay = Annotated[str | None, Field(description=AS_KNOWN, examples=[None])]


class InTwoLanguages(BaseModel):
    en: str | None = Field(
        description="In English; null where there is no such text.",
        examples=["Innovation for human health"],
    )
    it: str | None = Field(
        description="In Italian; null where there is no such text.",
        examples=["Innovazione per la salute umana"],
    )


class Reference(BaseModel):
    """A record with an id and a page of its own, elsewhere in this API."""

    id: Id
    name: Name
    url: Page


class RegionName(BaseModel):
    code: str | None = Field(description="ISO 3166-2, where it has a code.", examples=["IT-21"])
    name: str = Field(examples=["Piemonte"])


class PortfolioName(BaseModel):
    id: str = Field(description="Its code.", examples=["health-and-medical-science"])
    name: InTwoLanguages = Field(
        examples=[{"en": "Health and Medical Science", "it": "Salute e scienze mediche"}]
    )


ACE = Field(examples=[{"en": "ACE", "it": "ACE"}])


class ProgrammeName(BaseModel):
    id: Id
    name: InTwoLanguages = ACE
    url: Page


class OnDay(BaseModel):
    on: Day = None


def with_facts(
    facts: Facts, *, are_details: bool = False
) -> Callable[[type[AnyRecord]], type[AnyRecord]]:
    """Give a record of the API the facts of its table, in the order of the table.

    What the class declares stands in the place of a fact of the same name, or behind them all.
    """

    def extended(record: type[AnyRecord]) -> type[AnyRecord]:
        own = {
            name: (field.annotation, field)
            for name, field in record.model_fields.items()
            if name in record.__annotations__
        }
        shared = {
            fact.name: (fact.type, field_of(fact))
            for fact in facts
            if fact.type is not None and fact.is_detail == are_details
        }
        fields: dict[str, Any] = {}
        for fact in facts:
            name = fact.name.removesuffix("_en")  # one field of the API has both languages
            if name in own or fact.name in shared:
                fields[name] = own.get(name) or shared[fact.name]
        # Pydantic settles the order of fields when a class is made: so it is made anew.
        model: Any = create_model(
            record.__name__,
            __base__=record.__bases__,
            __doc__=record.__doc__,
            __module__=record.__module__,
            **(fields | own),
        )
        return cast(type[AnyRecord], model)

    return extended


def field_of(fact: Fact) -> Any:
    with translation.override("en"):  # the API is loaded with whichever page asks first
        description = str(fact.help)
    is_nullable = type(None) in get_args(fact.type)
    examples = [fact.example] if is_nullable or fact.example is not None else None
    return Field(description=description, examples=examples)


def facts_of(facts: Facts, instance: Model) -> Data:
    """Those of the fields made by `with_facts`, without a query on what is loaded."""
    return record_of_instance([fact for fact in facts if fact.type is not None], instance)


def refuse_parameter(parameter: str, detail: str) -> NoReturn:
    raise ValidationError([{"loc": ("query", parameter), "msg": detail}])


def published_row(known: QuerySet[AnyModel], name: str, value: str) -> AnyModel:
    row = known.filter(**{name: value}).first()
    if row is None:
        raise Http404("There is no record with this id.")
    return row


def row_of_parameter(parameter: str, known: QuerySet[AnyModel], public_id: str) -> AnyModel:
    row = known.filter(public_id=public_id).first()
    return row or refuse_parameter(parameter, NO_RECORD)


def keyset_page(
    request: HttpRequest,
    asked: Paging,
    rows: QuerySet[AnyModel],
    known: QuerySet[AnyModel],
    *,
    name: str = "public_id",
    order: Sequence[str] = ("pk",),
) -> tuple[KeysetPage[AnyModel], str | None]:
    """The rows asked for and the address of the next ones; three queries, two on the first page.

    `known` are all published rows, of which `after` names one. In the order of their entry a
    reader who goes on later misses nothing.
    """
    behind = known.filter(**{name: asked.after}).first() if asked.after is not None else None
    if asked.after is not None and behind is None:
        refuse_parameter("after", NO_RECORD)
    found = read_keyset_page(rows, behind=behind, order=order, limit=asked.limit)
    last = str(getattr(found.rows[-1], name)) if found.has_more else None
    return found, next_address(request, asked, last)


def next_address(request: HttpRequest, asked: Paging, last: str | None) -> str | None:
    # Parameters that were ignored are left out.
    if last is None:
        return None
    pairs = [
        (name, value)
        for name in type(asked).model_fields
        if name != "after"
        for value in request.GET.getlist(name)
    ]
    return absolute(f"{request.path}?{urlencode([*pairs, ('after', last)])}")


def answer_list(
    request: HttpRequest,
    asked: Paging,
    rows: QuerySet[AnyModel],
    known: QuerySet[AnyModel],
    record: Callable[[AnyModel], Data],
    *,
    name: str = "public_id",
    order: Sequence[str] = ("pk",),
) -> Data:
    found, following = keyset_page(request, asked, rows, known, name=name, order=order)
    return {"count": found.count, "next": following, "results": [record(row) for row in found.rows]}


def in_two_languages(row: object, name: str = "name") -> Data:
    return {code: getattr(row, f"{name}_{code}") or None for code in ("en", "it")}


def reference_to(row: Cluster | Organisation) -> Data:
    return {"id": row.public_id, "name": row.name, "url": absolute(row.get_absolute_url())}


def programme_name(programme: Programme) -> Data:
    return {
        "id": programme.public_id,
        "name": in_two_languages(programme),
        "url": absolute(programme.get_absolute_url()),
    }
