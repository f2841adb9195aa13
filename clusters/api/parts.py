"""What all lists and records of the read API share: paging, references, what is refused."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Generic, NoReturn, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from ninja.errors import ValidationError
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from clusters.dates import FIRST_YEAR, LAST_YEAR, PartialDate
from clusters.directory.query import MOST_VALUES
from clusters.http.addresses import absolute
from clusters.http.paging import Stretch, stretch_of
from clusters.models import Cluster, Organisation, Programme, Region, TwoNames

Row = TypeVar("Row")
AnyModel = TypeVar("AnyModel", bound=Model)

MOST_ROWS, USUAL_ROWS = 100, 24
NO_RECORD = "there is no record with this id"


def exact_day(text: object) -> object:
    """Pydantic would take a moment, or seconds since 1970, for a day."""
    if isinstance(text, str):
        day = date.fromisoformat(text) if len(text) == len("2015-09-08") else None
        if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValueError(f"give a day of the years {FIRST_YEAR} to {LAST_YEAR}, as 2015-09-08")
    return text


Day = Annotated[
    date | None,
    BeforeValidator(exact_day),
    Field(
        description="The day for which states and managers are told; today without it.",
        examples=["2015-09-08"],
    ),
]


def code_of(what: str) -> Any:
    """A text of an own format: that some list has it, no schema can say."""
    return WithJsonSchema({"type": "string", "format": what})


# What no address may carry (config.middleware).
Words = Annotated[str, Field(pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
CountryCode = Annotated[str, code_of("country-code")]
RegionCode = Annotated[str, code_of("regions-id")]
PortfolioCode = Annotated[str, code_of("portfolios-id")]
ProgrammeSlug = Annotated[str, code_of("programme-slug")]
PlaceName = Annotated[str, code_of("place")]
BoxText = Annotated[str, code_of("box")]
ClusterId = Annotated[str, code_of("clusters-id")]
OrganisationId = Annotated[str, code_of("organisations-id")]


def listed_in(title: str) -> Any:
    """Several values of one parameter, of which any will do."""
    return Field(description=f"{title}.", max_length=MOST_VALUES)


class Paging(BaseModel):
    after: Annotated[
        str | None,
        Field(description="The id of the last record that you have: what follows it is told."),
    ] = None
    limit: Annotated[
        int, Field(ge=1, le=MOST_ROWS, description="How many records to tell at most.")
    ] = USUAL_ROWS


class Listed(BaseModel, Generic[Row]):
    count: int = Field(description="How many records the whole list has.")
    next: str | None = Field(description="Where the list goes on; null at its end.")
    results: list[Row]


class InTwoLanguages(BaseModel):
    en: str | None = Field(description="In English; null where there is no such text.")
    it: str | None = Field(description="In Italian; null where there is no such text.")


class Reference(BaseModel):
    """A record with an id and a page of its own, elsewhere in this API."""

    id: str
    name: str
    url: str = Field(description="Its page.")


PartialDay = Annotated[
    str | None,
    Field(description="As precise as it is known: 2013, 2015-07 or 2015-07-14.", examples=["2013"]),
]


class RegionName(BaseModel):
    code: str | None = Field(description="ISO 3166-2, where it has a code.")
    name: str


class PortfolioName(BaseModel):
    id: str = Field(description="Its code.", examples=["health-and-medical-science"])
    name: InTwoLanguages


def refuse(parameter: str, detail: str) -> NoReturn:
    raise ValidationError([{"loc": ("query", parameter), "msg": detail}])


def row_called(known: QuerySet[AnyModel], name: str, value: str) -> AnyModel:
    """The one of the published rows that is called so, or 404."""
    row = known.filter(**{name: value}).first()
    if row is None:
        raise Http404("There is no record with this id.")
    return row


def row_named_in(parameter: str, known: QuerySet[AnyModel], public_id: str) -> AnyModel:
    """The one of the published rows with this id, or 422."""
    row = known.filter(public_id=public_id).first()
    return row or refuse(parameter, NO_RECORD)


def stretch(
    request: HttpRequest,
    asked: Paging,
    rows: QuerySet[AnyModel],
    known: QuerySet[AnyModel],
    *,
    name: str = "public_id",
    order: Sequence[str] = ("pk",),
) -> tuple[Stretch[AnyModel], str | None]:
    """The rows asked for and the address of the next ones; three queries, two on the first page.

    `known` are all published rows, of which `after` names one. In the order of their entry a
    reader who goes on later misses nothing.
    """
    behind = known.filter(**{name: asked.after}).first() if asked.after is not None else None
    if asked.after is not None and behind is None:
        refuse("after", NO_RECORD)
    found = stretch_of(rows, behind=behind, order=order, limit=asked.limit)
    last = str(getattr(found.rows[-1], name)) if found.has_more else None
    return found, next_address(request, asked, last)


def next_address(request: HttpRequest, asked: Paging, last: str | None) -> str | None:
    """The same question from behind a record; what was ignored is left out."""
    if last is None:
        return None
    pairs = [
        (name, value)
        for name in type(asked).model_fields
        if name != "after"
        for value in request.GET.getlist(name)
    ]
    return absolute(f"{request.path}?{urlencode([*pairs, ('after', last)])}")


def names_of(row: TwoNames) -> InTwoLanguages:
    return InTwoLanguages(en=row.name_en, it=row.name_it)


def reference_to(row: Cluster | Organisation) -> Reference:
    return Reference(id=row.public_id, name=row.name, url=absolute(row.get_absolute_url()))


def region_name(region: Region | None) -> RegionName | None:
    return RegionName(code=region.code, name=region.name) if region else None


def iso(day: date | PartialDate | None) -> str | None:
    return str(day) if day is not None else None


class ProgrammeName(BaseModel):
    id: str
    name: InTwoLanguages
    url: str


class OnDay(BaseModel):
    on: Day = None


def programme_name(programme: Programme) -> ProgrammeName:
    return ProgrammeName(
        id=programme.public_id,
        name=names_of(programme),
        url=absolute(programme.get_absolute_url()),
    )
