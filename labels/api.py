"""The read API of labels, their levels, and the counts that sources published."""

import re
from datetime import date
from typing import Annotated, Literal

from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    NO_RECORD,
    ClusterId,
    CountryCode,
    Day,
    InTwoLanguages,
    Listed,
    OnDay,
    Paging,
    PartialDay,
    PortfolioCode,
    Words,
    listed_in,
    names_of,
    refuse,
    row_named_in,
    stretch,
)
from clusters.models import Cluster, Portfolio
from labels.formats.records import twins
from labels.models import Label, LabelQuerySet, Level, Statement
from labels.register.holdings import level_options
from labels.register.query import RegisterQuery, read_register_query

router = Router()

KEY = re.compile(r"[1-9][0-9]{0,17}")
LevelCode = Literal["bronze", "silver", "gold"]
StateOnDay = Literal[
    "not_yet", "valid", "renewable", "expired", "suspended", "revoked", "transferred", "undated"
]


class LabelParameters(Paging):
    q: Annotated[Words, Field(description="Words in a name of the cluster.")] = ""
    level: Annotated[list[LevelCode], listed_in("Level")] = []
    state: Annotated[list[StateOnDay], listed_in("State on the day")] = []
    country: Annotated[
        list[CountryCode], listed_in("Country of the cluster, as two letters (ISO 3166)")
    ] = []
    portfolio: Annotated[list[PortfolioCode], listed_in("Portfolio of the cluster, by its id")] = []
    cluster: Annotated[
        ClusterId | None, Field(description="The cluster that holds it, by its id.")
    ] = None
    on: Day = None


class Holder(BaseModel):
    id: str
    name: str
    url: str = Field(description="Its page.")
    country: str = Field(description="As two letters (ISO 3166).")
    portfolio: str | None = Field(description="The id of its portfolio.")


class LabelRecord(BaseModel):
    """The same facts as `/labels/{id}.json` and the columns of `/labels.csv`."""

    id: str = Field(description="Eight letters and digits that never change.")
    url: str = Field(description="Its page.")
    on: date = Field(description="The day for which the state is told.")
    state: StateOnDay
    level: str = Field(description="bronze, silver or gold.")
    official_wording: str
    cluster: Holder = Field(description="The holder, under its present name.")
    managing_organisation: str | None = Field(description="When the label was awarded.")
    kind: Literal["first", "renewal"] | None
    assessed_on: PartialDay
    awarded_on: PartialDay
    announced_on: PartialDay
    valid_until: PartialDay = Field(description="The end as printed.")
    starts_on: date | None = Field(description="The first day on which it counts.")
    ends_on: date | None = Field(description="The last day on which it counts.")
    renewable_until: date | None
    extended_until: date | None
    transferred_on: date | None
    transferred_to: str | None = Field(description="The page of the label in its place.")
    transferred_from: str | None
    start_is_computed: bool
    end_is_computed: bool
    rule_of: date | None = Field(description="Since when the rule behind these dates holds.")
    awarded_by: str | None
    score: float | None = Field(description="Percent, only where the holder published it.")
    certificate_number: str | None
    source: str | None = Field(description="Where the label was seen.")


class LabelList(Listed[LabelRecord]):
    pass


class LevelRecord(BaseModel):
    id: str = Field(description="Its code.", examples=["gold"])
    name: InTwoLanguages
    rank: int = Field(description="The highest valid level is a cluster’s current one.")
    official_wording: str = Field(description="As printed on the certificate.")
    process: InTwoLanguages = Field(description="How it is reached.")


class LevelList(Listed[LevelRecord]):
    pass


class StatementRecord(BaseModel):
    """A count that a source published: quoted, never derived from this register."""

    id: str
    as_of_on: str = Field(description="As precise as it is known: 2015 or 2015-09-08.")
    definition: InTwoLanguages = Field(description="What was counted.")
    count: int
    is_more_than: bool = Field(description="The source says “more than”.")
    detail: InTwoLanguages
    source: str


class StatementList(Listed[StatementRecord]):
    pass


@router.get("/labels", response=LabelList, tags=["labels"], summary="Labels")
def labels_list(request: HttpRequest, asked: Query[LabelParameters]) -> LabelList:
    """The register of labels, with their states on a day, in the order in which they entered it."""
    day = asked.on or timezone.localdate()
    rows = found_by(asked).labels(day)
    if asked.cluster is not None:
        holder = row_named_in("cluster", Cluster.objects.published(), asked.cluster)
        rows = rows.of_clusters([holder.pk])
    numbers = rows.select_related(None).only("public_id")
    found, following = stretch(request, asked, numbers, Label.objects.published())
    keys = [label.pk for label in found.rows]
    return LabelList(
        count=found.count,
        next=following,
        results=records(Label.objects.filter(pk__in=keys).order_by("pk"), day),
    )


@router.get("/labels/{id}", response=LabelRecord, tags=["labels"], summary="A label")
def labels_detail(request: HttpRequest, id: str, asked: Query[OnDay]) -> LabelRecord:
    """The label and its state on a day."""
    day = asked.on or timezone.localdate()
    found = records(Label.objects.published().with_public_id(id), day)
    if not found:
        raise Http404("There is no record with this id.")
    return found[0]


@router.get("/levels", response=LevelList, tags=["codes"], summary="Levels")
def levels_list(request: HttpRequest, asked: Query[Paging]) -> LevelList:
    """Bronze, Silver and Gold, the lowest first."""
    known = Level.objects.all()
    found, following = stretch(request, asked, known, known, name="code", order=("rank",))
    return LevelList(
        count=found.count,
        next=following,
        results=[
            LevelRecord(
                id=level.code,
                name=names_of(level),
                rank=level.rank,
                official_wording=level.official_wording,
                process=InTwoLanguages(en=level.process_en or None, it=level.process_it or None),
            )
            for level in found.rows
        ],
    )


@router.get("/statements", response=StatementList, tags=["statements"], summary="Published counts")
def statements_list(request: HttpRequest, asked: Query[Paging]) -> StatementList:
    """Counts that sources published, each with its day, its definition and its source."""
    if asked.after is not None and not KEY.fullmatch(asked.after):
        refuse("after", NO_RECORD)
    known = Statement.objects.all()
    found, following = stretch(request, asked, known, known, name="pk")
    return StatementList(
        count=found.count,
        next=following,
        results=[statement_record(row) for row in found.rows],
    )


def found_by(asked: LabelParameters) -> RegisterQuery:
    """Raises ValidationError where a code does not exist."""
    data = QueryDict(mutable=True)
    data["q"] = asked.q
    for name in ("level", "state", "country", "portfolio"):
        data.setlist(name, getattr(asked, name))
    query = read_register_query(data, level_options(), list(Portfolio.objects.all()))
    for name, value in query.unknown:
        refuse(name, f"there is no “{value[:60]}”")
    return query


def records(labels: LabelQuerySet, day: date) -> list[LabelRecord]:
    """In the order of the labels; one query."""
    return [LabelRecord.model_validate(twin) for twin in twins(labels.with_state(day), day)]


def statement_record(row: Statement) -> StatementRecord:
    return StatementRecord(
        id=str(row.pk),
        as_of_on=str(row.as_of_on),
        definition=InTwoLanguages(en=row.definition_en, it=row.definition_it),
        count=row.count,
        is_more_than=row.is_more_than,
        detail=InTwoLanguages(en=row.detail_en or None, it=row.detail_it or None),
        source=row.source,
    )
