"""Public policies that support clusters, and the level that they require."""

from datetime import date
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    InTwoLanguages,
    Listed,
    OnDay,
    Paging,
    PartialDay,
    Reference,
    RegionName,
    iso,
    names_of,
    reference_to,
    region_name,
    row_called,
    stretch,
)
from clusters.http.addresses import absolute
from clusters.models import Programme
from labels.register.requirements import requirement_of

if TYPE_CHECKING:
    from labels.models import RequiredLevel

router = Router(tags=["programmes"])


class ProgrammeRow(BaseModel):
    id: str = Field(description="Eight letters and digits that never change.")
    url: str = Field(description="Its page.")
    name: InTwoLanguages
    owner: Reference | None = Field(description="Region, ministry or agency, or its coordinator.")
    country: str | None = Field(description="As two letters (ISO 3166).")
    region: RegionName | None
    description: InTwoLanguages
    website: str | None
    started_on: PartialDay
    ended_on: PartialDay


class LevelRequired(BaseModel):
    level: str = Field(description="bronze, silver or gold; a higher one will do.")
    required_from: date | None
    required_until: date | None
    source: str | None


class Participant(BaseModel):
    cluster: Reference
    started_on: PartialDay
    ended_on: PartialDay


class ProgrammeRecord(ProgrammeRow):
    required_level: LevelRequired | None = Field(description="Of a participant, on the day.")
    clusters: list[Participant] = Field(description="That take part or took part.")


class ProgrammeList(Listed[ProgrammeRow]):
    pass


@router.get("/programmes", response=ProgrammeList, summary="Programmes")
def programmes_list(request: HttpRequest, asked: Query[Paging]) -> ProgrammeList:
    """Public policies that support clusters, in the order in which they entered the register."""
    known = Programme.objects.published().with_place()
    found, following = stretch(request, asked, known, known)
    return ProgrammeList(
        count=found.count,
        next=following,
        results=[ProgrammeRow(**policy_facts(row)) for row in found.rows],
    )


@router.get("/programmes/{id}", response=ProgrammeRecord, summary="A programme")
def programmes_detail(request: HttpRequest, id: str, asked: Query[OnDay]) -> ProgrammeRecord:
    """All that its page tells of it, but for who holds the required level: that is a table at
    `/programmes/{id}/requirement.csv`."""
    programme = row_called(Programme.objects.published().with_place(), "public_id", id)
    today = timezone.localdate()
    requirement = requirement_of(programme, asked.on or today, today)
    return ProgrammeRecord(
        **policy_facts(programme),
        required_level=required_level(requirement.required) if requirement else None,
        clusters=[
            Participant(
                cluster=reference_to(row.cluster),
                started_on=iso(row.started_on),
                ended_on=iso(row.ended_on),
            )
            for row in programme.participations.public()
        ],
    )


def required_level(required: "RequiredLevel") -> LevelRequired:
    return LevelRequired(
        level=required.level_id,
        required_from=required.required_from,
        required_until=required.required_until,
        source=required.source or None,
    )


def policy_facts(programme: Programme) -> dict[str, Any]:
    owner = programme.owner
    return {
        "id": programme.public_id,
        "url": absolute(programme.get_absolute_url()),
        "name": names_of(programme),
        "owner": reference_to(owner) if owner and owner.is_published else None,
        "country": programme.country.code or None,
        "region": region_name(programme.region),
        "description": InTwoLanguages(
            en=programme.description_en or None, it=programme.description_it or None
        ),
        "website": programme.website or None,
        "started_on": iso(programme.started_on),
        "ended_on": iso(programme.ended_on),
    }
