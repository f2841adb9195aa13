"""The clusters of the directory, the counts beside them, and all that is known of one."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from django.http import HttpRequest, QueryDict
from django.utils import timezone, translation
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    NO_RECORD,
    BoxText,
    CountryCode,
    Day,
    EndDay,
    Id,
    InTwoLanguages,
    LevelCode,
    LevelName,
    Listed,
    OnDay,
    Page,
    Paging,
    PartialDay,
    PlaceName,
    PortfolioCode,
    PortfolioName,
    ProgrammeName,
    ProgrammeSlug,
    Reference,
    RegionCode,
    RegionName,
    StateOnDay,
    Words,
    any_of,
    facts_of,
    in_two_languages,
    next_address,
    programme_name,
    published_row,
    reference_to,
    refuse_parameter,
    with_facts,
)
from clusters.compare.members import membership_table
from clusters.directory.query import CHOICES, read_box
from clusters.directory.results import Directory
from clusters.formats.clusters import FACTS, SOURCE, sources_in_short
from clusters.formats.facts import period
from clusters.http.addresses import Data, absolute, iso_text
from clusters.http.faceted import MAX_NUMBER
from clusters.models import (
    Cluster,
    ClusterFact,
    Confidence,
    CountQualifier,
    Lineage,
    LineageKind,
    ManagementRole,
    MemberKind,
    OrganisationKind,
)
from clusters.models.clusters import ClusterNameKind
from labels.formats.records import labels_in_short
from labels.register.holdings import directory

router = Router(tags=["clusters"])


Number = Annotated[int | None, Field(ge=0, le=MAX_NUMBER)]


class ClusterParameters(Paging):
    """What the directory of clusters takes; filters of different names must all be met."""

    q: Words = Field(
        "",
        description="Words, as prefixes, or “phrases” in quotes, of names, places, managers "
        "and texts. The first eight count.",
        examples=["biopmed"],
    )
    level: list[LevelCode] = any_of("Level of a label held; a valid one where no state is given")
    state: list[StateOnDay] = any_of("State of a label on the day")
    held: Literal["ever"] | None = Field(
        None,
        description="“ever”: with a label of the level at any time until the day, and not on it "
        "only. Where a state is asked for, it says nothing.",
    )
    country: list[CountryCode] = any_of("Country, as two letters (ISO 3166)")
    region: list[RegionCode] = any_of("Region, by its code (ISO 3166-2)")
    portfolio: list[PortfolioCode] = any_of("Comparative portfolio, by its id")
    programme: list[ProgrammeSlug] = any_of(
        "Programme that it takes part in, by the last part of its page’s url"
    )
    meets: Literal["yes"] | None = Field(
        None, description="Those that hold the level their programme requires."
    )
    manager: list[OrganisationKind] = any_of("Kind of the managing organisation on the day")
    founded_from: Number = Field(None, description="Founded in this year or later.")
    founded_to: Number = Field(None, description="Founded in this year or earlier.")
    members_from: Number = Field(None, description="At least so many members.")
    members_to: Number = Field(None, description="At most so many members.")
    near: PlaceName | None = Field(
        None,
        description="A town, as Torino or Turin, or the last part of the url of a cluster’s page: "
        "those within a distance of it, the nearest first. Of several towns of one name, those "
        "near any; “Halle, DE” or “Halle, DE-ST” asks for one.",
    )
    within: int | None = Field(
        None, ge=0, le=20_000, description="The distance in kilometres; 100 without it."
    )
    box: list[BoxText] = any_of("Areas of the map, each as west,south,east,north in degrees")
    confirmed: Literal["yes"] | None = Field(
        None, description="Those whose team confirmed the facts in the last 12 months."
    )
    provisional: Literal["yes", "no"] | None = Field(
        None, description="“no” leaves provisional profiles out."
    )
    on: Day = None
    sort: (
        Literal["relevance", "distance", "name", "newest", "ending", "members", "confirmed"] | None
    ) = Field(
        None,
        description="The order: distance where there is a place, else relevance where there are "
        "words, else name.",
    )


class Manager(BaseModel):
    organisation: Reference
    role: ManagementRole = Field(examples=["lead"])
    started_on: PartialDay
    ended_on: EndDay
    is_in_force: bool = Field(description="On the day asked for.")


class Members(BaseModel):
    number: int
    qualifier: CountQualifier | None = Field(description="As the source qualifies the number.")
    counted_on: str = Field(examples=["2015"])


class HeldLabel(BaseModel):
    id: Id
    level: LevelName
    state: str = Field(description="On the day asked for.", examples=["valid"])
    starts_on: date | None = Field(examples=["2015-07-01"])
    certain_from: date | None = Field(
        description="Valid for certain from this day.", examples=["2015-07-31"]
    )
    certain_until: date | None = Field(
        description="Valid for certain until this day.", examples=["2017-07-31"]
    )
    ends_on: date | None = Field(examples=["2017-07-31"])
    valid_until_is_computed: bool
    url: Page


@with_facts(FACTS)
class ClusterRow(BaseModel):
    region: RegionName | None
    portfolio: PortfolioName | None
    managers: list[Manager] = Field(description="Of all times, the lead first.")
    members: Members | None = Field(description="The last count of all members.")
    tagline: InTwoLanguages
    labels: list[HeldLabel] = Field(description="The highest level and the latest first.")
    unconfirmed: list[ClusterFact] = Field(
        description="The facts that no source was seen to tell, or that were inferred.",
        examples=[["website"]],
    )


class OtherName(BaseModel):
    name: str = Field(examples=["Bioindustry cluster"])
    kind: ClusterNameKind
    started_on: PartialDay
    ended_on: EndDay


class MembershipCount(BaseModel):
    counted_on: str = Field(examples=["2015"])
    kind: MemberKind
    number: int
    qualifier: CountQualifier | None
    source: str | None = Field(examples=["https://www.example.org/labels"])


class SourceOfFact(BaseModel):
    fact: ClusterFact
    confidence: Confidence
    source: str | None = Field(examples=["https://www.example.org/about"])
    note: str | None = Field(examples=[None])


class LineageStep(BaseModel):
    """`cluster` merged into `other`, or split from it."""

    cluster: Reference
    kind: LineageKind
    other: Reference
    happened_on: PartialDay


class ParticipationIn(BaseModel):
    programme: ProgrammeName
    started_on: PartialDay
    ended_on: EndDay


@with_facts(FACTS, are_details=True)
class ClusterRecord(ClusterRow):
    description: InTwoLanguages
    other_names: list[OtherName]
    membership_counts: list[MembershipCount]
    sources: list[SourceOfFact]
    lineage: list[LineageStep]
    programmes: list[ParticipationIn]
    logo: str | None = Field(description="Address of the picture.", examples=[None])


CorrectedTo = Annotated[
    str | None,
    Field(
        description="The words searched for in the place of `q`, where nothing has those; else "
        "null.",
        examples=[None],
    ),
]


class ClusterList(Listed[ClusterRow]):
    corrected_to: CorrectedTo


class FacetValue(BaseModel):
    value: str = Field(description="For the parameter of the facet’s name.", examples=["IT"])
    name: InTwoLanguages = Field(examples=[{"en": "Italy", "it": "Italia"}])
    count: int = Field(description="Clusters found with it, whatever else the facet has chosen.")
    is_selected: bool


class FacetCounts(BaseModel):
    name: str = Field(
        description="The parameter; “profile” holds parameters that are yes or no.",
        examples=["country"],
    )
    values: list[FacetValue]


class FacetList(BaseModel):
    count: int = Field(description="How many clusters the list has.")
    corrected_to: CorrectedTo
    facets: list[FacetCounts]


@router.get("/clusters", response=ClusterList, summary="Clusters")
def clusters_list(request: HttpRequest, asked: Query[ClusterParameters]) -> Data:
    """The directory of clusters, with its filters, its words and its orders."""
    found = find_clusters(request, asked)
    # What is not in the directory cannot say where its list goes on.
    if asked.after is not None and found.index.slot_at(asked.after) is None:
        refuse_parameter("after", NO_RECORD)
    page = found.page
    return {
        "count": found.total,
        "next": next_address(request, asked, _last_id(found) if page.next_url else None),
        "corrected_to": found.corrected_to or None,
        "results": cluster_rows(page.keys, found.day),
    }


@router.get("/clusters/facets", response=FacetList, summary="Counts beside the clusters")
def clusters_facets(request: HttpRequest, asked: Query[ClusterParameters]) -> Data:
    """How many clusters of a list have each value of each filter. `after`, `limit` and `sort`
    change nothing."""
    found = find_clusters(request, asked)
    # The facets are made in the active language, here English; so once more for the Italian names.
    with translation.override("it"):
        names = {
            (facet.name, option.value): option.label
            for facet in found.facets()
            for option in facet.options
        }
    facets = [
        {
            "name": facet.name,
            "values": [
                {
                    "value": option.value,
                    "name": {"en": option.label, "it": names[facet.name, option.value]},
                    "count": option.count,
                    "is_selected": option.is_selected,
                }
                for option in facet.options
            ],
        }
        for facet in found.facets()
    ]
    return {"count": found.total, "corrected_to": found.corrected_to or None, "facets": facets}


@router.get("/clusters/{id}", response=ClusterRecord, summary="A cluster")
def clusters_detail(request: HttpRequest, id: str, asked: Query[OnDay]) -> Data:
    """All that its page tells of it."""
    cluster = published_row(Cluster.objects.published().with_profile(), "public_id", id)
    day = asked.on or timezone.localdate()
    return {
        **cluster_row(cluster, labels_in_short([cluster.pk], day)[cluster.pk], day),
        "description": texts_in_both_languages(cluster, "description"),
        "other_names": [
            {"name": name.name, "kind": name.kind, **period(name)} for name in cluster.names.all()
        ],
        "membership_counts": [
            {
                "counted_on": str(row.counted_on),
                "kind": row.kind,
                "number": row.count,
                "qualifier": row.qualifier or None,
                "source": row.source or None,
            }
            for row in cluster.membership_counts.all()
        ],
        "sources": sources_in_short(cluster.fact_sources.order_by("pk").values(*SOURCE)),
        "lineage": [
            {
                "cluster": reference_to(step.cluster),
                "kind": step.kind,
                "other": reference_to(step.other),
                "happened_on": iso_text(step.happened_on),
            }
            for step in Lineage.objects.about(cluster)
        ],
        "programmes": [
            {"programme": programme_name(row.programme), **period(row)}
            for row in cluster.participations.public()
        ],
        "logo": absolute(cluster.logo.url) if cluster.logo else None,
    }


def find_clusters(request: HttpRequest, asked: ClusterParameters) -> Directory:
    # As an address of the directory, so that API and pages never filter differently.
    data = QueryDict(mutable=True)
    for name, value in asked.model_dump(mode="json", exclude={"limit"}).items():
        if value not in (None, []):
            data.setlist(name, value if isinstance(value, list) else [str(value)])
    found = directory(data, request.path, timezone.localdate(), per_page=asked.limit)
    # A page leaves out what it does not know and says so; a program would not read that.
    for name in CHOICES:
        chosen = {value.lower() for value in found.query.chosen(name)}
        for value in data.getlist(name):
            if value.strip().lower() not in chosen:
                refuse_parameter(name, f"there is no “{value[:60]}”")
    if not all(map(read_box, asked.box)):
        refuse_parameter("box", "not west,south,east,north in degrees")
    if asked.near is not None and not found.centres:
        refuse_parameter("near", "no cluster stands there")
    return found


def _last_id(found: Directory) -> str:
    return found.index.public_id(found.index.slots[found.page.keys[-1]])


def cluster_rows(keys: Sequence[int], day: date) -> list[Data]:
    rows = Cluster.objects.published().with_profile().in_bulk(keys)
    # In the order of the list; one that was hidden meanwhile is left out.
    clusters = [rows[key] for key in keys if key in rows]
    labels = labels_in_short(rows, day)
    return [cluster_row(cluster, labels[cluster.pk], day) for cluster in clusters]


def cluster_row(cluster: Cluster, labels: list[Data], day: date) -> Data:
    """Without a query on a row of `with_profile()`; `labels` come from `labels_in_short`."""
    counts = (c for c in cluster.membership_counts.all() if c.counted_on.first_day <= day)
    members = membership_table(counts).latest_total
    portfolio = cluster.portfolio
    return {
        **facts_of(FACTS, cluster),
        "portfolio": portfolio and {"id": portfolio.code, "name": in_two_languages(portfolio)},
        "managers": [
            {
                "organisation": reference_to(row.organisation),
                "role": row.role,
                **period(row),
                "is_in_force": row.is_on(day),
            }
            for row in cluster.managements.all()
        ],
        "members": members
        and {
            "number": members.number,
            "qualifier": members.qualifier or None,
            "counted_on": str(members.counted_on),
        },
        "unconfirmed": cluster.unconfirmed,
        "tagline": texts_in_both_languages(cluster, "tagline"),
        "labels": labels,
    }


def texts_in_both_languages(cluster: Cluster, name: str) -> Data:
    texts = {text.language: getattr(text, name) or None for text in cluster.texts.all()}
    return {code: texts.get(code) for code in ("en", "it")}
