"""The legal entities that manage clusters, own programmes, hold shares; and the programmes."""

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
    Name,
    OnDay,
    Paging,
    PartialDay,
    ProgrammeName,
    Reference,
    RegionName,
    Words,
    answer_list,
    facts_of,
    in_two_languages,
    programme_name,
    published_row,
    reference_to,
    with_facts,
)
from clusters.formats.facts import period
from clusters.formats.organisations import ORGANISATION, PROGRAMME
from clusters.http.addresses import Data
from clusters.http.links import MAX_TEXT_LENGTH
from clusters.models import ManagementRole, Organisation, Programme
from labels.register.requirements import requirement_of

if TYPE_CHECKING:
    from labels.models import RequiredLevel

router = Router(tags=["organisations"])
programmes_router = Router(tags=["programmes"])


class OrganisationParameters(Paging):
    q: Words = Field(
        "", description="Words in its name, a former name or its town.", max_length=MAX_TEXT_LENGTH
    )


@with_facts(ORGANISATION)
class OrganisationRow(BaseModel):
    region: RegionName | None


class FormerName(BaseModel):
    name: Name
    started_on: PartialDay
    ended_on: EndDay


class ManagedCluster(BaseModel):
    cluster: Reference
    role: ManagementRole
    started_on: PartialDay
    ended_on: EndDay
    is_in_force: bool = Field(description="On the day asked for.")


class Share(BaseModel):
    organisation: Reference = Field(description="Whose shares they are.")
    shareholder: Reference
    started_on: PartialDay
    ended_on: EndDay


class OrganisationRecord(OrganisationRow):
    former_names: list[FormerName]
    clusters: list[ManagedCluster] = Field(description="That it manages or managed.")
    shares: list[Share] = Field(description="Of the organisation, and those that it holds.")
    programmes: list[ProgrammeName] = Field(description="That it owns.")


@router.get("/organisations", response=Listed[OrganisationRow], summary="Organisations")
def organisations_list(request: HttpRequest, asked: Query[OrganisationParameters]) -> Data:
    """Managing organisations, associations, programme owners and shareholders, in the order in
    which they entered the register."""
    known = Organisation.objects.published().select_related("region")
    # `after` may name a row that the words do not find: a place is enough to go on from.
    return answer_list(request, asked, known.matching(asked.q), known, organisation_row)


@router.get("/organisations/{id}", response=OrganisationRecord, summary="An organisation")
def organisations_detail(request: HttpRequest, id: str, asked: Query[OnDay]) -> Data:
    """All that its page tells of it."""
    known = Organisation.objects.published().select_related("region")
    organisation = published_row(known, "public_id", id)
    day = asked.on or timezone.localdate()
    shares = [*organisation.shareholdings.public(), *organisation.holdings.public()]
    return {
        **organisation_row(organisation),
        "former_names": [
            {"name": row.name, **period(row)} for row in organisation.former_names.all()
        ],
        "clusters": [
            {
                "cluster": reference_to(row.cluster),
                "role": row.role,
                **period(row),
                "is_in_force": row.is_on(day),
            }
            for row in organisation.managements.of_published_clusters()
        ],
        "shares": [
            {
                "organisation": reference_to(row.organisation),
                "shareholder": reference_to(row.shareholder),
                **period(row),
            }
            for row in shares
        ],
        "programmes": [programme_name(row) for row in organisation.programmes.published()],
    }


def organisation_row(organisation: Organisation) -> Data:
    return facts_of(ORGANISATION, organisation)


# Programmes: public policies that support clusters, and the level that they require


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


@programmes_router.get("/programmes", response=Listed[ProgrammeRow], summary="Programmes")
def programmes_list(request: HttpRequest, asked: Query[Paging]) -> Data:
    """Public policies that support clusters, in the order in which they entered the register."""
    known = Programme.objects.published().with_place()
    return answer_list(request, asked, known, known, programme_row)


@programmes_router.get("/programmes/{id}", response=ProgrammeRecord, summary="A programme")
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
        # Who is not public is not named.
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
