"""Public policies that support clusters, and the level that they require."""

from datetime import date
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    ACE,
    EndDay,
    InTwoLanguages,
    Listed,
    OnDay,
    Paging,
    PartialDay,
    Reference,
    RegionName,
    answer_list,
    facts_of,
    in_two_languages,
    published_row,
    reference_to,
    with_facts,
)
from clusters.formats.facts import period
from clusters.formats.organisations import PROGRAMME
from clusters.http.addresses import Data
from clusters.models import Programme
from labels.register.requirements import requirement_of

if TYPE_CHECKING:
    from labels.models import RequiredLevel

router = Router(tags=["programmes"])


@with_facts(PROGRAMME)
class ProgrammeRow(BaseModel):
    region: RegionName | None
    name: InTwoLanguages = ACE
    owner: Reference | None = Field(description="Region, ministry or agency, or its coordinator.")
    description: InTwoLanguages


class LevelRequired(BaseModel):
    level: str = Field(
        description="bronze, silver or gold; a higher one will do.", examples=["gold"]
    )
    required_from: date | None = Field(examples=["2022-01-01"])
    required_until: date | None = Field(examples=[None])
    source: str | None = Field(examples=["https://www.example.org/labels"])


class Participant(BaseModel):
    cluster: Reference
    started_on: PartialDay
    ended_on: EndDay


class ProgrammeRecord(ProgrammeRow):
    required_level: LevelRequired | None = Field(description="Of a participant, on the day.")
    clusters: list[Participant] = Field(description="That take part or took part.")


class ProgrammeList(Listed[ProgrammeRow]):
    pass


@router.get("/programmes", response=ProgrammeList, summary="Programmes")
def programmes_list(request: HttpRequest, asked: Query[Paging]) -> Data:
    """Public policies that support clusters, in the order in which they entered the register."""
    known = Programme.objects.published().with_place()
    return answer_list(request, asked, known, known, programme_row)


@router.get("/programmes/{id}", response=ProgrammeRecord, summary="A programme")
def programmes_detail(request: HttpRequest, id: str, asked: Query[OnDay]) -> Data:
    """All that its page tells of it, but for who holds the required level: that is a table at
    `/programmes/{id}/requirement.csv`."""
    programme = published_row(Programme.objects.published().with_place(), "public_id", id)
    today = timezone.localdate()
    requirement = requirement_of(programme, asked.on or today, today)
    return {
        **programme_row(programme),
        "required_level": required_level(requirement.required) if requirement else None,
        "clusters": [
            {"cluster": reference_to(row.cluster), **period(row)}
            for row in programme.participations.public()
        ],
    }


def programme_row(programme: Programme) -> Data:
    owner = programme.owner
    return {
        **facts_of(PROGRAMME, programme),
        "name": in_two_languages(programme),
        "owner": reference_to(owner) if owner and owner.is_published else None,
        "description": in_two_languages(programme, "description"),
    }


def required_level(required: "RequiredLevel") -> Data:
    return {
        "level": required.level_id,
        "required_from": required.required_from,
        "required_until": required.required_until,
        "source": required.source or None,
    }
