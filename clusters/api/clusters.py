"""The clusters of the directory, the counts beside them, and all that is known of one."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest, QueryDict
from django.utils import timezone, translation
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    NO_RECORD,
    BoxText,
    CountryCode,
    Day,
    InTwoLanguages,
    Listed,
    OnDay,
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
    Words,
    iso,
    listed_in,
    names_of,
    next_address,
    programme_name,
    reference_to,
    refuse,
    region_name,
    row_called,
)
from clusters.compare.members import membership_table
from clusters.directory.query import CHOICES, MOST_NUMBER, read_box
from clusters.directory.results import Directory
from clusters.http.addresses import absolute
from clusters.models import (
    Cluster,
    ClusterState,
    Lineage,
    LineageKind,
    Management,
    ManagementRole,
    MemberKind,
    OrganisationKind,
)
from clusters.models.clusters import ClusterNameKind
from labels.formats.records import labels_in_short
from labels.register.holdings import directory

router = Router(tags=["clusters"])


class ClusterParameters(Paging):
    """What the directory of clusters takes; filters of different names must all be met."""

    q: Annotated[
        Words,
        Field(
            description="Words, as prefixes, or “phrases” in quotes, of names, places, managers "
            "and texts. The first eight count.",
            examples=["biopmed"],
        ),
    ] = ""
    level: Annotated[
        list[Literal["bronze", "silver", "gold"]],
        listed_in("Level of a label held; a valid one where no state is given"),
    ] = []
    state: Annotated[
        list[
            Literal[
                "not_yet",
                "valid",
                "renewable",
                "expired",
                "suspended",
                "revoked",
                "transferred",
                "undated",
            ]
        ],
        listed_in("State of a label on the day"),
    ] = []
    country: Annotated[list[CountryCode], listed_in("Country, as two letters (ISO 3166)")] = []
    region: Annotated[list[RegionCode], listed_in("Region, by its code (ISO 3166-2)")] = []
    portfolio: Annotated[list[PortfolioCode], listed_in("Comparative portfolio, by its id")] = []
    programme: Annotated[
        list[ProgrammeSlug],
        listed_in("Programme that it takes part in, by the last part of its page’s url"),
    ] = []
    meets: Annotated[
        Literal["yes"] | None,
        Field(description="Those that hold the level their programme requires."),
    ] = None
    manager: Annotated[
        list[OrganisationKind], listed_in("Kind of the managing organisation on the day")
    ] = []
    founded_from: Annotated[
        int | None, Field(ge=0, le=MOST_NUMBER, description="Founded in this year or later.")
    ] = None
    founded_to: Annotated[
        int | None, Field(ge=0, le=MOST_NUMBER, description="Founded in this year or earlier.")
    ] = None
    members_from: Annotated[
        int | None, Field(ge=0, le=MOST_NUMBER, description="At least so many members.")
    ] = None
    members_to: Annotated[
        int | None, Field(ge=0, le=MOST_NUMBER, description="At most so many members.")
    ] = None
    near: Annotated[
        PlaceName | None,
        Field(
            description="A town, as Torino, or the last part of the url of a cluster’s page: "
            "those within a distance of it.",
        ),
    ] = None
    within: Annotated[
        int | None,
        Field(ge=0, le=20_000, description="The distance in kilometres; 100 without it."),
    ] = None
    box: Annotated[
        list[BoxText],
        listed_in("Areas of the map, each as west,south,east,north in degrees"),
    ] = []
    confirmed: Annotated[
        Literal["yes"] | None,
        Field(description="Those whose team confirmed the facts in the last 12 months."),
    ] = None
    provisional: Annotated[
        Literal["yes", "no"] | None, Field(description="“no” leaves provisional profiles out.")
    ] = None
    on: Day = None
    sort: Annotated[
        Literal["relevance", "name", "newest", "ending", "members", "confirmed"] | None,
        Field(description="The order: relevance where there are words, else name."),
    ] = None


class Manager(BaseModel):
    organisation: Reference
    role: ManagementRole
    started_on: PartialDay
    ended_on: PartialDay
    is_in_force: bool = Field(description="On the day asked for.")


class Members(BaseModel):
    number: int
    counted_on: str


class HeldLabel(BaseModel):
    id: str
    level: str = Field(description="bronze, silver or gold.")
    state: str = Field(description="On the day asked for.")
    starts_on: date | None
    ends_on: date | None
    url: str = Field(description="Its page.")


class ClusterRow(BaseModel):
    id: str = Field(description="Eight letters and digits that never change.")
    url: str = Field(description="Its page.")
    name: str
    state: ClusterState
    tagline: InTwoLanguages
    country: str = Field(description="As two letters (ISO 3166).")
    region: RegionName | None
    town: str | None
    latitude: float | None
    longitude: float | None
    portfolio: PortfolioName | None
    founded_on: PartialDay
    website: str | None
    managers: list[Manager] = Field(description="Of all times, the lead first.")
    members: Members | None = Field(description="The last count of all members.")
    labels: list[HeldLabel] = Field(description="The highest level and the latest first.")
    confirmed_on: date | None = Field(description="When its team last confirmed these facts.")


class OtherName(BaseModel):
    name: str
    kind: ClusterNameKind
    started_on: PartialDay
    ended_on: PartialDay


class MembershipCount(BaseModel):
    counted_on: str
    kind: MemberKind
    number: int
    source: str | None


class LineageStep(BaseModel):
    """`cluster` merged into `other`, or split from it."""

    cluster: Reference
    kind: LineageKind
    other: Reference
    happened_on: PartialDay


class ParticipationIn(BaseModel):
    programme: ProgrammeName
    started_on: PartialDay
    ended_on: PartialDay


class ClusterRecord(ClusterRow):
    description: InTwoLanguages
    other_names: list[OtherName]
    membership_counts: list[MembershipCount]
    lineage: list[LineageStep]
    programmes: list[ParticipationIn]
    contact_address: str | None = Field(description="Of a function, where the team shows it.")
    eccp_url: str | None = Field(
        description="Its page on the European Cluster Collaboration Platform."
    )
    logo: str | None = Field(description="Address of the picture.")


class ClusterList(Listed[ClusterRow]):
    pass


class FacetValue(BaseModel):
    value: str = Field(description="For the parameter of the facet’s name.")
    name: InTwoLanguages
    count: int = Field(description="Clusters found with it, whatever else the facet has chosen.")
    is_selected: bool


class FacetCounts(BaseModel):
    name: str = Field(description="The parameter; “profile” holds parameters that are yes or no.")
    values: list[FacetValue]


class FacetList(BaseModel):
    count: int = Field(description="How many clusters the list has.")
    facets: list[FacetCounts]


@router.get("/clusters", response=ClusterList, summary="Clusters")
def clusters_list(request: HttpRequest, asked: Query[ClusterParameters]) -> ClusterList:
    """The directory of clusters, with its filters, its words and its orders."""
    found = found_by(request, asked)
    if asked.after is not None and found.index.slot_at(asked.after) is None:
        refuse("after", NO_RECORD)
    page = found.page
    return ClusterList(
        count=found.total,
        next=next_address(request, asked, last_of(found) if page.next_url else None),
        results=cluster_rows(page.keys, found.day),
    )


@router.get("/clusters/facets", response=FacetList, summary="Counts beside the clusters")
def clusters_facets(request: HttpRequest, asked: Query[ClusterParameters]) -> FacetList:
    """How many clusters of a list have each value of each filter. `after`, `limit` and `sort`
    change nothing."""
    found = found_by(request, asked)
    with translation.override("it"):
        names = {
            (facet.name, option.value): option.label
            for facet in found.facets()
            for option in facet.options
        }
    return FacetList(
        count=found.total,
        facets=[
            FacetCounts(
                name=facet.name,
                values=[
                    FacetValue(
                        value=option.value,
                        name=InTwoLanguages(en=option.label, it=names[facet.name, option.value]),
                        count=option.count,
                        is_selected=option.is_selected,
                    )
                    for option in facet.options
                ],
            )
            for facet in found.facets()
        ],
    )


@router.get("/clusters/{id}", response=ClusterRecord, summary="A cluster")
def clusters_detail(request: HttpRequest, id: str, asked: Query[OnDay]) -> ClusterRecord:
    """All that its page tells of it."""
    cluster = row_called(Cluster.objects.published().with_profile(), "public_id", id)
    return cluster_record(cluster, asked.on or timezone.localdate())


def found_by(request: HttpRequest, asked: ClusterParameters) -> Directory:
    """Raises ValidationError where a code or a place does not exist."""
    data = QueryDict(mutable=True)
    for name, value in asked.model_dump(mode="json", exclude={"limit"}).items():
        if value not in (None, []):
            data.setlist(name, value if isinstance(value, list) else [str(value)])
    found = directory(data, request.path, timezone.localdate(), per_page=asked.limit)
    for name in CHOICES:
        chosen = {value.lower() for value in found.query.chosen(name)}
        for value in data.getlist(name):
            if value.strip().lower() not in chosen:
                refuse(name, f"there is no “{value[:60]}”")
    if not all(map(read_box, asked.box)):
        refuse("box", "not west,south,east,north in degrees")
    if asked.near is not None and found.centre is None:
        refuse("near", "no cluster stands there")
    return found


def last_of(found: Directory) -> str:
    return found.index.public_id(found.index.slots[found.page.keys[-1]])


def cluster_rows(keys: Sequence[int], day: date) -> list[ClusterRow]:
    """In the order of the keys; the same few queries however many."""
    rows = Cluster.objects.published().with_profile().in_bulk(keys)
    clusters = [rows[key] for key in keys if key in rows]
    labels = labels_in_short(rows, day)
    return [ClusterRow(**facts_of(cluster, labels[cluster.pk], day)) for cluster in clusters]


def cluster_record(cluster: Cluster, day: date) -> ClusterRecord:
    return ClusterRecord(
        **facts_of(cluster, labels_in_short([cluster.pk], day)[cluster.pk], day),
        description=texts_of(cluster, "description"),
        other_names=[
            OtherName(
                name=name.name,
                kind=ClusterNameKind(name.kind),
                started_on=iso(name.started_on),
                ended_on=iso(name.ended_on),
            )
            for name in cluster.names.all()
        ],
        membership_counts=[
            MembershipCount(
                counted_on=str(row.counted_on),
                kind=MemberKind(row.kind),
                number=row.count,
                source=row.source or None,
            )
            for row in cluster.membership_counts.all()
        ],
        lineage=[
            LineageStep(
                cluster=reference_to(step.cluster),
                kind=LineageKind(step.kind),
                other=reference_to(step.other),
                happened_on=iso(step.happened_on),
            )
            for step in Lineage.objects.about(cluster)
        ],
        programmes=[
            ParticipationIn(
                programme=programme_name(row.programme),
                started_on=iso(row.started_on),
                ended_on=iso(row.ended_on),
            )
            for row in cluster.participations.public()
        ],
        contact_address=cluster.contact_address if cluster.is_contact_shown else None,
        eccp_url=cluster.eccp_url or None,
        logo=absolute(cluster.logo.url) if cluster.logo else None,
    )


def facts_of(cluster: Cluster, labels: list[dict[str, object]], day: date) -> dict[str, Any]:
    """Without a query on a row of `with_profile()`; `labels` are told by `labels_in_short`."""
    members = membership_table(cluster.membership_counts.all()).latest_total
    portfolio = cluster.portfolio
    return {
        "id": cluster.public_id,
        "url": absolute(cluster.get_absolute_url()),
        "name": cluster.name,
        "state": cluster.state,
        "tagline": texts_of(cluster, "tagline"),
        "country": cluster.country.code,
        "region": region_name(cluster.region),
        "town": cluster.town or None,
        "latitude": cluster.latitude,
        "longitude": cluster.longitude,
        "portfolio": portfolio and PortfolioName(id=portfolio.code, name=names_of(portfolio)),
        "founded_on": iso(cluster.founded_on),
        "website": cluster.website or None,
        "managers": [manager_of(row, day) for row in cluster.managements.all()],
        "members": members and Members(number=members[0], counted_on=str(members[1])),
        "labels": labels,
        "confirmed_on": cluster.confirmed_on,
    }


def manager_of(row: Management, day: date) -> Manager:
    return Manager(
        organisation=reference_to(row.organisation),
        role=ManagementRole(row.role),
        started_on=iso(row.started_on),
        ended_on=iso(row.ended_on),
        is_in_force=row.is_on(day),
    )


def texts_of(cluster: Cluster, name: str) -> InTwoLanguages:
    texts = {text.language: getattr(text, name) or None for text in cluster.texts.all()}
    return InTwoLanguages(en=texts.get("en"), it=texts.get("it"))
