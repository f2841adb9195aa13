"""The legal entities that manage clusters, own programmes, hold shares."""

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    EndDay,
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
    programme_name,
    published_row,
    reference_to,
    with_facts,
)
from clusters.formats.facts import period
from clusters.formats.organisations import ORGANISATION
from clusters.http.addresses import Data
from clusters.http.links import MAX_TEXT_LENGTH
from clusters.models import ManagementRole, Organisation

router = Router(tags=["organisations"])


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


class OrganisationList(Listed[OrganisationRow]):
    pass


@router.get("/organisations", response=OrganisationList, summary="Organisations")
def organisations_list(request: HttpRequest, asked: Query[OrganisationParameters]) -> Data:
    """Managing organisations, associations, programme owners and shareholders, in the order in
    which they entered the register."""
    known = Organisation.objects.published().select_related("region")
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
